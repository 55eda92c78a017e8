//! A decided request, as text and as JSON.

use std::fmt::Write as _;

use gate::admission::WOULD_DENY_STATE;
use gate::answer::Answer;
use serde_json::{Value, json};

use crate::fetch_command::FetchCommand;
use crate::mismatches::ProviderMismatch;
use crate::steps::{Examination, ExaminedRule, Step};
use crate::trial::{Outcome, Trial};

impl Trial {
    /// Writes the report for people.
    pub(crate) fn write(&self, text: &mut String) {
        let _ = writeln!(text, "  request: {}", self.request);
        for step in &self.examination.steps {
            let _ = writeln!(text, "  {}", step.line());
        }
        let decision = match &self.outcome {
            Outcome::Admitted { verified: true, .. } => "admitted".to_owned(),
            Outcome::Admitted {
                verified: false, ..
            } => "passes without a valid token".to_owned(),
            Outcome::Reported { reason } => format!(
                "passes as it was sent, because report_only is set; without it: {}",
                reason.kind().status()
            ),
            Outcome::Refused { answer, .. } | Outcome::Metadata { answer } => {
                answer.status.to_string()
            }
            Outcome::Undecided { waits_for } => {
                format!("none; the filter would wait for {}", waits_for.join(" or "))
            }
        };
        let counted = self.counter.as_ref();
        let counted = counted.map_or_else(String::new, |name| format!(", counted as {name}"));
        let _ = writeln!(text, "  decision: {decision}{counted}");
        match &self.outcome {
            Outcome::Admitted { changes, .. } => {
                for change in changes {
                    let _ = writeln!(text, "    {change}");
                }
            }
            Outcome::Metadata { answer } => write_answer(answer, text),
            Outcome::Refused { reason, answer } => {
                write_answer(answer, text);
                let _ = writeln!(text, "  remedy: {}", reason.kind().remedy());
            }
            Outcome::Reported { reason } => {
                let state = format!("{WOULD_DENY_STATE} to {:?}", reason.kind().metric());
                let _ = writeln!(text, "    sets the filter state wasm.{state}");
                let _ = writeln!(text, "  remedy: {}", reason.kind().remedy());
            }
            Outcome::Undecided { .. } => {}
        }
        for next in &self.next {
            let _ = writeln!(text, "  next: {next}");
        }
    }

    /// The commands that fetch the key sets of the providers that were asked about a token.
    pub(crate) fn fetch_commands<'c>(
        &self,
        commands: &'c [FetchCommand],
    ) -> impl Iterator<Item = &'c FetchCommand> {
        let asked = &self.examination.providers;
        commands.iter().filter(|one| asked.contains(&one.provider))
    }

    /// The report for programs.
    pub(crate) fn json(&self, commands: &[FetchCommand]) -> Value {
        let Examination {
            steps,
            rules,
            requirement,
            mismatches,
            ..
        } = &self.examination;
        let steps: Vec<Value> = steps.iter().map(Step::json).collect();
        let rules: Vec<Value> = rules.iter().map(ExaminedRule::json).collect();
        let mismatches: Vec<Value> = mismatches.iter().map(mismatch_json).collect();
        let fetch = self.fetch_commands(commands);
        let fetch = fetch.map(|one| json!({"provider": one.provider, "command": one.command}));
        let mut json = match &self.outcome {
            Outcome::Admitted {
                verified, changes, ..
            } => json!({
                "outcome": "admitted",
                "verified": verified,
                "changes": changes,
            }),
            Outcome::Undecided { waits_for } => json!({
                "outcome": "undecided",
                "waits_for": waits_for,
            }),
            Outcome::Refused { reason, answer } => {
                json!({
                    "outcome": "refused",
                    "reason": reason.kind().metric(),
                    "remedy": reason.kind().remedy(),
                    "answer": answer_json(answer),
                })
            }
            Outcome::Reported { reason } => json!({
                "outcome": "reported",
                "reason": reason.kind().metric(),
                "remedy": reason.kind().remedy(),
            }),
            Outcome::Metadata { answer } => json!({
                "outcome": "metadata",
                "answer": answer_json(answer),
            }),
        };
        if let Some(json) = json.as_object_mut() {
            json.insert("request".to_owned(), self.request.clone().into());
            json.insert("steps".to_owned(), steps.into());
            json.insert("rule".to_owned(), requirement.clone().into());
            json.insert("rules".to_owned(), rules.into());
            json.insert("mismatches".to_owned(), mismatches.into());
            json.insert("next".to_owned(), self.next.clone().into());
            json.insert("key_sets".to_owned(), fetch.collect());
        }
        json
    }
}

fn write_answer(answer: &Answer, text: &mut String) {
    for (name, value) in &answer.headers {
        let _ = writeln!(text, "    {name}: {value}");
    }
    if !answer.body.is_empty() {
        let _ = writeln!(text, "    {}", answer.body);
    }
}

fn answer_json(answer: &Answer) -> Value {
    let headers = answer.headers.iter();
    let headers = headers.map(|(name, value)| json!([name, value]));
    json!({
        "status": answer.status,
        "headers": headers.collect::<Vec<_>>(),
        "body": answer.body,
    })
}

fn mismatch_json(mismatch: &ProviderMismatch) -> Value {
    json!({
        "provider": mismatch.provider,
        "reason": mismatch.reason.kind().metric(),
        "text": mismatch.text,
    })
}

impl ExaminedRule {
    fn json(&self) -> Value {
        json!({
            "path": self.path,
            "matches": self.matches,
            "conditions": self.conditions,
        })
    }
}

impl Step {
    fn line(&self) -> String {
        let mark = match self.good {
            Some(true) => "+",
            Some(false) => "-",
            None => " ",
        };
        let indent = "  ".repeat(self.depth);
        format!("{mark} {indent}{}: {}", self.topic, self.text)
    }

    fn json(&self) -> Value {
        json!({
            "topic": self.topic,
            "depth": self.depth,
            "good": self.good,
            "text": self.text,
        })
    }
}

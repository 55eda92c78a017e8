//! What has been found out, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Status;
use super::trial::{Outcome, Step, Trial};
use crate::config::{Config, ConfigError};

/// What has been found out about a file.
pub(super) struct Report {
    pub(super) file: String,
    pub(super) checked: Vec<Checked>,
}

/// What has been found out about one configuration.
pub(super) struct Checked {
    /// Where it is in the file; empty where it is the whole file.
    pub(super) at: String,
    pub(super) config: Result<Config, ConfigError>,
    /// The request that was tried, where one was.
    pub(super) trial: Option<Trial>,
}

impl Report {
    /// The worst of all.
    pub(super) fn status(&self) -> Status {
        let all = self.checked.iter().map(Checked::status);
        all.max().unwrap_or(Status::Unknown)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for checked in &self.checked {
            let at = match checked.at.as_str() {
                "" => self.file.clone(),
                at => format!("{}: {at}", self.file),
            };
            let _ = match &checked.config {
                Ok(config) => writeln!(text, "{at}: valid, providers: {}", providers(config)),
                Err(problem) => writeln!(text, "{at}: bearer-gate: configuration: {problem}"),
            };
            if let Some(trial) = &checked.trial {
                trial.write(&mut text);
            }
        }
        text
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let status = match self.status() {
            Status::Good => "good",
            Status::Bad => "bad",
            Status::Unknown => "unknown",
        };
        json!({
            "file": self.file,
            "status": status,
            "configurations": self.checked.iter().map(Checked::json).collect::<Vec<_>>(),
        })
    }
}

fn providers(config: &Config) -> String {
    let names = config
        .providers
        .iter()
        .map(|provider| provider.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

impl Checked {
    fn status(&self) -> Status {
        match (
            &self.config,
            self.trial.as_ref().map(|trial| &trial.outcome),
        ) {
            (Err(_), _) | (_, Some(Outcome::Refused { .. })) => Status::Bad,
            (_, Some(Outcome::Undecided)) => Status::Unknown,
            (_, None | Some(Outcome::Admitted { .. })) => Status::Good,
        }
    }

    fn json(&self) -> Value {
        let error = self.config.as_ref().err().map(ToString::to_string);
        json!({
            "at": self.at,
            "valid": self.config.is_ok(),
            "error": error,
            "decision": self.trial.as_ref().map(Trial::json),
        })
    }
}

impl Trial {
    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "  request: {}", self.request);
        for step in &self.steps {
            let _ = writeln!(text, "  {}", step.line());
        }
        let _ = match &self.outcome {
            Outcome::Admitted { verified, .. } => {
                let what = if *verified {
                    "admitted, counted as bearer_gate.allowed"
                } else {
                    "passes without a good token, counted as bearer_gate.bypassed"
                };
                writeln!(text, "  decision: {what}")
            }
            Outcome::Undecided => writeln!(
                text,
                "  decision: none without what is not given (see --jwks, --revocation and \
                 --introspection); the filter would wait for it"
            ),
            Outcome::Refused { reason, answer } => writeln!(
                text,
                "  decision: {}, counted as bearer_gate.denied.{}",
                answer.status,
                reason.metric()
            ),
        };
        match &self.outcome {
            Outcome::Admitted { changes, .. } => {
                for change in changes {
                    let _ = writeln!(text, "    {change}");
                }
            }
            Outcome::Refused { answer, .. } => {
                for (name, value) in &answer.headers {
                    let _ = writeln!(text, "    {name}: {value}");
                }
                if !answer.body.is_empty() {
                    let _ = writeln!(text, "    {}", answer.body);
                }
            }
            Outcome::Undecided => {}
        }
    }

    fn json(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(Step::json).collect();
        let mut json = match &self.outcome {
            Outcome::Admitted { verified, changes } => json!({
                "outcome": "admitted",
                "verified": verified,
                "changes": changes,
            }),
            Outcome::Undecided => json!({"outcome": "undecided"}),
            Outcome::Refused { reason, answer } => {
                let headers = answer.headers.iter();
                let headers = headers.map(|(name, value)| json!([name, value]));
                json!({
                    "outcome": "refused",
                    "reason": reason.metric(),
                    "answer": {
                        "status": answer.status,
                        "headers": headers.collect::<Vec<_>>(),
                        "body": answer.body,
                    },
                })
            }
        };
        if let Some(json) = json.as_object_mut() {
            json.insert("request".to_owned(), self.request.clone().into());
            json.insert("steps".to_owned(), steps.into());
        }
        json
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

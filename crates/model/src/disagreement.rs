//! A request with which the filter does not do what it must.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::case::{Case, Request};
use crate::comparison::{Outcome, compare};
use crate::model::{self, Token, UsedProofs, Verdict};
use crate::trial::{Observed, Trial};

/// A request with which the filter does not do what it must.
#[derive(Debug)]
pub struct Disagreement {
    /// The seed of the case.
    pub seed: u64,
    /// What differs.
    pub problem: String,
    /// The case, reduced to what is needed.
    pub(crate) case: Case,
    pub(crate) verdict: Verdict,
    pub(crate) observed: Observed,
}

/// Sends the requests of a case. `None` if the filter refuses the configuration.
pub(crate) fn run(seed: u64, case: &Case) -> Option<Result<Vec<Outcome>, Box<Disagreement>>> {
    let trial = Trial::start(case)?;
    let mut outcomes = Vec::new();
    let mut used = UsedProofs::new(&case.world);
    for (index, request) in case.requests.iter().enumerate() {
        let (verdict, observed) = both(case, &trial, request, &used);
        match compare(&verdict, &observed) {
            Ok(outcome) => {
                outcomes.push(outcome);
                if !use_proofs(&verdict, &mut used) {
                    return Some(Ok(outcomes));
                }
            }
            Err(problem) => {
                let mut case = case.clone();
                case.requests.truncate(index + 1);
                return Some(Err(Box::new(Disagreement {
                    seed,
                    problem,
                    case,
                    verdict,
                    observed,
                })));
            }
        }
    }
    Some(Ok(outcomes))
}

/// Remembers the proof of a request that has passed. Returns whether it is certain that it needed it.
fn use_proofs(verdict: &Verdict, used: &mut UsedProofs) -> bool {
    let Verdict::Forward(forwarded) = verdict else {
        return !matches!(verdict, Verdict::Either(..));
    };
    let proof = forwarded.first().and_then(|one| one.proof.as_ref());
    if let Some(proof) = proof {
        used.add(proof);
    }
    forwarded.iter().all(|one| one.proof.as_ref() == proof)
}

/// What must become of a request, and what became of it.
fn both(case: &Case, trial: &Trial, request: &Request, used: &UsedProofs) -> (Verdict, Observed) {
    trial.pause(request.pause);
    let remembered = trial.remembered();
    let send = AssertUnwindSafe(|| trial.send(request));
    let Ok((observed, now)) = catch_unwind(send) else {
        return (
            Verdict::Refuse(Vec::new()),
            Observed::Panicked("the filter panicked"),
        );
    };
    let asked = |cluster: &str, token: &str| {
        remembered
            .iter()
            .any(|(one, other)| one == cluster && other == token)
    };
    let judge = AssertUnwindSafe(|| model::judge(&case.world, request, now, &asked, used));
    match catch_unwind(judge) {
        Ok(verdict) => (verdict, observed),
        Err(_) => (
            Verdict::Refuse(Vec::new()),
            Observed::Panicked("the model panicked"),
        ),
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = &self.case.world;
        writeln!(
            f,
            "seed {}: {}\n\nconfiguration {:#}",
            self.seed, self.problem, world.configuration
        )?;
        for (cluster, served) in &world.documents {
            writeln!(
                f,
                "{cluster} publishes, with status {}: {}",
                served.status, served.body
            )?;
        }
        for (name, value) in &world.environment {
            writeln!(f, "{name}={value}")?;
        }
        let host = if self.case.host_verifies {
            "verifies"
        } else {
            "does not verify"
        };
        writeln!(f, "the host {host} signatures")?;
        for (number, request) in self.case.requests.iter().enumerate() {
            writeln!(
                f,
                "\nrequest {number}, {} s after the one before",
                request.pause
            )?;
            self.describe(request, f)?;
        }
        writeln!(
            f,
            "\nexpected: {:#?}\n\ngot: {:#?}\n\n{}",
            self.verdict, self.observed, self.problem
        )?;
        write!(f, "make check-model SEED={} replays it", self.seed)
    }
}

/// The parts of a JWT that can be read.
fn decoded(text: &str) -> String {
    let parts = text.split('.').filter_map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
        String::from_utf8(bytes).ok()
    });
    parts.collect::<Vec<_>>().join(" ")
}

impl Disagreement {
    fn describe(&self, request: &Request, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &request.route_requirement {
            writeln!(f, "  the route names {name}")?;
        }
        let shown = |text: &str| {
            let mut text = text.to_owned();
            for (token, name) in &self.case.tokens {
                text = text.replace(token.as_str(), &format!("<{name}>"));
            }
            text
        };
        for (name, value) in &request.headers {
            writeln!(f, "  {name}: {}", shown(value))?;
            if name == "dpop" {
                writeln!(f, "    {}", decoded(value))?;
            }
        }
        for (text, name) in &self.case.tokens {
            // The rest may be escaped.
            let signature = text.rsplit('.').next().unwrap_or_default();
            if !request
                .headers
                .iter()
                .any(|(_, value)| value.contains(signature))
            {
                continue;
            }
            match Token::parse(text, usize::MAX) {
                Ok(token) => writeln!(f, "  <{name}>: {token}")?,
                Err(reason) => writeln!(f, "  <{name}>: {text} ({reason:?})")?,
            }
            for (cluster, answers) in &self.case.world.introspection {
                if let Some(served) = answers.get(text) {
                    writeln!(
                        f,
                        "    {cluster} says, with status {}: {}",
                        served.status, served.body
                    )?;
                }
            }
        }
        Ok(())
    }
}

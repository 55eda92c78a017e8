//! A request that is not decided, or whose decision is not checked.

use std::time::Duration;

use gate::answer::Answer;
use gate_simulator::{Outcome, Request};

use crate::model::{Expected, Times, expected, expected_with, must_have_ended};
use crate::plan::{AUTHENTICATION_AGE, TIMEOUT};
use crate::proofs::Proofs;
use crate::servers::Servers;
use crate::tokens::{Kind, Token};

/// How much later than its deadline a request may be answered: a tick.
const TOLERANCE: Duration = Duration::from_millis(50);

/// A request that is not decided, or whose decision is not checked.
pub(crate) struct OpenRequest {
    pub(crate) number: usize,
    pub(crate) request: Request,
    pub(crate) token: &'static Token,
    /// The number of the proof that it carries.
    pub(crate) proof: Option<usize>,
    pub(crate) arrived: Duration,
    /// Its worker, by number.
    pub(crate) worker: usize,
    /// Its listener, by number.
    pub(crate) listener: usize,
    /// The variant of its configuration.
    pub(crate) variant: usize,
    /// What the decision had to be when it arrived.
    pub(crate) at_arrival: Expected,
    /// Whether its refusal is only reported.
    pub(crate) report_only: bool,
}

/// How a request was decided.
enum Decided {
    /// It is good.
    Passed,
    /// It is refused, or passes and is reported.
    Refused(String),
}

impl OpenRequest {
    /// Checks what has become of the request. Returns whether it is decided.
    ///
    /// # Errors
    ///
    /// Which promise was broken.
    pub(crate) fn check(
        &self,
        servers: &Servers,
        proofs: &Proofs,
        times: &Times,
    ) -> Result<bool, String> {
        let (number, name) = (self.number, &self.token.name);
        let Some(decided) = self.decided(times)? else {
            return Ok(false);
        };
        match decided {
            Decided::Passed => match self.expected(servers, times) {
                Expected::Refusal(reason) => {
                    Err(format!("request {number} passed with the {name}: {reason}"))
                }
                Expected::Pass | Expected::Either => match self.proof {
                    Some(proof) if !proofs.accept(proof, self.variant) => Err(format!(
                        "request {number} passed with proof {proof}, which had been used before"
                    )),
                    _ => Ok(true),
                },
            },
            Decided::Refused(how) => {
                let must_pass = self.at_arrival == Expected::Pass
                    && self.expected(servers, times) == Expected::Pass
                    && self.proof.is_none_or(|proof| proofs.is_single(proof))
                    && !self.may_have_expired(times);
                if must_pass {
                    return Err(format!("request {number} with the {name} was {how}"));
                }
                Ok(true)
            }
        }
    }

    /// How the request was decided; `None` if it still waits.
    fn decided(&self, times: &Times) -> Result<Option<Decided>, String> {
        let number = self.number;
        let state = self.request.filter_state();
        let mut state = state.iter();
        let report = state.find(|(key, _)| key == "bearer_gate.would_deny");
        match (self.request.outcome(), report) {
            (Outcome::Paused, _) if times.now > self.deadline(times) + TOLERANCE => {
                Err(format!("request {number} still waits after its deadline"))
            }
            (Outcome::Paused, _) => Ok(None),
            (Outcome::Lost, _) => Err(format!("request {number} is lost, but its worker lives")),
            (Outcome::Forwarded, None) => Ok(Some(Decided::Passed)),
            (Outcome::Forwarded, Some((_, reason))) if self.report_only => {
                let reason = String::from_utf8_lossy(reason);
                Ok(Some(Decided::Refused(format!("reported: {reason}"))))
            }
            (Outcome::Answered(answer), None) if !self.report_only => {
                let Answer { status, body, .. } = answer;
                let how = format!("refused with {status}: {body}");
                Ok(Some(Decided::Refused(how)))
            }
            (outcome, report) => Err(format!(
                "request {number} had the report {report:?} and {outcome:?}"
            )),
        }
    }

    /// When the request must be decided. A worker that is held up decides nothing.
    fn deadline(&self, times: &Times<'_>) -> Duration {
        (self.arrived + TIMEOUT).max(times.held_up_until)
    }

    /// Whether the request went to the upstream.
    pub(crate) fn is_stream(&self) -> bool {
        self.request.outcome() == Outcome::Forwarded
    }

    /// Checks whether the stream of a request that has passed goes on, as it must, or has ended. Returns whether it has
    /// ended. `clock_set` is when the wall clock was set last.
    ///
    /// # Errors
    ///
    /// Which promise was broken.
    pub(crate) fn check_stream(
        &self,
        servers: &Servers,
        times: &Times<'_>,
        clock_set: Duration,
    ) -> Result<bool, String> {
        let (number, name) = (self.number, &self.token.name);
        match self.request.outcome() {
            Outcome::Ended(_) if expected(self.token, servers, times) == Expected::Pass => Err(
                format!("the stream of request {number} ended, but the {name} is good"),
            ),
            Outcome::Ended(_) => Ok(true),
            _ => match must_have_ended(self.token, servers, times, clock_set) {
                Some(reason) if !self.report_only => Err(format!(
                    "the stream of request {number} with the {name} goes on: {reason}"
                )),
                _ => Ok(false),
            },
        }
    }

    /// What the decision must be now, unless the proof has been used before.
    fn expected(&self, servers: &Servers, times: &Times) -> Expected {
        expected_with(self.token, self.proof.is_some(), servers, times)
    }

    /// Whether the token may have expired, or its authentication become too old, while the request waited.
    fn may_have_expired(&self, times: &Times) -> bool {
        let waited = times.now.saturating_sub(self.arrived).as_secs() + 2;
        let expires = match self.token.kind {
            Kind::Signed { expires, .. } => Some(expires),
            Kind::Bad | Kind::Opaque(_) => None,
        };
        let ages = self.token.authenticated;
        let ages = ages.map(|time| time + AUTHENTICATION_AGE.as_secs());
        let ends = expires.into_iter().chain(ages);
        ends.min().is_some_and(|end| end <= times.wall + waited)
    }
}

//! A request that is not decided, or whose decision is not checked.

use std::time::Duration;

use gate_simulator::{Outcome, Request};

use crate::model::{Expected, Times, expected_with};
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
        match self.request.outcome() {
            Outcome::Paused if times.now > self.arrived + TIMEOUT + TOLERANCE => {
                Err(format!("request {number} still waits after its deadline"))
            }
            Outcome::Paused => Ok(false),
            Outcome::Lost => Err(format!("request {number} is lost, but its worker lives")),
            Outcome::Forwarded => match self.expected(servers, times) {
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
            Outcome::Answered(answer) => {
                let must_pass = self.at_arrival == Expected::Pass
                    && self.expected(servers, times) == Expected::Pass
                    && self.proof.is_none_or(|proof| proofs.is_single(proof))
                    && !self.may_have_expired(times);
                if must_pass {
                    let status = answer.status;
                    return Err(format!(
                        "request {number} with the {name} was refused with {status}: {}",
                        answer.body
                    ));
                }
                Ok(true)
            }
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

//! Why a requirement is not fulfilled, or not yet.

use super::wait::Wait;
use crate::reason::Reason;

/// Why a provider does not accept a token, or a request does not fulfil a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfulfilled {
    /// It never will.
    Refused(Reason),
    /// It may, once something has been fetched.
    Wait(Wait),
}

impl From<Reason> for Unfulfilled {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<Wait> for Unfulfilled {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

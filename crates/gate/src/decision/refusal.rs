//! A refusal, and what it comes from.

use crate::policy::Requirement;
use crate::reason::Reason;

/// A refusal, and what it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'r> {
    /// Why the request is refused.
    pub reason: &'r Reason,
    /// The requirement that decided; `None` if none applied.
    pub requirement: Option<&'r Requirement>,
    /// The index of the provider that refused a token or found none; `None` if no provider was asked.
    pub provider: Option<usize>,
}

impl<'r> Refusal<'r> {
    /// A refusal before any requirement was applied.
    #[must_use]
    pub const fn before_rules(reason: &'r Reason) -> Self {
        Self {
            reason,
            requirement: None,
            provider: None,
        }
    }
}

//! Where a provider's revocation list comes from.

use std::rc::Rc;

use crate::fetching::RemoteDocument;
use crate::revocation::ListFormat;

/// A revocation list that a server publishes.
#[derive(Clone, Debug)]
pub struct RevocationSource {
    /// Where it is, and how often it is fetched.
    pub remote: Rc<RemoteDocument>,
    /// Its format.
    pub format: ListFormat,
    /// What happens to tokens while the list is unavailable.
    pub on_unavailable: OnUnavailable,
}

/// What happens to a provider's tokens while its revocation list is unavailable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnUnavailable {
    /// They are refused.
    #[default]
    Deny,
    /// They pass without this check.
    Allow,
}

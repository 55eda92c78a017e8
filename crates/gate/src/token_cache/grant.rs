//! What a token that has been verified was found to be good for.

use std::rc::{Rc, Weak};

use crate::policy::{Provider, RequirementNode};
use crate::keys::KeySet;
use crate::revocation::RevocationList;
use crate::time::Timestamp;

/// That a token fulfilled a requirement as the only token of a request, since one provider accepted
/// it: the first that was asked.
///
/// It would be found again as long as nothing that it was found by is another: the requirement, the
/// provider's keys, its list of revoked tokens, and the time as far as claims go by it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The requirement.
    pub tree: Rc<RequirementNode>,
    /// The provider.
    pub provider: Rc<Provider>,
    /// The fetched keys by which it is so; nothing where the provider's are in the configuration.
    pub keys: Option<Weak<KeySet>>,
    /// The list by which the token is not revoked; nothing where the provider has none.
    pub list: Option<Weak<RevocationList>>,
    /// When this was found.
    pub from: Timestamp,
    /// When the token expires.
    pub until: Timestamp,
}

impl Grant {
    /// Whether this says of the requirement `tree` what would be found at the time `now`, if keys and
    /// list are the same still.
    #[must_use]
    pub fn is_for(&self, tree: &Rc<RequirementNode>, now: Timestamp) -> bool {
        // A clock that has been put back may be before what a token calls its beginning.
        Rc::ptr_eq(&self.tree, tree) && self.from <= now && now < self.until
    }
}

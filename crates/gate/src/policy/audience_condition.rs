//! The resources that a token must be meant for.

use super::protected_resource::ProtectedResource;
use crate::claims::Claims;
use crate::reason::Reason;

/// The resources that a token must be for, in addition to the audiences of its provider.
#[derive(Clone, Debug)]
pub enum AudienceCondition<'p> {
    /// One of these; no condition if there are none. More than one if the authority of the request does not
    /// say which resource it is about.
    AnyOf(Vec<&'p ProtectedResource>),
    /// All of these: servers may read the path as that of any of them.
    AllOf(Vec<&'p ProtectedResource>),
}

impl AudienceCondition<'_> {
    /// Checks the audiences of a token.
    ///
    /// # Errors
    ///
    /// [`Reason::Audience`].
    pub fn check(&self, claims: &Claims) -> Result<(), Reason> {
        let accepts = |resource: &&ProtectedResource| resource.accepts(&claims.audiences);
        let accepted = match self {
            Self::AnyOf(resources) => resources.is_empty() || resources.iter().any(accepts),
            Self::AllOf(resources) => resources.iter().all(accepts),
        };
        if accepted {
            return Ok(());
        }
        let aud = claims.audiences.clone();
        Err(Reason::Audience { aud })
    }

    /// The identifiers of the resources that tokens must name.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        let (Self::AnyOf(resources) | Self::AllOf(resources)) = self;
        let required = resources.iter().filter(|one| one.require_audience);
        required.map(|one| one.identifier.as_str())
    }
}

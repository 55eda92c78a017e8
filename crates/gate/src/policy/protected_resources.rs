//! Which protected resource a request is about.

use super::audience_condition::AudienceCondition;
use super::path::is_ambiguous;
use super::protected_resource::{Metadata, ProtectedResource, WELL_KNOWN};
use crate::request::Request;

/// The protected resources, in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub struct ProtectedResources {
    all: Vec<ProtectedResource>,
    serves_metadata: bool,
}

impl ProtectedResources {
    /// These resources.
    #[must_use]
    pub fn new(all: Vec<ProtectedResource>) -> Self {
        Self {
            serves_metadata: all.iter().any(|one| one.metadata.is_some()),
            all,
        }
    }

    /// All resources.
    #[must_use]
    pub fn all(&self) -> &[ProtectedResource] {
        &self.all
    }

    /// The resource that `request` is about: the one with the longest path on its authority; if there is
    /// none on its authority, the only one with the longest path.
    #[must_use]
    pub fn for_request(&self, request: &Request<'_>) -> Option<&ProtectedResource> {
        match *self.candidates(request) {
            [only] => Some(only),
            _ => None,
        }
    }

    /// What a token must name in `aud` to be good for `request`.
    #[must_use]
    pub fn audience_condition(&self, request: &Request<'_>) -> AudienceCondition<'_> {
        let requiring = || self.all.iter().filter(|one| one.require_audience);
        if requiring().next().is_none() {
            AudienceCondition::AnyOf(Vec::new())
        } else if is_ambiguous(request.path()) {
            AudienceCondition::AllOf(requiring().collect())
        } else {
            AudienceCondition::AnyOf(self.candidates(request))
        }
    }

    /// The resources that `request` may be about. More than one only if none of them is on its authority.
    fn candidates(&self, request: &Request<'_>) -> Vec<&ProtectedResource> {
        let path = request.path();
        let mut found: Vec<&ProtectedResource> = self.all.iter().collect();
        found.retain(|one| one.identifier.contains(path));
        let is_here = |one: &&ProtectedResource| one.identifier.has_authority(&request.authority);
        if found.iter().any(is_here) {
            found.retain(is_here);
        }
        let lengths = found.iter().map(|one| one.identifier.path().len());
        let longest = lengths.max();
        found.retain(|one| Some(one.identifier.path().len()) == longest);
        found
    }

    /// The part of the path of `request` after the well-known path, if the gate serves metadata there:
    /// empty, or from a `/` on.
    #[must_use]
    pub fn metadata_path<'r>(&self, request: &'r Request<'_>) -> Option<&'r [u8]> {
        if !self.serves_metadata {
            return None;
        }
        let rest = request.path().strip_prefix(WELL_KNOWN.as_bytes())?;
        (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
    }

    /// The metadata that `request` is for, if this `path` is what its path has after the well-known path.
    #[must_use]
    pub fn metadata(&self, path: &[u8], request: &Request<'_>) -> Option<&Metadata> {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let is_here = |resource: &&ProtectedResource| {
            let metadata = resource.metadata.as_ref();
            let at_root = path.is_empty() && metadata.is_some_and(|metadata| metadata.at_root);
            at_root || resource.identifier.path().as_bytes() == path
        };
        let mut here: Vec<&ProtectedResource> = self.all.iter().filter(is_here).collect();
        if here.len() > 1 {
            here.retain(|one| one.identifier.has_authority(&request.authority));
        }
        here.first()?.metadata.as_ref()
    }
}

#[cfg(test)]
mod tests;

//! The issuers whose tokens a provider accepts.

use serde_json::{Map, Value};

use super::claim_path::ClaimPath;
use super::issuer_template::IssuerTemplate;
use crate::claims::Claims;

/// The issuers whose tokens a provider accepts. They are names of one authorization server: its key set, revocation list
/// and introspection endpoint are for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers(Vec<IssuerTemplate>);

impl Issuers {
    /// These issuers. Without any, tokens of every issuer are accepted, and tokens that name none.
    #[must_use]
    pub const fn new(accepted: Vec<IssuerTemplate>) -> Self {
        Self(accepted)
    }

    /// The accepted issuers; none if every issuer is.
    #[must_use]
    pub fn all(&self) -> &[IssuerTemplate] {
        &self.0
    }

    /// Whether tokens of every issuer are accepted.
    #[must_use]
    pub const fn are_any(&self) -> bool {
        self.0.is_empty()
    }

    /// The only accepted issuer; `None` if there may be others.
    #[must_use]
    pub fn only_issuer(&self) -> Option<&str> {
        match self.0.as_slice() {
            [one] => one.only_issuer(),
            _ => None,
        }
    }

    /// Whether a token with these claims and this payload names one of them.
    #[must_use]
    pub fn are_named_by(&self, claims: &Claims, payload: &Map<String, Value>) -> bool {
        let issuer = claims.issuer.as_ref();
        issuer.is_some_and(|issuer| self.0.iter().any(|one| one.matches(issuer, payload)))
    }

    /// The claims that placeholders stand for.
    pub fn claims(&self) -> impl Iterator<Item = &ClaimPath> {
        self.0.iter().flat_map(IssuerTemplate::claims)
    }

    /// Whether two payloads about the same token disagree about a claim that a placeholder stands for, and so about
    /// the tenant. A payload that lacks the claim disagrees with none.
    #[must_use]
    pub fn differ_in(&self, one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
        self.claims().any(|claim| {
            let [one, other] =
                [one, other].map(|payload| claim.find(payload).filter(|value| !value.is_null()));
            one.is_some() && other.is_some() && one != other
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_the_only_one_if_nothing_else_is_accepted() {
        let exact = |name: &str| IssuerTemplate::exact(name.to_owned());
        let template = || IssuerTemplate::parse("https://a/{tid}").unwrap();
        for (accepted, expected) in [
            (vec![], None),
            (vec![exact("a")], Some("a")),
            (vec![template()], None),
            (vec![exact("a"), exact("b")], None),
        ] {
            let issuers = Issuers::new(accepted);
            assert_eq!(issuers.only_issuer(), expected, "{issuers:?}");
        }
    }
}

//! The issuers whose tokens a provider accepts.

use gate::policy::{IssuerTemplate, Issuers};

use super::place::Place;
use super::scalar::NonEmpty;

/// Builds the issuers of the provider at this place from its fields `issuer`, which is compared exactly, and `issuers`,
/// which may be templates. At most one of them may be given; without any, every issuer is accepted.
pub(crate) fn build(
    at: &Place<'_>,
    issuer: Option<NonEmpty>,
    issuers: Option<Vec<NonEmpty>>,
) -> Option<Issuers> {
    match (issuer, issuers) {
        (None, None) => Some(Issuers::default()),
        (Some(NonEmpty(issuer)), None) => Some(Issuers::new(vec![IssuerTemplate::exact(issuer)])),
        (None, Some(issuers)) if issuers.is_empty() => {
            at.field("issuers").refuse("must not be empty")
        }
        (None, issuers) => {
            let parse = |issuer: NonEmpty, at: &Place<'_>| match IssuerTemplate::parse(&issuer.0) {
                Ok(template) => Some(template),
                Err(problem) => at.refuse(&problem.to_string()),
            };
            Some(Issuers::new(at.build_list("issuers", issuers, parse)))
        }
        (Some(_), Some(_)) => at.refuse("has both issuer and issuers"),
    }
}

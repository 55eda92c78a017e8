//! What a requirement asks of the authentication of the user (RFC 9470).

use gate::policy::UserAuthentication;

use super::place::Place;
use super::scalar::{AcrValue, PositiveDuration};

/// Builds the demand of the requirement at this place from its fields `acr_values` and `max_authentication_age`.
pub(crate) fn build(
    at: &Place<'_>,
    acr_values: Option<Vec<AcrValue>>,
    max_age: Option<PositiveDuration>,
) -> UserAuthentication {
    if acr_values.as_ref().is_some_and(Vec::is_empty) {
        at.field("acr_values").report("must not be empty");
    }
    let max_age = max_age.map(|max_age| max_age.0);
    if max_age.is_some_and(|max_age| max_age.subsec_nanos() > 0) {
        // The challenge says it in seconds.
        at.field("max_authentication_age")
            .report("must be whole seconds");
    }
    let acr_values = acr_values.unwrap_or_default().into_iter();
    UserAuthentication {
        acr_values: acr_values.map(|value| value.0).collect(),
        max_age,
    }
}

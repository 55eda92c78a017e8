//! Which issuers a provider accepts: `docs/configuration.md`, "Tenants".

use serde_json::{Map, Value};

use super::claim;
use super::fields::Fields;

/// Whether the provider accepts tokens of every issuer.
pub(super) fn accepts_any(provider: Fields<'_>) -> bool {
    !provider.has("issuer") && !provider.has("issuers")
}

/// Whether claims name an issuer that the provider has.
pub(super) fn is_named(provider: Fields<'_>, claims: &Map<String, Value>) -> bool {
    let Some(issuer) = claims.get("iss").and_then(Value::as_str) else {
        return false;
    };
    let templates = provider.texts("issuers");
    provider.text("issuer") == Some(issuer)
        || templates
            .iter()
            .any(|template| stands_for(template, issuer, claims))
}

/// Whether a template stands for an issuer, segment by segment.
fn stands_for(template: &str, issuer: &str, claims: &Map<String, Value>) -> bool {
    let wanted: Vec<&str> = template.split('/').collect();
    let given: Vec<&str> = issuer.split('/').collect();
    wanted.len() == given.len()
        && wanted
            .iter()
            .zip(given)
            .all(|(wanted, given)| match placeholder(wanted) {
                None => *wanted == given,
                Some(name) => {
                    let value = claim::find_dotted(name, claims).and_then(Value::as_str);
                    value == Some(given) && is_plain(given)
                }
            })
}

/// The name of the claim that a segment of a template stands for.
fn placeholder(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn is_plain(segment: &str) -> bool {
    let plain = |one: char| one.is_ascii_alphanumeric() || "-._~".contains(one);
    segment.chars().all(plain) && !["", ".", ".."].contains(&segment)
}

/// Whether two payloads have different claims where the templates of the provider have placeholders.
pub(super) fn are_of_other_tenants(
    provider: Fields<'_>,
    one: &Map<String, Value>,
    other: &Map<String, Value>,
) -> bool {
    let templates = provider.texts("issuers");
    let segments = templates.iter().flat_map(|template| template.split('/'));
    segments.filter_map(placeholder).any(|name| {
        let of = |claims| claim::find_dotted(name, claims).filter(|value| !value.is_null());
        matches!((of(one), of(other)), (Some(one), Some(other)) if one != other)
    })
}

//! Providers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::warning::Warning;
use crate::source_tree::Node;

/// The clock skew above which something other than the clocks is wrong, in seconds.
const LARGE_SKEW: u64 = 300;

/// Warns of the provider `name`.
pub(super) fn check(name: &str, provider: &Node, warnings: &mut Vec<Warning>) {
    let at = provider.range.start;
    if ["issuer", "issuers"]
        .iter()
        .all(|field| provider.get(field).is_none())
    {
        let text = format!(
            "the provider {name:?} has no issuer, so it accepts tokens of any issuer whose key it has"
        );
        warnings.push(Warning::new("no-issuer", at, text));
    }
    if provider.get("audiences").is_none_or(Node::is_empty) {
        let text = format!(
            "the provider {name:?} has no audiences, so it accepts tokens that were issued for other services"
        );
        warnings.push(Warning::new("no-audiences", at, text));
    }
    if let Some(skew) = provider.get("clock_skew_seconds")
        && skew.text().and_then(|text| text.parse().ok()) > Some(LARGE_SKEW)
    {
        warnings.push(Warning::new(
            "clock-skew",
            skew.range.start,
            "tokens still pass more than five minutes after they have expired",
        ));
    }
    let mut headers = BTreeSet::new();
    let claims = provider
        .get("claim_to_headers")
        .map(Node::items)
        .unwrap_or_default();
    for claim in claims {
        let header = claim
            .text_of("header_name")
            .unwrap_or_default()
            .to_ascii_lowercase();
        if !headers.insert(header.clone()) {
            let text = format!(
                "two claims are written to the header {header}: the upstream cannot tell them apart"
            );
            warnings.push(Warning::new("same-header", claim.range.start, text));
        }
    }
    hmac(provider, warnings);
}

/// Warns of shared secrets whose algorithms are not accepted.
fn hmac(provider: &Node, warnings: &mut Vec<Warning>) {
    let Some(keys) = provider.get("local_jwks") else {
        return;
    };
    let set: Value =
        serde_json::from_str(keys.text_of("inline_string").unwrap_or_default()).unwrap_or_default();
    let mut list = set
        .get("keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let has_secret = list.any(|key| key.get("kty").is_some_and(|kty| kty == "oct"));
    let algorithms = provider
        .get("algorithms")
        .map(Node::items)
        .unwrap_or_default();
    let mut names = algorithms.iter().filter_map(Node::text);
    if has_secret && !names.any(|name| name.starts_with("HS")) {
        warnings.push(Warning::new(
            "hmac",
            keys.range.start,
            "`oct` keys are not used, because `algorithms` names no HMAC (HS256, HS384, HS512)",
        ));
    }
}

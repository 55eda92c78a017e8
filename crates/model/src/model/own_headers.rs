//! Headers that clients may not send.

use super::credential::{self, Place};
use super::fields::Fields;

/// The header that marks claims as unverified, unless the configuration names another one.
pub(crate) const UNVERIFIED: &str = "x-jwt-signature-verified";

/// The headers without those that are taken out of every request, and whether there are such: those that the
/// configuration sets, in any spelling, and other spellings of headers that tokens are read from.
pub(crate) fn split(
    configuration: Fields<'_>,
    headers: &[(String, String)],
) -> (Vec<(String, String)>, bool) {
    let mut own = Vec::new();
    let mut read = Vec::new();
    for (_, provider) in configuration.entries("providers") {
        own.extend(provider.text("forward_payload_header").map(str::to_owned));
        for claim in provider.list("claim_to_headers") {
            own.extend(Fields(claim).text("header_name").map(str::to_owned));
        }
        for place in credential::places(provider) {
            if let Place::Header { name, .. } = place {
                read.push(name);
            }
        }
    }
    for (_, node) in configuration.entries("requirement_map") {
        marks(node, &mut own);
    }
    for rule in configuration.list("rules") {
        if let Some(node) = Fields(rule).object("requires") {
            marks(node, &mut own);
        }
    }
    let is_taken_out = |name: &str| {
        let same = |other: &String| canonical(other) == canonical(name);
        own.iter().any(same)
            || (read.iter().any(same) && !read.iter().any(|one| one.eq_ignore_ascii_case(name)))
    };
    let kept = headers.iter().filter(|(name, _)| !is_taken_out(name));
    let kept: Vec<_> = kept.cloned().collect();
    let removed = kept.len() < headers.len();
    (kept, removed)
}

/// A name in which `_` is `-`.
fn canonical(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// The header that an extraction sets.
pub(crate) fn mark(extraction: Fields<'_>) -> Option<String> {
    match extraction.text("verification_status_header") {
        Some("-") => None,
        None | Some("") => Some(UNVERIFIED.to_owned()),
        Some(name) => Some(name.to_ascii_lowercase()),
    }
}

/// Collects the headers that the extractions of a requirement set.
fn marks(node: Fields<'_>, found: &mut Vec<String>) {
    if let Some(extraction) = node.object("extract_only_without_validation") {
        found.extend(mark(extraction));
    }
    for list in ["requires_any", "requires_all"] {
        if let Some(list) = node.object(list) {
            for part in list.list("requirements") {
                marks(Fields(part), found);
            }
        }
    }
}

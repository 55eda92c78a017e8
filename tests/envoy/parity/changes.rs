//! What older versions of native lack or do differently.

use serde_json::Value;

use crate::support::envoy_has;

/// Whether native of the Envoy under test knows all fields of the configuration with this name.
pub(super) fn native_knows(name: &str, config: &Value) -> bool {
    let config = config.to_string();
    [
        ("extract_only_without_validation", "1.37.0"),
        ("verification_status_header", "1.39.3"),
    ]
    .iter()
    .all(|(field, since)| {
        let feature = format!("\"{name}\", whose configuration has `{field}`,");
        !config.contains(field) || envoy_has(since, &feature)
    })
}

/// What native did differently before a version of Envoy. The gate does what native does since then.
struct Change {
    /// The oldest tested version with the change.
    since: &'static str,
    what: &'static str,
    /// The requests of scenarios for which older versions of native do something else, and differences that are not
    /// as listed.
    rows: &'static [&'static str],
}

/// docs/compatibility.md describes them.
const CHANGES: [Change; 3] = [
    Change {
        since: "1.39.3",
        what: "comparing each value of a repeated header",
        rows: &[
            "headers: repeated, /x-h/a,b",
            "headers: repeated, /x-h/a",
            "headers: repeated, /x-tenant/a,b",
            "headers: repeated, /x-tenant/a",
            "headers: repeated, /accept-language/a,b",
            "headers: repeated, /accept-language/a",
            "headers: repeated, exact",
            "headers: repeated, the second",
            "headers: repeated, inverted",
            "headers: repeated, the second inverted",
        ],
    },
    Change {
        since: "1.39.3",
        what: "marking extracted claims by `x-jwt-signature-verified`",
        rows: &[
            "extraction: /extract, a stranger's",
            "extraction: /extract, no token",
            "extraction: /any, a stranger's",
            "extraction: /any, no token",
            "`extract_only_without_validation`",
        ],
    },
    Change {
        since: "1.40.0",
        what: "removing forged headers from requests that need no token",
        rows: &[
            "preflights: a header of ours",
            "forwarding: forged, open",
            "forwarding, in lowerCamelCase: forged, open",
        ],
    },
];

/// The requests and differences in which native of the Envoy under test is not yet what the table of scenarios says.
pub(super) fn different_in_this_envoy() -> Vec<&'static str> {
    CHANGES
        .iter()
        .filter(|change| !envoy_has(change.since, change.what))
        .flat_map(|change| change.rows.iter().copied())
        .collect()
}

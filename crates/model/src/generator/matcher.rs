//! Conditions on requests and texts.

use fastrand::Rng;
use serde_json::{Value, json};

use super::dice::{chance, one_of};

/// What rules match, and requests are sent to.
pub(crate) const PATHS: [&str; 12] = [
    "/",
    "/public",
    "/public/a",
    "/publican",
    "/api",
    "/api/v1/orders",
    "/api/v2",
    "/API/v1",
    "/admin",
    "/admin/users",
    "/caf%C3%A9",
    "/a.b",
];

/// Ambiguous paths.
pub(crate) const AMBIGUOUS: [&str; 14] = [
    "//public",
    "/public/../admin",
    "/public/./a",
    "/public;x",
    "/public%2fa",
    "/%61pi",
    "/public\\a",
    "/public/%",
    "/public/%4",
    "/public%00",
    "/public/%ff",
    "/public/..",
    "/public%3Ba",
    "/public/%252e",
];

/// `match` of a rule.
pub(crate) fn draw(rng: &mut Rng) -> Value {
    let mut condition = match rng.u8(0..10) {
        0..=4 => {
            json!({"prefix": one_of(rng, &["/", "/", "/public", "/api", "/admin", "/api/", "/P"])})
        }
        5 | 6 => json!({"path": one_of(rng, &PATHS)}),
        7 | 8 => {
            json!({"path_separated_prefix": one_of(rng, &["/public", "/api", "/admin", "/api/v1"])})
        }
        _ => json!({"safe_regex": {"regex": one_of(
            rng,
            &["/v[0-9]+/.*", "/api/v[12](/.*)?", ".*", "/(admin|public)(/.*)?", "[a-z/]*", "(?i)/api/.*", "/a+"],
        )}}),
    };
    if chance(rng, 15) {
        condition["case_sensitive"] = json!(rng.bool());
    }
    if chance(rng, 15) {
        let count = rng.usize(1..=2);
        condition["headers"] = (0..count).map(|_| header(rng)).collect();
    }
    if chance(rng, 10) {
        condition["query_parameters"] = json!([parameter(rng)]);
    }
    if chance(rng, 3) {
        condition["grpc"] = json!({});
    }
    condition
}

fn header(rng: &mut Rng) -> Value {
    let name = one_of(
        rng,
        &["x-tier", "X-Tier", ":method", "host", "x-count", "accept"],
    );
    let mut condition = json!({"name": name});
    match rng.u8(0..10) {
        0..=3 => condition["string_match"] = text(rng, &["GET", "gold", "api.example", "5", ""]),
        4 => condition["exact_match"] = json!(one_of(rng, &["GET", "gold", ""])),
        5 => condition["prefix_match"] = json!(one_of(rng, &["go", "G", "api."])),
        6 => match rng.u8(0..3) {
            0 => condition["suffix_match"] = json!("ld"),
            1 => condition["contains_match"] = json!("ol"),
            _ => condition["safe_regex_match"] = json!({"regex": "go.d|GET"}),
        },
        7 => condition["range_match"] = json!({"start": one_of(rng, &[-5, 0, 5]), "end": 10}),
        8 => condition["present_match"] = json!(rng.bool()),
        _ => {}
    }
    if chance(rng, 25) {
        condition["invert_match"] = json!(true);
    }
    if chance(rng, 15) {
        condition["treat_missing_header_as_empty"] = json!(true);
    }
    condition
}

fn parameter(rng: &mut Rng) -> Value {
    let mut condition = json!({"name": one_of(rng, &["debug", "q"])});
    match rng.u8(0..3) {
        0 => condition["string_match"] = text(rng, &["1", "a b", "true"]),
        1 => condition["present_match"] = json!(rng.bool()),
        _ => {}
    }
    condition
}

/// A string match that is about these texts.
pub(crate) fn text(rng: &mut Rng, texts: &[&str]) -> Value {
    let text = one_of(rng, texts);
    let part = |length: usize| {
        text.get(..length.min(text.len()))
            .unwrap_or_default()
            .to_owned()
    };
    let mut condition = match rng.u8(0..5) {
        1 if !text.is_empty() => json!({"prefix": part(2)}),
        2 if !text.is_empty() => {
            json!({"suffix": text.get(1..).filter(|one| !one.is_empty()).unwrap_or(text)})
        }
        3 if !text.is_empty() => json!({"contains": part(1)}),
        4 => {
            json!({"safe_regex": {"regex": one_of(rng, &["[a-z]+", ".*", "G.T|gold", "spiffe://[a-z]+/.*"])}})
        }
        _ => json!({"exact": text}),
    };
    if chance(rng, 20) {
        condition["ignore_case"] = json!(true);
    }
    condition
}

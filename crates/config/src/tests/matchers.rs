//! Matchers of rules and strings. What they match is tested in the package `gate`.

use serde_json::{Value, json};

use super::support::{error, provider_with};

/// The error of a configuration with this `match`.
fn match_error(wire: &Value) -> String {
    let mut config = provider_with("forward", &json!(true));
    config["rules"] = json!([{ "match": wire }]);
    error(&config)
}

#[test]
fn an_ambiguous_match_is_refused() {
    let needs = "rules[0].match: needs one of prefix, path, path_separated_prefix and safe_regex";
    for (wire, start) in [
        (json!({}), needs),
        (json!({"grpc": {}}), needs),
        (json!({"prefix": "/", "path": "/"}), needs),
        (json!({"path": "/", "path_separated_prefix": "/a"}), needs),
        (
            json!({"path_separated_prefix": "/a/"}),
            "rules[0].match.path_separated_prefix: must not end in /",
        ),
        (
            json!({"prefix": "/", "connect_matcher": {}}),
            "rules[0].match.connect_matcher: unknown field",
        ),
        (
            json!({"prefix": "/", "grpc": {"a": 1}}),
            "rules[0].match.grpc.a: unknown field",
        ),
        (
            json!({"prefix": "/", "grpc": []}),
            "rules[0].match.grpc: must be an object",
        ),
        (
            json!({"prefix": "/", "headers": [{"name": "a b"}]}),
            "rules[0].match.headers[0].name: is not the name of a header",
        ),
        (
            json!({"prefix": "/", "headers": [
                {"name": "x", "present_match": true, "string_match": {"exact": "a"}},
            ]}),
            "rules[0].match.headers[0]: has both",
        ),
        (
            json!({"prefix": "/", "query_parameters": [{"name": "x", "string_match": {}}]}),
            "rules[0].match.query_parameters[0].string_match: needs one of",
        ),
    ] {
        let error = match_error(&wire);
        assert!(error.starts_with(start), "{wire}: {error}");
    }
}

#[test]
fn an_ambiguous_string_match_is_refused() {
    for (wire, expected) in [
        (json!({}), ": needs one of"),
        (json!({"ignore_case": true}), ": needs one of"),
        (json!({"exact": "a", "prefix": "b"}), ": needs one of"),
        (json!({"prefix": ""}), ".prefix: must not be empty"),
        (json!({"custom": {}}), ".custom: unknown field"),
        (
            json!({"safe_regex": {}}),
            ".safe_regex.regex: missing field",
        ),
        (
            json!({"safe_regex": {"regex": "a)(b"}}),
            ".safe_regex.regex: is not a regular expression",
        ),
        (
            json!({"safe_regex": {"regex": r"\p{Greek}"}}),
            ".safe_regex.regex: is not a regular expression",
        ),
    ] {
        let error = error(&provider_with("subjects", &wire));
        let start = format!("providers.p.subjects{expected}");
        assert!(error.starts_with(&start), "{wire}: {error}");
    }
}

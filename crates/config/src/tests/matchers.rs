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
            "rules[0].match.connect_matcher: a rule does not select CONNECT requests",
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
        (
            json!({"custom": {}}),
            ".custom: a wasm filter has no access to extensions",
        ),
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

#[test]
fn a_field_of_a_match_that_is_not_supported_is_refused_with_a_reason() {
    for (field, value, reason) in [
        (
            "connect_matcher",
            json!({}),
            "a rule does not select CONNECT",
        ),
        (
            "connectMatcher",
            json!({}),
            "a rule does not select CONNECT",
        ),
        (
            "path_match_policy",
            json!({"name": "uri_template"}),
            "a wasm filter has no access to extensions of Envoy: use safe_regex",
        ),
        (
            "runtime_fraction",
            json!({"default_value": {"numerator": 50}}),
            "a wasm filter cannot read runtime values",
        ),
        (
            "cookies",
            json!([{"name": "a"}]),
            "conditions on single cookies",
        ),
        (
            "tls_context",
            json!({"presented": true}),
            "rules do not depend on the client certificate",
        ),
        (
            "filter_state",
            json!([{"key": "x"}]),
            "a wasm filter cannot read filter state safely",
        ),
    ] {
        let error = match_error(&json!({"prefix": "/", field: value}));
        let start = format!("rules[0].match.{field}: {reason}");
        assert!(error.starts_with(&start), "{error}");
        for empty in [json!(null), json!([])] {
            assert_eq!(match_error(&json!({"prefix": "/", field: empty})), "none");
        }
    }
}

#[test]
fn a_metadata_match_has_a_path_and_one_condition() {
    let place = "rules[0].match.dynamic_metadata[0]";
    let present = json!({"present_match": true});
    let keys = |number: usize| vec![json!({"key": "a"}); number];
    let one_of = ".value: needs one of string_match, bool_match and present_match";
    for (path, value, expected) in [
        (json!([{"key": "a"}]), &present, ""),
        (json!(["a", "b"]), &present, ""),
        (json!({"key": "a"}), &present, ""),
        (json!(keys(8)), &present, ""),
        (
            json!(keys(9)),
            &present,
            ".path: needs from 1 to 8 keys that are not empty",
        ),
        (
            json!([]),
            &present,
            ".path: needs from 1 to 8 keys that are not empty",
        ),
        (
            json!([{"key": ""}]),
            &present,
            ".path: needs from 1 to 8 keys that are not empty",
        ),
        (
            json!([{"index": 1}]),
            &present,
            ".path[0]: is neither a name nor an object with a key",
        ),
        (json!(keys(1)), &json!({"bool_match": false}), ""),
        (json!(keys(1)), &json!({"stringMatch": {"exact": ""}}), ""),
        (json!(keys(1)), &json!({}), one_of),
        (
            json!(keys(1)),
            &json!({"string_match": {"exact": "a"}, "present_match": true}),
            one_of,
        ),
        (
            json!(keys(1)),
            &json!({"string_match": {}}),
            ".value.string_match: needs one of exact",
        ),
        (
            json!(keys(1)),
            &json!({"present_match": false}),
            ".value.present_match: must be true: for an absent value use invert",
        ),
        (
            json!(keys(1)),
            &json!({"null_match": {}}),
            ".value.null_match: a wasm filter cannot tell null from an absent value",
        ),
        (
            json!(keys(1)),
            &json!({"double_match": {"exact": 1}}),
            ".value.double_match: conditions on numbers are not supported",
        ),
        (
            json!(keys(1)),
            &json!({"list_match": {"one_of": {}}}),
            ".value.list_match: conditions on lists are not supported",
        ),
        (
            json!(keys(1)),
            &json!({"orMatch": {"value_matchers": []}}),
            ".value.orMatch: alternatives are not supported",
        ),
    ] {
        let metadata = json!({"filter": "f", "path": path, "value": value, "invert": true});
        let error = match_error(&json!({"prefix": "/", "dynamic_metadata": [metadata]}));
        let start = match expected {
            "" => "none".to_owned(),
            _ => format!("{place}{expected}"),
        };
        assert!(error.starts_with(&start), "{error}, not {start}");
    }
    for (metadata, expected) in [
        (
            json!({"path": ["a"], "value": present}),
            ".filter: missing field",
        ),
        (
            json!({"filter": "f", "value": present}),
            ".path: missing field",
        ),
        (
            json!({"filter": "f", "path": ["a"]}),
            ".value: missing field",
        ),
        (
            json!({"filter": "", "path": ["a"], "value": present}),
            ".filter: must not be empty",
        ),
    ] {
        let error = match_error(&json!({"prefix": "/", "dynamic_metadata": [metadata]}));
        assert_eq!(error, format!("{place}{expected}"));
    }
}

#[test]
fn a_header_match_has_one_condition_in_its_newer_or_older_form() {
    let header = |fields: Value| {
        let mut header = fields;
        header["name"] = "x".into();
        match_error(&json!({"prefix": "/", "headers": [header]}))
    };
    let several = "rules[0].match.headers[0]: has more than one of string_match, present_match, \
                   exact_match, prefix_match, suffix_match, contains_match, safe_regex_match and \
                   range_match";
    for (fields, expected) in [
        (json!({"exact_match": ""}), "none"),
        (json!({"range_match": {}}), "none"),
        (json!({"range_match": {"start": "-5", "end": 5.0}}), "none"),
        (json!({"treat_missing_header_as_empty": true}), "none"),
        (
            json!({"prefix_match": ""}),
            "rules[0].match.headers[0].prefix_match: must not be empty",
        ),
        (
            json!({"range_match": {"start": 0.5}}),
            "rules[0].match.headers[0].range_match.start: is not an integer of 64 bits",
        ),
        (
            json!({"safe_regex_match": {"regex": "("}}),
            "rules[0].match.headers[0].safe_regex_match.regex: is not a regular expression: \
             found open group without closing ')'",
        ),
        (json!({"exact_match": "a", "prefix_match": "b"}), several),
        (json!({"exact_match": "a", "present_match": true}), several),
        (
            json!({"range_match": {}, "string_match": {"exact": "a"}}),
            several,
        ),
    ] {
        assert_eq!(header(fields.clone()), expected, "{fields}");
    }
}

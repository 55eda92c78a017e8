use serde_json::{Value, json};

use super::*;

fn built(wire: Value) -> Result<Matcher, String> {
    let wire: MatchWire = serde_json::from_value(wire).map_err(|error| error.to_string())?;
    wire.build("m").map_err(|error| error.to_string())
}

fn matches(wire: &Value, target: &str, headers: &[(&str, &str)]) -> bool {
    let headers = headers.iter().copied().chain([(":path", target)]);
    let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let request = Request::from_headers(headers);
    built(wire.clone()).unwrap().matches(&request)
}

#[test]
fn paths_are_matched_without_query_and_fragment() {
    for (wire, target, expected) in [
        (json!({"prefix": "/a"}), "/ab?c", true),
        (json!({"prefix": "/a?c"}), "/a?c", false),
        (json!({"prefix": ""}), "", true),
        (
            json!({"prefix": "/A", "case_sensitive": false}),
            "/ab",
            true,
        ),
        (
            json!({"prefix": "/A", "case_sensitive": true}),
            "/ab",
            false,
        ),
        (json!({"path": "/a"}), "/a?b#c", true),
        (json!({"path": "/a"}), "/a/", false),
        (json!({"path": "/A", "caseSensitive": false}), "/a", true),
        (json!({"path_separated_prefix": "/a"}), "/a", true),
        (json!({"path_separated_prefix": "/a"}), "/a/b", true),
        (json!({"path_separated_prefix": "/a"}), "/ab", false),
        (json!({"path_separated_prefix": "/a"}), "/a?b", true),
        (
            json!({"pathSeparatedPrefix": "/A", "case_sensitive": false}),
            "/a/b",
            true,
        ),
        (json!({"safe_regex": {"regex": "/a/[^/]+"}}), "/a/b?c", true),
        (
            json!({"safe_regex": {"regex": "/a/[^/]+"}}),
            "/a/b/c",
            false,
        ),
    ] {
        assert_eq!(matches(&wire, target, &[]), expected, "{wire} {target}");
    }
}

#[test]
fn headers_must_all_match() {
    let one = |header: Value| json!({"prefix": "/", "headers": [header]});
    let twice = [("x", "a"), ("x", "b")];
    for (header, headers, expected) in [
        (json!({"name": "x"}), &[("x", "")][..], true),
        (json!({"name": "X"}), &[("x", "")], true),
        (json!({"name": "x"}), &[], false),
        (
            json!({"name": "x", "present_match": true}),
            &[("x", "a")],
            true,
        ),
        (
            json!({"name": "x", "present_match": false}),
            &[("x", "a")],
            false,
        ),
        (json!({"name": "x", "present_match": false}), &[], true),
        (json!({"name": "x", "invert_match": true}), &[], true),
        (
            json!({"name": "x", "invertMatch": true}),
            &[("x", "a")],
            false,
        ),
        (
            json!({"name": "x", "string_match": {"exact": "a"}}),
            &[("x", "a")],
            true,
        ),
        (
            json!({"name": "x", "string_match": {"exact": "b"}}),
            &twice,
            true,
        ),
        (
            json!({"name": "x", "string_match": {"exact": "a,b"}}),
            &twice,
            false,
        ),
        (
            json!({"name": "x", "string_match": {"exact": "b"}, "invert_match": true}),
            &twice,
            false,
        ),
        (
            json!({"name": "x", "string_match": {"exact": "a"}}),
            &[],
            false,
        ),
        (
            json!({"name": "x", "string_match": {"exact": "a"}, "invert_match": true}),
            &[("x", "b")],
            true,
        ),
        (
            json!({"name": "x", "stringMatch": {"exact": "a"}, "invert_match": true}),
            &[],
            false,
        ),
        (
            json!({"name": ":method", "string_match": {"exact": "GET"}}),
            &[(":method", "GET")],
            true,
        ),
        (
            json!({"name": "authorization", "string_match": {"prefix": "Basic "}}),
            &[("authorization", "Basic eA==")],
            true,
        ),
    ] {
        let wire = one(header);
        assert_eq!(matches(&wire, "/", headers), expected, "{wire} {headers:?}");
    }
    let both = json!({"prefix": "/", "headers": [{"name": "x"}, {"name": "y"}]});
    assert!(matches(&both, "/", &[("x", ""), ("y", "")]));
    assert!(!matches(&both, "/", &[("x", "")]));
}

#[test]
fn query_parameters_must_all_match() {
    let one = |parameter: Value| json!({"prefix": "/", "query_parameters": [parameter]});
    for (parameter, target, expected) in [
        (json!({"name": "a"}), "/?a", true),
        (json!({"name": "a"}), "/?b=a", false),
        (json!({"name": "a", "present_match": false}), "/?b", true),
        (json!({"name": "a", "presentMatch": false}), "/?a=", false),
        (
            json!({"name": "a", "string_match": {"exact": "1=2"}}),
            "/?a=1=2",
            true,
        ),
        (
            json!({"name": "a", "string_match": {"exact": "1"}}),
            "/?a=2&a=1",
            false,
        ),
        (
            json!({"name": "a", "string_match": {"exact": ""}}),
            "/",
            false,
        ),
    ] {
        let wire = one(parameter);
        assert_eq!(matches(&wire, target, &[]), expected, "{wire} {target}");
    }
}

#[test]
fn a_rule_may_be_for_grpc_alone() {
    let wire = json!({"prefix": "/", "grpc": {}});
    assert!(matches(&wire, "/", &[("content-type", "application/grpc")]));
    assert!(!matches(
        &wire,
        "/",
        &[("content-type", "application/json")]
    ));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let needs = "m: needs one of prefix, path, path_separated_prefix and safe_regex";
    for (wire, start) in [
        (json!({}), needs),
        (json!({"grpc": {}}), needs),
        (json!({"prefix": "/", "path": "/"}), needs),
        (json!({"path": "/", "path_separated_prefix": "/a"}), needs),
        (
            json!({"path_separated_prefix": "/a/"}),
            "m.path_separated_prefix: must not end in /",
        ),
        (
            json!({"prefix": "/", "connect_matcher": {}}),
            "unknown field `connect_matcher`",
        ),
        (
            json!({"prefix": "/", "grpc": {"a": 1}}),
            "unknown field `a`",
        ),
        (
            json!({"prefix": "/", "headers": [{"name": "a b"}]}),
            "is not the name of a header",
        ),
        (
            json!({"prefix": "/", "headers": [{"name": "x", "present_match": true, "string_match": {"exact": "a"}}]}),
            "m.headers[0]: has both",
        ),
        (
            json!({"prefix": "/", "query_parameters": [{"name": "x", "string_match": {}}]}),
            "m.query_parameters[0].string_match: needs one of",
        ),
    ] {
        let error = built(wire.clone()).err().unwrap();
        assert!(error.starts_with(start), "{wire}: {error}");
    }
}

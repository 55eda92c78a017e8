//! Which requests the match of a rule selects.

use serde_json::{Value, json};

use crate::support::{policy, request};

/// Whether the rule with this match applies to a request.
fn matches(rule: &Value, target: &str, headers: &[(&str, &str)]) -> bool {
    let provider = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    let config = json!({"providers": {"p": provider}, "rules": [{ "match": rule }]});
    let policy = policy(&config);
    let rule = &policy.rules.listed()[0];
    rule.matcher.matches(&request(target, headers)).unwrap()
}

#[test]
fn paths_are_matched_without_query_and_fragment() {
    for (rule, target, expected) in [
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
        assert_eq!(matches(&rule, target, &[]), expected, "{rule} {target}");
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
        let rule = one(header);
        assert_eq!(matches(&rule, "/", headers), expected, "{rule} {headers:?}");
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
        let rule = one(parameter);
        assert_eq!(matches(&rule, target, &[]), expected, "{rule} {target}");
    }
}

#[test]
fn a_rule_may_be_for_grpc_only() {
    let rule = json!({"prefix": "/", "grpc": {}});
    assert!(matches(&rule, "/", &[("content-type", "application/grpc")]));
    assert!(!matches(
        &rule,
        "/",
        &[("content-type", "application/json")]
    ));
}

/// The values of `x` that fulfil the condition; `None` is an absent header. The cases and results are
/// those of Envoy 1.40.
fn fulfilling(condition: &Value) -> Vec<Option<&'static str>> {
    let values = [
        None,
        Some(""),
        Some("a"),
        Some("aa"),
        Some("ba"),
        Some("bab"),
        Some("7"),
        Some("-5"),
        Some("10"),
        Some("9.5"),
        Some("+3"),
        Some("007"),
        Some("99999999999999999999"),
    ];
    let mut header = condition.clone();
    header["name"] = "x".into();
    let rule = json!({"prefix": "/", "headers": [header]});
    let fulfils = |value: Option<&str>| {
        let headers: Vec<_> = value.map(|value| ("x", value)).into_iter().collect();
        matches(&rule, "/", &headers)
    };
    values.into_iter().filter(|value| fulfils(*value)).collect()
}

#[test]
fn older_header_matches_mean_what_they_mean_in_envoy() {
    let all = || fulfilling(&json!({"present_match": true, "treat_missing_header_as_empty": true}));
    let present: Vec<_> = all().into_iter().flatten().map(Some).collect();
    assert_eq!(all().len(), 13);
    let integers = vec![Some("7"), Some("-5"), Some("+3"), Some("007")];
    let range = json!({"start": -5, "end": 10});
    for (condition, expected) in [
        (json!({"exact_match": ""}), present.clone()),
        (json!({"exact_match": "a"}), vec![Some("a")]),
        (json!({"prefix_match": "a"}), vec![Some("a"), Some("aa")]),
        (
            json!({"suffix_match": "a"}),
            vec![Some("a"), Some("aa"), Some("ba")],
        ),
        (
            json!({"contains_match": "a"}),
            vec![Some("a"), Some("aa"), Some("ba"), Some("bab")],
        ),
        (
            json!({"safe_regex_match": {"regex": "a+"}}),
            vec![Some("a"), Some("aa")],
        ),
        (json!({ "range_match": range }), integers.clone()),
        (json!({"range_match": {}}), vec![]),
        (
            json!({"range_match": range, "invert_match": true}),
            without(&present, &integers),
        ),
        (
            json!({"exact_match": "a", "invert_match": true}),
            without(&present, &[Some("a")]),
        ),
    ] {
        assert_eq!(fulfilling(&condition), expected, "{condition}");
    }
}

#[test]
fn an_absent_header_may_count_as_an_empty_one() {
    let with = |condition: Value| {
        let mut condition = condition;
        condition["treat_missing_header_as_empty"] = true.into();
        fulfilling(&condition)
    };
    let all = with(json!({}));
    assert_eq!(all.len(), 13);
    let range = json!({"start": -5, "end": 10});
    for (condition, expected) in [
        (json!({"exact_match": ""}), all.clone()),
        (json!({"present_match": true}), all.clone()),
        (json!({"present_match": false}), vec![]),
        (json!({"string_match": {"exact": ""}}), vec![None, Some("")]),
        (
            json!({"safe_regex_match": {"regex": "a*"}}),
            vec![None, Some(""), Some("a"), Some("aa")],
        ),
        (
            json!({"exact_match": "a", "invert_match": true}),
            without(&all, &[Some("a")]),
        ),
        (
            json!({"range_match": range, "invert_match": true}),
            without(&all, &[Some("7"), Some("-5"), Some("+3"), Some("007")]),
        ),
    ] {
        assert_eq!(with(condition.clone()), expected, "{condition}");
    }
}

fn without(
    values: &[Option<&'static str>],
    dropped: &[Option<&'static str>],
) -> Vec<Option<&'static str>> {
    let kept = values.iter().filter(|value| !dropped.contains(value));
    kept.copied().collect()
}

//! Which requests the match of a rule selects.

use std::cell::RefCell;
use std::rc::Rc;

use gate::decision::Decision;
use gate::policy::TextTooLong;
use gate::request::{DynamicMetadata, MetadataName, MetadataSource, Request};
use serde_json::{Value, json};

use crate::support::{Gate, policy, provider, request};

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

/// Metadata that the filter `f` has written, by their paths with dots, and the paths that were read.
struct Written {
    values: Vec<(&'static str, Vec<u8>)>,
    reads: RefCell<Vec<String>>,
}

impl MetadataSource for Written {
    fn value(&self, name: &MetadataName) -> Option<Vec<u8>> {
        let path = name.path.join(".");
        self.reads.borrow_mut().push(path.clone());
        let mut values = self.values.iter().filter(|_| name.filter == "f");
        let found = values.find(|(known, _)| *known == path);
        found.map(|(_, value)| value.clone())
    }
}

/// A request for `/a` with metadata that the filter `f` has written.
fn with_metadata(values: &[(&'static str, &[u8])]) -> (Request<'static>, Rc<Written>) {
    let values = values.iter().map(|(name, value)| (*name, value.to_vec()));
    let written = Rc::new(Written {
        values: values.collect(),
        reads: RefCell::default(),
    });
    let request = Request {
        target: b"/a".into(),
        dynamic_metadata: DynamicMetadata::new(written.clone()),
        ..Request::default()
    };
    (request, written)
}

#[test]
fn metadata_are_compared_as_strings_and_booleans() {
    let exact = |text: &str| json!({"string_match": {"exact": text}});
    let present = json!({"present_match": true});
    for (filter, path, value, expected) in [
        ("f", "method", exact("tools/call"), true),
        ("f", "method", exact("tools/list"), false),
        (
            "f",
            "params.name",
            json!({"string_match": {"prefix": "read_"}}),
            true,
        ),
        (
            "f",
            "method",
            json!({"string_match": {"safe_regex": {"regex": "initialize|tools/.*"}}}),
            true,
        ),
        ("f", "method", present.clone(), true),
        ("f", "mcp", json!({"bool_match": true}), true),
        ("f", "mcp", json!({"bool_match": false}), false),
        ("f", "other", json!({"bool_match": true}), false),
        ("f", "other", json!({"bool_match": false}), true),
        ("f", "method", json!({"bool_match": true}), false),
        // What is absent fulfils no condition.
        ("f", "missing", present.clone(), false),
        ("f", "missing", exact(""), false),
        ("f", "missing", json!({"bool_match": false}), false),
        ("g", "method", present, false),
    ] {
        for invert in [false, true] {
            let keys: Vec<Value> = path.split('.').map(|key| json!({ "key": key })).collect();
            let config = json!({"providers": {"p": provider()}, "rules": [{"match": {
                "prefix": "/",
                "dynamic_metadata": [{
                    "filter": filter, "path": keys, "value": value, "invert": invert,
                }],
            }}]});
            let (request, _) = with_metadata(&[
                ("method", b"tools/call"),
                ("params.name", b"read_file"),
                ("mcp", b"\x01"),
                ("other", b"\0"),
            ]);
            let matches = policy(&config).rules.listed()[0].matcher.matches(&request);
            assert_eq!(matches, Ok(expected != invert), "{path} {value} {invert}");
        }
    }
}

#[test]
fn metadata_are_read_once_and_only_for_rules_that_depend_on_them() {
    let condition = |key: &str, text: &str| json!({"filter": "f", "path": [key], "value": {"string_match": {"exact": text}}});
    let rule = |path: &str, metadata: Value| {
        json!({
            "match": {"path": path, "dynamic_metadata": metadata},
            "requires": {"provider_name": "p"},
        })
    };
    let policy = policy(&json!({"providers": {"p": provider()}, "rules": [
        rule("/other", json!([condition("never", "x")])),
        rule("/a", json!([condition("method", "x"), condition("unread", "x")])),
        rule("/a", json!([condition("method", "tools/call"), condition("name", "x")])),
        rule("/a", json!([condition("missing", "x")])),
        rule("/a", json!([condition("missing", "y")])),
        {"match": {"path": "/a"}},
        rule("/a", json!([condition("too late", "x")])),
    ]}));
    let (request, written) = with_metadata(&[("method", b"tools/call"), ("name", b"read")]);
    for _ in 0..2 {
        let decision = Gate::new().decision(&policy, &request);
        assert_eq!(decision, Decision::Pass);
        assert_eq!(*written.reads.borrow(), ["method", "name", "missing"]);
    }
    // They are kept with a request that waits.
    let waiting = request.clone().into_owned();
    assert_eq!(Gate::new().decision(&policy, &waiting), Decision::Pass);
    assert_eq!(written.reads.borrow().len(), 3);
}

#[test]
fn a_value_that_is_too_long_for_a_pattern_decides_nothing() {
    let config = json!({"providers": {"p": provider()}, "rules": [{"match": {
        "prefix": "/",
        "dynamic_metadata": [{"filter": "f", "path": ["name"], "value": {
            "string_match": {"safe_regex": {"regex": "a*"}},
        }}],
    }}]});
    let bytes = 5000;
    let long: &'static [u8] = vec![b'a'; bytes].leak();
    let (request, _) = with_metadata(&[("name", long)]);
    let matches = policy(&config).rules.listed()[0].matcher.matches(&request);
    assert_eq!(matches, Err(TextTooLong { bytes }));
}

#[test]
fn without_a_source_all_metadata_are_absent() {
    let rule = json!({"prefix": "/", "dynamic_metadata": [
        {"filter": "f", "path": ["a"], "value": {"present_match": true}, "invert": true},
    ]});
    assert!(matches(&rule, "/", &[]));
}

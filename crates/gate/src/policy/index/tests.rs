use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::rules::{RuleList, RuleWire, build};
use crate::request::Request;

fn stem(text: &str, whole: bool) -> Stem<'_> {
    Stem { text, whole }
}

#[test]
fn only_what_a_path_begins_with_is_looked_at() {
    let stems = [
        stem("/orders/", false),
        stem("/orders", true),
        stem("", false),
        stem("/ORDERS/new", true),
        stem("/orders/", false),
        stem("/o", false),
        stem("/orders/new/", false),
        stem("/p", false),
    ];
    let index = Index::new(stems.into_iter());
    for (path, expected) in [
        ("", &[2][..]),
        ("/", &[2]),
        ("/o", &[2, 5]),
        ("/orders", &[1, 2, 5]),
        ("/Orders", &[1, 2, 5]),
        ("/orders/", &[0, 2, 4, 5]),
        ("/orders/new", &[0, 2, 3, 4, 5]),
        ("/orders/newer", &[0, 2, 4, 5]),
        ("/orders/new/x", &[0, 2, 4, 5, 6]),
        ("/ordinary", &[2, 5]),
        ("/pets", &[2, 7]),
        ("/z", &[2]),
    ] {
        let found: Vec<usize> = index.candidates(path.as_bytes()).collect();
        assert_eq!(found, expected, "{path}");
    }
    let none = Index::new(std::iter::empty());
    assert_eq!(none.candidates(b"/").next(), None);
}

/// Of so many rules for other paths none is looked at.
#[test]
fn a_thousand_rules_are_not_walked() {
    let paths: Vec<String> = (0..1000).map(|number| format!("/api-{number}/")).collect();
    let index = Index::new(paths.iter().map(|path| stem(path, false)));
    let found: Vec<usize> = index.candidates(b"/api-77/orders/1").collect();
    assert_eq!(found, [77]);
}

/// A match in which few letters make many paths alike.
fn any_match() -> impl Strategy<Value = Value> {
    let text = "[aAb/]{0,5}";
    let path = prop_oneof![
        text.prop_map(|text| json!({"prefix": text})),
        text.prop_map(|text| json!({"path": text})),
        "[aAb/]{0,4}[aAb]".prop_map(|text| json!({"path_separated_prefix": text})),
        "[aAb/]{1,3}([*?+]|[.][*]|[(]a|b[)]|[{]2[}]|[|]a|[(][?]i[)]a){0,2}[ab]{0,1}"
            .prop_filter_map("a regular expression", |regex| {
                let wire = json!({"safe_regex": {"regex": regex}});
                built(std::slice::from_ref(&wire)).map(|_| wire)
            }),
    ];
    let method = prop_oneof![3 => Just(None), 1 => Just(Some("GET")), 1 => Just(Some("PUT"))];
    (path, any::<bool>(), method).prop_map(|(mut wire, case_sensitive, method)| {
        wire["case_sensitive"] = json!(case_sensitive);
        if let Some(method) = method {
            wire["headers"] = json!([{"name": ":method", "string_match": {"exact": method}}]);
        }
        wire
    })
}

fn built(matches: &[Value]) -> Option<RuleList> {
    let rule = |wire: &Value| {
        let wire: RuleWire = serde_json::from_value(json!({"match": wire})).unwrap();
        build("r", wire, &[], &[]).ok()
    };
    matches
        .iter()
        .map(rule)
        .collect::<Option<_>>()
        .map(RuleList::new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_same_rules_are_found_as_by_walking_all(
        matches in prop::collection::vec(any_match(), 0..20),
        targets in prop::collection::vec("[aAb/]{0,7}([?#]a)?", 1..8),
    ) {
        let list = built(&matches).unwrap();
        for target in targets {
            let request = Request {
                method: b"GET".into(),
                target: target.as_bytes().into(),
                ..Request::default()
            };
            let walked = list.all().iter().filter(|rule| rule.matcher.matches(&request));
            let walked: Vec<*const _> = walked.map(std::ptr::from_ref).collect();
            let found: Vec<*const _> = list.matching(&request).map(std::ptr::from_ref).collect();
            prop_assert_eq!(found, walked, "{}", target);
        }
    }
}

//! The index of rules by path changes nothing about which rules match.

use gate::policy::{Policy, Rules};
use gate::request::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A match of few letters, so that many rules and paths have something in common.
fn any_match() -> impl Strategy<Value = Value> {
    let text = "[aAb/]{0,5}";
    let path = prop_oneof![
        text.prop_map(|text| json!({"prefix": text})),
        text.prop_map(|text| json!({"path": text})),
        "[aAb/]{0,4}[aAb]".prop_map(|text| json!({"path_separated_prefix": text})),
        "[aAb/]{1,3}([*?+]|[.][*]|[(]a|b[)]|[{]2[}]|[|]a|[(][?]i[)]a){0,2}[ab]{0,1}"
            .prop_filter_map("a regular expression", |regex| {
                let wire = json!({"safe_regex": {"regex": regex}});
                policy(std::slice::from_ref(&wire)).map(|_| wire)
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

/// A policy with a rule for each of `matches`, unless one is invalid.
fn policy(matches: &[Value]) -> Option<Policy> {
    let rules: Vec<Value> = matches.iter().map(|one| json!({ "match": one })).collect();
    let provider = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    let config = json!({"providers": {"p": provider}, "rules": rules});
    gate_config::parse_json(config.to_string().as_bytes()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_index_finds_the_rules_that_match(
        matches in prop::collection::vec(any_match(), 1..20),
        targets in prop::collection::vec("[aAb/]{0,7}([?#]a)?", 1..8),
    ) {
        let policy = policy(&matches).unwrap();
        let Rules::Listed { rules: list, .. } = &policy.rules else {
            panic!("there are rules");
        };
        for target in targets {
            let request = Request {
                method: b"GET".into(),
                target: target.as_bytes().into(),
                ..Request::default()
            };
            let matching = list.all().iter().filter(|rule| rule.matcher.matches(&request).unwrap());
            let matching: Vec<*const _> = matching.map(std::ptr::from_ref).collect();
            let found: Vec<*const _> = list.matching(&request).map(|rule| std::ptr::from_ref(rule.unwrap())).collect();
            prop_assert_eq!(found, matching, "{}", target);
        }
    }
}

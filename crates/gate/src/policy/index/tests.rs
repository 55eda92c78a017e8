use proptest::prelude::*;

use super::*;
use crate::policy::{
    Comparison, Condition, HeaderMatcher, Matcher, PathMatcher, Pattern, Requirement, Rule,
    RuleList, StringMatcher,
};
use crate::request::Request;

fn stem(text: &str, whole: bool) -> Stem<'_> {
    Stem { text, whole }
}

#[test]
fn candidates_are_the_rules_whose_stem_is_a_prefix_of_the_path() {
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

#[test]
fn rules_for_other_paths_are_not_candidates() {
    let paths: Vec<String> = (0..1000).map(|number| format!("/api-{number}/")).collect();
    let index = Index::new(paths.iter().map(|path| stem(path, false)));
    let found: Vec<usize> = index.candidates(b"/api-77/orders/1").collect();
    assert_eq!(found, [77]);
}

/// A matcher of paths over few letters, so that many paths share a prefix.
fn any_matcher() -> impl Strategy<Value = Matcher> {
    let text = "[aAb/]{0,5}";
    let ignore_case = any::<bool>();
    let path = prop_oneof![
        (text, ignore_case).prop_map(|(text, ignore_case)| {
            PathMatcher::Text(StringMatcher::new(Comparison::Prefix(text), ignore_case))
        }),
        (text, ignore_case).prop_map(|(text, ignore_case)| {
            PathMatcher::Text(StringMatcher::new(Comparison::Exact(text), ignore_case))
        }),
        ("[aAb/]{0,4}[aAb]", ignore_case).prop_map(|(text, ignore_case)| PathMatcher::Separated {
            length: text.len(),
            prefix: StringMatcher::new(Comparison::Prefix(text), ignore_case),
        }),
        "[aAb/]{1,3}([*?+]|[.][*]|[(]a|b[)]|[{]2[}]|[|]a|[(][?]i[)]a){0,2}[ab]{0,1}"
            .prop_filter_map("not a regular expression", |source| {
                let pattern = Comparison::Pattern(Pattern::new(&source).ok()?);
                Some(PathMatcher::Text(StringMatcher::new(pattern, false)))
            }),
    ];
    let method = prop_oneof![3 => Just(None), 1 => Just(Some("GET")), 1 => Just(Some("PUT"))];
    (path, method).prop_map(|(path, method)| {
        let header = method.map(|method: &str| HeaderMatcher {
            name: ":method".to_owned(),
            condition: Condition::Text(StringMatcher::new(
                Comparison::Exact(method.to_owned()),
                false,
            )),
            invert: false,
        });
        Matcher {
            path,
            headers: header.into_iter().collect(),
            query: Vec::new(),
            grpc: false,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_index_finds_the_same_rules_as_a_search_of_all(
        matchers in prop::collection::vec(any_matcher(), 0..20),
        targets in prop::collection::vec("[aAb/]{0,7}([?#]a)?", 1..8),
    ) {
        let rules = matchers.into_iter().map(|matcher| Rule {
            matcher,
            requirement: Requirement::nothing(),
        });
        let list = RuleList::new(rules.collect());
        for target in targets {
            let request = Request {
                method: b"GET".into(),
                target: target.as_bytes().into(),
                ..Request::default()
            };
            let searched = list.all().iter().filter(|rule| rule.matcher.matches(&request));
            let searched: Vec<*const _> = searched.map(std::ptr::from_ref).collect();
            let found: Vec<*const _> = list.matching(&request).map(std::ptr::from_ref).collect();
            prop_assert_eq!(found, searched, "{}", target);
        }
    }
}

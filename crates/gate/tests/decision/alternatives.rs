use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::Config;

/// What providers say, by their names: those that are not here have no token.
struct Said {
    opinions: HashMap<&'static str, Opinion>,
    payload: Map<String, Value>,
}

impl Said {
    fn new(opinions: impl Iterator<Item = (&'static str, Opinion)>) -> Self {
        Self {
            opinions: opinions.collect(),
            payload: Map::from_iter([("scope".to_owned(), json!("read"))]),
        }
    }
}

impl Tokens for Said {
    fn opinion(&self, provider: &Provider) -> Opinion {
        let opinion = self.opinions.get(provider.name.as_str());
        opinion.cloned().unwrap_or(Reason::Missing.into())
    }

    fn payload(&self, _: &Provider) -> Option<&Map<String, Value>> {
        Some(&self.payload)
    }
}

const GOOD: Opinion = Opinion::Accepted;

fn wait(secs: u64) -> Opinion {
    Opinion::Wait(Wait {
        at_most: Duration::from_secs(secs),
        otherwise: Reason::KeysUnavailable,
    })
}

fn bad(reason: Reason) -> Opinion {
    reason.into()
}

/// What a requirement comes to, in words: the providers that accepted, or what hinders.
fn found(requirement: &Value, said: &[(&'static str, Opinion)]) -> String {
    found_by(&config(requirement), &Said::new(said.iter().cloned()))
}

fn config(requirement: &Value) -> Config {
    let provider = json!({"local_jwks": {"inline_string": crate::fixtures::key_set()}});
    let config = json!({
        "providers": {"a": provider, "b": provider, "c": provider},
        "requirement_map": {"r": requirement},
    });
    Config::from_json(config.to_string().as_bytes()).unwrap()
}

fn found_by(config: &Config, tokens: &impl Tokens) -> String {
    match find(&config.requirement(b"r").unwrap().tree, tokens) {
        Finding::Fulfilled(grants) => {
            let names = grants.providers.iter().map(|one| one.name.as_str());
            let lenient = grants.lenient.then_some("lenient");
            let extract = grants.extract.map(|_| "extract");
            let words: Vec<&str> = names.chain(extract).chain(lenient).collect();
            format!("ok {}", words.join(" "))
        }
        Finding::Wait(wait) => format!("wait {}", wait.at_most.as_secs()),
        Finding::Refused(denial) => format!("no {:?}", denial.reason),
    }
}

fn any(trees: impl Into<Value>) -> Value {
    json!({"requires_any": {"requirements": trees.into()}})
}

fn all(trees: impl Into<Value>) -> Value {
    json!({"requires_all": {"requirements": trees.into()}})
}

fn of(name: &str) -> Value {
    json!({"provider_name": name})
}

#[test]
fn one_of_several_alternatives_is_enough() {
    let requirement = any(json!([of("a"), of("b"), of("c")]));
    for (said, expected) in [
        (&[][..], "no Missing"),
        (&[("a", GOOD)], "ok a"),
        (&[("a", bad(Reason::Issuer)), ("b", GOOD)], "ok b"),
        (&[("a", wait(3)), ("b", GOOD)], "ok b"),
        (&[("a", wait(3)), ("b", bad(Reason::Expired))], "wait 3"),
        (&[("a", wait(3)), ("c", wait(5))], "wait 5"),
        (
            &[("a", bad(Reason::Expired)), ("b", bad(Reason::Issuer))],
            "no Expired",
        ),
        (
            &[("a", bad(Reason::Issuer)), ("b", bad(Reason::Expired))],
            "no Expired",
        ),
        (
            &[
                ("a", bad(Reason::KeysUnavailable)),
                ("b", bad(Reason::Issuer)),
            ],
            "no KeysUnavailable",
        ),
    ] {
        assert_eq!(found(&requirement, said), expected, "{said:?}");
    }
}

#[test]
fn all_of_several_requirements_must_be_fulfilled() {
    let requirement = all(json!([of("a"), of("b")]));
    for (said, expected) in [
        (&[][..], "no Missing"),
        (&[("a", GOOD)], "no Missing"),
        (&[("a", GOOD), ("b", GOOD)], "ok a b"),
        (&[("a", wait(3)), ("b", GOOD)], "wait 3"),
        (&[("a", wait(3)), ("b", wait(2))], "wait 3"),
        (&[("a", wait(3)), ("b", bad(Reason::Expired))], "no Expired"),
        (&[("a", GOOD), ("b", bad(Reason::Expired))], "no Expired"),
    ] {
        assert_eq!(found(&requirement, said), expected, "{said:?}");
    }
}

#[test]
fn a_missing_token_may_be_allowed_but_never_a_bad_one() {
    let alone = json!({"allow_missing": {}});
    let beside = any(json!([{"allow_missing": {}}, of("a")]));
    for requirement in [alone, beside] {
        for (said, expected) in [
            (&[][..], "ok "),
            (&[("a", GOOD)], "ok a"),
            (&[("a", wait(3))], "wait 3"),
            (&[("a", bad(Reason::Expired))], "no Expired"),
            (
                &[("a", bad(Reason::MalformedCredential))],
                "no MalformedCredential",
            ),
        ] {
            assert_eq!(
                found(&requirement, said),
                expected,
                "{requirement} {said:?}"
            );
        }
    }
}

#[test]
fn a_failed_token_may_be_allowed_but_is_waited_for() {
    let alone = json!({"allowMissingOrFailed": {}});
    let beside = any(json!([of("a"), {"allow_missing": {}}, {"allow_missing_or_failed": {}}]));
    for requirement in [alone, beside] {
        for (said, expected) in [
            (&[][..], "ok lenient"),
            (&[("a", GOOD)], "ok a"),
            (&[("a", wait(3))], "wait 3"),
            (&[("a", bad(Reason::Expired))], "ok lenient"),
        ] {
            assert_eq!(
                found(&requirement, said),
                expected,
                "{requirement} {said:?}"
            );
        }
    }
}

#[test]
fn claims_may_be_passed_on_unverified_but_a_good_token_is_better() {
    let alone = json!({"extract_only_without_validation": {}});
    assert_eq!(found(&alone, &[("a", GOOD)]), "ok extract lenient");
    let beside = any(json!([{"extract_only_without_validation": {}}, of("a")]));
    for (said, expected) in [
        (&[("a", GOOD)][..], "ok a"),
        (&[("a", wait(3))], "wait 3"),
        (&[("a", bad(Reason::Expired))], "ok extract lenient"),
    ] {
        assert_eq!(found(&beside, said), expected, "{said:?}");
    }
}

#[test]
fn requirements_nest() {
    let either = any(json!([of("a"), all(json!([of("b"), of("c")]))]));
    let optional = all(json!([
        any(json!([of("a"), {"allow_missing": {}}])),
        of("b")
    ]));
    let inner = any(json!([
        any(json!([of("a"), {"allow_missing": {}}])),
        of("b")
    ]));
    for (requirement, said, expected) in [
        (&inner, &[][..], "ok "),
        (&inner, &[("b", GOOD)], "ok b"),
        (&inner, &[("b", wait(3))], "wait 3"),
        (&inner, &[("b", bad(Reason::Expired))], "no Expired"),
        (&either, &[("b", GOOD), ("c", GOOD)], "ok b c"),
        (&either, &[("b", GOOD), ("a", GOOD)], "ok a"),
        (&either, &[("b", GOOD)], "no Missing"),
        (&optional, &[("b", GOOD)], "ok b"),
        (&optional, &[("a", GOOD), ("b", GOOD)], "ok a b"),
        (
            &optional,
            &[("a", bad(Reason::Expired)), ("b", GOOD)],
            "no Expired",
        ),
        (&optional, &[("a", GOOD)], "no Missing"),
    ] {
        assert_eq!(found(requirement, said), expected, "{said:?}");
    }
}

#[test]
fn terms_are_those_of_the_requirement_that_they_are_written_in() {
    let write = |mut requirement: Value| {
        requirement["scopes"] = json!(["write"]);
        requirement
    };
    let good = [("a", GOOD)];
    for (requirement, expected) in [
        (write(of("a")), "no Scope"),
        (any(json!([write(of("a")), of("a")])), "ok a"),
        (write(any(json!([of("a"), of("b")]))), "no Scope"),
        (all(json!([of("a"), write(of("a"))])), "no Scope"),
        (write(json!({"allow_missing": {}})), "no Scope"),
        (
            any(json!([write(of("a")), {"allow_missing": {}}])),
            "no Scope",
        ),
        (write(json!({"allow_missing_or_failed": {}})), "ok lenient"),
        (
            any(json!([write(of("a")), {"allow_missing_or_failed": {}}])),
            "ok lenient",
        ),
        (
            write(any(json!([of("a"), {"allow_missing_or_failed": {}}]))),
            "no Scope",
        ),
    ] {
        assert_eq!(found(&requirement, &good), expected, "{requirement}");
    }
    assert_eq!(found(&write(json!({"allow_missing": {}})), &[]), "ok ");
}

#[test]
fn an_empty_requirement_needs_nothing() {
    assert_eq!(found(&json!({}), &[]), "ok ");
}

/// The same where it is known of some providers that they refuse.
struct Known<'s> {
    said: &'s Said,
    /// Who is known to refuse, and the reason that theirs is no later than.
    refuse: HashMap<&'static str, Reason>,
    /// Who was asked.
    asked: RefCell<Vec<String>>,
}

impl Tokens for Known<'_> {
    fn opinion(&self, provider: &Provider) -> Opinion {
        self.asked.borrow_mut().push(provider.name.clone());
        self.said.opinion(provider)
    }

    fn refused_at_most(&self, provider: &Provider) -> Option<Reason> {
        self.refuse.get(provider.name.as_str()).copied()
    }

    fn payload(&self, provider: &Provider) -> Option<&Map<String, Value>> {
        self.said.payload(provider)
    }
}

#[test]
fn who_is_known_to_refuse_is_asked_only_if_it_matters_why() {
    let config = config(&any(json!([of("a"), of("b"), of("c")])));
    let late = [("a", Reason::Issuer), ("b", Reason::Issuer)];
    for (said, refuse, asked) in [
        (&[("c", GOOD)][..], &late[..], "c"),
        (&[("c", wait(3))], &late, "c"),
        (&[("c", bad(Reason::Expired))], &late, "c"),
        (
            &[("a", bad(Reason::Type)), ("c", bad(Reason::Algorithm))],
            &late,
            "cab",
        ),
        (
            &[("a", bad(Reason::Issuer)), ("c", bad(Reason::Algorithm))],
            &late,
            "ca",
        ),
        (&[], &[("a", Reason::Missing), ("b", Reason::Missing)], "c"),
    ] {
        let said = Said::new(said.iter().cloned());
        let known = Known {
            said: &said,
            refuse: refuse.iter().copied().collect(),
            asked: RefCell::default(),
        };
        assert_eq!(found_by(&config, &known), found_by(&config, &said));
        assert_eq!(known.asked.take().concat(), asked, "{:?}", said.opinions);
    }
}

const SOME_REASONS: [Reason; 6] = [
    Reason::Missing,
    Reason::MalformedToken,
    Reason::Algorithm,
    Reason::Issuer,
    Reason::Expired,
    Reason::KeysUnavailable,
];

/// A requirement of any shape.
fn any_requirement() -> impl Strategy<Value = Value> {
    let provider = prop::sample::select(vec!["a", "b", "c"]).prop_map(of);
    let leaf = prop_oneof![
        4 => provider.clone(),
        1 => provider.prop_map(|mut requirement| {
            requirement["scopes"] = json!(["write"]);
            requirement
        }),
        1 => Just(json!({"allow_missing": {}})),
        1 => Just(json!({"allow_missing_or_failed": {}})),
        1 => Just(json!({"extract_only_without_validation": {}})),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let list = prop::collection::vec(inner, 1..5);
        prop_oneof![
            2 => list.clone().prop_map(any),
            1 => list.prop_map(all),
        ]
    })
}

/// What a provider says, and whether it is known to refuse, no later than for some reason.
fn any_opinion() -> impl Strategy<Value = (Opinion, Option<Reason>)> {
    let reason = || prop::sample::select(SOME_REASONS.to_vec());
    prop_oneof![
        1 => Just((GOOD, None)),
        1 => (1..4_u64).prop_map(|secs| (wait(secs), None)),
        4 => (reason(), prop::option::weighted(0.7, reason())).prop_map(|(reason, known)| {
            (bad(reason), known.map(|known| known.max(reason)))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn to_know_who_refuses_changes_nothing(
        requirement in any_requirement(),
        opinions in prop::array::uniform3(any_opinion()),
    ) {
        let names = ["a", "b", "c"].into_iter();
        let said = Said::new(names.clone().zip(opinions.iter().map(|(opinion, _)| opinion.clone())));
        let refuse = names.zip(opinions.iter().map(|(_, known)| *known));
        let known = Known {
            said: &said,
            refuse: refuse.filter_map(|(name, known)| Some((name, known?))).collect(),
            asked: RefCell::default(),
        };
        let config = config(&requirement);
        prop_assert_eq!(found_by(&config, &known), found_by(&config, &said));
    }
}

//! How alternatives and combinations of requirements are evaluated, whatever the providers say.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use gate::decision::{
    AcceptedToken, Dependency, Payload, ProviderResult, Unfulfilled, Wait, evaluate,
};
use gate::policy::{Policy, Provider};
use gate::reason::{Reason, ReasonKind};
use gate::token::{MAX_TOKEN_BYTES, Token};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{NOW, at, policy};

/// What a provider says about its token.
#[derive(Clone, Debug)]
enum Said {
    Good,
    /// That it must wait this many seconds for its keys.
    Wait(u64),
    Bad(ReasonKind),
}

use Said::{Bad, Good};

fn wait(secs: u64) -> Said {
    Said::Wait(secs)
}

/// What `provider` says, in the form of the decision. An accepted token has the scope `read`.
fn result(provider: &Rc<Provider>, said: &Said) -> ProviderResult {
    match said {
        Good => {
            let text =
                gate_fixtures::signed("HS256", &json!({"alg": "HS256"}), &json!({"scope": "read"}));
            let (token, _) = Token::parse(&text, MAX_TOKEN_BYTES).unwrap();
            Ok(AcceptedToken {
                jwt: None,
                provider: Rc::clone(provider),
                credential: 0,
                payload: Payload::Jwt(Rc::new(token)),
                proof: None,
            })
        }
        Said::Wait(secs) => {
            let on = Dependency::Keys(provider.index);
            let retry_after = Duration::from_secs(1);
            let reason = Reason::KeysUnavailable { retry_after };
            Err(Wait::new(on, Duration::from_secs(*secs), reason).into())
        }
        Bad(reason) => Err(reason.example().into()),
    }
}

fn policy_of(requirement: &Value) -> Policy {
    let provider = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    policy(&json!({
        "providers": {"a": provider, "b": provider, "c": provider},
        "requirement_map": {"r": requirement},
        "per_route_requirements": true,
    }))
}

/// The result of a requirement in words. Providers that `said` does not name have no token.
fn evaluated(requirement: &Value, said: &[(&'static str, Said)]) -> String {
    evaluated_by(&policy_of(requirement), &|provider| {
        let said: HashMap<&str, &Said> = said.iter().map(|(name, said)| (*name, said)).collect();
        let said = said.get(provider.name.as_str());
        result(provider, said.copied().unwrap_or(&Bad(ReasonKind::Missing)))
    })
}

fn evaluated_by(policy: &Policy, results: &dyn Fn(&Rc<Provider>) -> ProviderResult) -> String {
    match evaluate(&policy.requirement(b"r").unwrap().root, results, at(NOW)) {
        Ok(fulfilment) => {
            let accepted = fulfilment.accepted.iter();
            let names = accepted.map(|accepted| accepted.provider.name.as_str());
            let extract = fulfilment.extract.map(|_| "extract");
            let lenient = fulfilment.lenient.then_some("lenient");
            let words: Vec<&str> = names.chain(extract).chain(lenient).collect();
            format!("ok {}", words.join(" "))
        }
        Err(Unfulfilled::Wait(wait)) => format!("wait {}", wait.timeout.as_secs()),
        Err(Unfulfilled::Refused(reason)) => format!("no {:?}", reason.kind()),
    }
}

fn any(requirements: impl Into<Value>) -> Value {
    json!({"requires_any": {"requirements": requirements.into()}})
}

fn all(requirements: impl Into<Value>) -> Value {
    json!({"requires_all": {"requirements": requirements.into()}})
}

fn from(name: &str) -> Value {
    json!({"provider_name": name})
}

#[test]
fn one_of_several_alternatives_is_enough() {
    let requirement = any(json!([from("a"), from("b"), from("c")]));
    for (said, expected) in [
        (&[][..], "no Missing"),
        (&[("a", Good)], "ok a"),
        (&[("a", Bad(ReasonKind::Issuer)), ("b", Good)], "ok b"),
        (&[("a", wait(3)), ("b", Good)], "ok b"),
        (&[("a", wait(3)), ("b", Bad(ReasonKind::Expired))], "wait 3"),
        (&[("a", wait(3)), ("c", wait(5))], "wait 5"),
        (
            &[
                ("a", Bad(ReasonKind::Expired)),
                ("b", Bad(ReasonKind::Issuer)),
            ],
            "no Expired",
        ),
        (
            &[
                ("a", Bad(ReasonKind::Issuer)),
                ("b", Bad(ReasonKind::Expired)),
            ],
            "no Expired",
        ),
        (
            &[
                ("a", Bad(ReasonKind::KeysUnavailable)),
                ("b", Bad(ReasonKind::Issuer)),
            ],
            "no KeysUnavailable",
        ),
    ] {
        assert_eq!(evaluated(&requirement, said), expected, "{said:?}");
    }
}

#[test]
fn all_of_several_requirements_must_be_fulfilled() {
    let requirement = all(json!([from("a"), from("b")]));
    for (said, expected) in [
        (&[][..], "no Missing"),
        (&[("a", Good)], "no Missing"),
        (&[("a", Good), ("b", Good)], "ok a b"),
        (&[("a", wait(3)), ("b", Good)], "wait 3"),
        (&[("a", wait(3)), ("b", wait(2))], "wait 3"),
        (
            &[("a", wait(3)), ("b", Bad(ReasonKind::Expired))],
            "no Expired",
        ),
        (
            &[("a", Good), ("b", Bad(ReasonKind::Expired))],
            "no Expired",
        ),
    ] {
        assert_eq!(evaluated(&requirement, said), expected, "{said:?}");
    }
}

#[test]
fn a_missing_token_may_be_allowed_but_never_a_bad_one() {
    let alone = json!({"allow_missing": {}});
    let beside = any(json!([{"allow_missing": {}}, from("a")]));
    for requirement in [alone, beside] {
        for (said, expected) in [
            (&[][..], "ok "),
            (&[("a", Good)], "ok a"),
            (&[("a", wait(3))], "wait 3"),
            (&[("a", Bad(ReasonKind::Expired))], "no Expired"),
            (
                &[("a", Bad(ReasonKind::MalformedCredential))],
                "no MalformedCredential",
            ),
        ] {
            assert_eq!(
                evaluated(&requirement, said),
                expected,
                "{requirement} {said:?}"
            );
        }
    }
}

#[test]
fn a_failed_token_may_be_allowed_but_one_that_may_be_good_waits() {
    let alone = json!({"allowMissingOrFailed": {}});
    let beside = any(json!([from("a"), {"allow_missing": {}}, {"allow_missing_or_failed": {}}]));
    for requirement in [alone, beside] {
        for (said, expected) in [
            (&[][..], "ok lenient"),
            (&[("a", Good)], "ok a"),
            (&[("a", wait(3))], "wait 3"),
            (&[("a", Bad(ReasonKind::Expired))], "ok lenient"),
        ] {
            assert_eq!(
                evaluated(&requirement, said),
                expected,
                "{requirement} {said:?}"
            );
        }
    }
}

#[test]
fn unverified_claims_may_be_forwarded_but_a_good_token_is_better() {
    let alone = json!({"extract_only_without_validation": {}});
    assert_eq!(evaluated(&alone, &[("a", Good)]), "ok extract lenient");
    let beside = any(json!([{"extract_only_without_validation": {}}, from("a")]));
    for (said, expected) in [
        (&[("a", Good)][..], "ok a"),
        (&[("a", wait(3))], "wait 3"),
        (&[("a", Bad(ReasonKind::Expired))], "ok extract lenient"),
    ] {
        assert_eq!(evaluated(&beside, said), expected, "{said:?}");
    }
}

#[test]
fn unverified_claims_may_be_forwarded_beside_a_required_token() {
    let extract = || json!({"extract_only_without_validation": {}});
    for requirement in [
        all(json!([extract(), from("a")])),
        all(json!([from("a"), extract()])),
    ] {
        for (said, expected) in [
            (&[("a", Good)][..], "ok a extract lenient"),
            (&[("a", wait(3))], "wait 3"),
            (&[("a", Bad(ReasonKind::Expired))], "no Expired"),
            (&[], "no Missing"),
        ] {
            assert_eq!(evaluated(&requirement, said), expected, "{said:?}");
        }
    }
}

#[test]
fn requirements_nest() {
    let either = any(json!([from("a"), all(json!([from("b"), from("c")]))]));
    let optional = all(json!([
        any(json!([from("a"), {"allow_missing": {}}])),
        from("b")
    ]));
    let inner = any(json!([
        any(json!([from("a"), {"allow_missing": {}}])),
        from("b")
    ]));
    for (requirement, said, expected) in [
        (&inner, &[][..], "ok "),
        (&inner, &[("b", Good)], "ok b"),
        (&inner, &[("b", wait(3))], "wait 3"),
        (&inner, &[("b", Bad(ReasonKind::Expired))], "no Expired"),
        (&either, &[("b", Good), ("c", Good)], "ok b c"),
        (&either, &[("b", Good), ("a", Good)], "ok a"),
        (&either, &[("b", Good)], "no Missing"),
        (&optional, &[("b", Good)], "ok b"),
        (&optional, &[("a", Good), ("b", Good)], "ok a b"),
        (
            &optional,
            &[("a", Bad(ReasonKind::Expired)), ("b", Good)],
            "no Expired",
        ),
        (&optional, &[("a", Good)], "no Missing"),
    ] {
        assert_eq!(evaluated(requirement, said), expected, "{said:?}");
    }
}

#[test]
fn conditions_apply_to_the_requirement_that_contains_them() {
    let write = |mut requirement: Value| {
        requirement["scopes"] = json!(["write"]);
        requirement
    };
    let good = [("a", Good)];
    for (requirement, expected) in [
        (write(from("a")), "no Scope"),
        (any(json!([write(from("a")), from("a")])), "ok a"),
        (write(any(json!([from("a"), from("b")]))), "no Scope"),
        (all(json!([from("a"), write(from("a"))])), "no Scope"),
        (write(json!({"allow_missing": {}})), "no Scope"),
        (
            any(json!([write(from("a")), {"allow_missing": {}}])),
            "no Scope",
        ),
        (write(json!({"allow_missing_or_failed": {}})), "ok lenient"),
        (
            any(json!([write(from("a")), {"allow_missing_or_failed": {}}])),
            "ok lenient",
        ),
        (
            write(any(json!([from("a"), {"allow_missing_or_failed": {}}]))),
            "no Scope",
        ),
    ] {
        assert_eq!(evaluated(&requirement, &good), expected, "{requirement}");
    }
    assert_eq!(evaluated(&write(json!({"allow_missing": {}})), &[]), "ok ");
}

#[test]
fn an_empty_requirement_needs_nothing() {
    assert_eq!(evaluated(&json!({"allow": {}}), &[]), "ok ");
}

#[test]
fn of_equally_late_refusals_the_first_counts() {
    let refused = |provider: &Rc<Provider>| -> ProviderResult {
        let required = provider.name.clone();
        Err(Reason::Scope { required }.into())
    };
    for (first, second) in [("a", "b"), ("b", "a")] {
        let policy = policy_of(&any(json!([from(first), from(second)])));
        let root = &policy.requirement(b"r").unwrap().root;
        let required = first.to_owned();
        let expected = Unfulfilled::Refused(Reason::Scope { required });
        assert_eq!(evaluate(root, &refused, at(NOW)).unwrap_err(), expected);
    }
}

#[test]
fn no_provider_is_asked_after_the_result_is_certain() {
    let three = || json!([from("a"), from("b"), from("c")]);
    for (requirement, said, expected) in [
        (any(three()), Good, "a"),
        (any(three()), wait(3), "abc"),
        (any(three()), Bad(ReasonKind::Expired), "abc"),
        (all(three()), Good, "abc"),
        (all(three()), wait(3), "abc"),
        (all(three()), Bad(ReasonKind::Expired), "a"),
    ] {
        let asked = RefCell::new(String::new());
        evaluated_by(&policy_of(&requirement), &|provider| {
            asked.borrow_mut().push_str(&provider.name);
            result(provider, &said)
        });
        assert_eq!(asked.into_inner(), expected, "{requirement} {said:?}");
    }
}

/// A requirement of any shape.
fn any_requirement() -> impl Strategy<Value = Value> {
    let provider = prop::sample::select(vec!["a", "b", "c"]).prop_map(from);
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

fn any_said() -> impl Strategy<Value = Said> {
    let reasons = [
        ReasonKind::Missing,
        ReasonKind::MalformedToken,
        ReasonKind::Algorithm,
        ReasonKind::Issuer,
        ReasonKind::Expired,
        ReasonKind::KeysUnavailable,
    ];
    prop_oneof![
        1 => Just(Good),
        1 => (1..4_u64).prop_map(wait),
        4 => prop::sample::select(reasons.to_vec()).prop_map(Bad),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_wait_names_only_providers_that_wait_and_lasts_as_long_as_one_of_them(
        requirement in any_requirement(),
        said in prop::array::uniform3(any_said()),
    ) {
        let policy = policy_of(&requirement);
        let root = &policy.requirement(b"r").unwrap().root;
        let results = |provider: &Rc<Provider>| result(provider, &said[provider.index]);
        if let Err(Unfulfilled::Wait(wait)) = evaluate(root, &results, at(NOW)) {
            let mut timeouts = Vec::new();
            for dependency in &wait.on {
                let Dependency::Keys(index) = dependency else {
                    panic!("{dependency:?}");
                };
                let Said::Wait(secs) = said[*index] else {
                    panic!("{:?}", said[*index]);
                };
                timeouts.push(Duration::from_secs(secs));
            }
            prop_assert_eq!(timeouts.iter().max(), Some(&wait.timeout));
            let mut distinct = wait.on.clone();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), wait.on.len());
        }
    }

    #[test]
    fn only_what_a_wait_names_can_end_it(
        requirement in any_requirement(),
        said in prop::array::uniform3(any_said()),
        arrived in prop::array::uniform3(any_said()),
    ) {
        // As long as nothing that the wait names has arrived, the result is the same wait.
        let policy = policy_of(&requirement);
        let root = &policy.requirement(b"r").unwrap().root;
        let results = |provider: &Rc<Provider>| result(provider, &said[provider.index]);
        let before = evaluate(root, &results, at(NOW));
        if let Err(Unfulfilled::Wait(wait)) = before {
            let results = |provider: &Rc<Provider>| {
                let waits = wait.on.contains(&Dependency::Keys(provider.index));
                let changes = !waits && matches!(said[provider.index], Said::Wait(_));
                let said = if changes { &arrived } else { &said };
                result(provider, &said[provider.index])
            };
            let after = evaluate(root, &results, at(NOW));
            prop_assert_eq!(after.unwrap_err(), Unfulfilled::Wait(wait));
        }
    }
}

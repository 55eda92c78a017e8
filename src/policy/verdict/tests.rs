use std::collections::HashMap;

use serde_json::{Value, json};

use super::*;
use crate::config::Config;

/// What providers say, by their names: those that are not here have no token.
struct Said {
    opinions: HashMap<&'static str, Opinion>,
    payload: Map<String, Value>,
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
    Opinion::Wait {
        at_most: Duration::from_secs(secs),
    }
}

fn bad(reason: Reason) -> Opinion {
    reason.into()
}

/// What a requirement comes to, in words: the providers that accepted, or what hinders.
fn found(requirement: &Value, said: &[(&'static str, Opinion)]) -> String {
    let provider = json!({"local_jwks": {"inline_string": crate::fixtures::key_set()}});
    let config = json!({
        "providers": {"a": provider, "b": provider, "c": provider},
        "requirement_map": {"r": requirement},
    });
    let config = Config::from_json(config.to_string().as_bytes()).unwrap();
    let tokens = Said {
        opinions: said.iter().cloned().collect(),
        payload: Map::from_iter([("scope".to_owned(), json!("read"))]),
    };
    match find(&config.requirement(b"r").unwrap().tree, &tokens) {
        Finding::Fulfilled(grants) => {
            let names = grants.providers.iter().map(|one| one.name.as_str());
            let lenient = grants.lenient.then_some("lenient");
            let extract = grants.extract.map(|_| "extract");
            let words: Vec<&str> = names.chain(extract).chain(lenient).collect();
            format!("ok {}", words.join(" "))
        }
        Finding::Wait { at_most } => format!("wait {}", at_most.as_secs()),
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

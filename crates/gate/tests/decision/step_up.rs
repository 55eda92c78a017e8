//! Step-up authentication (RFC 9470).

use gate::answer::Answer;
use gate::decision::Decision;
use gate::policy::Policy;
use gate::reason::{Reason, ReasonKind};
use gate_fixtures::rs256;
use serde_json::{Value, json};

use crate::support::{
    Gate, NOW, Outcome, active, at, bearing, payload, policy, policy_with_secrets, provider, ready,
    request, with,
};

/// The policy of a requirement for every request.
fn policy_of(provider: &Value, requires: &Value) -> Policy {
    policy(&json!({
        "providers": {"p": provider, "q": with(provider, &json!({"issuer": "https://q.example"}))},
        "rules": [{"match": {"prefix": "/"}, "requires": requires}],
    }))
}

fn of_p(conditions: &Value) -> Value {
    with(&json!({"provider_name": "p"}), conditions)
}

fn token(claims: &Value) -> String {
    rs256(
        &json!({"alg": "RS256", "kid": "rsa"}),
        &with(&payload(), claims),
    )
}

fn decide(policy: &Policy, claims: &Value) -> Outcome {
    let gate = Gate::new().keys(ready);
    gate.decide(policy, &bearing(&token(claims)))
}

/// The challenges for a token with these claims, without their realm.
fn challenges(policy: &Policy, claims: &Value, now: u64) -> Vec<String> {
    let gate = Gate::new().keys(ready).at(at(now));
    let token = token(claims);
    let request = bearing(&token);
    let decided = gate.decided(policy, &request);
    let Decision::Deny(reason) = &decided.decision else {
        return Vec::new();
    };
    let answer = Answer::refusal(reason, policy, &request, decided.requirement, None);
    let challenges = answer.headers.iter();
    let challenges = challenges.filter(|(name, _)| *name == "www-authenticate");
    challenges
        .map(|(_, value)| value.replace("realm=\"\", ", ""))
        .collect()
}

const FAILED: &str = "Bearer error=\"insufficient_user_authentication\", \
                      error_description=\"A stronger or a more recent authentication is needed\"";

#[test]
fn acr_must_be_one_of_the_values() {
    let policy = policy_of(&provider(), &of_p(&json!({"acr_values": ["gold", "mfa"]})));
    let failed = Outcome::Deny(ReasonKind::UserAuthentication);
    let wrong = Outcome::Deny(ReasonKind::ClaimType);
    for (claims, expected) in [
        (json!({"acr": "gold"}), Outcome::admitted()),
        (json!({"acr": "mfa"}), Outcome::admitted()),
        (json!({}), failed.clone()),
        (json!({"acr": "silver"}), failed.clone()),
        (json!({"acr": "GOLD"}), failed.clone()),
        (json!({"acr": "gold mfa"}), failed.clone()),
        (json!({"acr": ""}), failed.clone()),
        (json!({"acr": ["gold"]}), wrong.clone()),
        (json!({"acr": null}), wrong.clone()),
        (json!({"acr": 1}), wrong.clone()),
        // Nobody asks for the time.
        (
            json!({"acr": "gold", "auth_time": "yesterday"}),
            Outcome::admitted(),
        ),
    ] {
        assert_eq!(decide(&policy, &claims), expected, "{claims}");
    }
}

#[test]
fn the_age_of_the_authentication_is_exact_to_the_second_and_the_skew_is_tolerated() {
    let failed = Outcome::Deny(ReasonKind::UserAuthentication);
    let wrong = Outcome::Deny(ReasonKind::ClaimType);
    let requires = of_p(&json!({"max_authentication_age": "300s"}));
    for (skew, claims, expected) in [
        (0, json!({"auth_time": NOW}), Outcome::admitted()),
        (0, json!({"auth_time": NOW - 300}), Outcome::admitted()),
        (0, json!({"auth_time": NOW - 301}), failed.clone()),
        (0, json!({"auth_time": NOW + 1}), failed.clone()),
        (60, json!({"auth_time": NOW - 360}), Outcome::admitted()),
        (60, json!({"auth_time": NOW - 361}), failed.clone()),
        (60, json!({"auth_time": NOW + 60}), Outcome::admitted()),
        (60, json!({"auth_time": NOW + 61}), failed.clone()),
        (
            0,
            json!({"auth_time": 1_699_999_700.0}),
            Outcome::admitted(),
        ),
        (0, json!({"auth_time": 1_699_999_699.9}), failed.clone()),
        (0, json!({"auth_time": 0}), failed.clone()),
        (0, json!({"auth_time": -1}), failed.clone()),
        (0, json!({"auth_time": u64::MAX}), failed.clone()),
        (0, json!({"auth_time": 1e300}), failed.clone()),
        (0, json!({}), failed.clone()),
        (0, json!({"auth_time": NOW.to_string()}), wrong.clone()),
        (0, json!({"auth_time": null}), wrong.clone()),
        (0, json!({"auth_time": [NOW]}), wrong.clone()),
        (0, json!({"auth_time": NOW, "acr": 1}), Outcome::admitted()),
    ] {
        let provider = with(&provider(), &json!({"clock_skew_seconds": skew}));
        let policy = policy_of(&provider, &requires);
        assert_eq!(decide(&policy, &claims), expected, "{skew} {claims}");
    }
}

#[test]
fn a_known_token_ages() {
    let policy = policy_of(
        &with(&provider(), &json!({"clock_skew_seconds": 0})),
        &of_p(&json!({"max_authentication_age": "300s", "acr_values": ["gold"]})),
    );
    let token = token(&json!({"acr": "gold", "auth_time": NOW}));
    let mut gate = Gate::new().keys(ready);
    for (now, expected) in [
        (NOW, Outcome::admitted()),
        (NOW + 300, Outcome::admitted()),
        (NOW + 301, Outcome::Deny(ReasonKind::UserAuthentication)),
    ] {
        gate = gate.at(at(now));
        assert_eq!(gate.decide(&policy, &bearing(&token)), expected);
        assert_eq!(gate.cached_tokens(), 1);
    }
}

#[test]
fn the_demand_is_told_only_to_holders_of_good_tokens() {
    let policy = policy_of(
        &provider(),
        &of_p(&json!({"acr_values": ["gold"], "max_authentication_age": "300s", "scopes": ["a"]})),
    );
    let both = format!("{FAILED}, scope=\"a\", acr_values=\"gold\", max_age=\"300\"");
    for claims in [
        json!({}),
        json!({"acr": "silver", "auth_time": NOW}),
        json!({"acr": "gold", "auth_time": NOW - 3600}),
        json!({"acr": "gold"}),
        json!({"scope": "a"}),
    ] {
        assert_eq!(
            challenges(&policy, &claims, NOW),
            [both.as_str()],
            "{claims}"
        );
    }
    let good = json!({"acr": "gold", "auth_time": NOW, "scope": "a"});
    assert!(challenges(&policy, &good, NOW).is_empty());
    for other in [
        with(&good, &json!({"iss": "https://evil.example"})),
        with(&good, &json!({"exp": NOW - 3600})),
        with(&good, &json!({"scope": "b"})),
    ] {
        let [challenge] = &*challenges(&policy, &other, NOW) else {
            panic!("{other}: one challenge");
        };
        assert!(!challenge.contains("acr_values"), "{challenge}");
        assert!(!challenge.contains("max_age"), "{challenge}");
    }
    let gate = Gate::new().keys(ready);
    let request = request("/", &[]);
    let decided = gate.decided(&policy, &request);
    let reason = Reason::Missing;
    let answer = Answer::refusal(&reason, &policy, &request, decided.requirement, None);
    let (_, challenge) = answer
        .headers
        .iter()
        .find(|(name, _)| *name == "www-authenticate")
        .unwrap();
    assert_eq!(challenge, "Bearer realm=\"\", scope=\"a\"");
}

#[test]
fn a_challenge_asks_for_what_meets_all_parts_of_a_requirement() {
    let all = |parts: Value| json!({"requires_all": {"requirements": parts}});
    let any = |parts: Value| json!({"requires_any": {"requirements": parts}});
    let demand = |acr: &str, age: &str| {
        let mut text = FAILED.to_owned();
        for (name, value) in [("acr_values", acr), ("max_age", age)] {
            if !value.is_empty() {
                text.extend([", ", name, "=\"", value, "\""]);
            }
        }
        text
    };
    for (requires, expected) in [
        (of_p(&json!({"acr_values": ["b", "a"]})), demand("b a", "")),
        (
            of_p(&json!({"max_authentication_age": "60s"})),
            demand("", "60"),
        ),
        (
            all(json!([
                of_p(&json!({"acr_values": ["gold"]})),
                of_p(&json!({"max_authentication_age": "60s"})),
            ])),
            demand("gold", "60"),
        ),
        (
            with(
                &all(json!([
                    of_p(&json!({"max_authentication_age": "300s", "acr_values": ["a", "b"]})),
                    of_p(&json!({"max_authentication_age": "60s"})),
                ])),
                &json!({"acr_values": ["c", "b"], "max_authentication_age": "120s"}),
            ),
            demand("b", "60"),
        ),
        // What no token could meet at once is of different tokens.
        (
            all(json!([
                of_p(&json!({"acr_values": ["a"]})),
                of_p(&json!({"acr_values": ["b"]})),
            ])),
            demand("a", ""),
        ),
        (
            with(
                &any(json!([
                    of_p(&json!({"acr_values": ["a"]})),
                    {"provider_name": "q", "acr_values": ["b"]},
                    of_p(&json!({"max_authentication_age": "60s"})),
                ])),
                &json!({"max_authentication_age": "120s"}),
            ),
            demand("a", "120"),
        ),
        (
            with(&json!({"allow_missing": {}}), &json!({"acr_values": ["a"]})),
            demand("a", ""),
        ),
    ] {
        let policy = policy_of(&provider(), &requires);
        assert_eq!(
            challenges(&policy, &json!({}), NOW),
            [expected],
            "{requires}"
        );
    }
}

#[test]
fn an_alternative_that_asks_for_less_is_enough() {
    let policy = policy_of(
        &provider(),
        &json!({"requires_any": {"requirements": [
            of_p(&json!({"acr_values": ["gold"]})),
            of_p(&json!({"max_authentication_age": "60s"})),
        ]}}),
    );
    for (claims, expected) in [
        (json!({"acr": "gold"}), Outcome::admitted()),
        (json!({"auth_time": NOW}), Outcome::admitted()),
        (
            json!({"acr": "silver"}),
            Outcome::Deny(ReasonKind::UserAuthentication),
        ),
    ] {
        assert_eq!(decide(&policy, &claims), expected, "{claims}");
    }
}

#[test]
fn with_proofs_of_possession_only_the_challenge_with_the_error_has_the_demand() {
    let policy = policy(&json!({
        "providers": {"p": provider()},
        "dpop": {},
        "rules": [{"match": {"prefix": "/"}, "requires": of_p(&json!({"acr_values": ["gold"]}))}],
    }));
    let [bearer, dpop] = &*challenges(&policy, &json!({}), NOW) else {
        panic!("two challenges");
    };
    assert_eq!(*bearer, format!("{FAILED}, acr_values=\"gold\""));
    assert!(dpop.starts_with("DPoP "), "{dpop}");
    assert!(
        !dpop.contains("acr_values") && !dpop.contains("error"),
        "{dpop}"
    );
}

#[test]
fn of_an_introspected_token_the_response_counts() {
    let endpoint = json!({
        "issuer": "https://issuer.example",
        "introspection": {
            "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
        },
    });
    let policy = policy_with_secrets(&json!({
        "providers": {"p": endpoint},
        "rules": [{"match": {"prefix": "/"}, "requires": of_p(&json!({
            "acr_values": ["gold"], "max_authentication_age": "300s",
        }))}],
    }));
    for (members, expected) in [
        (json!({"acr": "gold", "auth_time": NOW - 300}), None),
        (
            json!({"acr": "gold", "auth_time": NOW - 361}),
            Some(ReasonKind::UserAuthentication),
        ),
        (
            json!({"acr": "silver", "auth_time": NOW}),
            Some(ReasonKind::UserAuthentication),
        ),
        (
            json!({"acr": "gold", "auth_time": null}),
            Some(ReasonKind::UserAuthentication),
        ),
        (
            json!({"acr": 1, "auth_time": NOW}),
            Some(ReasonKind::ClaimType),
        ),
    ] {
        let status = active(&with(&json!({"active": true}), &members));
        let gate = Gate::new().introspection(move |_, _| status.clone());
        let outcome = gate.decide(&policy, &bearing("opaque"));
        match expected {
            None => assert!(outcome.is_admitted(), "{members}: {outcome:?}"),
            Some(reason) => assert_eq!(outcome, Outcome::Deny(reason), "{members}"),
        }
    }
}

#[test]
fn the_authentication_is_looked_at_before_scopes_and_claims() {
    let policy = policy_of(
        &provider(),
        &of_p(&json!({
            "acr_values": ["gold"], "scopes": ["a"], "claims": [{"claim_name": "x", "exact": 1}],
        })),
    );
    for (claims, expected) in [
        (json!({}), ReasonKind::UserAuthentication),
        (json!({"acr": "gold"}), ReasonKind::Scope),
        (json!({"acr": "gold", "scope": "a"}), ReasonKind::Claims),
    ] {
        assert_eq!(
            decide(&policy, &claims),
            Outcome::Deny(expected),
            "{claims}"
        );
    }
}

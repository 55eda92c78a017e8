//! Which tokens of a provider are accepted, and in which order they are checked.

use std::time::Duration;

use gate::decision::Decision;
use gate::fetching::Availability;
use gate::reason::{Reason, ReasonKind};
use gate::request::Request;
use gate_fixtures::{es256, rs256, rsa_jwk};
use serde_json::json;

use crate::support::{
    Gate, NOW, Outcome, bearing, good, key_set, payload, policy, policy_of, provider, ready,
    request, with,
};

fn decide(token: &str) -> Outcome {
    let gate = Gate::new().keys(ready);
    gate.decide(&policy_of(&provider()), &bearing(token))
}

#[test]
fn good_tokens_of_both_algorithms_are_admitted() {
    assert_eq!(decide(&good()), Outcome::admitted());
    assert_eq!(
        decide(&es256(&json!({"alg": "ES256", "kid": "ec"}), &payload())),
        Outcome::admitted()
    );
}

#[test]
fn a_token_without_a_kid_is_tried_with_the_keys_that_fit() {
    assert_eq!(
        decide(&rs256(&json!({"alg": "RS256"}), &payload())),
        Outcome::admitted()
    );
    assert_eq!(
        decide(&es256(&json!({"alg": "ES256"}), &payload())),
        Outcome::admitted()
    );
}

#[test]
fn keys_in_the_header_of_a_token_are_ignored() {
    for header in [
        json!({"alg": "RS256", "kid": "rsa", "jwk": rsa_jwk()}),
        json!({"alg": "RS256", "kid": "rsa", "jku": "https://evil.example", "x5c": 1}),
    ] {
        assert_eq!(decide(&rs256(&header, &payload())), Outcome::admitted());
    }
    for (header, reason) in [
        (
            json!({"alg": "RS256", "kid": "other", "jwk": rsa_jwk()}),
            ReasonKind::UnknownKey,
        ),
        (json!({"alg": "RS256", "kid": "ec"}), ReasonKind::UnknownKey),
        (
            json!({"alg": "ES256", "kid": "rsa"}),
            ReasonKind::UnknownKey,
        ),
        (json!({"alg": "ES256", "kid": "ec"}), ReasonKind::Signature),
        (json!({"alg": "none", "kid": "rsa"}), ReasonKind::Algorithm),
    ] {
        let outcome = decide(&rs256(&header, &payload()));
        assert_eq!(outcome, Outcome::Deny(reason), "{header}");
    }
}

#[test]
fn claims_are_checked_before_keys_are_looked_up() {
    let header = json!({"alg": "RS256", "kid": "rsa"});
    for (change, reason) in [
        (json!({"exp": NOW - 3600}), ReasonKind::Expired),
        (json!({"iss": "x"}), ReasonKind::Issuer),
        (json!({"aud": "x"}), ReasonKind::Audience),
        (json!({"nbf": NOW + 3600}), ReasonKind::NotYetValid),
    ] {
        let gate = Gate::new();
        let token = rs256(&header, &with(&payload(), &change));
        let outcome = gate.decide(&policy_of(&provider()), &bearing(&token));
        assert_eq!(outcome, Outcome::Deny(reason));
        assert!(gate.lookups().is_empty(), "{change}");
    }
}

#[test]
fn a_sender_constrained_token_is_refused_only_after_its_signature_verified() {
    let bound = with(&payload(), &json!({"cnf": {"kid": "a"}}));
    let header = json!({"alg": "RS256", "kid": "rsa"});
    assert_eq!(
        decide(&rs256(&header, &bound)),
        Outcome::Deny(ReasonKind::SenderConstraint)
    );
    let unknown = json!({"alg": "RS256", "kid": "?"});
    assert_eq!(
        decide(&rs256(&unknown, &bound)),
        Outcome::Deny(ReasonKind::UnknownKey)
    );
}

#[test]
fn a_request_without_a_usable_credential_needs_no_keys() {
    let gate = Gate::new();
    let policy = policy_of(&provider());
    let decide = |request: &Request| gate.decide(&policy, request);
    let mut request = bearing("a.b.c");
    assert_eq!(decide(&request), Outcome::Deny(ReasonKind::MalformedToken));
    request.authorization.push(b"Basic x".into());
    assert_eq!(decide(&request), Outcome::Deny(ReasonKind::SeveralTokens));
    request.authorization.clear();
    assert_eq!(decide(&request), Outcome::Deny(ReasonKind::Missing));
    assert!(gate.lookups().is_empty());
}

#[test]
fn a_key_of_one_issuer_never_verifies_a_token_of_another() {
    let mut other = provider();
    other["issuer"] = json!("https://other.example");
    other["remote_jwks"]["http_uri"]["cluster"] = json!("other");
    let policy = policy(&json!({"providers": {"p": provider(), "q": other}}));
    let gate = Gate::new().keys(|provider| match provider.name.as_str() {
        "p" => ready(provider),
        _ => key_set(&json!({"keys": [gate_fixtures::ec_jwk()]}).to_string()),
    });
    let header = json!({"alg": "RS256", "kid": "rsa"});
    assert_eq!(
        gate.decide(&policy, &bearing(&rs256(&header, &payload()))),
        Outcome::admitted()
    );
    let others = with(&payload(), &json!({"iss": "https://other.example"}));
    let outcome = gate.decide(&policy, &bearing(&rs256(&header, &others)));
    assert_eq!(outcome, Outcome::Deny(ReasonKind::UnknownKey));
}

#[test]
fn of_several_refusals_the_one_that_was_found_latest_is_given() {
    let other = with(&provider(), &json!({"issuer": "https://other.example"}));
    let expired = rs256(
        &json!({"alg": "RS256"}),
        &with(&payload(), &json!({"exp": 1})),
    );
    let gate = Gate::new().keys(ready);
    for providers in [
        json!({"a": provider(), "b": other}),
        json!({"a": other, "b": provider()}),
    ] {
        let policy = policy(&json!({ "providers": providers }));
        assert_eq!(
            gate.decide(&policy, &bearing(&expired)),
            Outcome::Deny(ReasonKind::Expired)
        );
    }
}

#[test]
fn the_refusal_for_want_of_keys_says_when_to_try_again() {
    let retry_after = Duration::from_secs(7);
    let gate = Gate::new().keys(move |_| Availability::Unavailable { retry_after });
    assert_eq!(
        gate.decision(&policy_of(&provider()), &bearing(&good())),
        Decision::Deny(Reason::KeysUnavailable { retry_after })
    );
}

#[test]
fn preflights_pass_only_if_the_operator_says_so() {
    let headers = [
        (":method", "OPTIONS"),
        ("origin", "https://console.example"),
        ("access-control-request-method", "GET"),
    ];
    let preflight = request("/", &headers);
    let gate = Gate::new().keys(ready);
    assert_eq!(
        gate.decide(&policy_of(&provider()), &preflight),
        Outcome::Deny(ReasonKind::Missing)
    );
    let lenient = policy(&json!({"providers": {"p": provider()}, "bypass_cors_preflight": true}));
    assert_eq!(gate.decide(&lenient, &preflight), Outcome::Pass);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_arbitrary_header_passes_or_panics(header: Vec<u8>, target: Vec<u8>) {
        let request = Request {
            authorization: vec![header.into()],
            target: target.into(),
            ..Request::default()
        };
        let outcome = Gate::new().keys(ready).decide(&policy_of(&provider()), &request);
        proptest::prop_assert!(outcome.is_denied());
    }
}

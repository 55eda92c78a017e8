//! The challenges of both schemes, byte by byte.

use gate::answer::Answer;
use gate::decision::Decision;
use gate::policy::{DpopPolicy, NonceUse, Policy};
use gate::request::Request;
use serde_json::{Value, json};

use super::client::{CLIENT, policy_with, request, token};
use crate::support::{self, Gate, NOW, provider, ready, with};

const ALGORITHMS: &str = "ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512 EdDSA Ed25519";

/// The headers of the answer to `request`, one a line, with the algorithms and the realm cut short.
fn answer(policy: &Policy, request: &Request<'_>) -> String {
    let gate = Gate::new().keys(ready);
    let decided = gate.decided(policy, request);
    let Decision::Deny(reason) = &decided.decision else {
        panic!("{:?}", decided.decision);
    };
    let nonce = Some("NONCE".to_owned());
    let nonce = nonce.filter(|_| policy.nonce(support::at(NOW)).is_some());
    let answer = Answer::refusal(reason, policy, request, decided.requirement, nonce);
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| matches!(*name, "www-authenticate" | "dpop-nonce"));
    let lines = headers.map(|(name, value)| match *name {
        "www-authenticate" => value.clone().into_owned(),
        name => format!("{name}: {value}"),
    });
    let lines: Vec<String> = std::iter::once(answer.status.to_string())
        .chain(lines)
        .collect();
    let text = lines.join("\n");
    text.replace(ALGORITHMS, "ALGS")
        .replace("realm=\"api.example\"", "realm")
}

/// A policy with a requirement for a scope, DPoP, and providers with these values of `sender_constraint`.
fn policy(constraints: &[&str], dpop: Option<DpopPolicy>) -> Policy {
    let providers = constraints.iter().enumerate().map(|(index, constraint)| {
        let fields = json!({"sender_constraint": constraint});
        (format!("p{index}"), with(&provider(), &fields))
    });
    let providers: serde_json::Map<String, Value> = providers.collect();
    let leaves: Vec<Value> = providers
        .keys()
        .map(|name| json!({"provider_name": name}))
        .collect();
    let mut config = json!({
        "providers": providers,
        "rules": [{
            "match": {"prefix": "/"},
            "requires": {"requires_any": {"requirements": leaves}, "scopes": ["read"]},
        }],
    });
    if constraints.contains(&"dpop") {
        config["dpop"] = json!({});
    }
    let mut policy = support::policy(&config);
    policy.options.dpop = dpop;
    policy
}

fn both() -> Policy {
    policy(&["when_present"], Some(DpopPolicy::default()))
}

const BEARER: &str = r#"Bearer realm, scope="read""#;
const DPOP: &str = r#"DPoP realm, scope="read", algs="ALGS""#;

#[test]
fn a_request_without_a_token_is_offered_what_the_requirement_takes() {
    let off = None;
    let on = || Some(DpopPolicy::default());
    for (policy, expected) in [
        (both(), vec![BEARER, DPOP]),
        (policy(&["required"], on()), vec![BEARER, DPOP]),
        (policy(&["dpop"], on()), vec![DPOP]),
        (policy(&["dpop", "dpop"], on()), vec![DPOP]),
        (policy(&["dpop", "certificate"], on()), vec![BEARER, DPOP]),
        (policy(&["certificate"], on()), vec![BEARER]),
        (policy(&["ignore"], on()), vec![BEARER]),
        (
            policy(&["ignore", "when_present"], on()),
            vec![BEARER, DPOP],
        ),
        (policy(&["when_present"], off.clone()), vec![BEARER]),
        (policy(&["ignore"], off), vec![BEARER]),
    ] {
        for headers in [&[][..], &[("authorization", "Basic eA==")]] {
            let found = answer(&policy, &request(headers));
            assert_eq!(found, ["401", &expected.join("\n")].join("\n"));
        }
    }
    let elsewhere = json!({"from_headers": [{"name": "x-token"}]});
    let elsewhere = policy_with(&elsewhere, DpopPolicy::default());
    assert_eq!(answer(&elsewhere, &request(&[])), "401\nBearer realm");
}

#[test]
fn a_malformed_credential_is_answered_in_both_schemes() {
    let text = r#"error="invalid_request", error_description="The credential is not a well-formed bearer token""#;
    for authorization in ["Bearer !", "DPoP !", "DPoP"] {
        let found = answer(&both(), &request(&[("authorization", authorization)]));
        let expected = format!("400\nBearer realm, {text}\nDPoP realm, {text}, algs=\"ALGS\"");
        assert_eq!(found, expected, "{authorization}");
    }
}

/// The answer to this token with this scheme and a proof for it.
fn answer_to(policy: &Policy, scheme: &str, token: &str) -> String {
    let authorization = format!("{scheme} {token}");
    let proof = CLIENT.proof(token, &json!({}));
    answer(
        policy,
        &request(&[("authorization", &authorization), ("dpop", &proof)]),
    )
}

#[test]
fn a_refused_token_is_answered_in_the_scheme_that_it_came_with() {
    let expired = |claims: &Value| token(&with(claims, &json!({"exp": 1})));
    let expiry = r#"error="invalid_token", error_description="The access token expired""#;
    assert_eq!(
        answer_to(&both(), "Bearer", &expired(&json!({}))),
        format!("401\nBearer realm, {expiry}, scope=\"read\"\n{DPOP}")
    );
    assert_eq!(
        answer_to(&both(), "DPoP", &expired(&json!({}))),
        format!("401\nDPoP realm, {expiry}, scope=\"read\", algs=\"ALGS\"")
    );
    let off = policy(&["when_present"], None);
    assert_eq!(
        answer_to(&off, "Bearer", &expired(&json!({}))),
        format!("401\nBearer realm, {expiry}, scope=\"read\"")
    );
    let unbound =
        r#"error="invalid_token", error_description="The access token is bound to no sender""#;
    let needed = policy(&["dpop"], Some(DpopPolicy::default()));
    assert_eq!(
        answer_to(&needed, "Bearer", &token(&json!({}))),
        format!("401\nBearer realm, {unbound}, scope=\"read\"\n{DPOP}")
    );
    assert_eq!(
        answer_to(&needed, "DPoP", &token(&json!({}))),
        format!("401\nDPoP realm, {unbound}, scope=\"read\", algs=\"ALGS\"")
    );
}

#[test]
fn a_bound_token_as_bearer_is_sent_to_the_other_scheme() {
    let text = r#"error="invalid_token", error_description="The access token is bound to a key and needs the DPoP scheme""#;
    assert_eq!(
        answer_to(&both(), "Bearer", &CLIENT.token()),
        format!("401\nDPoP realm, {text}, scope=\"read\", algs=\"ALGS\"")
    );
}

#[test]
fn a_bad_proof_is_named() {
    let token = CLIENT.token();
    let authorization = format!("DPoP {token}");
    let found = answer(&both(), &request(&[("authorization", &authorization)]));
    let text =
        r#"error="invalid_dpop_proof", error_description="The request carries no DPoP proof""#;
    assert_eq!(
        found,
        format!("401\nDPoP realm, {text}, scope=\"read\", algs=\"ALGS\"")
    );
}

#[test]
fn a_lacking_scope_is_answered_in_the_scheme_that_was_used() {
    let text = r#"error="insufficient_scope", error_description="The access token lacks a scope that is needed here""#;
    assert_eq!(
        answer_to(&both(), "DPoP", &CLIENT.token()),
        format!("403\nDPoP realm, {text}, scope=\"read\", algs=\"ALGS\"")
    );
    assert_eq!(
        answer_to(&both(), "Bearer", &token(&json!({}))),
        format!("403\nBearer realm, {text}, scope=\"read\"")
    );
}

#[test]
fn a_nonce_is_asked_for_alone_and_comes_with_every_401_that_offers_proofs() {
    let dpop = DpopPolicy {
        nonce: NonceUse::Required,
        nonce_keys: Some(gate::dpop::NonceKeys {
            current: vec![7; 32],
            previous: None,
        }),
        ..DpopPolicy::default()
    };
    let policy = policy(&["when_present"], Some(dpop));
    let text = r#"error="use_dpop_nonce", error_description="A nonce of this server is needed in the DPoP proof""#;
    assert_eq!(
        answer_to(&policy, "DPoP", &CLIENT.token()),
        format!("401\nDPoP realm, {text}, algs=\"ALGS\"\ndpop-nonce: NONCE")
    );
    assert_eq!(
        answer(&policy, &request(&[])),
        format!("401\n{BEARER}\n{DPOP}\ndpop-nonce: NONCE")
    );
    for found in [
        answer_to(&policy, "Bearer", &token(&json!({}))),
        answer(&policy, &request(&[("authorization", "DPoP")])),
    ] {
        assert!(!found.contains("dpop-nonce"), "{found}");
    }
}

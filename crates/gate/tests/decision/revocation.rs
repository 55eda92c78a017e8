//! Revoked tokens.

use std::time::Duration;

use gate::decision::{Decision, Dependency};
use gate::fetching::Availability;
use gate::policy::Policy;
use gate::reason::{Reason, ReasonKind};
use gate::revocation::RevocationList;
use gate_fixtures::{key_set, rs256};
use serde_json::{Value, json};

use crate::support::{Gate, NOW, Outcome, bearing, policy_of, revocation_list, with};

fn policy(revocation: Value) -> Policy {
    let source = json!({
        "http_uri": {"uri": "http://a/revoked", "cluster": "a", "timeout": "3s"},
    });
    policy_of(&json!({
        "local_jwks": {"inline_string": key_set()},
        "revocation": with(&source, &revocation),
    }))
}

fn token(changes: Value) -> String {
    let payload = json!({"exp": NOW + 3600, "jti": "one"});
    rs256(&json!({"alg": "RS256"}), &with(&payload, &changes))
}

/// A gate whose revocation list is whatever `list` contains.
fn gate(list: Availability<RevocationList>) -> Gate {
    Gate::new().revocations(move |_| list.clone())
}

#[test]
fn a_cached_token_is_refused_as_soon_as_the_list_names_it() {
    let (policy, request) = (policy(json!({})), bearing(&token(json!({}))));
    let mut gate = Gate::new();
    for (tokens, expected) in [
        (json!([]), Outcome::admitted()),
        (json!(["two"]), Outcome::admitted()),
        (json!(["one"]), Outcome::Deny(ReasonKind::Revoked)),
        (json!([]), Outcome::admitted()),
    ] {
        let list = revocation_list(&json!({ "tokens": tokens }));
        gate = gate.revocations(move |_| list.clone());
        assert_eq!(gate.decide(&policy, &request), expected);
        assert_eq!(gate.cached_tokens(), 1);
    }
}

#[test]
fn only_a_token_with_a_valid_signature_is_looked_up_in_the_list() {
    let revoked = token(json!({}));
    let (input, _) = revoked.rsplit_once('.').unwrap();
    let other = token(json!({"jti": "two"}));
    let (_, signature) = other.rsplit_once('.').unwrap();
    let forged = bearing(&format!("{input}.{signature}"));
    let gate = gate(revocation_list(&json!({"tokens": ["one"]})));
    let outcome = gate.decide(&policy(json!({})), &forged);
    assert_eq!(outcome, Outcome::Deny(ReasonKind::Signature));
    assert!(gate.lookups().is_empty());
}

#[test]
fn a_request_waits_for_a_pending_list_whatever_happens_without_one() {
    let request = bearing(&token(json!({})));
    for policy in [
        policy(json!({})),
        policy(json!({"on_unavailable": "allow"})),
    ] {
        let wait = Outcome::Wait {
            on: vec![Dependency::Revocations(0)],
            timeout: Duration::from_secs(3),
            unavailable: ReasonKind::RevocationUnavailable,
        };
        assert_eq!(Gate::new().decide(&policy, &request), wait);
    }
}

#[test]
fn without_a_list_the_operator_decides() {
    let retry_after = Duration::from_secs(7);
    let gate = gate(Availability::Unavailable { retry_after });
    let request = bearing(&token(json!({})));
    assert_eq!(
        gate.decision(&policy(json!({})), &request),
        Decision::Deny(Reason::RevocationUnavailable { retry_after })
    );
    let allow = policy(json!({"on_unavailable": "allow"}));
    assert_eq!(gate.decide(&allow, &request), Outcome::admitted());
}

#[test]
fn a_token_that_is_bad_in_any_case_does_not_wait_for_a_list() {
    let gate = Gate::new();
    let expired = bearing(&token(json!({"exp": NOW - 3600})));
    let outcome = gate.decide(&policy(json!({})), &expired);
    assert_eq!(outcome, Outcome::Deny(ReasonKind::Expired));
    assert!(gate.lookups().is_empty());
}

#[test]
fn a_cached_token_keeps_all_claims_that_a_list_can_name() {
    let policy = policy(json!({}));
    let claims = json!({"client_id": "a", "azp": "b", "sub": "c", "iat": NOW - 1});
    let request = bearing(&token(claims));
    let mut gate = gate(revocation_list(&json!({"tokens": []})));
    assert_eq!(gate.decide(&policy, &request), Outcome::admitted());
    for document in [
        json!({"tokens": ["one"]}),
        json!({"clients": {"a": NOW}}),
        json!({"clients": {"b": NOW}}),
        json!({"subjects": {"c": NOW}}),
    ] {
        let list = revocation_list(&document);
        gate = gate.revocations(move |_| list.clone());
        let decided = gate.decided(&policy, &request);
        assert_eq!(decided.decision, Reason::Revoked.into(), "{document}");
        assert_eq!(decided.counts.cache_hits, 1);
    }
}

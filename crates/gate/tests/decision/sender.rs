//! Tokens that are bound to their sender.

use gate::credential::{Credential, Scheme};
use gate::decision::check_sender;
use gate::introspection::TokenStatus;
use gate::policy::Policy;
use gate::reason::ReasonKind;
use gate_fixtures::rs256;
use serde_json::{Value, json};

use crate::support::{
    self, Gate, NOW, Outcome, at, bearing, payload, policy_of, policy_with_secrets, provider,
    ready, with,
};

const DIGEST: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const OTHER_DIGEST: &str = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0";

fn token(claims: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "rsa"});
    rs256(&header, &with(&payload(), claims))
}

#[test]
fn the_provider_says_which_tokens_must_be_bound() {
    let unbound = json!({});
    let unknown = json!({"cnf": {"kid": "a"}});
    let key = json!({"cnf": {"jkt": DIGEST}});
    let certificate = json!({"cnf": {"x5t#S256": DIGEST}});
    let not_proven = Some(ReasonKind::SenderConstraint);
    let lacking = Some(ReasonKind::Unbound);
    let malformed = Some(ReasonKind::ClaimType);
    for (constraint, claims, refusal) in [
        ("when_present", &unbound, None),
        ("required", &unbound, lacking),
        ("certificate", &unbound, lacking),
        ("dpop", &unbound, lacking),
        ("ignore", &unbound, None),
        ("when_present", &unknown, not_proven),
        ("required", &unknown, not_proven),
        ("certificate", &unknown, not_proven),
        ("dpop", &unknown, not_proven),
        ("ignore", &unknown, None),
        ("certificate", &key, lacking),
        ("dpop", &certificate, lacking),
        ("ignore", &key, None),
        ("ignore", &certificate, None),
        ("when_present", &json!({"cnf": null}), malformed),
        ("required", &json!({"cnf": "a"}), malformed),
        ("dpop", &json!({"cnf": {"jkt": null}}), malformed),
        ("certificate", &json!({"cnf": {"x5t#S256": "a"}}), malformed),
        ("ignore", &json!({"cnf": null}), None),
    ] {
        let fields = json!({"sender_constraint": constraint});
        let policy = policy_of(&with(&provider(), &fields));
        let gate = Gate::new().keys(ready);
        let outcome = gate.decide(&policy, &bearing(&token(claims)));
        match refusal {
            None => assert!(outcome.is_admitted(), "{constraint} {claims}"),
            Some(reason) => assert_eq!(outcome, Outcome::Deny(reason), "{constraint} {claims}"),
        }
    }
}

/// A policy that introspects JWTs and accepts only bound ones.
fn introspecting() -> Policy {
    let fields = json!({
        "sender_constraint": "required",
        "introspection": {
            "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
            "for": "all",
        },
    });
    policy_with_secrets(&json!({"providers": {"p": with(&provider(), &fields)}}))
}

#[test]
fn a_token_and_the_response_about_it_must_agree() {
    let policy = introspecting();
    let bound = |digest: &str| json!({"cnf": {"jkt": digest}});
    for (token_claims, response, reason) in [
        (json!({}), json!({}), ReasonKind::Unbound),
        (bound(DIGEST), json!({}), ReasonKind::SenderConstraint),
        (json!({}), bound(DIGEST), ReasonKind::SenderConstraint),
        (
            bound(DIGEST),
            bound(OTHER_DIGEST),
            ReasonKind::SenderConstraint,
        ),
        (bound(DIGEST), json!({"cnf": null}), ReasonKind::ClaimType),
        (json!({"cnf": 1}), bound(DIGEST), ReasonKind::ClaimType),
    ] {
        let response = with(
            &json!({"active": true, "aud": "https://api.example"}),
            &response,
        );
        let status: TokenStatus = support::active(&response);
        let gate = Gate::new()
            .keys(ready)
            .introspection(move |_, _| status.clone());
        let outcome = gate.decide(&policy, &bearing(&token(&token_claims)));
        assert_eq!(outcome, Outcome::Deny(reason), "{token_claims} {response}");
    }
}

#[test]
fn the_sender_can_be_checked_without_a_decision() {
    let policy = policy_of(&with(
        &provider(),
        &json!({"sender_constraint": "required"}),
    ));
    let provider = policy.provider("p").unwrap();
    let gate = Gate::new();
    for (claims, expected) in [
        (json!({}), ReasonKind::Unbound),
        (json!({"cnf": {"kid": "a"}}), ReasonKind::SenderConstraint),
    ] {
        let token = token(&claims);
        let credential = Credential {
            location: provider.locations[0].clone(),
            scheme: Scheme::Bearer,
            text: token.as_str().into(),
        };
        let request = bearing(&token);
        let context = gate.context();
        let found = check_sender(
            provider,
            (&credential, None),
            &policy,
            &request,
            &context,
            at(NOW),
        );
        assert_eq!(
            found.map_err(|reason| reason.kind()),
            Err(expected),
            "{claims}"
        );
    }
}

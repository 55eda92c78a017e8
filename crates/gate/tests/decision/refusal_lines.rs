//! What the debug log says about refusals.

use std::borrow::Cow;

use gate::decision::{Decision, Refusal};
use gate::policy::Policy;
use gate::refusal_line::RefusalLine;
use gate::request::Request;
use serde_json::{Value, json};

use crate::support::{Gate, NOW, bearing, good, payload, policy, provider, ready, request, with};

/// The line about the refusal of the request.
fn line(policy: &Policy, request: &Request<'_>) -> String {
    let decided = Gate::new().keys(ready).decided(policy, request);
    let Decision::Deny(reason) = &decided.decision else {
        panic!("not refused: {:?}", decided.decision);
    };
    let refusal = Refusal {
        reason,
        requirement: decided.requirement,
        provider: decided.provider,
    };
    let line = RefusalLine {
        refusal,
        policy,
        request,
    };
    line.to_string()
}

fn signed(changes: &Value) -> String {
    let payload = with(&payload(), changes);
    gate_fixtures::rs256(&json!({"alg": "RS256", "kid": "rsa"}), &payload)
}

/// Two providers, and rules for the first, for both, and for scopes and claims.
fn rules() -> Policy {
    let other = with(&provider(), &json!({"issuer": "https://other.example"}));
    policy(&json!({
        "providers": {"cloud": provider(), "other": other},
        "requirement_map": {"named": {"provider_name": "other"}},
        "per_route_requirements": true,
        "rules": [
            {"match": {"path": "/health"}},
            {"match": {"path": "/scope"}, "requires": {"provider_name": "cloud", "scopes": ["a", "b"]}},
            {"match": {"path": "/claims"}, "requires": {"provider_name": "cloud", "claims": [{"claim_name": "x.y", "exact": 1}]}},
            {"match": {"path": "/any"}, "requires": {"requires_any": {"requirements": [
                {"provider_name": "other"}, {"provider_name": "cloud"},
            ]}}},
            {"match": {"prefix": "/one"}, "requires": {"provider_name": "cloud"}},
        ],
    }))
}

fn bearing_to(path: &str, token: &str) -> Request<'static> {
    Request {
        target: Cow::<[u8]>::Owned(path.as_bytes().to_vec()).into(),
        ..bearing(token)
    }
}

#[test]
fn a_line_has_the_reason_the_provider_the_rule_and_the_facts() {
    let policy = rules();
    let expired = signed(&json!({"exp": NOW - 1000}));
    let foreign = signed(&json!({"iss": "https://evil.example"}));
    let audience = signed(&json!({"aud": ["a", "b"]}));
    let unknown = gate_fixtures::rs256(&json!({"alg": "RS256", "kid": "x y"}), &payload());
    for (path, token, expected) in [
        (
            "/one",
            &expired,
            "reason=expired provider=cloud rule=4 method=GET path=/one exp=1699999000 now=1700000000",
        ),
        (
            "/any",
            &expired,
            "reason=expired provider=cloud rule=3 method=GET path=/any exp=1699999000 now=1700000000",
        ),
        (
            "/any",
            &foreign,
            "reason=issuer provider=other rule=3 method=GET path=/any iss=https://evil.example",
        ),
        (
            "/one",
            &audience,
            "reason=audience provider=cloud rule=4 method=GET path=/one aud=\"a b\"",
        ),
        (
            "/one",
            &unknown,
            "reason=unknown_key provider=cloud rule=4 method=GET path=/one kid=\"x y\" alg=RS256",
        ),
        (
            "/scope",
            &good(),
            "reason=scope provider=cloud rule=1 method=GET path=/scope required=\"a b\"",
        ),
        (
            "/claims",
            &good(),
            "reason=claims provider=cloud rule=2 method=GET path=/claims claim=x.y",
        ),
        (
            "/elsewhere",
            &good(),
            "reason=no_rule method=GET path=/elsewhere",
        ),
    ] {
        assert_eq!(line(&policy, &bearing_to(path, token)), expected);
    }
    let none = line(&policy, &request("/one", &[(":method", "GET")]));
    assert_eq!(
        none,
        "reason=missing provider=cloud rule=4 method=GET path=/one"
    );
    let by_route = Request {
        requirement_name: Some(b"named".to_vec()),
        ..bearing_to("/one", &good())
    };
    assert_eq!(
        line(&policy, &by_route),
        "reason=issuer provider=other requirement=named method=GET path=/one iss=https://issuer.example"
    );
}

#[test]
fn a_line_has_no_query_and_no_part_of_a_token() {
    let policy = rules();
    let token = signed(&json!({"exp": NOW - 1000}));
    let path = format!("/one?other={token}#fragment");
    let line = line(&policy, &bearing_to(&path, &token));
    assert!(line.contains("path=/one exp="), "{line}");
    for part in token.split('.') {
        assert!(!line.contains(part), "{line}");
    }
}

#[test]
fn a_client_cannot_forge_a_line_or_a_pair() {
    let policy = rules();
    let kid = "a\nbearer-gate: decision=deny reason=\"none\"";
    let token = gate_fixtures::rs256(&json!({"alg": "RS256", "kid": kid}), &payload());
    let line = line(&policy, &bearing_to("/one\r\nx=y z", &token));
    assert_eq!(
        line,
        "reason=unknown_key provider=cloud rule=4 method=GET path=\"/one\\r\\nx=y z\" \
         kid=\"a\\nbearer-gate: decision=deny reason=\\\"none\\\"\" alg=RS256"
    );
}

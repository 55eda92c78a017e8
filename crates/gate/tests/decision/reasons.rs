//! The facts of reasons: a refusal says what was wrong and what was expected.

use std::time::Duration;

use gate::introspection::TokenStatus;
use gate::reason::Reason;
use gate::token::MAX_TOKEN_BYTES;
use gate_fixtures::{es256, rs256, rsa_jwk, signed};
use serde_json::{Value, json};

use crate::support::{
    Gate, NOW, active, at, bearing, denied, key_set, payload, policy, policy_of,
    policy_with_secrets, provider, ready, with,
};

/// Why `token` is refused by a provider that differs from the usual one by `fields`.
fn reason(fields: &Value, token: &str) -> Reason {
    let policy = policy_of(&with(&provider(), fields));
    let gate = Gate::new().keys(ready);
    denied(gate.decision(&policy, &bearing(token)))
}

fn token(changes: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "rsa"});
    rs256(&header, &with(&payload(), changes))
}

#[test]
fn reasons_of_claims_have_the_values_of_the_token() {
    let nothing = json!({});
    let strict = json!({"max_lifetime": "60s"});
    let (now, limit) = (at(NOW), Duration::from_mins(1));
    for (fields, changes, expected) in [
        (
            &nothing,
            json!({"iss": "https://other.example"}),
            Reason::Issuer {
                iss: Some("https://other.example".to_owned()),
            },
        ),
        (
            &nothing,
            json!({"aud": ["x", "y"]}),
            Reason::Audience {
                aud: vec!["x".to_owned(), "y".to_owned()],
            },
        ),
        (
            &nothing,
            json!({"exp": NOW - 100}),
            Reason::Expired {
                exp: at(NOW - 100),
                now,
            },
        ),
        (
            &nothing,
            json!({"nbf": NOW + 100}),
            Reason::NotYetValid {
                nbf: at(NOW + 100),
                now,
            },
        ),
        (
            &nothing,
            json!({"iat": NOW + 100}),
            Reason::IssuedInFuture {
                iat: at(NOW + 100),
                now,
            },
        ),
        (
            &strict,
            json!({"iat": NOW - 1}),
            Reason::Lifetime {
                iat: Some(at(NOW - 1)),
                exp: Some(at(NOW + 3600)),
                limit,
            },
        ),
        (
            &strict,
            json!({}),
            Reason::Lifetime {
                iat: None,
                exp: Some(at(NOW + 3600)),
                limit,
            },
        ),
        (&nothing, json!({"exp": "soon"}), Reason::ClaimType),
    ] {
        assert_eq!(reason(fields, &token(&changes)), expected, "{changes}");
    }
}

#[test]
fn an_absent_issuer_or_audience_is_none() {
    let header = json!({"alg": "RS256", "kid": "rsa"});
    let without_iss = rs256(&header, &json!({"exp": NOW + 60}));
    assert_eq!(
        reason(&json!({}), &without_iss),
        Reason::Issuer { iss: None }
    );
    let iss = json!({"iss": "https://issuer.example", "exp": NOW + 60});
    assert_eq!(
        reason(&json!({}), &rs256(&header, &iss)),
        Reason::Audience { aud: Vec::new() }
    );
}

#[test]
fn the_time_of_the_decision_is_a_fact() {
    let (exp, now) = (at(NOW + 3600), at(NOW + 9999));
    let gate = Gate::new().keys(ready).at(now);
    let decision = gate.decision(&policy_of(&provider()), &bearing(&token(&json!({}))));
    assert_eq!(denied(decision), Reason::Expired { exp, now });
}

#[test]
fn reasons_of_headers_and_keys_have_alg_typ_and_kid() {
    let typ = Some("dpop+jwt".to_owned());
    let other = || Some("other".to_owned());
    for (algorithm, header, fields, expected) in [
        (
            "RS256",
            json!({"alg": "none"}),
            json!({}),
            Reason::Algorithm { alg: None },
        ),
        (
            "RS256",
            json!({"alg": "RS256"}),
            json!({"algorithms": ["ES256"]}),
            Reason::Algorithm { alg: Some("RS256") },
        ),
        (
            "RS256",
            json!({"alg": "RS256", "typ": "dpop+jwt"}),
            json!({}),
            Reason::Type { typ },
        ),
        (
            "RS256",
            json!({"alg": "RS256"}),
            json!({"types": ["jwt"]}),
            Reason::Type { typ: None },
        ),
        (
            "RS256",
            json!({"alg": "RS256", "kid": "other"}),
            json!({}),
            Reason::UnknownKey {
                kid: other(),
                alg: "RS256",
            },
        ),
        (
            "ES384",
            json!({"alg": "ES384"}),
            json!({}),
            Reason::UnknownKey {
                kid: None,
                alg: "ES384",
            },
        ),
        (
            "RS512",
            json!({"alg": "RS256", "kid": "rsa"}),
            json!({}),
            Reason::Signature {
                kid: Some("rsa".to_owned()),
            },
        ),
        (
            "RS512",
            json!({"alg": "RS256"}),
            json!({}),
            Reason::Signature { kid: None },
        ),
    ] {
        let token = signed(algorithm, &header, &payload());
        assert_eq!(reason(&fields, &token), expected, "{header}");
    }
}

#[test]
fn a_token_that_is_too_large_is_measured() {
    let token = token(&json!({"pad": "x".repeat(MAX_TOKEN_BYTES)}));
    let (bytes, limit) = (token.len(), MAX_TOKEN_BYTES);
    assert_eq!(
        reason(&json!({}), &token),
        Reason::TooLarge { bytes, limit }
    );
    let limit = 20_000;
    let fields = json!({"jwt_cache_config": {"jwt_max_token_size": limit}});
    assert_eq!(reason(&fields, &token), Reason::TooLarge { bytes, limit });
}

#[test]
fn conditions_say_what_is_required() {
    let requires = |conditions: Value| {
        let requires = with(&json!({"provider_name": "p"}), &conditions);
        let policy = policy(&json!({
            "providers": {"p": provider()},
            "rules": [{"match": {"prefix": "/"}, "requires": requires}],
        }));
        let gate = Gate::new().keys(ready);
        denied(gate.decision(&policy, &bearing(&token(&json!({"scope": "a"})))))
    };
    let lacks = |required: &str| Reason::Scope {
        required: required.to_owned(),
    };
    assert_eq!(requires(json!({"scopes": ["a", "b"]})), lacks("a b"));
    assert_eq!(requires(json!({"any_scope": ["b", "c"]})), lacks("b"));
    let both = json!({"scopes": ["a", "b"], "any_scope": ["c", "d"]});
    assert_eq!(requires(both), lacks("a b c"));
    let covered = json!({"scopes": ["a", "d"], "any_scope": ["c", "d"]});
    assert_eq!(requires(covered), lacks("a d"));
    let claim = "realm_access.roles".to_owned();
    let condition = json!({"claim_name": "realm_access.roles", "contains": "admin"});
    assert_eq!(
        requires(json!({ "claims": [condition] })),
        Reason::Claims { claim }
    );
}

#[test]
fn an_unknown_requirement_is_named() {
    let policy = policy(&json!({"providers": {"p": provider()}, "per_route_requirements": true}));
    let mut request = bearing("token");
    request.requirement_name = Some(b"other".to_vec());
    let name = "other".to_owned();
    assert_eq!(
        denied(Gate::new().decision(&policy, &request)),
        Reason::Requirement { name }
    );
    // Any bytes may be in the metadata of a route.
    request.requirement_name = Some(b"\xff".to_vec());
    let name = "\u{fffd}".to_owned();
    assert_eq!(
        denied(Gate::new().decision(&policy, &request)),
        Reason::Requirement { name }
    );
}

#[test]
fn a_response_about_another_kind_of_token_names_its_type() {
    let policy = policy_with_secrets(&json!({"providers": {"p": {"introspection": {
        "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
        "client_id": "gate",
        "client_secret_environment_variable": "SECRET",
    }}}}));
    let gate = |status: TokenStatus| Gate::new().introspection(move |_, _| status.clone());
    let response = json!({"active": true, "token_type": "refresh_token"});
    let decision = gate(active(&response)).decision(&policy, &bearing("opaque"));
    let typ = Some("refresh_token".to_owned());
    assert_eq!(denied(decision), Reason::Type { typ });
    let decision = gate(active(&json!({"active": true, "exp": NOW - 61})));
    let decision = decision.decision(&policy, &bearing("opaque"));
    let (exp, now) = (at(NOW - 61), at(NOW));
    assert_eq!(denied(decision), Reason::Expired { exp, now });
}

#[test]
fn a_known_token_is_refused_with_the_same_facts() {
    let policy = policy_of(&provider());
    let header = json!({"alg": "ES256", "kid": "ec"});
    let request = bearing(&es256(&header, &payload()));
    let gate = Gate::new().keys(ready);
    assert!(gate.decide(&policy, &request).is_admitted());
    let rsa_only = json!({"keys": [rsa_jwk()]}).to_string();
    let gate = gate.keys(move |_| key_set(&rsa_only));
    let kid = Some("ec".to_owned());
    let alg = "ES256";
    assert_eq!(
        denied(gate.decision(&policy, &request)),
        Reason::UnknownKey { kid, alg }
    );
}

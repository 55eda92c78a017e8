//! The profile of RFC 9068.

use gate::reason::{Reason, ReasonKind};
use gate_fixtures::rs256;
use serde_json::{Value, json};

use crate::support::{
    Gate, NOW, Outcome, active, bearing, denied, policy_of, policy_with_secrets, provider, ready,
    with,
};

fn strict(fields: &Value) -> Value {
    with(&with(&provider(), &json!({"profile": "rfc9068"})), fields)
}

fn claims() -> Value {
    json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "exp": NOW + 600, "iat": NOW - 60,
        "sub": "user", "client_id": "app", "jti": "1",
    })
}

fn token(typ: &Value, claims: &Value) -> String {
    let mut header = json!({"alg": "RS256", "kid": "rsa"});
    if !typ.is_null() {
        header["typ"] = typ.clone();
    }
    rs256(&header, claims)
}

/// Decides a token of the type `at+jwt` with these claims.
fn decide(claims: &Value) -> Outcome {
    let gate = Gate::new().keys(ready);
    let token = token(&json!("at+jwt"), claims);
    let first = gate.decide(&policy_of(&strict(&json!({}))), &bearing(&token));
    // The same again, now that the token may be known.
    let again = gate.decide(&policy_of(&strict(&json!({}))), &bearing(&token));
    assert_eq!(first, again, "{claims}");
    first
}

#[test]
fn a_token_with_all_claims_is_accepted() {
    assert_eq!(decide(&claims()), Outcome::admitted());
    let more = json!({"auth_time": NOW - 60, "acr": "gold", "amr": ["pwd", "otp"], "scope": "a"});
    assert_eq!(decide(&with(&claims(), &more)), Outcome::admitted());
    let empty = json!({"client_id": "", "jti": "", "sub": "", "acr": "", "amr": []});
    assert_eq!(decide(&with(&claims(), &empty)), Outcome::admitted());
}

#[test]
fn a_claim_that_is_not_there_is_named() {
    let gate = Gate::new().keys(ready);
    for claim in ["iss", "aud", "sub", "exp", "client_id", "iat", "jti"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        let token = token(&json!("at+jwt"), &claims);
        let decision = gate.decision(&policy_of(&strict(&json!({}))), &bearing(&token));
        assert_eq!(denied(decision), Reason::ClaimMissing { claim });
        // Nobody else demands that of it.
        if !["iss", "aud", "exp"].contains(&claim) {
            let outcome = gate.decide(&policy_of(&provider()), &bearing(&token));
            assert!(outcome.is_admitted(), "{claim}");
        }
    }
    let no_audience = with(&claims(), &json!({"aud": []}));
    assert_eq!(
        decide(&no_audience),
        Outcome::Deny(ReasonKind::ClaimMissing)
    );
}

#[test]
fn claims_have_the_types_of_the_profile() {
    for change in [
        json!({"client_id": 7}),
        json!({"client_id": null}),
        json!({"auth_time": "1700000000"}),
        json!({"auth_time": null}),
        json!({"acr": 1}),
        json!({"acr": ["gold"]}),
        json!({"amr": "pwd"}),
        json!({"amr": ["pwd", 1]}),
        json!({"amr": {"pwd": true}}),
        json!({"jti": 7}),
    ] {
        let outcome = decide(&with(&claims(), &change));
        assert_eq!(outcome, Outcome::Deny(ReasonKind::ClaimType), "{change}");
    }
}

#[test]
fn a_token_of_another_issuer_or_audience_is_refused_for_that() {
    for (change, reason) in [
        (json!({"iss": "https://other.example"}), ReasonKind::Issuer),
        (json!({"aud": "other"}), ReasonKind::Audience),
        (json!({"exp": NOW - 600}), ReasonKind::Expired),
    ] {
        let outcome = decide(&with(&claims(), &change));
        assert_eq!(outcome, Outcome::Deny(reason), "{change}");
        let mut lacking = with(&claims(), &change);
        lacking.as_object_mut().unwrap().remove("jti");
        let expected = match reason {
            ReasonKind::Expired => ReasonKind::ClaimMissing,
            other => other,
        };
        assert_eq!(decide(&lacking), Outcome::Deny(expected), "{change}");
    }
}

#[test]
fn the_type_is_that_of_an_access_token() {
    let gate = Gate::new().keys(ready);
    for (typ, accepted) in [
        (json!("at+jwt"), true),
        (json!("AT+JWT"), true),
        (json!("application/at+jwt"), true),
        (json!("Application/At+Jwt"), true),
        (json!("JWT"), false),
        (json!(""), false),
        (Value::Null, false),
        (json!("at+jwt "), false),
        (json!("application/application/at+jwt"), false),
    ] {
        let token = token(&typ, &claims());
        let outcome = gate.decide(&policy_of(&strict(&json!({}))), &bearing(&token));
        let expected = if accepted {
            Outcome::admitted()
        } else {
            Outcome::Deny(ReasonKind::Type)
        };
        assert_eq!(outcome, expected, "{typ}");
    }
}

#[test]
fn a_jwt_must_have_the_claims_itself_and_the_answer_about_it_need_not() {
    let introspection = |tokens: &str, keys: bool| {
        let mut provider = strict(&json!({"introspection": {
            "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
            "for": tokens,
        }}));
        if !keys {
            provider.as_object_mut().unwrap().remove("remote_jwks");
        }
        policy_with_secrets(&json!({"providers": {"p": provider}}))
    };
    let answer = json!({"active": true, "aud": "https://api.example"});
    let mut lacking = claims();
    lacking.as_object_mut().unwrap().remove("jti");
    for keys in [true, false] {
        let policy = introspection("all", keys);
        let status = active(&answer);
        let gate = Gate::new().keys(ready);
        let gate = gate.introspection(move |_, _| status.clone());
        let good = token(&json!("at+jwt"), &claims());
        assert!(gate.decide(&policy, &bearing(&good)).is_admitted());
        assert!(gate.decide(&policy, &bearing("opaque")).is_admitted());
        gate.lookups();
        let bad = token(&json!("at+jwt"), &lacking);
        let outcome = gate.decide(&policy, &bearing(&bad));
        assert_eq!(outcome, Outcome::Deny(ReasonKind::ClaimMissing));
        assert!(gate.lookups().is_empty());
    }
}

//! The registered claims of a token against a provider and a time.

use gate::claims::Claims;
use gate::reason::ReasonKind as Reason;
use serde_json::{Value, json};

use crate::support::{NOW, at, policy_of, with};

fn claims(payload: Value) -> Result<Claims, Reason> {
    let payload = payload.as_object().unwrap();
    Claims::from_object(payload).map_err(|reason| reason.kind())
}

/// Checks a payload against a provider that differs from the default by `changes`.
fn check(changes: Value, payload: Value) -> Result<(), Reason> {
    let provider = json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example", "other"],
        "local_jwks": {"inline_string": gate_fixtures::key_set()},
    });
    let policy = policy_of(&with(&provider, &changes));
    let members = payload.as_object().unwrap().clone();
    let checked = policy.providers[0].check_claims(&claims(payload)?, &members, at(NOW));
    checked.map_err(|reason| reason.kind())
}

/// The same for a payload that differs from a good one by `payload`.
fn check_with(changes: Value, payload: Value) -> Result<(), Reason> {
    let good = json!({
        "iss": "https://issuer.example",
        "aud": "https://api.example",
        "exp": NOW + 3600,
    });
    check(changes, with(&good, &payload))
}

#[test]
fn issuer_and_audience_are_compared_exactly() {
    for (payload, expected) in [
        (json!({}), Ok(())),
        (json!({"aud": ["x", "other"]}), Ok(())),
        (
            json!({"iss": "https://issuer.example/"}),
            Err(Reason::Issuer),
        ),
        (
            json!({"iss": "HTTPS://issuer.example"}),
            Err(Reason::Issuer),
        ),
        (json!({"iss": ""}), Err(Reason::Issuer)),
        (
            json!({"aud": "https://api.example/"}),
            Err(Reason::Audience),
        ),
        (json!({"aud": "api.example"}), Err(Reason::Audience)),
        (json!({"aud": []}), Err(Reason::Audience)),
        (json!({"aud": ["x"]}), Err(Reason::Audience)),
        (json!({"iss": "x", "aud": "x"}), Err(Reason::Issuer)),
    ] {
        assert_eq!(
            check_with(json!({}), payload.clone()),
            expected,
            "{payload}"
        );
    }
    assert_eq!(
        check(json!({}), json!({"exp": NOW + 1})),
        Err(Reason::Issuer)
    );
    let issuer = json!({"iss": "https://issuer.example", "exp": NOW + 1});
    assert_eq!(check(json!({}), issuer), Err(Reason::Audience));
}

#[test]
fn a_provider_without_issuer_or_audiences_accepts_any() {
    let open = json!({"issuer": null, "audiences": []});
    assert_eq!(check(open.clone(), json!({"exp": NOW + 1})), Ok(()));
    assert_eq!(
        check(open, json!({"iss": "x", "aud": "y", "exp": NOW + 1})),
        Ok(())
    );
}

#[test]
fn times_are_exact_to_the_second_and_the_skew_is_tolerated() {
    for (skew, payload, expected) in [
        (0, json!({"exp": NOW + 1}), Ok(())),
        (0, json!({"exp": NOW}), Err(Reason::Expired)),
        (0, json!({"exp": NOW - 1}), Err(Reason::Expired)),
        (0, json!({"exp": -1}), Err(Reason::Expired)),
        (0, json!({"exp": 0}), Err(Reason::Expired)),
        (60, json!({"exp": NOW - 59}), Ok(())),
        (60, json!({"exp": NOW - 60}), Err(Reason::Expired)),
        (0, json!({"exp": 9_223_372_036_854_775_u64}), Ok(())),
        (0, json!({"exp": u64::MAX}), Ok(())),
        (0, json!({"exp": 1e300}), Ok(())),
        (0, json!({"nbf": NOW}), Ok(())),
        (0, json!({"nbf": NOW + 1}), Err(Reason::NotYetValid)),
        (60, json!({"nbf": NOW + 60}), Ok(())),
        (60, json!({"nbf": NOW + 61}), Err(Reason::NotYetValid)),
        (0, json!({"nbf": -5}), Ok(())),
        (0, json!({"iat": NOW}), Ok(())),
        (0, json!({"iat": NOW + 1}), Err(Reason::IssuedInFuture)),
        (60, json!({"iat": NOW + 60}), Ok(())),
        (60, json!({"iat": u64::MAX}), Err(Reason::IssuedInFuture)),
    ] {
        let provider = json!({ "clock_skew_seconds": skew });
        assert_eq!(
            check_with(provider, payload.clone()),
            expected,
            "{skew} {payload}"
        );
    }
}

#[test]
fn the_default_skew_is_a_minute() {
    assert_eq!(check_with(json!({}), json!({"exp": NOW - 59})), Ok(()));
    assert_eq!(
        check_with(json!({}), json!({"exp": NOW - 60})),
        Err(Reason::Expired)
    );
}

#[test]
fn a_token_without_exp_is_accepted_only_if_the_operator_says_so() {
    let payload = json!({"iss": "https://issuer.example", "aud": "other"});
    assert_eq!(check(json!({}), payload.clone()), Err(Reason::NoExpiration));
    assert_eq!(check(json!({"require_expiration": false}), payload), Ok(()));
}

#[test]
fn a_subject_must_match_the_providers_subjects() {
    let spiffe = json!({"subjects": {"prefix": "spiffe://a.example/"}});
    for (subject, expected) in [
        (json!("spiffe://a.example/x"), Ok(())),
        (json!("spiffe://b.example/x"), Err(Reason::Subject)),
        (json!(""), Err(Reason::Subject)),
    ] {
        let payload = json!({"sub": subject});
        assert_eq!(check_with(spiffe.clone(), payload), expected, "{subject}");
    }
    assert_eq!(check_with(spiffe, json!({})), Err(Reason::Subject));
}

#[test]
fn the_lifetime_is_the_time_from_iat_to_exp() {
    let hour = json!({"max_lifetime": "3600s"});
    for (payload, expected) in [
        (json!({"iat": NOW}), Ok(())),
        (json!({"iat": NOW - 1}), Err(Reason::Lifetime)),
        (json!({"iat": NOW - 1, "exp": NOW + 3599}), Ok(())),
        (json!({}), Err(Reason::Lifetime)),
        (json!({"iat": NOW, "exp": u64::MAX}), Err(Reason::Lifetime)),
    ] {
        let checked = check_with(hour.clone(), payload.clone());
        assert_eq!(checked, expected, "{payload}");
    }
    let lenient = json!({"max_lifetime": "3600s", "require_expiration": false});
    let payload = json!({"iss": "https://issuer.example", "aud": "other", "iat": NOW});
    assert_eq!(check(lenient, payload), Err(Reason::Lifetime));
}

#[test]
fn registered_claims_have_the_types_of_rfc_7519() {
    for payload in [
        json!({"iss": 1}),
        json!({"iss": null}),
        json!({"sub": 1}),
        json!({"sub": ["a"]}),
        json!({"aud": 1}),
        json!({"aud": null}),
        json!({"aud": {"a": "b"}}),
        json!({"aud": ["a", 1]}),
        json!({"aud": [["a"]]}),
        json!({"exp": "1700000000"}),
        json!({"exp": null}),
        json!({"exp": true}),
        json!({"nbf": "1"}),
        json!({"nbf": []}),
        json!({"iat": "1"}),
        json!({"iat": {}}),
        json!({"jti": 1}),
    ] {
        assert_eq!(claims(payload.clone()), Err(Reason::ClaimType), "{payload}");
    }
    assert!(claims(json!({"sub": "", "jti": "", "private": null, "aud": []})).is_ok());
}

//! What a token must say beyond being good: scopes and claims.

use serde_json::{Value, json};

use crate::support::{Challenge, Issuer, Setup, Token, get, keys};

/// A rule that asks for a token of `cloud` and for `terms` besides.
fn rule(path: &str, terms: Value) -> Value {
    let mut requires = terms;
    requires["provider_name"] = "cloud".into();
    json!({"match": {"path": path}, "requires": requires})
}

fn setup(rules: &[Value]) -> Setup {
    Setup::new(json!({
        "providers": {"cloud": Issuer::local_provider(&[&keys::RSA])},
        "rules": rules,
    }))
}

#[test]
fn a_token_that_lacks_a_scope_is_told_which() {
    let gate = setup(&[
        rule("/all", json!({"scopes": ["orders:read", "orders:write"]})),
        rule("/any", json!({"any_scope": ["orders:read", "admin"]})),
    ])
    .start();
    let scope = |scope: &str| Token::good().claim("scope", scope).signed();
    let listed = |list: Value| Token::good().claim("scp", list).signed();
    for (path, token, status) in [
        ("/all", scope("orders:read orders:write"), 200),
        ("/all", scope("orders:write more orders:read"), 200),
        ("/all", listed(json!(["orders:write", "orders:read"])), 200),
        ("/all", scope("orders:read"), 403),
        ("/all", scope("orders:readorders:write"), 403),
        ("/all", scope("ORDERS:READ orders:write"), 403),
        ("/all", listed(json!(["orders:read"])), 403),
        ("/all", Token::good().signed(), 403),
        ("/any", scope("admin"), 200),
        ("/any", scope("orders:read"), 200),
        ("/any", scope("orders:write"), 403),
    ] {
        let answer = gate.send(&get(path).bearer(&token));
        assert_eq!(answer.status, status, "{path}");
        if status == 403 {
            let challenge = Challenge::of(&answer).unwrap().unwrap();
            let scopes = match path {
                "/all" => "orders:read orders:write",
                _ => "orders:read admin",
            };
            assert_eq!(challenge.parameter("error"), "insufficient_scope");
            assert_eq!(challenge.parameter("scope"), scopes);
            assert_eq!(answer.error(), "insufficient_scope");
        }
    }
    assert_eq!(gate.upstream.count(), 5);
    gate.counts("denied.scope", 6);
}

#[test]
fn a_subscription_is_checked_as_wso2_writes_it() {
    let subscribed = json!({"claims": [{
        "claim_name": "subscribedAPIs",
        "contains": {"name": "PhoneVerification", "version": "1.0.0"},
    }]});
    let production = json!({"claims": [{"claim_name": "keytype", "exact": "PRODUCTION"}]});
    let gate = setup(&[
        rule("/phoneverify/1.0.0", subscribed),
        rule("/production", production),
    ])
    .start();
    let api = |name: &str, version: &str| {
        json!({
            "subscriberTenantDomain": "carbon.super",
            "name": name,
            "context": "/phoneverify/1.0.0",
            "publisher": "admin",
            "version": version,
            "subscriptionTier": "Gold",
        })
    };
    let subscribed = |apis: Value| Token::good().claim("subscribedAPIs", apis);
    let keytype = |keytype: Value| Token::good().claim("keytype", keytype);
    let verification = api("PhoneVerification", "1.0.0");
    for (path, token, status) in [
        ("/phoneverify/1.0.0", subscribed(json!([verification])), 200),
        (
            "/phoneverify/1.0.0",
            subscribed(json!([api("Other", "1.0.0"), verification])),
            200,
        ),
        (
            "/phoneverify/1.0.0",
            // Two subscriptions do not add up to one.
            subscribed(json!([
                api("PhoneVerification", "2.0.0"),
                api("Other", "1.0.0")
            ])),
            403,
        ),
        ("/phoneverify/1.0.0", subscribed(json!([])), 403),
        ("/phoneverify/1.0.0", subscribed(verification), 403),
        ("/phoneverify/1.0.0", Token::good(), 403),
        ("/production", keytype(json!("PRODUCTION")), 200),
        ("/production", keytype(json!("SANDBOX")), 403),
        ("/production", keytype(json!("production")), 403),
        ("/production", keytype(json!(["PRODUCTION"])), 403),
        ("/production", Token::good(), 403),
    ] {
        let answer = gate.send(&get(path).bearer(token.signed()));
        assert_eq!(answer.status, status, "{path} {}", token.signed());
        if status == 403 {
            // No error code of RFC 6750 says this.
            let challenge = Challenge::of(&answer).unwrap().unwrap();
            assert_eq!(challenge.parameter("error"), "");
            assert_eq!(answer.error(), "access_denied");
        }
    }
    gate.counts("denied.claims", 8);
    assert_eq!(gate.upstream.count(), 3);
}

#[test]
fn a_bad_token_is_a_bad_token_whatever_it_says_of_scopes() {
    let gate = setup(&[rule("/", json!({"scopes": ["a"]}))]).start();
    let expired = Token::good().claim("scope", "a").claim("exp", 1);
    let forged = Token::good().claim("scope", "a");
    for token in [expired.signed(), forged.signed_with(&keys::RSA_2)] {
        let answer = gate.send(&get("/").bearer(token));
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (401, "invalid_token")
        );
    }
    assert_eq!(gate.send(&get("/")).status, 401);
}

//! Scopes and claims that a rule requires of a good token.

use serde_json::{Value, json};

use crate::support::{Challenge, Issuer, Setup, Token, get, keys, now};

/// A rule that requires a token of `cloud` that meets these conditions.
fn rule(path: &str, conditions: Value) -> Value {
    let mut requires = conditions;
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
fn a_challenge_names_the_missing_scopes() {
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
            let challenge = Challenge::from_response(&answer).unwrap().unwrap();
            let scopes = match path {
                "/all" => "orders:read orders:write",
                _ => "orders:read",
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
fn a_challenge_asks_for_another_authentication_of_the_user() {
    let demand = json!({"acr_values": ["mfa", "hardware"], "max_authentication_age": "300s", "scopes": ["a"]});
    let gate = setup(&[rule("/", demand)]).start();
    let token = |acr: Value, ago: u64| {
        let token = Token::good().claim("scope", "a").claim("acr", acr);
        token.claim("auth_time", now() - ago).signed()
    };
    for (token, status) in [
        (token("mfa".into(), 0), 200),
        (token("hardware".into(), 290), 200),
        (token("pwd".into(), 0), 401),
        (token(Value::Null, 0), 401),
        (token("mfa".into(), 3600), 401),
    ] {
        let answer = gate.send(&get("/").host("api.example").bearer(&token));
        assert_eq!(answer.status, status);
        if status == 401 {
            assert_eq!(
                answer.header("www-authenticate"),
                Some(
                    "Bearer realm=\"api.example\", error=\"insufficient_user_authentication\", \
                     error_description=\"A stronger or a more recent authentication is needed\", \
                     scope=\"a\", acr_values=\"mfa hardware\", max_age=\"300\""
                )
            );
            assert_eq!(answer.error(), "insufficient_user_authentication");
        }
    }
    assert_eq!(gate.upstream.count(), 2);
    gate.counts("denied.user_authentication", 3);
}

#[test]
fn a_subscription_in_the_form_of_wso2_is_checked() {
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
            // Two subscriptions that match in part do not make one that matches.
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
            // RFC 6750 has no error code for this.
            let challenge = Challenge::from_response(&answer).unwrap().unwrap();
            assert_eq!(challenge.parameter("error"), "");
            assert_eq!(answer.error(), "access_denied");
        }
    }
    gate.counts("denied.claims", 8);
    assert_eq!(gate.upstream.count(), 3);
}

#[test]
fn a_bad_token_is_refused_as_such_whatever_its_scopes() {
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

//! Every refusal has its status, error and metric, and nothing reaches the upstream.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::{Envoy, Issuer, Key, Request, Setup, Token, bootstrap_of, get, keys, now};

/// A token with the signature of another one.
fn tampered() -> String {
    let good = Token::good().signed();
    let other = Token::good().claim("sub", "another").signed();
    let (_, signature) = good.rsplit_once('.').unwrap();
    let (input, _) = other.rsplit_once('.').unwrap();
    format!("{input}.{signature}")
}

#[test]
fn every_bad_request_gets_its_answer_and_does_not_reach_the_upstream() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    let good = Token::good().signed();
    let bearing = |token: Token| get("/").bearer(token.signed());
    let unpublished = Key::new("rsa-1", "RS256");
    let cases: Vec<(&str, Request, u16, &str)> = vec![
        ("missing", get("/"), 401, "missing_token"),
        (
            "missing",
            get("/").header("authorization", "Basic dTpw"),
            401,
            "missing_token",
        ),
        (
            "missing",
            get(format!("/?access_token={good}")),
            401,
            "missing_token",
        ),
        (
            "malformed",
            get("/").header("authorization", "Bearer"),
            400,
            "invalid_request",
        ),
        (
            "malformed",
            get("/").header("authorization", format!("Bearer {good} {good}")),
            400,
            "invalid_request",
        ),
        (
            "several_tokens",
            get("/").bearer(&good).bearer(&good),
            400,
            "invalid_request",
        ),
        (
            "several_tokens",
            get("/").bearer(&good).header("authorization", "Basic dTpw"),
            400,
            "invalid_request",
        ),
        (
            "several_tokens",
            get(format!("/?access_token={good}")).bearer(&good),
            400,
            "invalid_request",
        ),
        (
            "several_tokens",
            get(format!("/?access%5Ftoken={good}")).bearer(&good),
            400,
            "invalid_request",
        ),
        ("malformed", get("/").bearer("a.b.c"), 401, "invalid_token"),
        (
            "malformed",
            get("/").bearer(format!("{good}=")),
            401,
            "invalid_token",
        ),
        (
            "too_large",
            get("/").bearer("a".repeat(16_385)),
            401,
            "invalid_token",
        ),
        (
            "algorithm",
            bearing(Token::good().header("alg", "none")),
            401,
            "invalid_token",
        ),
        (
            "algorithm",
            bearing(Token::good().header("alg", "HS256")),
            401,
            "invalid_token",
        ),
        (
            "type",
            bearing(Token::good().header("typ", "dpop+jwt")),
            401,
            "invalid_token",
        ),
        (
            "critical",
            bearing(Token::good().header("crit", json!(["exp"]))),
            401,
            "invalid_token",
        ),
        (
            "issuer",
            bearing(Token::good().claim("iss", "https://evil.example")),
            401,
            "invalid_token",
        ),
        (
            "audience",
            bearing(Token::good().claim("aud", "https://api.example/")),
            401,
            "invalid_token",
        ),
        (
            "no_expiration",
            bearing(Token::good().claim("exp", json!(null))),
            401,
            "invalid_token",
        ),
        (
            "expired",
            bearing(Token::good().claim("exp", now() - 61)),
            401,
            "invalid_token",
        ),
        (
            "not_yet_valid",
            bearing(Token::good().claim("nbf", now() + 3600)),
            401,
            "invalid_token",
        ),
        (
            "issued_in_future",
            bearing(Token::good().claim("iat", now() + 3600)),
            401,
            "invalid_token",
        ),
        (
            "claim_type",
            bearing(Token::good().claim("exp", "tomorrow")),
            401,
            "invalid_token",
        ),
        (
            "unknown_key",
            bearing(Token::good().header("kid", "ec-1")),
            401,
            "invalid_token",
        ),
        (
            "signature",
            get("/").bearer(tampered()),
            401,
            "invalid_token",
        ),
        (
            "signature",
            get("/").bearer(Token::good().signed_with(&unpublished)),
            401,
            "invalid_token",
        ),
        (
            "sender_constraint",
            bearing(Token::good().claim("cnf", json!({"kid": "x"}))),
            401,
            "invalid_token",
        ),
    ];
    let mut counted: HashMap<&str, u64> = HashMap::new();
    for (reason, request, status, error) in cases {
        let answer = gate.send(&request);
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (status, error),
            "{reason}"
        );
        *counted.entry(reason).or_default() += 1;
    }
    for (reason, count) in counted {
        gate.counts(&format!("denied.{reason}"), count);
    }
    assert_eq!(gate.upstream.count(), 0);
    assert_eq!(gate.send(&get("/").bearer(&good)).status, 200);
}

#[test]
fn a_clock_skew_of_zero_is_zero() {
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["providers"]["cloud"]["clock_skew_seconds"] = 0.into();
    let gate = Setup::trusting(&issuer).config(config).start();
    let expired = Token::good().claim("exp", now() - 1).signed();
    assert_eq!(gate.send(&get("/").bearer(expired)).status, 401);
}

#[test]
fn a_token_without_exp_is_admitted_if_the_operator_says_so() {
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["providers"]["cloud"]["require_expiration"] = false.into();
    let gate = Setup::trusting(&issuer).config(config).start();
    let eternal = Token::good().claim("exp", json!(null)).signed();
    assert_eq!(gate.send(&get("/").bearer(eternal)).status, 200);
}

#[test]
fn an_open_rule_never_matches_an_ambiguous_path() {
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["rules"] = json!([
        {"match": {"prefix": "/open/"}},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
    ]);
    let gate = Setup::trusting(&issuer).config(config).start();
    for path in [
        "/open/../secret",
        "/open/%2e%2e/secret",
        "/open//secret",
        "/open/..%2fsecret",
        "/open\\..\\secret",
    ] {
        assert_eq!(gate.send(&get(path)).status, 401, "{path}");
    }
    assert_eq!(gate.upstream.count(), 0);
    assert_eq!(gate.send(&get("/open/page")).status, 200);
}

#[test]
fn no_spelling_of_a_path_leads_around_a_guard_whether_envoy_normalizes_paths_or_not() {
    let config = json!({
        "providers": {"cloud": Issuer::local_provider(&[&keys::RSA])},
        "rules": [
            {"match": {"prefix": "/public"}},
            {"match": {"path_separated_prefix": "/admin"}, "requires": {"provider_name": "cloud"}},
            {"match": {"prefix": "/"}},
        ],
    });
    let listener = |fields: &Value| {
        let mut setup = Setup::new(config.clone());
        setup.connection_manager = fields.clone();
        setup.connection_manager["route_config"] = json!({"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{
                "match": {"safe_regex": {"regex": ".*"}},
                "direct_response": {"status": 200, "body": {"inline_string": "passed"}},
            }],
        }]});
        setup.filter_chain()
    };
    let normalizing = json!({"normalize_path": true, "merge_slashes": true});
    let listeners = [
        ("as sent", listener(&json!({}))),
        ("normalized", listener(&normalizing)),
    ];
    let envoy = Envoy::start(&bootstrap_of(&listeners, &[]), 1);
    for (name, _) in &listeners {
        for path in [
            "/public/..;/admin",
            "/public/%2e%2e;/admin",
            "/public/..%3b/admin",
            "/public/%2e%2e%3B/admin",
            "/public/%c0%ae%c0%ae/admin",
            "/public/../admin",
            "/public/%2e%2e/admin",
            "/;/admin",
            "/admin;x/users",
            "/%61dmin",
            "/%61dmin/users",
        ] {
            assert_eq!(envoy.send_to(name, &get(path)).status, 401, "{name} {path}");
        }
        for path in ["/public/page", "/other", "/caf%C3%A9"] {
            assert_eq!(envoy.send_to(name, &get(path)).status, 200, "{name} {path}");
        }
    }
    // What Envoy has normalized is judged, and is what the upstream gets.
    for (name, status) in [("as sent", 401), ("normalized", 200)] {
        for path in ["/public/./page", "/public/x/../page", "/public//page"] {
            assert_eq!(
                envoy.send_to(name, &get(path)).status,
                status,
                "{name} {path}"
            );
        }
    }
}

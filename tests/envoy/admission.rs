//! Requests with a good token reach the upstream, and so do requests that need none.

use serde_json::json;

use crate::support::{Issuer, Setup, Token, get, keys};

#[test]
fn good_tokens_are_admitted_whichever_key_signed_them() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    for key in [&keys::RSA, &keys::EC] {
        let answer = gate.send(&get("/orders?id=7").bearer(Token::good().signed_with(key)));
        assert_eq!(answer.status, 200, "{}", key.algorithm);
        assert_eq!(answer.json()["target"], "/orders?id=7");
    }
    gate.counts("allowed", 2);
    assert_eq!(gate.metric("jwks.cloud.fetch_success"), 1);
}

#[test]
fn keys_in_the_configuration_need_no_key_server() {
    let config = json!({"providers": {"cloud": Issuer::local_provider(&[&keys::RSA])}});
    let gate = Setup::new(config).start();
    let admitted = gate.send(&get("/").bearer(Token::good().signed()));
    let unknown = gate.send(&get("/").bearer(Token::good().signed_with(&keys::EC)));
    assert_eq!((admitted.status, unknown.status), (200, 401));
}

#[test]
fn the_case_of_the_scheme_does_not_matter() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer  "] {
        let value = format!("{scheme} {}", Token::good().signed());
        assert_eq!(
            gate.send(&get("/").header("authorization", value)).status,
            200,
            "{scheme}"
        );
    }
}

#[test]
fn the_upstream_gets_the_token_only_if_the_operator_says_so() {
    let issuer = Issuer::start();
    for forward in [false, true] {
        let mut config = Issuer::config();
        config["providers"]["cloud"]["forward"] = forward.into();
        let gate = Setup::trusting(&issuer).config(config).start();
        let token = Token::good().signed();
        let answer = gate.send(&get("/").bearer(&token));
        let seen = &answer.json()["headers"]["authorization"];
        let expected = forward.then(|| format!("Bearer {token}"));
        assert_eq!(seen.as_str(), expected.as_deref());
    }
}

#[test]
fn rules_decide_which_requests_need_which_token() {
    let issuer = Issuer::start();
    let mut config = Issuer::config();
    config["providers"]["other"] = Issuer::local_provider(&[&keys::EC_2]);
    config["rules"] = json!([
        {"match": {"path": "/health"}},
        {"match": {"prefix": "/other/"}, "requires": {"provider_name": "other"}},
        {"match": {"prefix": "/api/"}, "requires": {"provider_name": "cloud"}},
    ]);
    let gate = Setup::trusting(&issuer).config(config).start();
    let of_cloud = Token::good().signed();
    let of_other = Token::good().signed_with(&keys::EC_2);
    for (target, token, status) in [
        ("/health", None, 200),
        ("/health?verbose", None, 200),
        ("/health/", None, 401),
        ("/api/x", None, 401),
        ("/api/x", Some(&of_cloud), 200),
        ("/api/x", Some(&of_other), 401),
        ("/other/x", Some(&of_other), 200),
        ("/other/x", Some(&of_cloud), 401),
        ("/elsewhere", Some(&of_cloud), 401),
    ] {
        let request = token.map_or_else(|| get(target), |token| get(target).bearer(token));
        assert_eq!(gate.send(&request).status, status, "{target}");
    }
    gate.counts("bypassed", 2);
}

#[test]
fn cors_preflights_pass_only_if_the_operator_says_so() {
    let issuer = Issuer::start();
    let preflight = get("/")
        .method("OPTIONS")
        .header("origin", "https://console.example")
        .header("access-control-request-method", "GET");
    for (bypass, status) in [(false, 401), (true, 200)] {
        let mut config = Issuer::config();
        config["bypass_cors_preflight"] = bypass.into();
        let gate = Setup::trusting(&issuer).config(config).start();
        assert_eq!(gate.send(&preflight).status, status);
        assert_eq!(gate.send(&get("/").method("OPTIONS")).status, 401);
    }
}

//! Signatures of every algorithm are verified: by the host if it proves that it can, otherwise by the
//! module.

use serde_json::{Value, json};

use crate::operations::capabilities;
use crate::support::{Gate, Issuer, Key, Setup, Token, eventually, get, keys};

const OF_HOST: [&str; 6] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];
const OF_MODULE: [&str; 7] = [
    "PS256", "PS384", "PS512", "EdDSA", "HS256", "HS384", "HS512",
];

fn key(algorithm: &str) -> &'static Key {
    match algorithm {
        "ES256" => &keys::EC,
        "ES384" => &keys::P384,
        "ES512" => &keys::P521,
        "EdDSA" => &keys::ED25519,
        "HS256" | "HS384" | "HS512" => &keys::SECRET,
        _ => &keys::RSA,
    }
}

fn setup() -> Setup {
    let mut provider = Issuer::local_provider(&[
        &keys::RSA,
        &keys::EC,
        &keys::P384,
        &keys::P521,
        &keys::ED25519,
        &keys::SECRET,
    ]);
    provider["algorithms"] = OF_HOST.into_iter().chain(OF_MODULE).collect();
    Setup::new(json!({"providers": {"p": provider}}))
}

/// The token with a different first byte of its signature.
fn spoilt(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    format!("{input}.{first}{}", &signature[1..])
}

/// Sends good and bad tokens of every algorithm, and checks who has verified the good ones.
fn verifies_every_algorithm(gate: &Gate, by_host: usize) {
    let all: Vec<&str> = OF_HOST.into_iter().chain(OF_MODULE).collect();
    let status = |token: &str| gate.send(&get("/").bearer(token)).status;
    for name in &all {
        let token = Token::good().header("alg", *name).signed_with(key(name));
        let other = Token::good().header("alg", *name).claim("jti", "other");
        let other = other.signed_with(key(name));
        let (input, _) = token.rsplit_once('.').unwrap();
        let (_, others) = other.rsplit_once('.').unwrap();
        for bad in [spoilt(&token), format!("{input}.{others}")] {
            let answer = gate.send(&get("/").bearer(bad));
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (401, "invalid_token"),
                "{name}"
            );
        }
        assert_eq!(status(&token), 200, "{name}");
        // Again, from the cache; a bad token is still refused.
        assert_eq!(status(&token), 200, "{name}");
        assert_eq!(status(&spoilt(&token)), 401, "{name}");
    }
    let expected = json!({
        "verified.host": by_host,
        "verified.software": all.len() - by_host,
        "token_cache.hit": all.len(),
        "token_cache.miss": 4 * all.len(),
        "denied.signature": 3 * all.len(),
        "allowed": 2 * all.len(),
    });
    let counted = || -> Value {
        let names = expected.as_object().unwrap().keys();
        let counts = names.map(|name| (name.clone(), gate.metric(name).into()));
        Value::Object(counts.collect())
    };
    eventually(&format!("{expected}, not {}", counted()), || {
        counted() == expected
    });
    assert_eq!(gate.upstream.count(), 2 * all.len());
}

#[test]
fn the_host_checks_rsa_and_ecdsa_and_the_module_the_rest() {
    let gate = setup().start();
    verifies_every_algorithm(&gate, OF_HOST.len());
    let expected = format!(
        "bearer-gate: the host checks {}; the module checks {}\n",
        OF_HOST.join(", "),
        OF_MODULE.join(", ")
    );
    let log = gate.log();
    assert_eq!(log.matches(&expected).count(), 1, "{expected} in {log}");
}

#[test]
fn the_module_checks_everything_if_the_environment_says_so() {
    let mut setup = setup();
    setup.vm_config = json!({
        "environment_variables": {"key_values": {"BEARER_GATE_ENGINE": "module"}},
    });
    let gate = setup.start();
    verifies_every_algorithm(&gate, 0);
    let log = gate.log();
    assert!(log.contains("the host checks no signatures"), "{log}");
    assert!(log.contains("as BEARER_GATE_ENGINE says"), "{log}");
}

#[test]
fn the_module_checks_everything_if_the_foreign_function_is_forbidden() {
    let mut setup = setup();
    let mut allowed: Vec<String> = capabilities();
    allowed.retain(|name| name != "proxy_call_foreign_function");
    let allowed: Value = allowed.into_iter().map(|name| (name, json!({}))).collect();
    setup.plugin_config = json!({
        "failure_policy": "FAIL_CLOSED",
        "capability_restriction_config": {"allowed_capabilities": allowed},
    });
    let gate = setup.start();
    verifies_every_algorithm(&gate, 0);
    let log = gate.log();
    assert!(log.contains("the host checks no signatures"), "{log}");
    for sign in ["Function: ", "panicked"] {
        assert!(!log.contains(sign), "{log}");
    }
}

#[test]
fn the_engines_are_logged_once_for_all_workers() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).workers(4).start();
    assert_eq!(
        gate.send(&get("/").bearer(Token::good().signed())).status,
        200
    );
    assert_eq!(gate.log().matches("the host checks").count(), 1);
}

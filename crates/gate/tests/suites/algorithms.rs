//! Algorithms and keys: the tokens with which `HAProxy` and liboauth2 test their verification, and which
//! key each of them accepts for which algorithm.
//!
//! `algorithms.json` has the tokens of `HAProxy`'s `reg-tests/jwt/jws_verify.vtc` and of liboauth2's
//! `test/check_oauth2.c`, with their keys as JWK or certificate.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::keys::KeySet;
use gate::verify::{Algorithm, Engine};
use gate_fixtures::{ec_jwk, ed25519_jwk, p384_jwk, p521_jwk, rsa_jwk};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::requests::{Gate, policy_of};
use crate::suites::{Case, Verdict, check};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    keys: BTreeMap<String, Value>,
    tokens: Vec<SignedToken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedToken {
    name: String,
    /// The name of the key set.
    keys: String,
    text: String,
    /// A time at which the token is valid, in Unix seconds. The sources do not look at it.
    now: u64,
    /// The verdict of the source.
    accepted: bool,
    differs: Option<String>,
}

fn names() -> Vec<&'static str> {
    Algorithm::ALL.iter().map(|(name, _)| *name).collect()
}

fn token_cases() -> impl Iterator<Item = Case> {
    let Tokens { keys, tokens } = serde_json::from_str(include_str!("algorithms.json")).unwrap();
    tokens.into_iter().map(move |row| {
        let keys = keys[&row.keys].to_string();
        // A key set without a usable key is an error of the configuration.
        let admits = KeySet::parse_local(keys.as_bytes()).is_ok() && {
            let policy = policy_of(&json!({
                "require_expiration": false,
                "algorithms": names(),
                "local_jwks": {"inline_string": keys},
            }));
            Gate::at(row.now).refusal(&policy, &row.text).is_none()
        };
        Case {
            name: row.name,
            expected: Verdict::new(row.accepted),
            found: Verdict::new(admits),
            differs: row.differs,
        }
    })
}

/// A key, the algorithms for which a source accepts it, and why the gate does not accept it for some.
struct Key {
    name: &'static str,
    jwk: Value,
    /// Beginnings of the names of the algorithms.
    haproxy: &'static [&'static str],
    liboauth2: &'static [&'static str],
    refused_here: &'static [(&'static str, &'static str)],
}

const RSA: &[&str] = &["RS", "PS"];
const EC: &[&str] = &["ES"];
const HMAC: &[&str] = &["HS"];

const SIZE: &str = "an RSA key has 2048 to 8192 bits (RFC 7518, section 3.3)";
const PSS: &str = "Envoy verifies no RSASSA-PSS, and the module verifies it with at most 4096 bits and the \
                   exponent 65537";
const CURVE: &str = "an EC key works with the algorithm of its curve only (RFC 7518, section 3.4)";
const SHORT: &str = "the secret is shorter than the hash (RFC 7518, section 3.2)";
const ED25519: &str = "the source has no EdDSA (RFC 8037), and the gate has";

fn rsa(bytes: usize) -> Value {
    let modulus = URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
    json!({"kty": "RSA", "n": modulus, "e": "AQAB"})
}

fn oct(bytes: usize) -> Value {
    json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(vec![7; bytes])})
}

/// A key for which both sources accept these algorithms.
fn key(
    name: &'static str,
    jwk: Value,
    algorithms: &'static [&'static str],
    refused_here: &'static [(&'static str, &'static str)],
) -> Key {
    Key {
        name,
        jwk,
        haproxy: algorithms,
        liboauth2: algorithms,
        refused_here,
    }
}

fn keys() -> Vec<Key> {
    let mut exponent = rsa_jwk();
    exponent["e"] = "Aw".into();
    // The generator of the curve.
    let secp256k1 = json!({
        "kty": "EC",
        "crv": "secp256k1",
        "x": "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g",
        "y": "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg",
    });
    let ed448 = URL_SAFE_NO_PAD.encode([1; 57]);
    let x25519 = URL_SAFE_NO_PAD.encode([9; 32]);
    vec![
        key(
            "RSA, 1024 bits",
            rsa(128),
            RSA,
            &[("RS", SIZE), ("PS", SIZE)],
        ),
        key("RSA, 2048 bits", rsa_jwk(), RSA, &[]),
        key("RSA, 2048 bits, exponent 3", exponent, RSA, &[("PS", PSS)]),
        key("RSA, 3072 bits", rsa(384), RSA, &[]),
        key("RSA, 4096 bits", rsa(512), RSA, &[]),
        key("RSA, 8192 bits", rsa(1024), RSA, &[("PS", PSS)]),
        key(
            "RSA, 16384 bits",
            rsa(2048),
            RSA,
            &[("RS", SIZE), ("PS", SIZE)],
        ),
        key("P-256", ec_jwk(), EC, &[("ES384", CURVE), ("ES512", CURVE)]),
        key(
            "P-384",
            p384_jwk(),
            EC,
            &[("ES256", CURVE), ("ES512", CURVE)],
        ),
        key(
            "P-521",
            p521_jwk(),
            EC,
            &[("ES256", CURVE), ("ES384", CURVE)],
        ),
        Key {
            name: "secp256k1",
            jwk: secp256k1,
            haproxy: EC,
            liboauth2: &[],
            refused_here: &[("ES", CURVE)],
        },
        key("Ed25519", ed25519_jwk(), &[], &[]),
        key(
            "Ed448",
            json!({"kty": "OKP", "crv": "Ed448", "x": ed448}),
            &[],
            &[],
        ),
        key(
            "X25519",
            json!({"kty": "OKP", "crv": "X25519", "x": x25519}),
            &[],
            &[],
        ),
        key("a secret of 31 bytes", oct(31), HMAC, &[("HS", SHORT)]),
        key(
            "a secret of 32 bytes",
            oct(32),
            HMAC,
            &[("HS384", SHORT), ("HS512", SHORT)],
        ),
        key("a secret of 48 bytes", oct(48), HMAC, &[("HS512", SHORT)]),
        key("a secret of 64 bytes", oct(64), HMAC, &[]),
    ]
}

/// Whether the gate verifies signatures of the key with the algorithm, with the host's help.
fn accepts(jwk: &Value, algorithm: Algorithm) -> bool {
    let engine = Engine::probe(Box::new(gate_fixtures::host));
    let document = json!({ "keys": [jwk] }).to_string();
    KeySet::parse_local(document.as_bytes())
        .is_ok_and(|keys| keys.candidates(algorithm, None, &engine).next().is_some())
}

fn matrix_cases() -> impl Iterator<Item = Case> {
    keys().into_iter().flat_map(|key| {
        Algorithm::ALL
            .into_iter()
            .flat_map(move |(name, algorithm)| {
                let found = accepts(&key.jwk, algorithm);
                let begins = |with: &&str| name.starts_with(*with);
                let refused_here = key.refused_here.iter().find(|(with, _)| begins(with));
                let case = |source: &str, accepted: &[&str]| {
                    let accepted = accepted.iter().any(begins);
                    let differs = match refused_here {
                        Some((_, reason)) => accepted.then_some(*reason),
                        None => (found && !accepted).then_some(ED25519),
                    };
                    Case {
                        name: format!("{source}, {} with {name}", key.name),
                        expected: Verdict::new(accepted),
                        found: Verdict::new(found),
                        differs: differs.map(str::to_owned),
                    }
                };
                [
                    case("HAProxy", key.haproxy),
                    case("liboauth2", key.liboauth2),
                ]
            })
    })
}

#[test]
fn algorithms_and_keys_of_haproxy_and_liboauth2_have_the_documented_verdicts() {
    let cases: Vec<Case> = token_cases().chain(matrix_cases()).collect();
    check("Algorithms of HAProxy and liboauth2", 2, &cases);
}

//! What the tests of hostile tokens share.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::policy::Policy;
use gate::verify::Engine;
use gate_fixtures::{compact, ec_jwk, ed25519_jwk, host, p384_jwk, p521_jwk, rsa_jwk, signature};
use rsa::pkcs8::EncodePublicKey;
use rsa::{BoxedUint, PublicKey};
use serde_json::{Value, json};

use crate::support::{Gate, Outcome, bearing, policy_of};

pub(super) const PAYLOAD: &str =
    r#"{"iss":"https://issuer.example","aud":"https://api.example","exp":1700003600}"#;

/// A policy with the public keys of the fixtures, which accepts `algorithms`.
pub(super) fn policy(algorithms: &Value) -> Policy {
    let keys = [rsa_jwk(), ec_jwk(), p384_jwk(), p521_jwk(), ed25519_jwk()];
    policy_of(&json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "algorithms": algorithms,
        "local_jwks": {"inline_string": json!({ "keys": keys }).to_string()},
    }))
}

/// The outcome for `token`, which is the same with both engines.
pub(super) fn decide_with(policy: &Policy, token: &str) -> Outcome {
    let engines = [Engine::software(), Engine::probe(Box::new(host))];
    let [module, host] = engines.map(|engine| {
        let gate = Gate::new().engine(engine);
        gate.decide(policy, &bearing(token))
    });
    assert_eq!(module, host, "{token}");
    module
}

pub(super) fn decide(token: &str) -> Outcome {
    decide_with(&policy(&Value::Null), token)
}

/// A token with this header and payload, signed with ES256 as it should be.
pub(super) fn es256(header: &str, payload: &str) -> String {
    compact(header, payload, |input| signature("ES256", input))
}

pub(super) fn encoded(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub(super) fn payload() -> Value {
    serde_json::from_str(PAYLOAD).unwrap()
}

/// The `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7) of an RSA, P-256 or Ed25519 key.
pub(super) fn der(jwk: &Value) -> Vec<u8> {
    let member = |name: &str| {
        let text = jwk[name].as_str().unwrap();
        URL_SAFE_NO_PAD.decode(text).unwrap()
    };
    match jwk["kty"].as_str().unwrap() {
        "RSA" => {
            let [n, e] = ["n", "e"].map(|name| BoxedUint::from_be_slice_vartime(&member(name)));
            let key = PublicKey::new(n, e).unwrap();
            key.to_public_key_der().unwrap().as_bytes().to_vec()
        }
        "EC" => {
            let point = [&[4][..], &member("x"), &member("y")].concat();
            let key = p256::PublicKey::from_sec1_bytes(&point).unwrap();
            key.to_public_key_der().unwrap().as_bytes().to_vec()
        }
        // RFC 8410, section 4.
        "OKP" => [
            &b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..],
            &member("x"),
        ]
        .concat(),
        other => panic!("{other}"),
    }
}

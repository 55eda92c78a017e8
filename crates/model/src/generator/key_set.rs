//! Key sets.

use fastrand::Rng;
use serde_json::{Value, json};

use super::dice::{chance, one_of};
use super::signer::SIGNERS;

/// A key that is in a key set.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The index of the signer.
    pub(crate) signer: usize,
    pub(crate) kid: Option<String>,
}

/// The text of a key set, and its keys.
pub(crate) fn draw(rng: &mut Rng, is_local: bool) -> (String, Vec<Listed>) {
    let mut keys = Vec::new();
    let mut jwks = Vec::new();
    let count = if chance(rng, 2) { 12 } else { rng.usize(1..=5) };
    for number in 0..count {
        let signer = rng.usize(0..SIGNERS.len());
        if SIGNERS[signer].is_secret() && !is_local && chance(rng, 70) {
            continue;
        }
        let kid = match rng.u8(0..10) {
            0..=5 => Some(format!("k{number}")),
            6 | 7 => None,
            8 => Some("shared".to_owned()),
            _ => Some(String::new()),
        };
        let mut jwk = SIGNERS[signer].jwk.clone();
        jwk["kid"] = match &kid {
            Some(kid) => json!(kid),
            None if rng.bool() => Value::Null,
            None => {
                jwks.push(odd(rng, SIGNERS[signer].jwk.clone(), signer));
                keys.push(Listed { signer, kid });
                continue;
            }
        };
        jwks.push(odd(rng, jwk, signer));
        keys.push(Listed { signer, kid });
    }
    if chance(rng, 10) {
        let strange = [
            json!(null),
            json!("key"),
            json!({}),
            json!({"kty": "AKP", "kid": "k0"}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
            json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        ];
        jwks.push(one_of(rng, &strange));
    }
    // One key is good in any case, because a local set without is refused.
    let signer = rng.usize(0..8);
    let mut jwk = SIGNERS[signer].jwk.clone();
    let kid = Some("good".to_owned());
    jwk["kid"] = json!(kid);
    jwks.push(jwk);
    keys.push(Listed { signer, kid });
    (json!({"keys": jwks}).to_string(), keys)
}

/// A key in which something may be odd.
fn odd(rng: &mut Rng, mut jwk: Value, signer: usize) -> Value {
    let algorithms = SIGNERS[signer].algorithms;
    if chance(rng, 25) {
        jwk["alg"] = json!(one_of(rng, algorithms));
        if jwk["alg"] == "EdDSA" && rng.bool() {
            jwk["alg"] = json!("Ed25519");
        }
    }
    if chance(rng, 25) {
        jwk["use"] = json!("sig");
    }
    match rng.u8(0..40) {
        0 => jwk["use"] = json!("enc"),
        1 => jwk["use"] = json!("jwt-svid"),
        2 => jwk["use"] = Value::Null,
        3 => jwk["key_ops"] = json!(["verify"]),
        4 => jwk["key_ops"] = json!(["sign"]),
        5 => jwk["key_ops"] = json!([]),
        6 => jwk["alg"] = json!("ES256K"),
        7 => jwk["alg"] = json!(one_of(rng, &["RS256", "ES256", "EdDSA", "HS256"])),
        8 => jwk["d"] = json!("AQAB"),
        9 => jwk["kid"] = json!(7),
        10 => jwk["x5c"] = json!(["AQAB"]),
        11 => {
            for name in ["x", "n", "k"] {
                if let Some(text) = jwk[name].as_str() {
                    jwk[name] = json!(format!("{text}=="));
                }
            }
        }
        12 => jwk["use"] = json!(1),
        13 => jwk["alg"] = Value::Null,
        _ => {}
    }
    jwk
}

//! Keys and tokens for unit tests, made by another library than the one under test.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyUncompressedBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
static EC: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

/// The public RSA key, named `rsa`.
pub(crate) fn rsa_jwk() -> Value {
    let public = RSA.public_key();
    json!({
        "kty": "RSA",
        "kid": "rsa",
        "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
    })
}

/// The public P-256 key, named `ec`.
pub(crate) fn ec_jwk() -> Value {
    let point: EcPublicKeyUncompressedBin<'_> = EC.public_key().as_be_bytes().unwrap();
    let (x, y) = point.as_ref()[1..].split_at_checked(32).unwrap();
    json!({
        "kty": "EC",
        "crv": "P-256",
        "kid": "ec",
        "x": URL_SAFE_NO_PAD.encode(x),
        "y": URL_SAFE_NO_PAD.encode(y),
    })
}

/// The set of both keys, as text.
pub(crate) fn key_set() -> String {
    json!({ "keys": [rsa_jwk(), ec_jwk()] }).to_string()
}

/// An RS256 token with this header and payload.
pub(crate) fn rs256(header: &Value, payload: &Value) -> String {
    compact(header, payload, |input| {
        let mut signature = vec![0; RSA.public_modulus_len()];
        RSA.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            input,
            &mut signature,
        )
        .unwrap();
        signature
    })
}

/// An ES256 token with this header and payload.
pub(crate) fn es256(header: &Value, payload: &Value) -> String {
    compact(header, payload, |input| {
        EC.sign(&SystemRandom::new(), input)
            .unwrap()
            .as_ref()
            .to_vec()
    })
}

fn compact(header: &Value, payload: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encoded(header), encoded(payload));
    let signature = URL_SAFE_NO_PAD.encode(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

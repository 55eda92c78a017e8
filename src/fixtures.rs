//! Keys and tokens for unit tests, made by another library than the one under test.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyUncompressedBin};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use serde_json::{Value, json};

use crate::verify::{Answer, Arguments};

static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
static EC: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
static P384: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap());
static P521: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap());
static ED25519: LazyLock<Ed25519KeyPair> = LazyLock::new(|| Ed25519KeyPair::generate().unwrap());

/// The secret of HMACs.
pub(crate) const SECRET: &[u8] = &[7; 64];

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

fn ec_key(kid: &str, curve: &str, pair: &EcdsaKeyPair) -> Value {
    let point: EcPublicKeyUncompressedBin<'_> = pair.public_key().as_be_bytes().unwrap();
    let point = &point.as_ref()[1..];
    let (x, y) = point.split_at_checked(point.len() / 2).unwrap();
    json!({
        "kty": "EC",
        "crv": curve,
        "kid": kid,
        "x": URL_SAFE_NO_PAD.encode(x),
        "y": URL_SAFE_NO_PAD.encode(y),
    })
}

/// The public P-256 key, named `ec`.
pub(crate) fn ec_jwk() -> Value {
    ec_key("ec", "P-256", &EC)
}

/// The public P-384 key, named `p384`.
pub(crate) fn p384_jwk() -> Value {
    ec_key("p384", "P-384", &P384)
}

/// The public P-521 key, named `p521`.
pub(crate) fn p521_jwk() -> Value {
    ec_key("p521", "P-521", &P521)
}

/// The public Ed25519 key, named `ed25519`.
pub(crate) fn ed25519_jwk() -> Value {
    let x = URL_SAFE_NO_PAD.encode(ED25519.public_key());
    json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed25519", "x": x})
}

/// The secret, named `oct`.
pub(crate) fn oct_jwk() -> Value {
    json!({"kty": "oct", "kid": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET)})
}

/// The set of an RSA and a P-256 key, as text.
pub(crate) fn key_set() -> String {
    json!({ "keys": [rsa_jwk(), ec_jwk()] }).to_string()
}

/// The set of one key of every kind, as text.
pub(crate) fn full_key_set() -> String {
    let keys = [
        rsa_jwk(),
        ec_jwk(),
        p384_jwk(),
        p521_jwk(),
        ed25519_jwk(),
        oct_jwk(),
    ];
    json!({ "keys": keys }).to_string()
}

/// An RS256 token with this header and payload.
pub(crate) fn rs256(header: &Value, payload: &Value) -> String {
    signed("RS256", header, payload)
}

/// An ES256 token with this header and payload.
pub(crate) fn es256(header: &Value, payload: &Value) -> String {
    signed("ES256", header, payload)
}

/// A token with this header and payload, signed with `algorithm` whatever the header says.
pub(crate) fn signed(algorithm: &str, header: &Value, payload: &Value) -> String {
    compact(&header.to_string(), &payload.to_string(), |input| {
        signature(algorithm, input)
    })
}

/// The token of these texts, with what `sign` makes of the first two parts.
pub(crate) fn compact(header: &str, payload: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let input = [header, payload].map(|text| URL_SAFE_NO_PAD.encode(text));
    let input = input.join(".");
    let signature = URL_SAFE_NO_PAD.encode(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// The signature over `input` with `algorithm` and the key above that is for it.
pub(crate) fn signature(algorithm: &str, input: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let rsa = |encoding: &'static dyn RsaEncoding| {
        let mut signature = vec![0; RSA.public_modulus_len()];
        RSA.sign(encoding, &random, input, &mut signature).unwrap();
        signature
    };
    let ec = |pair: &EcdsaKeyPair| pair.sign(&random, input).unwrap().as_ref().to_vec();
    let hmac = |algorithm| {
        let key = hmac::Key::new(algorithm, SECRET);
        hmac::sign(&key, input).as_ref().to_vec()
    };
    match algorithm {
        "RS256" => rsa(&RSA_PKCS1_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_SHA512),
        "ES256" => ec(&EC),
        "ES384" => ec(&P384),
        "ES512" => ec(&P521),
        "EdDSA" => ED25519.sign(input).as_ref().to_vec(),
        "HS256" => hmac(hmac::HMAC_SHA256),
        "HS384" => hmac(hmac::HMAC_SHA384),
        "HS512" => hmac(hmac::HMAC_SHA512),
        _ => panic!("there is no {algorithm}"),
    }
}

/// Stands in for the host's `verify_signature`: a sister of the host's library behind the same
/// messages, as careless as the host about which curve goes with which hash.
pub(crate) fn host(request: &[u8]) -> Option<Vec<u8>> {
    let Arguments {
        hash_function,
        public_key,
        signature,
        text,
    } = Arguments::decode(request).ok()?;
    let algorithms: [&dyn VerificationAlgorithm; 4] = match hash_function.as_str() {
        "sha256" => [
            &signature::RSA_PKCS1_2048_8192_SHA256,
            &signature::ECDSA_P256_SHA256_ASN1,
            &signature::ECDSA_P384_SHA256_ASN1,
            &signature::ECDSA_P521_SHA256_ASN1,
        ],
        "sha384" => [
            &signature::RSA_PKCS1_2048_8192_SHA384,
            &signature::ECDSA_P256_SHA384_ASN1,
            &signature::ECDSA_P384_SHA384_ASN1,
            &signature::ECDSA_P521_SHA384_ASN1,
        ],
        "sha512" => [
            &signature::RSA_PKCS1_2048_8192_SHA512,
            &signature::ECDSA_P256_SHA512_ASN1,
            &signature::ECDSA_P384_SHA512_ASN1,
            &signature::ECDSA_P521_SHA512_ASN1,
        ],
        _ => return None,
    };
    let result = algorithms
        .iter()
        .any(|algorithm| algorithm.verify_sig(&public_key, &text, &signature).is_ok());
    let error = String::new();
    Some(Answer { result, error }.encode_to_vec())
}

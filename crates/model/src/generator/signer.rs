//! Keys that sign tokens.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyUncompressedBin};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key that signs tokens.
pub(crate) struct Signer {
    /// The algorithms that it signs with. The first is the usual one.
    pub(crate) algorithms: &'static [&'static str],
    /// The public part, without `kid`.
    pub(crate) jwk: Value,
    secret: Secret,
}

enum Secret {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
    Hmac(Vec<u8>),
}

/// All signers, those that sign fast more often.
pub(crate) static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    let mut signers = Vec::new();
    for _ in 0..5 {
        signers.push(ec(
            "P-256",
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &["ES256"],
        ));
    }
    for _ in 0..3 {
        signers.push(ed25519());
    }
    for _ in 0..2 {
        signers.push(rsa());
    }
    signers.push(ec(
        "P-384",
        &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        &["ES384"],
    ));
    signers.push(ec(
        "P-521",
        &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        &["ES512"],
    ));
    signers.push(secret(vec![7; 64], &["HS256", "HS384", "HS512"]));
    signers.push(secret(vec![9; 32], &["HS256"]));
    signers
});

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa() -> Signer {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
    let public = pair.public_key();
    Signer {
        algorithms: &["RS256", "PS256", "RS384", "RS512", "PS384", "PS512"],
        jwk: json!({
            "kty": "RSA",
            "n": encoded(public.modulus().big_endian_without_leading_zero()),
            "e": encoded(public.exponent().big_endian_without_leading_zero()),
        }),
        secret: Secret::Rsa(Box::new(pair)),
    }
}

fn ec(
    curve: &str,
    algorithm: &'static EcdsaSigningAlgorithm,
    algorithms: &'static [&'static str],
) -> Signer {
    let pair = EcdsaKeyPair::generate(algorithm).expect("an EC key");
    let point: EcPublicKeyUncompressedBin<'_> =
        pair.public_key().as_be_bytes().expect("a public key");
    let coordinates = &point.as_ref()[1..];
    let (x, y) = coordinates
        .split_at_checked(coordinates.len() / 2)
        .expect("two halves");
    Signer {
        algorithms,
        jwk: json!({"kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y)}),
        secret: Secret::Ec(Box::new(pair)),
    }
}

fn ed25519() -> Signer {
    let pair = Ed25519KeyPair::generate().expect("an Ed25519 key");
    Signer {
        algorithms: &["EdDSA"],
        jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref())}),
        secret: Secret::Ed25519(Box::new(pair)),
    }
}

fn secret(bytes: Vec<u8>, algorithms: &'static [&'static str]) -> Signer {
    Signer {
        algorithms,
        jwk: json!({"kty": "oct", "k": encoded(&bytes)}),
        secret: Secret::Hmac(bytes),
    }
}

impl Signer {
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.secret, Secret::Hmac(_))
    }

    /// The signature of `input`.
    pub(crate) fn sign(&self, algorithm: &str, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.secret {
            Secret::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, input, &mut signature)
                    .expect("an RSA signature");
                signature
            }
            Secret::Ec(pair) => {
                let signature = pair.sign(&random, input).expect("an ECDSA signature");
                signature.as_ref().to_vec()
            }
            Secret::Ed25519(pair) => pair.sign(input).as_ref().to_vec(),
            Secret::Hmac(secret) => {
                let algorithm = match algorithm {
                    "HS384" => hmac::HMAC_SHA384,
                    "HS512" => hmac::HMAC_SHA512,
                    _ => hmac::HMAC_SHA256,
                };
                let key = hmac::Key::new(algorithm, secret);
                hmac::sign(&key, input).as_ref().to_vec()
            }
        }
    }
}

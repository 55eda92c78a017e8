//! Signing keys. They are made and used with aws-lc-rs, which the filter does not use.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPublicKeyUncompressedBin, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key pair or a secret, with its `kid`.
pub(crate) struct Key {
    pub(crate) kid: &'static str,
    /// The algorithm it signs with by default.
    pub(crate) algorithm: &'static str,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Secret([u8; 64]),
}

/// Keys that tests share, since making an RSA key takes long.
pub(crate) mod keys {
    use super::{Key, LazyLock};

    pub(crate) static RSA: LazyLock<Key> = LazyLock::new(|| Key::new("rsa-1", "RS256"));
    pub(crate) static RSA_2: LazyLock<Key> = LazyLock::new(|| Key::new("rsa-2", "RS256"));
    pub(crate) static EC: LazyLock<Key> = LazyLock::new(|| Key::new("ec-1", "ES256"));
    pub(crate) static EC_2: LazyLock<Key> = LazyLock::new(|| Key::new("ec-2", "ES256"));
    pub(crate) static P384: LazyLock<Key> = LazyLock::new(|| Key::new("p384", "ES384"));
    pub(crate) static P521: LazyLock<Key> = LazyLock::new(|| Key::new("p521", "ES512"));
    pub(crate) static ED25519: LazyLock<Key> = LazyLock::new(|| Key::new("ed25519", "EdDSA"));
    pub(crate) static SECRET: LazyLock<Key> = LazyLock::new(|| Key::new("secret", "HS256"));
}

impl Key {
    /// Makes a key for an algorithm of RFC 7518 or RFC 8037.
    pub(crate) fn new(kid: &'static str, algorithm: &'static str) -> Self {
        let ec = |curve: &'static EcdsaSigningAlgorithm| {
            Pair::Ec(EcdsaKeyPair::generate(curve).unwrap())
        };
        let pair = match algorithm {
            "ES256" => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            "ES512" => ec(&ECDSA_P521_SHA512_FIXED_SIGNING),
            "EdDSA" => Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
            "HS256" | "HS384" | "HS512" => {
                let mut secret = [0; 64];
                rand::fill(&mut secret).unwrap();
                Pair::Secret(secret)
            }
            _ => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        };
        Self {
            kid,
            algorithm,
            pair,
        }
    }

    /// The public key, or the secret, as a JWK (RFC 7517) without `alg`.
    pub(crate) fn jwk(&self) -> Value {
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": encoded(public.modulus().big_endian_without_leading_zero()),
                    "e": encoded(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(pair) => {
                let point: EcPublicKeyUncompressedBin<'_> =
                    pair.public_key().as_be_bytes().unwrap();
                let coordinates = &point.as_ref()[1..];
                let (x, y) = coordinates.split_at_checked(coordinates.len() / 2).unwrap();
                let curve = match x.len() {
                    32 => "P-256",
                    48 => "P-384",
                    _ => "P-521",
                };
                json!({"kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y)})
            }
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref())})
            }
            Pair::Secret(secret) => json!({"kty": "oct", "k": encoded(secret)}),
        };
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The public key as a `SubjectPublicKeyInfo` in DER (RFC 5280, section 4.1).
    pub(crate) fn der(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_der().unwrap(),
            Pair::Ec(pair) => pair.public_key().as_der().unwrap(),
            Pair::Ed25519(pair) => pair.public_key().as_der().unwrap(),
            Pair::Secret(_) => panic!("a secret has no public key"),
        };
        der.as_ref().to_vec()
    }

    /// The signature over `message` with `algorithm`, in the form of JWS (RFC 7515).
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Secret(secret) => mac(algorithm, secret, message),
            Pair::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }
}

/// The HMAC of `message` with `algorithm`. `secret` may be of any length.
pub(crate) fn mac(algorithm: &str, secret: &[u8], message: &[u8]) -> Vec<u8> {
    let algorithm = match algorithm {
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let key = hmac::Key::new(algorithm, secret);
    hmac::sign(&key, message).as_ref().to_vec()
}

//! Keys and signatures.

use aws_lc_rs::{hmac, rsa, signature};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::token::{Token, canonical};

/// How many keys are tried.
const MOST_TRIED: usize = 8;

/// A key that can be used.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    kid: Option<String>,
    /// The only algorithm that it may be used with.
    alg: Option<String>,
    material: Material,
}

#[derive(Clone, Debug)]
pub(super) enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { curve: String, point: Vec<u8> },
    Ed25519(Vec<u8>),
    Secret(Vec<u8>),
}

/// The keys of a document that can be used; `None` if there are none.
pub(crate) fn usable(document: &str, is_local: bool, uses: &[&str]) -> Option<Vec<Key>> {
    let document: Value = serde_json::from_str(document).ok()?;
    let keys = document.get("keys")?.as_array()?.iter();
    let keys: Vec<Key> = keys
        .filter_map(|jwk| Key::new(jwk, is_local, uses))
        .collect();
    (!keys.is_empty()).then_some(keys)
}

/// The keys that a token may have been signed with.
pub(crate) fn candidates<'k>(keys: &'k [Key], token: &Token) -> Vec<&'k Key> {
    let fitting: Vec<&Key> = keys.iter().filter(|key| key.fits(&token.alg)).collect();
    let named = |kid: &Option<String>| {
        let named = fitting.iter().copied();
        named.filter(|key| key.kid == *kid).collect::<Vec<_>>()
    };
    let mut found = match &token.kid {
        None => fitting.clone(),
        kid => Some(named(kid))
            .filter(|named| !named.is_empty())
            .unwrap_or_else(|| named(&None)),
    };
    found.truncate(MOST_TRIED);
    found
}

impl Key {
    /// The key of a JWK; `None` if it is skipped.
    fn new(jwk: &Value, is_local: bool, uses: &[&str]) -> Option<Self> {
        let member = |name: &str| jwk.get(name).filter(|value| !value.is_null());
        let text = |name: &str| match member(name) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text.as_str())),
            Some(_) => None,
        };
        let bytes = |name: &str| {
            let text: String = text(name)??.split_ascii_whitespace().collect();
            URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
        };
        let is_private = ["d", "p", "q", "dp", "dq", "qi", "oth"];
        if is_private.iter().any(|name| member(name).is_some()) {
            return None;
        }
        if text("use")?.is_some_and(|one| !uses.contains(&one)) {
            return None;
        }
        if let Some(operations) = member("key_ops") {
            operations.as_array()?.iter().find(|one| *one == "verify")?;
        }
        let material = match text("kty")?? {
            "RSA" => Material::Rsa {
                n: bytes("n").filter(|n| n.len() >= 256)?,
                e: bytes("e")?,
            },
            "EC" => {
                let curve = text("crv")??;
                let (length, algorithm) = match curve {
                    "P-256" => (32, &signature::ECDSA_P256_SHA256_FIXED),
                    "P-384" => (48, &signature::ECDSA_P384_SHA384_FIXED),
                    "P-521" => (66, &signature::ECDSA_P521_SHA512_FIXED),
                    _ => return None,
                };
                let mut point = vec![4];
                for coordinate in ["x", "y"] {
                    let bytes = bytes(coordinate)?;
                    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                    let bytes = &bytes[zeros..];
                    point.extend(vec![0; usize::checked_sub(length, bytes.len())?]);
                    point.extend(bytes);
                }
                // It must be a point on the curve.
                signature::ParsedPublicKey::new(algorithm, &point).ok()?;
                Material::Ec {
                    curve: curve.to_owned(),
                    point,
                }
            }
            "OKP" if text("crv")?? == "Ed25519" => {
                Material::Ed25519(bytes("x").filter(|x| x.len() == 32)?)
            }
            "oct" if is_local => Material::Secret(bytes("k").filter(|k| k.len() >= 32)?),
            _ => return None,
        };
        let key = Self {
            kid: text("kid")?.map(str::to_owned),
            alg: text("alg")?.map(|alg| canonical(alg).to_owned()),
            material,
        };
        let known = key.alg.clone();
        known
            .is_none_or(|alg| key.material.fits(&alg))
            .then_some(key)
    }

    fn fits(&self, alg: &str) -> bool {
        self.alg.as_ref().is_none_or(|only| only == alg) && self.material.fits(alg)
    }

    /// Whether the signature of a token is one of this key.
    pub(crate) fn verifies(&self, token: &Token) -> bool {
        let input = token.input.as_bytes();
        self.material.verifies(&token.alg, input, &token.signature)
    }
}

impl Material {
    /// Whether a signature of `input` is one of this key.
    pub(super) fn verifies(&self, alg: &str, input: &[u8], signature: &[u8]) -> bool {
        let public = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            algorithm.verify_sig(key, input, signature).is_ok()
        };
        match self {
            Self::Rsa { n, e } => {
                let parameters = match alg {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                    "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
                    _ => &signature::RSA_PSS_2048_8192_SHA512,
                };
                let key = rsa::PublicKeyComponents { n, e };
                key.verify(parameters, input, signature).is_ok()
            }
            Self::Ec { curve, point } => match curve.as_str() {
                "P-256" => public(&signature::ECDSA_P256_SHA256_FIXED, point),
                "P-384" => public(&signature::ECDSA_P384_SHA384_FIXED, point),
                _ => public(&signature::ECDSA_P521_SHA512_FIXED, point),
            },
            Self::Ed25519(key) => public(&signature::ED25519, key),
            Self::Secret(secret) => {
                let algorithm = match alg {
                    "HS256" => hmac::HMAC_SHA256,
                    "HS384" => hmac::HMAC_SHA384,
                    _ => hmac::HMAC_SHA512,
                };
                let key = hmac::Key::new(algorithm, secret);
                hmac::verify(&key, input, signature).is_ok()
            }
        }
    }

    /// Whether it can be used with an algorithm.
    pub(super) fn fits(&self, alg: &str) -> bool {
        match self {
            Self::Rsa { .. } => alg.starts_with("RS") || alg.starts_with("PS"),
            Self::Ec { curve, .. } => match alg {
                "ES256" => curve == "P-256",
                "ES384" => curve == "P-384",
                "ES512" => curve == "P-521",
                _ => false,
            },
            Self::Ed25519(_) => alg == "EdDSA",
            // RFC 7518, section 3.2: not shorter than the hash.
            Self::Secret(secret) => match alg {
                "HS256" => secret.len() >= 32,
                "HS384" => secret.len() >= 48,
                "HS512" => secret.len() >= 64,
                _ => false,
            },
        }
    }
}

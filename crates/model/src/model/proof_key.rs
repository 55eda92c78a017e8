//! Keys of proofs, and their thumbprints (RFC 7638).

use aws_lc_rs::signature::{self, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::digest::sha256;
use super::key::Material;
use super::token::canonical;

/// The members of private keys, and of secrets.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The key of a proof that is signed with `alg`, and its thumbprint; `None` if it is not acceptable. There is only one
/// way to write a key.
pub(super) fn read(jwk: Option<&Value>, alg: &str) -> Option<(Material, String)> {
    let jwk = jwk?.as_object()?;
    let is_private = PRIVATE.iter().any(|name| jwk.contains_key(*name));
    let is_to_sign = jwk.get("use").is_none_or(|one| one == "sig");
    let verifies = jwk.get("key_ops").is_none_or(|operations| {
        let mut operations = operations.as_array().into_iter().flatten();
        operations.any(|one| one == "verify")
    });
    let is_for_alg = jwk
        .get("alg")
        .is_none_or(|one| one.as_str().map(canonical) == Some(alg));
    if is_private || !is_to_sign || !verifies || !is_for_alg {
        return None;
    }
    let material = material(jwk)?;
    let thumbprint = thumbprint(jwk)?;
    material.fits(alg).then_some((material, thumbprint))
}

/// The thumbprint of a key.
pub(crate) fn thumbprint(jwk: &Map<String, Value>) -> Option<String> {
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let members = names.iter().map(|name| {
        let value = jwk.get(*name)?.as_str()?;
        Some(format!("\"{name}\":\"{value}\""))
    });
    let members = members.collect::<Option<Vec<String>>>()?;
    Some(sha256(format!("{{{}}}", members.join(",")).as_bytes()))
}

fn material(jwk: &Map<String, Value>) -> Option<Material> {
    let text = |name: &str| jwk.get(name)?.as_str();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    match text("kty")? {
        "EC" => {
            let curve = text("crv")?;
            let (length, algorithm) = match curve {
                "P-256" => (32, &signature::ECDSA_P256_SHA256_FIXED),
                "P-384" => (48, &signature::ECDSA_P384_SHA384_FIXED),
                "P-521" => (66, &signature::ECDSA_P521_SHA512_FIXED),
                _ => return None,
            };
            let coordinate = |name: &str| bytes(name).filter(|bytes| bytes.len() == length);
            let point = [&[4][..], &coordinate("x")?, &coordinate("y")?].concat();
            ParsedPublicKey::new(algorithm, &point).ok()?;
            Some(Material::Ec {
                curve: curve.to_owned(),
                point,
            })
        }
        "OKP" if text("crv")? == "Ed25519" => {
            let key = bytes("x").filter(|x| x.len() == 32)?;
            Some(Material::Ed25519(key))
        }
        "RSA" => {
            let is_number = |bytes: &Vec<u8>| bytes.first().is_some_and(|first| *first != 0);
            let number = |name: &str| bytes(name).filter(is_number);
            let n = number("n").filter(|n| n.len() >= 256)?;
            Some(Material::Rsa { n, e: number("e")? })
        }
        _ => None,
    }
}

//! The public key in the header of a proof (RFC 9449, section 4.2), and its thumbprint (RFC 7638).

use serde_json::{Map, Value};

use super::digest::sha256;
use crate::confirmation::Digest;
use crate::token::decode_part;
use crate::verify::{Algorithm, Curve, Engine, PublicKey};

/// The public key of a proof.
#[derive(Debug)]
pub struct ProofKey {
    /// The algorithm of the proof's signature.
    pub algorithm: Algorithm,
    /// The key material.
    pub public: PublicKey,
    /// The thumbprint by which tokens are bound to the key (`jkt`).
    pub thumbprint: Digest,
}

/// Why a key is not acceptable.
pub type KeyFlaw = &'static str;

/// Members of a private key, and of a secret.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl ProofKey {
    /// Parses the `jwk` of a proof that is signed with `algorithm`.
    ///
    /// The form must be canonical: a key that could be written in several ways would have several
    /// thumbprints. So unlike in a key set, nothing is tolerated.
    ///
    /// # Errors
    ///
    /// Why the key is not acceptable.
    pub fn parse(
        jwk: Option<&Value>,
        algorithm: Algorithm,
        engine: &Engine,
    ) -> Result<Self, KeyFlaw> {
        let jwk = jwk.and_then(Value::as_object).ok_or("`jwk` is missing")?;
        if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
            return Err("`jwk` is a private key or a secret");
        }
        if jwk.get("use").is_some_and(|one| one != "sig") {
            return Err("`use` is not sig");
        }
        if jwk.get("key_ops").is_some_and(|all| !contains_verify(all)) {
            return Err("`key_ops` does not contain verify");
        }
        let is_same = |name: &Value| {
            let name = name.as_str().and_then(Algorithm::from_name);
            name == Some(algorithm)
        };
        if jwk.get("alg").is_some_and(|name| !is_same(name)) {
            return Err("`alg` is not that of the proof");
        }
        let (public, canonical) = match text(jwk, "kty")? {
            "EC" => ec(jwk)?,
            "OKP" => okp(jwk)?,
            "RSA" => rsa(jwk)?,
            _ => return Err("`kty` is not supported"),
        };
        if !engine.supports(&public, algorithm) {
            return Err("the key does not fit the algorithm of the proof");
        }
        Ok(Self {
            algorithm,
            public,
            thumbprint: sha256(canonical.as_bytes()),
        })
    }
}

fn contains_verify(operations: &Value) -> bool {
    let operations = operations.as_array();
    operations.is_some_and(|all| all.iter().any(|one| one == "verify"))
}

/// The key, and the text whose hash is its thumbprint: the required members in the order of their names
/// (RFC 7638, section 3).
type KeyAndText = (PublicKey, String);

fn ec(jwk: &Map<String, Value>) -> Result<KeyAndText, KeyFlaw> {
    let name = text(jwk, "crv")?;
    let curve = match name {
        "P-256" => Curve::P256,
        "P-384" => Curve::P384,
        "P-521" => Curve::P521,
        _ => return Err("`crv` is not supported"),
    };
    let (x, y) = (text(jwk, "x")?, text(jwk, "y")?);
    let mut point = vec![0x04];
    for coordinate in [x, y] {
        let coordinate = bytes(coordinate)?;
        if coordinate.len() != curve.coordinate_bytes() {
            return Err("a coordinate does not have the length of the curve");
        }
        point.extend(coordinate);
    }
    let public = PublicKey::ec(curve, &point).ok_or("it is not a point on the curve")?;
    let members = [("crv", name), ("kty", "EC"), ("x", x), ("y", y)];
    Ok((public, object(&members)))
}

fn okp(jwk: &Map<String, Value>) -> Result<KeyAndText, KeyFlaw> {
    let name = text(jwk, "crv")?;
    if name != "Ed25519" {
        return Err("`crv` is not supported");
    }
    let x = text(jwk, "x")?;
    let public = PublicKey::ed25519(&bytes(x)?).ok_or("it is not a point on the curve")?;
    Ok((public, object(&[("crv", name), ("kty", "OKP"), ("x", x)])))
}

fn rsa(jwk: &Map<String, Value>) -> Result<KeyAndText, KeyFlaw> {
    let (n, e) = (text(jwk, "n")?, text(jwk, "e")?);
    let (modulus, exponent) = (bytes(n)?, bytes(e)?);
    if modulus.starts_with(&[0]) || exponent.starts_with(&[0]) {
        return Err("a number has a leading zero");
    }
    let public = PublicKey::rsa(&modulus, &exponent).ok_or("it is not an acceptable RSA key")?;
    Ok((public, object(&[("e", e), ("kty", "RSA"), ("n", n)])))
}

fn text<'j>(jwk: &'j Map<String, Value>, name: &str) -> Result<&'j str, KeyFlaw> {
    let text = jwk.get(name).and_then(Value::as_str);
    text.ok_or("a member is missing or not a string")
}

fn bytes(text: &str) -> Result<Vec<u8>, KeyFlaw> {
    decode_part(text).ok_or("a member is not canonical base64url")
}

/// A JSON object of these members. No value needs escaping: each is a known name, or base64url.
fn object(members: &[(&str, &str)]) -> String {
    let members = members
        .iter()
        .map(|(name, value)| ["\"", name, "\":\"", value, "\""].concat());
    let members: Vec<String> = members.collect();
    ["{", &members.join(","), "}"].concat()
}

#[cfg(test)]
mod tests;

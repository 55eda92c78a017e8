//! One key of a key set (RFC 7517, section 4; RFC 7518, section 6).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::verify::{Algorithm, PublicKey};

/// Bytes of a coordinate on P-256.
const P256_COORDINATE_BYTES: usize = 32;

/// A key that signatures can be verified with.
#[derive(Debug)]
pub struct Key {
    /// `kid`: the name that tokens call the key by.
    pub kid: Option<String>,
    /// The key itself.
    pub public: PublicKey,
}

/// Why a key of a set cannot be used, in words for the log.
pub type KeyProblem = &'static str;

impl Key {
    /// Reads one member of a set's `keys`.
    ///
    /// # Errors
    ///
    /// What about the key makes it unusable. It may well be a good key for something else.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyProblem> {
        if !jwk.is_object() {
            return Err("it is not an object");
        }
        // A key that everyone can read the private part of proves nothing.
        if ["d", "p", "q", "dp", "dq", "qi", "oth"]
            .iter()
            .any(|name| jwk.get(name).is_some())
        {
            return Err("it is a private key");
        }
        if string(jwk, "use", "`use` is not a string")?.is_some_and(|usage| usage != "sig") {
            return Err("`use` is not sig");
        }
        if !may_verify(jwk.get("key_ops")) {
            return Err("`key_ops` does not contain verify");
        }
        let public = match string(jwk, "kty", "`kty` is not a string")? {
            Some("RSA") => rsa(jwk)?,
            Some("EC") => ec(jwk)?,
            Some(_) => return Err("`kty` is not supported"),
            None => return Err("`kty` is missing"),
        };
        if let Some(name) = string(jwk, "alg", "`alg` is not a string")?
            && Algorithm::from_name(name) != Some(public.algorithm())
        {
            return Err("`alg` is not one that is supported for the key");
        }
        let kid = string(jwk, "kid", "`kid` is not a string")?.map(str::to_owned);
        Ok(Self { kid, public })
    }
}

fn may_verify(key_ops: Option<&Value>) -> bool {
    match key_ops {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => false,
    }
}

fn rsa(jwk: &Value) -> Result<PublicKey, KeyProblem> {
    let modulus = bytes(jwk, "n", "`n` is not base64url")?;
    let exponent = bytes(jwk, "e", "`e` is not base64url")?;
    PublicKey::rsa(&modulus, &exponent)
        .ok_or("it is not an RSA key of 2048 to 4096 bits with the exponent 65537")
}

fn ec(jwk: &Value) -> Result<PublicKey, KeyProblem> {
    match string(jwk, "crv", "`crv` is not a string")? {
        Some("P-256") => {}
        Some(_) => return Err("`crv` is not supported"),
        None => return Err("`crv` is missing"),
    }
    let x = bytes(jwk, "x", "`x` is not base64url")?;
    let y = bytes(jwk, "y", "`y` is not base64url")?;
    let point =
        uncompressed_point(&x, &y, P256_COORDINATE_BYTES).ok_or("a coordinate is too long")?;
    PublicKey::p256(&point).ok_or("it is not a point on the curve")
}

/// The uncompressed encoding of SEC 1, section 2.3.3. Coordinates that lack leading zeros, as some
/// servers send them, are padded to the length of the curve.
fn uncompressed_point(x: &[u8], y: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut point = vec![0x04];
    for coordinate in [x, y] {
        let padding = length.checked_sub(coordinate.len())?;
        point.extend(std::iter::repeat_n(0, padding));
        point.extend_from_slice(coordinate);
    }
    Some(point)
}

fn string<'j>(
    jwk: &'j Value,
    name: &str,
    problem: KeyProblem,
) -> Result<Option<&'j str>, KeyProblem> {
    jwk.get(name)
        .map(|value| value.as_str().ok_or(problem))
        .transpose()
}

fn bytes(jwk: &Value, name: &str, problem: KeyProblem) -> Result<Vec<u8>, KeyProblem> {
    let text = string(jwk, name, problem)?.ok_or(problem)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| problem)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{ec_jwk, rsa_jwk};

    fn problem(jwk: &Value) -> Option<KeyProblem> {
        Key::from_jwk(jwk).err()
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    #[test]
    fn rsa_and_p256_keys_are_read() {
        let rsa = Key::from_jwk(&rsa_jwk()).unwrap();
        assert_eq!(rsa.public.algorithm(), Algorithm::Rs256);
        let ec = Key::from_jwk(&ec_jwk()).unwrap();
        assert_eq!(ec.public.algorithm(), Algorithm::Es256);
        assert_eq!(ec.kid.as_deref(), Some("ec"));
    }

    #[test]
    fn what_a_key_may_be_used_for_is_respected() {
        for (name, value, usable) in [
            ("use", json!("sig"), true),
            ("use", json!("enc"), false),
            ("use", json!(1), false),
            ("key_ops", json!(["verify"]), true),
            ("key_ops", json!(["sign", "verify"]), true),
            ("key_ops", json!(["encrypt"]), false),
            ("key_ops", json!([]), false),
            ("key_ops", json!("verify"), false),
            ("alg", json!("RS256"), true),
            ("alg", json!("PS256"), false),
            ("alg", json!("ES256"), false),
            ("alg", json!("none"), false),
            ("alg", json!(null), false),
            ("kid", json!(7), false),
            ("d", json!("AQAB"), false),
            ("x5c", json!(["ignored"]), true),
        ] {
            let jwk = with(rsa_jwk(), name, value);
            assert_eq!(problem(&jwk).is_none(), usable, "{}", jwk[name]);
        }
    }

    #[test]
    fn odd_keys_are_told_apart() {
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        let long = URL_SAFE_NO_PAD.encode([0xff; 1024]);
        let zero = URL_SAFE_NO_PAD.encode([0; 33]);
        for (jwk, expected) in [
            (json!("key"), "it is not an object"),
            (json!({}), "`kty` is missing"),
            (json!({"kty": 1}), "`kty` is not a string"),
            (json!({"kty": "oct", "k": "AQAB"}), "`kty` is not supported"),
            (
                with(rsa_jwk(), "n", json!(short)),
                "it is not an RSA key of 2048 to 4096 bits with the exponent 65537",
            ),
            (
                with(rsa_jwk(), "n", json!(long)),
                "it is not an RSA key of 2048 to 4096 bits with the exponent 65537",
            ),
            (
                with(rsa_jwk(), "n", json!("")),
                "it is not an RSA key of 2048 to 4096 bits with the exponent 65537",
            ),
            (
                with(rsa_jwk(), "e", json!("Aw")),
                "it is not an RSA key of 2048 to 4096 bits with the exponent 65537",
            ),
            (
                with(rsa_jwk(), "n", json!("not+base64url")),
                "`n` is not base64url",
            ),
            (with(rsa_jwk(), "e", json!(65537)), "`e` is not base64url"),
            (
                with(ec_jwk(), "crv", json!("P-384")),
                "`crv` is not supported",
            ),
            (
                with(ec_jwk(), "crv", json!("secp256k1")),
                "`crv` is not supported",
            ),
            (
                with(ec_jwk(), "x", json!("AQ")),
                "it is not a point on the curve",
            ),
            (
                with(ec_jwk(), "x", json!("")),
                "it is not a point on the curve",
            ),
            (with(ec_jwk(), "x", json!(zero)), "a coordinate is too long"),
        ] {
            assert_eq!(problem(&jwk), Some(expected), "{jwk}");
        }
    }

    #[test]
    fn coordinates_without_their_leading_zeros_are_padded() {
        assert_eq!(
            uncompressed_point(&[1], &[2, 3], 2),
            Some(vec![4, 0, 1, 2, 3])
        );
        assert_eq!(uncompressed_point(&[1, 2, 3], &[2, 3], 2), None);
    }
}

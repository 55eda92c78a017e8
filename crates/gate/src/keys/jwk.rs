//! A key of a key set (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::key_uses::KeyUses;
use crate::verify::{Algorithm, Curve, Engine, Hash, PublicKey};

/// A key to verify signatures with.
#[derive(Debug)]
pub struct Key {
    /// `kid`: the name by which tokens refer to the key.
    pub kid: Option<String>,
    /// `alg`: the only algorithm that the key may be used with, if the key names one.
    pub(super) algorithm: Option<Algorithm>,
    /// The key material.
    pub public: PublicKey,
}

/// Why a key of a set cannot be used, for the log.
pub type KeyProblem = &'static str;

/// Where a key set comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The configuration, which may contain secrets.
    Configuration,
    /// A server that publishes it.
    Server,
}

impl Key {
    /// Parses an element of `keys`, whose `use`, if it has one, must be among `uses`.
    ///
    /// # Errors
    ///
    /// Why the key cannot be used here. It may be a valid key for another purpose.
    pub fn from_jwk(jwk: &Value, origin: Provenance, uses: &KeyUses) -> Result<Self, KeyProblem> {
        if !jwk.is_object() {
            return Err("it is not an object");
        }
        // If the private part is public, a signature proves nothing.
        if ["d", "p", "q", "dp", "dq", "qi", "oth"]
            .iter()
            .any(|name| member(jwk, name).is_some())
        {
            return Err("it is a private key");
        }
        if !uses.accept(string(jwk, "use", "`use` is not a string")?) {
            return Err("`use` is not one of key_uses");
        }
        if !may_verify(member(jwk, "key_ops")) {
            return Err("`key_ops` does not contain verify");
        }
        let public = match string(jwk, "kty", "`kty` is not a string")? {
            Some("RSA") => rsa(jwk)?,
            Some("EC") => ec(jwk)?,
            Some("OKP") => okp(jwk)?,
            Some("oct") if origin == Provenance::Configuration => secret(jwk)?,
            Some("oct") => return Err("it is a secret in a published key set"),
            Some(_) => return Err("`kty` is not supported"),
            None => return Err("`kty` is missing"),
        };
        let algorithm = match string(jwk, "alg", "`alg` is not a string")? {
            None => None,
            Some(name) => Some(
                Algorithm::from_name(name)
                    .filter(|algorithm| public.fits(*algorithm))
                    .ok_or("`alg` is not supported for this key")?,
            ),
        };
        let kid = string(jwk, "kid", "`kid` is not a string")?.map(str::to_owned);
        Ok(Self {
            kid,
            algorithm,
            public,
        })
    }

    /// Whether `engine` can verify signatures of the key with at least one algorithm.
    pub(super) fn is_usable(&self, engine: &Engine) -> bool {
        let mut all = Algorithm::ALL.iter();
        all.any(|(_, algorithm)| self.is_for(*algorithm, engine))
    }

    /// Whether the key may have signed a token with this `alg`, and `engine` can verify that.
    pub(super) fn is_for(&self, algorithm: Algorithm, engine: &Engine) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm)
            && engine.supports(&self.public, algorithm)
    }
}

fn may_verify(key_ops: Option<&Value>) -> bool {
    match key_ops {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|operation| operation == "verify"),
        Some(_) => false,
    }
}

/// Why an RSA key is refused.
pub(super) const RSA_PROBLEM: KeyProblem =
    "it is not an RSA key of 2048 to 8192 bits with an odd exponent from 3 to 2^33 - 1";

fn rsa(jwk: &Value) -> Result<PublicKey, KeyProblem> {
    let modulus = bytes(jwk, "n", "`n` is not base64url")?;
    let exponent = bytes(jwk, "e", "`e` is not base64url")?;
    PublicKey::rsa(&modulus, &exponent).ok_or(RSA_PROBLEM)
}

fn ec(jwk: &Value) -> Result<PublicKey, KeyProblem> {
    let curve = match string(jwk, "crv", "`crv` is not a string")? {
        Some("P-256") => Curve::P256,
        Some("P-384") => Curve::P384,
        Some("P-521") => Curve::P521,
        Some(_) => return Err("`crv` is not supported"),
        None => return Err("`crv` is missing"),
    };
    let x = bytes(jwk, "x", "`x` is not base64url")?;
    let y = bytes(jwk, "y", "`y` is not base64url")?;
    let point =
        uncompressed_point(&x, &y, curve.coordinate_bytes()).ok_or("a coordinate is too long")?;
    PublicKey::ec(curve, &point).ok_or("it is not a point on the curve")
}

fn okp(jwk: &Value) -> Result<PublicKey, KeyProblem> {
    match string(jwk, "crv", "`crv` is not a string")? {
        Some("Ed25519") => {}
        Some(_) => return Err("`crv` is not supported"),
        None => return Err("`crv` is missing"),
    }
    let x = bytes(jwk, "x", "`x` is not base64url")?;
    PublicKey::ed25519(&x).ok_or("it is not a point on the curve")
}

fn secret(jwk: &Value) -> Result<PublicKey, KeyProblem> {
    let key = PublicKey::secret(&bytes(jwk, "k", "`k` is not base64url")?);
    // RFC 7518, section 3.2: a secret must not be shorter than the hash.
    if !key.fits(Algorithm::Hs(Hash::Sha256)) {
        return Err("`k` is shorter than 256 bits");
    }
    Ok(key)
}

/// The uncompressed encoding of SEC 1, section 2.3.3. Some servers omit leading zeros or add one, so
/// coordinates are adjusted to the length of the curve.
fn uncompressed_point(x: &[u8], y: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut point = vec![0x04];
    for coordinate in [x, y] {
        let zeros = coordinate.iter().take_while(|byte| **byte == 0).count();
        let coordinate = coordinate.get(zeros..).unwrap_or_default();
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
    member(jwk, name)
        .map(|value| value.as_str().ok_or(problem))
        .transpose()
}

/// A member of a key. Some servers write `null` for an absent one.
fn member<'j>(jwk: &'j Value, name: &str) -> Option<&'j Value> {
    jwk.get(name).filter(|value| !value.is_null())
}

fn bytes(jwk: &Value, name: &str, problem: KeyProblem) -> Result<Vec<u8>, KeyProblem> {
    let text = string(jwk, name, problem)?.ok_or(problem)?;
    // Some servers pad, or break lines. Unlike a token, a key set does not come from its attacker.
    let text: String = text.split_ascii_whitespace().collect();
    URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .map_err(|_| problem)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use gate_fixtures::{ec_jwk, ed25519_jwk, p384_jwk, p521_jwk, rsa_jwk};

    fn parse(jwk: &Value) -> Result<Key, KeyProblem> {
        Key::from_jwk(jwk, Provenance::Server, &KeyUses::default())
    }

    fn parse_local(jwk: &Value) -> Result<Key, KeyProblem> {
        Key::from_jwk(jwk, Provenance::Configuration, &KeyUses::default())
    }

    fn problem(jwk: &Value) -> Option<KeyProblem> {
        parse(jwk).err()
    }

    /// The names of the algorithms that the key can be used with.
    fn algorithms(key: &Key) -> Vec<&'static str> {
        let all = Algorithm::ALL.iter();
        all.filter(|(_, algorithm)| key.is_for(*algorithm, &Engine::software()))
            .map(|(name, _)| *name)
            .collect()
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    #[test]
    fn a_key_fits_one_family_of_algorithms_or_only_its_alg() {
        let secret = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode([7; 48])});
        for (jwk, expected) in [
            (
                rsa_jwk(),
                &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
            ),
            (with(rsa_jwk(), "alg", json!("PS384")), &["PS384"]),
            (ec_jwk(), &["ES256"]),
            (with(ec_jwk(), "alg", json!("ES256")), &["ES256"]),
            (p384_jwk(), &["ES384"]),
            (p521_jwk(), &["ES512"]),
            (ed25519_jwk(), &["EdDSA"]),
            (with(ed25519_jwk(), "alg", json!("EdDSA")), &["EdDSA"]),
            (with(ed25519_jwk(), "alg", json!("Ed25519")), &["EdDSA"]),
            (secret.clone(), &["HS256", "HS384"]),
            (with(secret.clone(), "alg", json!("HS256")), &["HS256"]),
        ] {
            let key = parse_local(&jwk).unwrap();
            assert_eq!(algorithms(&key), expected, "{jwk}");
        }
        let too_short = with(secret, "alg", json!("HS512"));
        assert!(parse_local(&too_short).is_err());
        assert_eq!(parse(&ec_jwk()).unwrap().kid.as_deref(), Some("ec"));
    }

    #[test]
    fn an_rsa_key_with_a_long_modulus_or_an_uncommon_exponent_needs_the_host() {
        let host = Engine::probe(Box::new(gate_fixtures::host));
        let rs256 = Algorithm::Rs(Hash::Sha256);
        let ps256 = Algorithm::Ps(Hash::Sha256);
        let modulus = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        for (jwk, in_module) in [
            (rsa_jwk(), true),
            (with(rsa_jwk(), "n", json!(modulus(512))), true),
            (with(rsa_jwk(), "n", json!(modulus(513))), false),
            (with(rsa_jwk(), "n", json!(modulus(1024))), false),
            (with(rsa_jwk(), "e", json!("Aw")), false),
            (with(rsa_jwk(), "e", json!("Af____8")), false),
        ] {
            let key = parse(&jwk).unwrap();
            assert_eq!(key.is_for(rs256, &Engine::software()), in_module, "{jwk}");
            assert_eq!(key.is_for(ps256, &host), in_module, "{jwk}");
            assert!(key.is_for(rs256, &host), "{jwk}");
        }
    }

    #[test]
    fn use_key_ops_and_alg_restrict_a_key() {
        for (name, value, usable) in [
            ("use", json!("sig"), true),
            ("use", json!("enc"), false),
            ("use", json!("jwt-svid"), false),
            ("use", json!(""), false),
            ("use", json!(1), false),
            ("key_ops", json!(["verify"]), true),
            ("key_ops", json!(["sign", "verify"]), true),
            ("key_ops", json!(["encrypt"]), false),
            ("key_ops", json!([]), false),
            ("key_ops", json!("verify"), false),
            ("alg", json!("RS256"), true),
            ("alg", json!("PS256"), true),
            ("alg", json!("RSA-OAEP"), false),
            ("alg", json!("HS256"), false),
            ("alg", json!("ES256"), false),
            ("alg", json!("none"), false),
            // Some servers write `null` for an absent member.
            ("use", json!(null), true),
            ("key_ops", json!(null), true),
            ("alg", json!(null), true),
            ("kid", json!(null), true),
            ("d", json!(null), true),
            ("p", json!(null), true),
            ("n", json!(null), false),
            ("kid", json!(7), false),
            ("d", json!("AQAB"), false),
            ("x5c", json!(["ignored"]), true),
        ] {
            let jwk = with(rsa_jwk(), name, value);
            assert_eq!(problem(&jwk).is_none(), usable, "{}", jwk[name]);
        }
    }

    #[test]
    fn every_problem_of_a_key_has_its_own_message() {
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        let long = URL_SAFE_NO_PAD.encode([0xff; 1025]);
        let even = URL_SAFE_NO_PAD.encode([0xfe; 256]);
        let large = URL_SAFE_NO_PAD.encode([1; 33]);
        let neutral = URL_SAFE_NO_PAD.encode([&[1][..], &[0; 31]].concat());
        for (jwk, expected) in [
            (json!("key"), "it is not an object"),
            (json!({}), "`kty` is missing"),
            (json!({"kty": 1}), "`kty` is not a string"),
            (json!({"kty": "AKP"}), "`kty` is not supported"),
            (
                json!({"kty": "oct", "k": "AQAB"}),
                "it is a secret in a published key set",
            ),
            (with(rsa_jwk(), "n", json!(short)), RSA_PROBLEM),
            (with(rsa_jwk(), "n", json!(long)), RSA_PROBLEM),
            (with(rsa_jwk(), "n", json!(even)), RSA_PROBLEM),
            (with(rsa_jwk(), "n", json!("")), RSA_PROBLEM),
            (with(rsa_jwk(), "n", json!("AA")), RSA_PROBLEM),
            (with(rsa_jwk(), "e", json!("")), RSA_PROBLEM),
            (with(rsa_jwk(), "e", json!("AA")), RSA_PROBLEM),
            (with(rsa_jwk(), "e", json!("AQ")), RSA_PROBLEM),
            (with(rsa_jwk(), "e", json!("AQAA")), RSA_PROBLEM),
            (with(rsa_jwk(), "e", json!("A____-8")), RSA_PROBLEM),
            (with(rsa_jwk(), "e", rsa_jwk()["n"].clone()), RSA_PROBLEM),
            (
                with(rsa_jwk(), "n", json!("not+base64url")),
                "`n` is not base64url",
            ),
            (with(rsa_jwk(), "e", json!(65537)), "`e` is not base64url"),
            (
                with(ec_jwk(), "crv", json!("P-384")),
                "it is not a point on the curve",
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
            (
                with(ec_jwk(), "x", json!(large)),
                "a coordinate is too long",
            ),
            (
                with(ed25519_jwk(), "crv", json!("Ed448")),
                "`crv` is not supported",
            ),
            (
                with(ed25519_jwk(), "crv", json!("X25519")),
                "`crv` is not supported",
            ),
            (
                with(ed25519_jwk(), "x", json!("AQ")),
                "it is not a point on the curve",
            ),
            // The neutral element, which has small order.
            (
                with(ed25519_jwk(), "x", json!(neutral)),
                "it is not a point on the curve",
            ),
        ] {
            assert_eq!(problem(&jwk), Some(expected), "{jwk}");
        }
    }

    #[test]
    fn coordinates_are_adjusted_to_the_length_of_the_curve() {
        let point = Some(vec![4, 0, 1, 2, 3]);
        assert_eq!(uncompressed_point(&[1], &[2, 3], 2), point);
        assert_eq!(uncompressed_point(&[0, 0, 1], &[0, 2, 3], 2), point);
        assert_eq!(uncompressed_point(&[1, 2, 3], &[2, 3], 2), None);
    }

    #[test]
    fn padding_and_white_space_in_a_key_are_ignored() {
        for jwk in [rsa_jwk(), ec_jwk(), ed25519_jwk()] {
            for name in ["n", "x", "y"] {
                if let Some(text) = jwk[name].as_str() {
                    let (front, back) = text.split_at_checked(10).unwrap();
                    let odd = json!(format!(" {front}\r\n{back}== "));
                    assert_eq!(problem(&with(jwk.clone(), name, odd)), None, "{name}");
                }
            }
        }
    }
}

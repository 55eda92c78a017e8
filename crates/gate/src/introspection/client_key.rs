//! The key with which the gate signs assertions about itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use serde_json::{Map, Value};

/// The private key of a client at an authorization server, on P-256.
///
/// Other keys are not supported. Signing with RSA would take several milliseconds for each call, and with it or Ed25519
/// the module would be larger by more than all that introspection takes; authorization servers know ES256.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientKey {
    kid: String,
    /// Always 32 bytes.
    secret: [u8; 32],
}

/// Why a key cannot be used. It contains nothing of the key.
pub type ClientKeyProblem = &'static str;

impl ClientKey {
    /// Parses a private JWK (RFC 7517; RFC 7518, section 6.2; RFC 8037, section 2).
    ///
    /// # Errors
    ///
    /// Why the key cannot be used.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, ClientKeyProblem> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let name = text("kid").unwrap_or_default();
        if name.is_empty() {
            return Err("the key has no kid");
        }
        if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
            return Err("use of the key is not sig");
        }
        if jwk.get("key_ops").is_some_and(|all| !contains_sign(all)) {
            return Err("key_ops of the key does not contain sign");
        }
        if (text("kty"), text("crv")) != (Some("EC"), Some("P-256")) {
            return Err("the key is not an EC key on P-256");
        }
        if jwk.get("alg").is_some_and(|name| name != Self::ALGORITHM) {
            return Err("alg of the key is not ES256");
        }
        if !jwk.contains_key("d") {
            return Err("the key is not private: it has no d");
        }
        let key = Self {
            kid: name.to_owned(),
            secret: bytes(jwk, "d").ok_or("d of the key is not 32 bytes in base64url")?,
        };
        let public = key
            .public()
            .ok_or("d of the key is not in the range of its curve")?;
        let given = [bytes(jwk, "x"), bytes(jwk, "y")];
        let given = given.into_iter().flatten().flatten();
        if !given.eq(public) {
            return Err("x and y of the key do not belong to its d");
        }
        Ok(key)
    }

    /// Its name.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The `alg` of what it signs.
    pub(super) const ALGORITHM: &'static str = "ES256";

    fn signing_key(&self) -> Option<SigningKey> {
        SigningKey::from_slice(&self.secret).ok()
    }

    /// The coordinates of the public key.
    fn public(&self) -> Option<Vec<u8>> {
        let point = self.signing_key()?.verifying_key().to_sec1_point(false);
        // The first byte says that both coordinates follow.
        Some(point.as_bytes().iter().skip(1).copied().collect())
    }

    /// The signature of `message`, as a JWS contains it (RFC 7518, section 3.4). `None` if the key is not in the range of
    /// its curve.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        // RFC 6979: the signature needs no random numbers, which the host may withhold.
        let signature: p256::ecdsa::Signature = self.signing_key()?.try_sign(message).ok()?;
        Some(signature.to_bytes().to_vec())
    }
}

fn contains_sign(operations: &Value) -> bool {
    let operations = operations.as_array();
    operations.is_some_and(|all| all.iter().any(|one| one == "sign"))
}

/// The 32 bytes of a member in base64url.
fn bytes(jwk: &Map<String, Value>, name: &str) -> Option<[u8; 32]> {
    let bytes = URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok()?;
    bytes.try_into().ok()
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

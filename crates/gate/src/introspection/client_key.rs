//! The key with which the gate signs assertions about itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use serde_json::{Map, Value};

/// The private key of a client at an authorization server: on P-256, or Ed25519.
///
/// RSA keys are not supported: signing with them would take more time, and more code in the module, than all
/// else about introspection.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientKey {
    kid: String,
    kind: Kind,
    /// Always 32 bytes.
    secret: [u8; 32],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    P256,
    /// With its name in `alg`: `EdDSA` or, as RFC 9864 has it, `Ed25519`.
    Ed25519(&'static str),
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
        let algorithm = text("alg");
        let kind = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => Kind::P256,
            (Some("OKP"), Some("Ed25519")) if algorithm == Some("Ed25519") => {
                Kind::Ed25519("Ed25519")
            }
            (Some("OKP"), Some("Ed25519")) => Kind::Ed25519("EdDSA"),
            _ => return Err("the key is neither an EC key on P-256 nor an OKP key on Ed25519"),
        };
        if jwk.contains_key("alg") && algorithm != Some(kind.algorithm()) {
            return Err("alg of the key is not ES256, EdDSA or Ed25519 as its type asks for");
        }
        if !jwk.contains_key("d") {
            return Err("the key is not private: it has no d");
        }
        let key = Self {
            kid: name.to_owned(),
            kind,
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
    pub(super) const fn algorithm(&self) -> &'static str {
        self.kind.algorithm()
    }

    /// The coordinates of the public key.
    fn public(&self) -> Option<Vec<u8>> {
        Some(match self.kind {
            Kind::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&self.secret).ok()?;
                let point = key.verifying_key().to_sec1_point(false);
                // The first byte says that both coordinates follow.
                point.as_bytes().iter().skip(1).copied().collect()
            }
            Kind::Ed25519(_) => {
                let key = ed25519_dalek::SigningKey::from_bytes(&self.secret);
                key.verifying_key().to_bytes().to_vec()
            }
        })
    }

    /// The signature of `message`, as a JWS contains it (RFC 7518, section 3.4; RFC 8037, section 3.1). `None`
    /// if the key is not in the range of its curve.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(match self.kind {
            Kind::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&self.secret).ok()?;
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_bytes().to_vec()
            }
            Kind::Ed25519(_) => {
                let key = ed25519_dalek::SigningKey::from_bytes(&self.secret);
                key.try_sign(message).ok()?.to_bytes().to_vec()
            }
        })
    }
}

impl Kind {
    const fn algorithm(self) -> &'static str {
        match self {
            Self::P256 => "ES256",
            Self::Ed25519(name) => name,
        }
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

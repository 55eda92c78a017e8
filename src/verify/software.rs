//! Signatures checked in the module itself, with jwt-simple's keys and the primitives beneath them.
//!
//! `verify_token` of jwt-simple is not used: it parses header and claims once more by its own rules
//! and so would refuse good tokens (a `nonce` that is a number, a `jwk` that is an object), and it
//! compares times that have been compared already. What is used of it are its keys, with its limits
//! on them, and the primitives it calls.

use std::fmt;

use jwt_simple::algorithms::{
    ECDSAP256PublicKeyLike, ES256PublicKey, RS256PublicKey, RSAPublicKeyLike,
};
use p256::ecdsa;
use p256::ecdsa::signature::Verifier as _;
use superboring::hash::MessageDigest;
use superboring::pkey::{PKey, Public};
use superboring::rsa::Padding;
use superboring::sign::Verifier;

use super::Algorithm;

/// A public key, ready to verify with. It fits one algorithm only: a key is never used with another
/// algorithm than its own, whatever a token says (RFC 8725, section 3.1).
pub enum PublicKey {
    /// An RSA key of 2048 to 4096 bits with the exponent 65537.
    Rsa(Box<PKey<Public>>),
    /// A point on P-256.
    P256(ecdsa::VerifyingKey),
}

impl PublicKey {
    /// The RSA key of a modulus and an exponent, both big-endian. `None` for a key that is too
    /// short, too long or not one.
    #[must_use]
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let key = RS256PublicKey::from_components(modulus, exponent).ok()?;
        let key = PKey::from_rsa(key.public_key().as_ref().clone()).ok()?;
        Some(Self::Rsa(Box::new(key)))
    }

    /// The P-256 key of a point in the uncompressed encoding of SEC 1. `None` where that is not on
    /// the curve.
    #[must_use]
    pub fn p256(point: &[u8]) -> Option<Self> {
        let key = ES256PublicKey::from_bytes(point).ok()?;
        Some(Self::P256(*key.public_key().as_ref()))
    }

    /// The algorithm that the key is for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
        }
    }

    /// Whether `signature` is this key's over `message`, in the encoding of RFC 7518, sections 3.3
    /// and 3.4.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => verify_rsa(key, message, signature).unwrap_or(false),
            // Exactly 64 bytes, r and s in range: `from_slice` refuses all else.
            Self::P256(key) => ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.algorithm()).finish()
    }
}

fn verify_rsa(key: &PKey<Public>, message: &[u8], signature: &[u8]) -> Option<bool> {
    let mut verifier = Verifier::new(MessageDigest::sha256(), key).ok()?;
    verifier.set_rsa_padding(Padding::PKCS1).ok()?;
    verifier.verify_oneshot(signature, message).ok()
}

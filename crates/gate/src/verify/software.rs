//! Verification in the module itself.
//!
//! HMAC comes from jwt-simple. Its `verify_token` is not used: it parses header and claims again by
//! its own rules, refuses valid tokens (with a number as `nonce`, or an object as `jwk`), and checks
//! times that have been checked already.

use jwt_simple::algorithms::{HS256Key, HS384Key, HS512Key, MACLike};
use p256::ecdsa::signature::Verifier;
use rsa::sha2::digest::{Digest, FixedOutputReset};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::{Pkcs1v15Sign, Pss};
use subtle::ConstantTimeEq;

use super::key::Kind;
use super::{Algorithm, Hash, PublicKey};

/// Whether `signature` is a valid signature of `key` over `message`, in the encoding of RFC 7518,
/// section 3, and RFC 8037, section 3.1.
pub(super) fn verify(
    key: &PublicKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    if !key.fits(algorithm) || !key.is_for_module() {
        return false;
    }
    match (&key.kind, algorithm) {
        (Kind::Rsa { key, .. }, Algorithm::Rs(hash)) => {
            let (scheme, digest) = match hash {
                Hash::Sha256 => (Pkcs1v15Sign::new::<Sha256>(), digest::<Sha256>(message)),
                Hash::Sha384 => (Pkcs1v15Sign::new::<Sha384>(), digest::<Sha384>(message)),
                Hash::Sha512 => (Pkcs1v15Sign::new::<Sha512>(), digest::<Sha512>(message)),
            };
            key.verify(scheme, &digest, signature).is_ok()
        }
        (Kind::Rsa { key, .. }, Algorithm::Ps(hash)) => match hash {
            Hash::Sha256 => pss::<Sha256>(key, message, signature),
            Hash::Sha384 => pss::<Sha384>(key, message, signature),
            Hash::Sha512 => pss::<Sha512>(key, message, signature),
        },
        // `from_slice` accepts exactly two numbers of the curve's length, both in range.
        (Kind::P256(key), _) => p256::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        (Kind::P384(key), _) => p384::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        (Kind::P521(key), _) => p521::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        (Kind::Ed25519(key), _) => ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        (Kind::Secret, Algorithm::Hs(hash)) => {
            let secret = key.material();
            let tag = match hash {
                Hash::Sha256 => HS256Key::from_bytes(secret).authentication_tag(message),
                Hash::Sha384 => HS384Key::from_bytes(secret).authentication_tag(message),
                Hash::Sha512 => HS512Key::from_bytes(secret).authentication_tag(message),
            };
            bool::from(tag.ct_eq(signature))
        }
        _ => false,
    }
}

fn digest<D: Digest>(message: &[u8]) -> Vec<u8> {
    D::digest(message).to_vec()
}

/// RFC 7518, section 3.5: the salt is as long as the hash.
fn pss<D: Digest + FixedOutputReset>(
    key: &rsa::PublicKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    key.verify(Pss::<D>::new(), &digest::<D>(message), signature)
        .is_ok()
}

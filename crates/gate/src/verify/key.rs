//! A key to verify signatures with, prepared once for both engines.

use std::fmt;
use std::rc::Rc;

use p256::elliptic_curve::point::AffineCoordinates;
use p256::pkcs8::EncodePublicKey;
use rsa::BoxedUint;
use rsa::traits::PublicKeyParts;

use super::{Algorithm, Hash};

/// Accepted bit lengths of an RSA modulus.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The longest RSA modulus that the module itself supports, in bits.
const RSA_BITS_IN_MODULE: u32 = 4096;

/// The only RSA exponent that the module itself supports.
const RSA_EXPONENT_IN_MODULE: u32 = 65_537;

/// A public key, or the secret of an HMAC, prepared for verification.
///
/// It fits only one family of algorithms, whatever a token claims (RFC 8725, section 3.1).
pub struct PublicKey {
    pub(super) kind: Kind,
    /// The `SubjectPublicKeyInfo` in DER (RFC 5280, section 4.1), the bytes of an Ed25519 key, or the
    /// secret.
    material: Rc<[u8]>,
}

/// The key in the form that the module's libraries use.
pub(super) enum Kind {
    /// An RSA key of 2048 to 8192 bits with an odd exponent from 3 to 2^33 - 1.
    Rsa {
        key: Box<rsa::PublicKey>,
        /// Whether the module can verify with it: at most 4096 bits and the exponent 65537.
        in_module: bool,
    },
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
    P521(Box<p521::ecdsa::VerifyingKey>),
    /// A point that is not of small order.
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    Secret,
}

/// A curve of ECDSA (RFC 7518, section 6.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    /// Bytes of a coordinate on the curve, and of each number of a signature.
    #[must_use]
    pub const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl PublicKey {
    /// An RSA key from its modulus and exponent, both big-endian. `None` for a modulus that is even
    /// or does not have 2048 to 8192 bits, and for an exponent that is even, less than 3 or longer
    /// than 33 bits, the limit of the `rsa` crate.
    #[must_use]
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let integer = |bytes: &[u8]| {
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let bytes = bytes.get(zeros..)?;
            let bits = u32::try_from(bytes.len()).ok()?.checked_mul(8)?;
            // Checked before the bytes are copied into a number of this size.
            (8..=8192).contains(&bits).then_some(())?;
            BoxedUint::from_be_slice(bytes, bits).ok()
        };
        let (modulus, exponent) = (integer(modulus)?, integer(exponent)?);
        let key = rsa::PublicKey::new_with_size_limits(modulus, exponent, RSA_BITS).ok()?;
        let material = spki(&key)?;
        let in_module = key.n().bit_width_vartime() <= RSA_BITS_IN_MODULE
            && *key.e() == BoxedUint::from(RSA_EXPONENT_IN_MODULE);
        let key = Box::new(key);
        let kind = Kind::Rsa { key, in_module };
        Some(Self { kind, material })
    }

    /// An ECDSA key from a point in the uncompressed encoding of SEC 1, section 2.3.3. `None` if the
    /// point is not on the curve.
    #[must_use]
    pub fn ec(curve: Curve, encoded: &[u8]) -> Option<Self> {
        let (kind, material) = match curve {
            Curve::P256 => {
                let key = p256::ecdsa::VerifyingKey::from_affine(point(encoded)?).ok()?;
                (Kind::P256(Box::new(key)), spki(&key)?)
            }
            Curve::P384 => {
                let key = p384::ecdsa::VerifyingKey::from_affine(point(encoded)?).ok()?;
                (Kind::P384(Box::new(key)), spki(&key)?)
            }
            Curve::P521 => {
                let key = p521::ecdsa::VerifyingKey::from_affine(point(encoded)?).ok()?;
                (Kind::P521(Box::new(key)), spki(&key)?)
            }
        };
        Some(Self { kind, material })
    }

    /// An Ed25519 key from the encoding of RFC 8032, section 5.1.5. `None` if the bytes do not encode
    /// a point, or if the point has small order: with such a key, a signature can be valid for many
    /// messages although nobody signed them.
    #[must_use]
    pub fn ed25519(bytes: &[u8]) -> Option<Self> {
        let array = bytes.try_into().ok()?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&array).ok()?;
        let kind = Kind::Ed25519(Box::new(key));
        let material = bytes.into();
        (!key.is_weak()).then_some(Self { kind, material })
    }

    /// A secret for HMAC.
    #[must_use]
    pub fn secret(bytes: &[u8]) -> Self {
        let kind = Kind::Secret;
        let material = bytes.into();
        Self { kind, material }
    }

    /// Whether the key has the type and curve of `algorithm`. A secret must not be shorter than the
    /// hash (RFC 7518, section 3.2).
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match (&self.kind, algorithm) {
            (Kind::Rsa { .. }, Algorithm::Rs(_) | Algorithm::Ps(_))
            | (Kind::P256(_), Algorithm::Es(Hash::Sha256))
            | (Kind::P384(_), Algorithm::Es(Hash::Sha384))
            | (Kind::P521(_), Algorithm::Es(Hash::Sha512))
            | (Kind::Ed25519(_), Algorithm::EdDsa) => true,
            (Kind::Secret, Algorithm::Hs(hash)) => self.material.len() >= hash.bytes(),
            _ => false,
        }
    }

    /// Whether the module itself can verify with the key. RSA keys of more than 4096 bits or with
    /// another exponent than 65537 need the host.
    #[must_use]
    pub const fn is_for_module(&self) -> bool {
        match self.kind {
            Kind::Rsa { in_module, .. } => in_module,
            _ => true,
        }
    }

    /// Whether `material` is the material of this key. While the key set stays the same it is the same memory, and
    /// its bytes need not be compared.
    pub(crate) fn is(&self, material: &Rc<[u8]>) -> bool {
        Rc::ptr_eq(&self.material, material) || self.material == *material
    }

    /// What identifies the key: keys with the same material verify the same signatures.
    pub(crate) const fn material(&self) -> &Rc<[u8]> {
        &self.material
    }
}

impl Hash {
    /// Bytes of the function's output.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The point with this uncompressed encoding. The parsers of the curves accept compressed points, too, and would bring
/// square roots into the module.
fn point<P>(encoded: &[u8]) -> Option<P>
where
    P: AffineCoordinates,
    for<'e> &'e P::FieldRepr: TryFrom<&'e [u8]>,
{
    let coordinates = encoded.strip_prefix(&[0x04])?;
    let (x, y) = coordinates.split_at_checked(coordinates.len().div_euclid(2))?;
    P::from_coordinates(x.try_into().ok()?, y.try_into().ok()?).into_option()
}

fn spki(key: &impl EncodePublicKey) -> Option<Rc<[u8]>> {
    Some(key.to_public_key_der().ok()?.as_bytes().into())
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Rsa { .. } => "RSA",
            Kind::P256(_) => "P-256",
            Kind::P384(_) => "P-384",
            Kind::P521(_) => "P-521",
            Kind::Ed25519(_) => "Ed25519",
            Kind::Secret => "a secret",
        };
        f.debug_tuple("PublicKey").field(&kind).finish()
    }
}

#[cfg(test)]
mod tests {
    use p256::elliptic_curve::sec1::ToSec1Point;

    use super::*;

    #[test]
    fn only_an_uncompressed_point_on_the_curve_is_a_key() {
        let generator = p256::AffinePoint::GENERATOR;
        let point = generator.to_sec1_point(false).as_bytes().to_vec();
        let is_key = |encoded: &[u8]| PublicKey::ec(Curve::P256, encoded).is_some();
        assert!(is_key(&point));
        let elsewhere = [&point[..64], &[point[64] ^ 1]].concat();
        let longer = [&point[..], &[0]].concat();
        let longer_by_two = [&point[..], &[0, 0]].concat();
        for (encoded, name) in [
            (generator.to_sec1_point(true).as_bytes(), "compressed"),
            (&elsewhere, "not on the curve"),
            (&point[..64], "a byte short"),
            (&longer, "a byte long"),
            (&longer_by_two, "two bytes long"),
            (&point[1..], "without its first byte"),
            (&[0], "at infinity"),
            (&[], "empty"),
        ] {
            assert!(!is_key(encoded), "{name}");
        }
        assert!(
            PublicKey::ec(Curve::P384, &point).is_none(),
            "of another curve"
        );
    }
}

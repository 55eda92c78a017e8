//! The second signature that every signature of ECDSA comes with.

use std::ops::Neg;

use super::algorithm::{Algorithm, Hash};

/// The other signature of the same key over the same text that everybody can make of one of ECDSA:
/// of `(r, s)` it is `(r, -s)`. `None` for other algorithms, whose signatures nobody can change.
#[must_use]
pub fn twin(algorithm: Algorithm, signature: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Es(Hash::Sha256) => {
            let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
            let (r, s) = signature.split_scalars();
            let twin = p256::ecdsa::Signature::from_scalars(r, s.neg()).ok()?;
            Some(twin.to_bytes().to_vec())
        }
        Algorithm::Es(Hash::Sha384) => {
            let signature = p384::ecdsa::Signature::from_slice(signature).ok()?;
            let (r, s) = signature.split_scalars();
            let twin = p384::ecdsa::Signature::from_scalars(r, s.neg()).ok()?;
            Some(twin.to_bytes().to_vec())
        }
        Algorithm::Es(Hash::Sha512) => {
            let signature = p521::ecdsa::Signature::from_slice(signature).ok()?;
            let (r, s) = signature.split_scalars();
            let twin = p521::ecdsa::Signature::from_scalars(r, s.neg()).ok()?;
            Some(twin.to_bytes().to_vec())
        }
        Algorithm::Rs(_) | Algorithm::Ps(_) | Algorithm::EdDsa | Algorithm::Hs(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::signature;

    #[test]
    fn a_twin_has_the_same_twin_back() {
        for (name, algorithm) in Algorithm::ALL {
            let signature = signature(name, b"text");
            let other = twin(algorithm, &signature);
            assert_eq!(other.is_some(), name.starts_with("ES"), "{name}");
            if let Some(other) = other {
                assert_ne!(other, signature);
                assert_eq!(twin(algorithm, &other), Some(signature));
            }
        }
    }
}

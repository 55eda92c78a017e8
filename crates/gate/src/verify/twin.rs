//! The second valid form of every ECDSA signature.

use std::ops::Neg;

use super::algorithm::{Algorithm, Hash};

/// The other valid form of an ECDSA signature: `(r, -s)` for `(r, s)`, which anyone can compute.
/// `None` for other algorithms, and for bytes that are not a signature.
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
    use gate_fixtures::signature;

    #[test]
    fn the_twin_of_a_twin_is_the_original_signature() {
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

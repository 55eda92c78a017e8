//! Requests to and answers of the host's foreign function `verify_signature`.
//!
//! The function verifies RSASSA-PKCS1-v1_5 signatures, and ECDSA signatures in DER. It accepts any
//! hash with any key, so this module pairs them.

use prost::Message;

use super::key::Kind;
use super::{Algorithm, Hash, PublicKey};

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Arguments {
    #[prost(string, tag = "1")]
    pub(crate) hash_function: String,
    /// A `SubjectPublicKeyInfo` in DER.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) public_key: Vec<u8>,
    /// An ECDSA signature is in DER.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) text: Vec<u8>,
}

/// `envoy.source.extensions.common.wasm.VerifySignatureResult`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Answer {
    #[prost(bool, tag = "1")]
    pub(crate) result: bool,
    #[prost(string, tag = "2")]
    pub(crate) error: String,
}

/// Whether the host function supports `algorithm`.
pub(super) const fn supports(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rs(_) | Algorithm::Es(_))
}

/// Encodes the request to verify `signature` over `message`. `None` if the signature is invalid for
/// every message: the key does not fit the algorithm, or an ECDSA signature does not consist of two
/// numbers of the length that RFC 7518, section 3.4 prescribes, each greater than zero and less than
/// the order of the curve's group.
pub(super) fn request(
    key: &PublicKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Option<Vec<u8>> {
    if !key.fits(algorithm) {
        return None;
    }
    let (hash, signature) = match (&key.kind, algorithm) {
        (Kind::Rsa { .. }, Algorithm::Rs(hash)) => (hash, signature.to_vec()),
        (Kind::P256(_), Algorithm::Es(hash)) => {
            let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
            (hash, signature.to_der().as_bytes().to_vec())
        }
        (Kind::P384(_), Algorithm::Es(hash)) => {
            let signature = p384::ecdsa::Signature::from_slice(signature).ok()?;
            (hash, signature.to_der().as_bytes().to_vec())
        }
        (Kind::P521(_), Algorithm::Es(hash)) => {
            let signature = p521::ecdsa::Signature::from_slice(signature).ok()?;
            (hash, signature.to_der().as_bytes().to_vec())
        }
        _ => return None,
    };
    let hash_function = match hash {
        Hash::Sha256 => "sha256",
        Hash::Sha384 => "sha384",
        Hash::Sha512 => "sha512",
    };
    let arguments = Arguments {
        hash_function: hash_function.to_owned(),
        public_key: key.material().to_vec(),
        signature,
        text: message.to_vec(),
    };
    Some(arguments.encode_to_vec())
}

/// Whether an answer says that the signature is valid, which only an explicit `result = true` does.
/// `None` if the bytes are not an answer.
pub(super) fn is_valid(answer: &[u8]) -> Option<bool> {
    Answer::decode(answer).ok().map(|answer| answer.result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::self_test;

    #[test]
    fn a_request_contains_hash_key_signature_and_message() {
        for algorithm in [Hash::Sha256, Hash::Sha384, Hash::Sha512].map(Algorithm::Rs) {
            let case = self_test::case(algorithm).unwrap();
            for text in [&b""[..], case.good, &[0; 300]] {
                let request = request(&case.key, algorithm, text, &case.signature).unwrap();
                let expected = Arguments {
                    hash_function: algorithm.name().replace("RS", "sha"),
                    public_key: case.key.material().to_vec(),
                    signature: case.signature.clone(),
                    text: text.to_vec(),
                };
                assert_eq!(Arguments::decode(&*request), Ok(expected));
            }
        }
    }

    /// The DER of an ECDSA signature in the request to the host.
    fn der(hash: Hash, signature: &[u8]) -> Option<Vec<u8>> {
        let algorithm = Algorithm::Es(hash);
        let case = self_test::case(algorithm).unwrap();
        let request = request(&case.key, algorithm, b"", signature)?;
        Some(Arguments::decode(&*request).unwrap().signature)
    }

    #[test]
    fn ecdsa_signatures_are_converted_to_der() {
        for (hash, length) in [(Hash::Sha256, 32), (Hash::Sha384, 48), (Hash::Sha512, 66)] {
            let mut signature = vec![0; 2 * length];
            signature[length - 1] = 1;
            signature[2 * length - 1] = 0x80;
            // A leading zero keeps the second number positive.
            let expected = b"\x30\x07\x02\x01\x01\x02\x02\x00\x80";
            assert_eq!(der(hash, &signature).as_deref(), Some(&expected[..]));
        }
        // A length of 128 or more takes two bytes.
        let long = der(Hash::Sha512, &[1; 132]).unwrap();
        assert_eq!(long[..5], [0x30, 0x81, 2 * (2 + 66), 0x02, 66]);
    }

    #[test]
    fn an_ecdsa_signature_has_two_numbers_of_exact_length() {
        for (hash, length) in [(Hash::Sha256, 32), (Hash::Sha384, 48), (Hash::Sha512, 66)] {
            assert!(der(hash, &vec![1; 2 * length]).is_some());
            for wrong in [0, 1, length, 2 * length - 1, 2 * length + 1, 4 * length] {
                assert_eq!(der(hash, &vec![1; wrong]), None, "{hash:?} {wrong}");
            }
        }
    }

    #[test]
    fn the_numbers_of_an_ecdsa_signature_are_in_range() {
        use p256::elliptic_curve::Curve;

        let p521_order = p521::NistP521::ORDER.to_be_bytes();
        for (hash, order) in [
            (Hash::Sha256, &p256::NistP256::ORDER.to_be_bytes()[..]),
            (Hash::Sha384, &p384::NistP384::ORDER.to_be_bytes()[..]),
            (Hash::Sha512, p521_order.strip_prefix(&[0; 6]).unwrap()),
        ] {
            let with_last_byte = |number: &[u8], change: i8| {
                let mut number = number.to_vec();
                let last = number.last_mut().unwrap();
                *last = last.checked_add_signed(change).unwrap();
                number
            };
            let zero = vec![0; order.len()];
            let one = with_last_byte(&zero, 1);
            for (number, is_in_range) in [
                (zero, false),
                (one.clone(), true),
                (with_last_byte(order, -1), true),
                (order.to_vec(), false),
                (with_last_byte(order, 1), false),
                (vec![0xff; order.len()], false),
            ] {
                for signature in [[&number[..], &one].concat(), [&one[..], &number].concat()] {
                    let der = der(hash, &signature);
                    assert_eq!(der.is_some(), is_in_range, "{hash:?} {number:x?}");
                }
            }
        }
    }

    #[test]
    fn only_an_explicit_true_makes_a_signature_valid() {
        for (bytes, expected) in [
            (&b"\x08\x01"[..], Some(true)),
            (b"\x08\x01\x12\x00", Some(true)),
            (b"\x08\x00\x12\x01x", Some(false)),
            (b"", Some(false)),
            (b"\x12\x04true", Some(false)),
            (b"\x10\x01", None),
            (b"\x0a\x01\x01", None),
            (b"true", None),
            (b"\x08", None),
        ] {
            assert_eq!(is_valid(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}

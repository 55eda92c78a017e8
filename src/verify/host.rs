//! What the host's foreign function `verify_signature` is asked, and what it answers.
//!
//! The function checks RSASSA-PKCS1-v1_5, and ECDSA signatures in DER. It takes any hash with any
//! key, so the two are tied together here.

use std::borrow::Cow;

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

/// A signature that can be asked about.
pub(super) struct Question<'a> {
    hash: Hash,
    key: &'a PublicKey,
    signature: Cow<'a, [u8]>,
}

impl<'a> Question<'a> {
    /// Whether the function is for `algorithm` at all.
    pub(super) const fn is_possible(algorithm: Algorithm) -> bool {
        matches!(algorithm, Algorithm::Rs(_) | Algorithm::Es(_))
    }

    /// The question whether `signature` is that of `key`. `None` where it cannot be, whatever the
    /// message: the key is not for the algorithm, or an ECDSA signature does not have the length of
    /// RFC 7518, section 3.4, or a number in it is not in range.
    pub(super) fn new(
        key: &'a PublicKey,
        algorithm: Algorithm,
        signature: &'a [u8],
    ) -> Option<Self> {
        if !key.fits(algorithm) {
            return None;
        }
        let (hash, signature) = match (&key.kind, algorithm) {
            (Kind::Rsa { .. }, Algorithm::Rs(hash)) => (hash, Cow::Borrowed(signature)),
            (Kind::P256(_), Algorithm::Es(hash)) => {
                let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
                (hash, Cow::Owned(signature.to_der().as_bytes().to_vec()))
            }
            (Kind::P384(_), Algorithm::Es(hash)) => {
                let signature = p384::ecdsa::Signature::from_slice(signature).ok()?;
                (hash, Cow::Owned(signature.to_der().as_bytes().to_vec()))
            }
            (Kind::P521(_), Algorithm::Es(hash)) => {
                let signature = p521::ecdsa::Signature::from_slice(signature).ok()?;
                (hash, Cow::Owned(signature.to_der().as_bytes().to_vec()))
            }
            _ => return None,
        };
        Some(Self {
            hash,
            key,
            signature,
        })
    }

    /// The question about `message` in the words of the host.
    pub(super) fn encoded(&self, message: &[u8]) -> Vec<u8> {
        let name = match self.hash {
            Hash::Sha256 => "sha256",
            Hash::Sha384 => "sha384",
            Hash::Sha512 => "sha512",
        };
        let arguments = Arguments {
            hash_function: name.to_owned(),
            public_key: self.key.material().to_vec(),
            signature: self.signature.to_vec(),
            text: message.to_vec(),
        };
        arguments.encode_to_vec()
    }
}

/// Reads the host's answer: only an explicit yes is one. `None` where it is none at all.
pub(super) fn answer(bytes: &[u8]) -> Option<bool> {
    Answer::decode(bytes).ok().map(|answer| answer.result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_explicit_yes_is_one() {
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
            assert_eq!(answer(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}

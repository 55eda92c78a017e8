//! What the host's foreign function `verify_signature` is asked, and what it answers.
//!
//! The function checks RSASSA-PKCS1-v1_5, and ECDSA signatures in DER. It takes any hash with any
//! key, so the two are tied together here.

use std::borrow::Cow;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::key::Kind;
use super::signature::{P256, P384, P521, der};
use super::{Algorithm, Hash, PublicKey};

/// `envoy.source.extensions.common.wasm.VerifySignatureArguments`, as a host reads it.
#[cfg(test)]
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
            (Kind::P256(_), Algorithm::Es(hash)) => (hash, Cow::Owned(der(signature, &P256)?)),
            (Kind::P384(_), Algorithm::Es(hash)) => (hash, Cow::Owned(der(signature, &P384)?)),
            (Kind::P521(_), Algorithm::Es(hash)) => (hash, Cow::Owned(der(signature, &P521)?)),
            _ => return None,
        };
        Some(Self {
            hash,
            key,
            signature,
        })
    }

    /// The question about `message` in the words of the host: a `VerifySignatureArguments` of Envoy,
    /// written without a copy of its fields.
    pub(super) fn encoded(&self, message: &[u8]) -> Vec<u8> {
        /// What tag and length of four fields take up at most, with the name of the hash.
        const FRAME_BYTES: usize = 64;
        let hash = match self.hash {
            Hash::Sha256 => "sha256",
            Hash::Sha384 => "sha384",
            Hash::Sha512 => "sha512",
        };
        // A key in DER is a `SubjectPublicKeyInfo`.
        let fields = [
            hash.as_bytes(),
            self.key.material(),
            &self.signature,
            message,
        ];
        let bytes = fields.iter().map(|field| field.len());
        let mut question = Vec::with_capacity(bytes.fold(FRAME_BYTES, usize::saturating_add));
        for (tag, field) in (1..).zip(fields) {
            encode_key(tag, WireType::LengthDelimited, &mut question);
            encode_varint(
                u64::try_from(field.len()).unwrap_or(u64::MAX),
                &mut question,
            );
            question.extend_from_slice(field);
        }
        question
    }
}

/// Reads the host's answer: only an explicit yes is one. `None` where it is none at all.
pub(super) fn answer(bytes: &[u8]) -> Option<bool> {
    Answer::decode(bytes).ok().map(|answer| answer.result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::self_test;

    #[test]
    fn a_question_is_the_message_of_envoy() {
        for algorithm in [Hash::Sha256, Hash::Sha384, Hash::Sha512].map(Algorithm::Rs) {
            let case = self_test::case(algorithm).unwrap();
            for text in [&b""[..], case.good, &[0; 300]] {
                let question = Question::new(&case.key, algorithm, &case.signature).unwrap();
                let read = Arguments::decode(&*question.encoded(text)).unwrap();
                let expected = Arguments {
                    hash_function: algorithm.name().replace("RS", "sha"),
                    public_key: case.key.material().to_vec(),
                    signature: case.signature.clone(),
                    text: text.to_vec(),
                };
                assert_eq!(read, expected);
            }
        }
    }

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

//! The parts of a JWS in the compact serialization (RFC 7515, section 7.1).

use base64_simd::URL_SAFE_NO_PAD;

/// The parts of a token, still encoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    /// The text that the signature covers: header, dot and payload.
    pub(crate) input: &'a str,
}

impl<'a> Parts<'a> {
    /// Splits a text at its dots. `None` unless there are exactly two.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (input, signature) = text.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        (!payload.contains('.')).then_some(Self {
            header,
            payload,
            signature,
            input,
        })
    }
}

/// Decodes a part, which must not be empty. The encoding is base64url without padding, and the
/// unused bits of the last character are zero, so that different texts never have the same meaning
/// (RFC 7515, section 2; RFC 4648, section 3.5).
pub(crate) fn decode(part: &str) -> Option<Vec<u8>> {
    if part.is_empty() {
        return None;
    }
    URL_SAFE_NO_PAD.decode_to_vec(part).ok()
}

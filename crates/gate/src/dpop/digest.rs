//! SHA-256.

use crate::confirmation::Digest;

/// SHA-256 of a text: `ath` of a proof is that of the access token (RFC 9449, section 4.2).
#[must_use]
pub fn sha256(text: &[u8]) -> Digest {
    hmac_sha256::Hash::hash(text)
}

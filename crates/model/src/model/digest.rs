//! SHA-256, in base64url.

use aws_lc_rs::digest::{self, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The SHA-256 of some bytes, in base64url.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&SHA256, bytes))
}

/// A digest in base64url without the two bits that its last character has too many; `None` if it is not one.
pub(super) fn canonical(text: &str) -> Option<String> {
    let fits = text.len() == 43 && text.bytes().all(|byte| ALPHABET.contains(&byte));
    fits.then(|| without_unused_bits(text))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn without_unused_bits(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(last) = text.pop() {
        let value = ALPHABET.iter().position(|byte| char::from(*byte) == last);
        let value = value.map_or(0, |value| value / 4 * 4);
        text.extend(ALPHABET.get(value).map(|byte| char::from(*byte)));
    }
    text
}

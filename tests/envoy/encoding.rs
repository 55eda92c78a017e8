//! Every character of a token is checked, although the module checks many at once.

use serde_json::json;

use crate::hostile::{HEADER, es256, gate, payload};
use crate::support::{Issuer, get};

/// `text` with another character at `at`.
fn with(text: &str, at: usize, other: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = other;
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_character_that_is_not_allowed_is_found_at_every_place() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let text =
        json!("some text that makes the payload longer, so that parts of it are seen at once");
    let good = es256(HEADER, &payload("sub", &text.to_string()));
    let status = |token: &str| gate.send(&get("/").bearer(token)).status;
    assert_eq!(status(&good), 200);
    for at in 0..good.len() {
        // RFC 6750 does not allow the first, base64url not the second.
        assert_eq!(status(&with(&good, at, b'!')), 400, "{at}");
        assert_eq!(status(&with(&good, at, b'+')), 401, "{at}");
        assert_eq!(status(&good), 200, "after {at}");
    }
    gate.counts("denied.malformed", 2 * u64::try_from(good.len()).unwrap());
    for (at, known) in good.bytes().enumerate().filter(|(_, known)| *known != b'.') {
        let other = if known == b'A' { b'B' } else { b'A' };
        assert_eq!(status(&with(&good, at, other)), 401, "{at}");
    }
}

#[test]
fn the_unused_bits_of_the_last_character_must_be_zero() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let good = es256(HEADER, &payload("sub", r#""somebody""#));
    // Four bits of the last character of a signature of 64 bytes are unused.
    let last = good.len() - 1;
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let passing: Vec<char> = alphabet
        .iter()
        .filter(|other| {
            gate.send(&get("/").bearer(with(&good, last, **other)))
                .status
                == 200
        })
        .map(|other| char::from(*other))
        .collect();
    assert_eq!(passing, [char::from(good.as_bytes()[last])]);
    assert_eq!(gate.send(&get("/").bearer(&good[..last])).status, 401);
}

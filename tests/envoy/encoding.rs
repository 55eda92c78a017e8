//! Every character of a token is looked at, wherever it is: the module looks at many at once.

use serde_json::json;

use crate::hostile::{HEADER, es256, gate, payload};
use crate::support::{Issuer, get};

/// The text with another character at `at`.
fn with(text: &str, at: usize, other: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = other;
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_character_that_does_not_belong_is_seen_at_every_place() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let text =
        json!("some text that makes the payload longer, so that parts of it are seen at once");
    let good = es256(HEADER, &payload("sub", &text.to_string()));
    let status = |token: &str| gate.send(&get("/").bearer(token)).status;
    assert_eq!(status(&good), 200);
    for at in 0..good.len() {
        // Not one of RFC 6750's characters, and one of those that base64url has not.
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
fn the_last_character_of_a_part_has_no_bits_to_spare() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let good = es256(HEADER, &payload("sub", r#""somebody""#));
    // 64 bytes of signature end with a character of which four bits count for nothing.
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

//! Parses any text as a token: what is accepted has exactly one encoding.
#![no_main]

use gate::token::{MAX_TOKEN_BYTES, Signed, Token};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let whole = Token::parse(text, MAX_TOKEN_BYTES);
    // Members that are not kept are checked as strictly.
    let some = Token::parse_some(
        text,
        MAX_TOKEN_BYTES,
        &["scope".to_owned(), "iss".to_owned()],
    );
    assert_eq!(whole.as_ref().err(), some.as_ref().err());
    if let (Ok((token, signed)), Ok((some, _))) = (whole, some) {
        assert_eq!(token.claims, some.claims);
        assert_eq!(token.payload.get("scope"), some.payload.get("scope"));
        assert!(some.payload.len() <= 2);
        assert!(text.len() <= MAX_TOKEN_BYTES);
        assert_eq!(text.matches('.').count(), 2);
        assert!(!text.contains('='));
        let again = Signed::of(text).expect("a token that is parsed has a signature");
        assert_eq!(
            (again.input, &again.signature),
            (signed.input, &signed.signature)
        );
        assert!(token.heap_bytes() <= 96 * text.len() + 2048);
    }
});

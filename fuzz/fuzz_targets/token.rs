//! Any text as a token: whatever is accepted has one form only.
#![no_main]

use bearer_gate::token::{MAX_TOKEN_BYTES, Signed, Token};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok((token, signed)) = Token::parse(text, MAX_TOKEN_BYTES) {
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

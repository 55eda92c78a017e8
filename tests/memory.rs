//! The memory that remembered tokens take up is what the cache believes it to be.

use std::alloc::System;
use std::hash::RandomState;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bearer_gate::time::Timestamp;
use bearer_gate::token::Token;
use bearer_gate::token_cache::{MAX_BYTES, TokenCache, Verified};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The text of a token that nobody has signed, with `padding` characters in a private claim.
fn token(number: usize, audiences: usize, padding: usize) -> String {
    let audiences = vec!["https://api.example"; audiences];
    let payload = serde_json::json!({
        "iss": "https://issuer.example",
        "sub": format!("subject-{number}"),
        "aud": audiences,
        "jti": number.to_string(),
        "pad": "x".repeat(padding),
    });
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"key-of-today","typ":"at+jwt"}"#);
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    format!(
        "{header}.{payload}.{}",
        URL_SAFE_NO_PAD.encode(number.to_string().repeat(256))
    )
}

#[test]
fn remembered_tokens_take_up_no_more_than_is_believed() {
    let now = Timestamp::from_unix_secs(1_700_000_000);
    for (audiences, padding) in [(1, 0), (1, 600), (40, 0), (1, 4_000)] {
        let region = Region::new(ALLOCATOR);
        let mut cache = TokenCache::new(usize::MAX, RandomState::new());
        let key: Rc<[u8]> = [0; 294].into();
        let mut number = 0_usize;
        // Until one is displaced.
        while cache.len() == number {
            let text = token(number, audiences, padding);
            let (token, _) = Token::parse(&text, usize::MAX).unwrap();
            let token = Rc::new(token);
            let key = Rc::clone(&key);
            cache.insert(&text, Verified { token, key }, Timestamp::END, now);
            number += 1;
        }
        let change = region.change();
        let held = change.bytes_allocated - change.bytes_deallocated;
        println!(
            "{} tokens of {} bytes: {} bytes each",
            cache.len(),
            token(number, audiences, padding).len(),
            held / cache.len()
        );
        assert!(held <= MAX_BYTES, "{held}");
        // And the estimate is not so high that the cache would be wasted.
        assert!(held >= MAX_BYTES / 2, "{held}");
    }
}

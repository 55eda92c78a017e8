//! The cache's estimate of the memory of cached tokens is right.

use std::alloc::System;
use std::hash::RandomState;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::time::Timestamp;
use gate::token::Token;
use gate::token_cache::{TokenCache, Verified, max_bytes};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The text of a token with an invalid signature and `padding` characters in a private claim.
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
        URL_SAFE_NO_PAD.encode(format!("{number:0>256}"))
    )
}

/// A kind of token, and how many of them the cache has room for.
struct Case {
    audiences: usize,
    padding: usize,
    /// Whether the configuration uses the private claim.
    kept: bool,
    capacity: usize,
    /// Whether `capacity` tokens fit in the memory limit.
    fit: bool,
}

const fn case(audiences: usize, padding: usize, kept: bool, capacity: usize, fit: bool) -> Case {
    Case {
        audiences,
        padding,
        kept,
        capacity,
        fit,
    }
}

#[test]
fn cached_tokens_take_no_more_memory_than_the_limit() {
    let now = Timestamp::from_unix_secs(1_700_000_000);
    // The first case is an ordinary token of 800 bytes.
    for case in [
        case(1, 180, false, 4_096, true),
        case(1, 180, true, 4_096, false),
        case(1, 180, false, 50_000, true),
        case(1, 180, true, 50_000, false),
        case(1, 0, false, 100, true),
        case(40, 0, false, 4_096, false),
        case(1, 4_000, false, 4_096, false),
        case(1, 4_000, true, 4_096, false),
    ] {
        let region = Region::new(ALLOCATOR);
        let mut cache = TokenCache::new(case.capacity, RandomState::new());
        let key: Rc<[u8]> = [0; 294].into();
        let names = if case.kept {
            &["pad".to_owned()][..]
        } else {
            &[]
        };
        let mut number = 0_usize;
        // Until one is evicted.
        while cache.len() == number {
            let text = token(number, case.audiences, case.padding);
            let (token, _) = Token::parse_some(&text, usize::MAX, names).unwrap();
            let token = Rc::new(token);
            let key = Rc::clone(&key);
            cache.insert(
                &text,
                Verified {
                    token,
                    key,
                    hash: None,
                },
                Timestamp::END,
                now,
            );
            number += 1;
        }
        let change = region.change();
        let held = change.bytes_allocated - change.bytes_deallocated;
        println!(
            "{} of {} tokens of {} bytes{}: {} bytes each",
            cache.len(),
            case.capacity,
            token(number, case.audiences, case.padding).len(),
            if case.kept {
                " whose private claim is kept"
            } else {
                ""
            },
            held / cache.len()
        );
        let bound = max_bytes(case.capacity);
        assert!(held <= bound, "{held}");
        assert_eq!(cache.len() == case.capacity, case.fit);
        // The estimate is not so high that half of the limit stays unused.
        assert!(case.fit || held >= bound / 2, "{held}");
    }
}

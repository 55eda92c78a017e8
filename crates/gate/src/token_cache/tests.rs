use gate_fixtures as fixtures;
use serde_json::json;

use super::*;
use crate::token::MAX_TOKEN_BYTES;

const NOW: Timestamp = Timestamp::from_unix_secs(1_700_000_000);

fn later(secs: u64) -> Timestamp {
    NOW.plus(std::time::Duration::from_secs(secs))
}

fn cache(capacity: usize) -> TokenCache {
    TokenCache::new(capacity, RandomState::new())
}

/// A token with `payload`, and its cache entry.
fn verified(payload: &serde_json::Value, key: &Rc<[u8]>) -> (String, Verified) {
    let header = json!({"alg": "HS256"});
    let text = fixtures::signed("HS256", &header, payload);
    let (token, _) = Token::parse(&text, MAX_TOKEN_BYTES).unwrap();
    let token = Rc::new(token);
    let key = Rc::clone(key);
    (
        text,
        Verified {
            token,
            key,
            hash: None,
        },
    )
}

fn key() -> Rc<[u8]> {
    [1, 2, 3].into()
}

fn issuer(cache: &mut TokenCache, text: &str, now: Timestamp) -> Option<String> {
    cache.find(text, now)?.token.claims.issuer.clone()
}

#[test]
fn a_token_is_found_by_its_whole_text() {
    let mut cache = cache(8);
    let (text, known) = verified(&json!({"iss": "i"}), &key());
    cache.insert(&text, known, later(60), NOW);
    assert_eq!(issuer(&mut cache, &text, NOW).as_deref(), Some("i"));
    for at in 0..text.len() {
        let mut other = text.clone().into_bytes();
        other[at] ^= 1;
        let other = String::from_utf8(other).unwrap();
        assert_eq!(issuer(&mut cache, &other, NOW), None, "{at}");
    }
    assert_eq!(issuer(&mut cache, &text[1..], NOW), None);
    assert_eq!(issuer(&mut cache, &format!("a{text}"), NOW), None);
}

#[test]
fn two_differences_never_cancel_out() {
    let mut cache = cache(8);
    let (text, known) = verified(&json!({"iss": "i", "pad": "x".repeat(400)}), &key());
    cache.insert(&text, known, later(60), NOW);
    // The last 16 bytes are the hash.
    for one in 0..100 {
        for other in one + 1..text.len() - 16 {
            let mut changed = text.clone().into_bytes();
            changed[one] ^= 1;
            changed[other] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(issuer(&mut cache, &changed, NOW), None, "{one} {other}");
        }
    }
    assert_eq!(issuer(&mut cache, &text, NOW).as_deref(), Some("i"));
}

#[test]
fn an_entry_expires_on_time() {
    let mut cache = cache(8);
    let (text, known) = verified(&json!({"iss": "i"}), &key());
    cache.insert(&text, known.clone(), later(60), NOW);
    assert!(cache.find(&text, later(59)).is_some());
    assert!(cache.find(&text, later(60)).is_none());
    assert!(cache.is_empty());
    assert_eq!(cache.bytes, 0);
    cache.insert(&text, known, NOW, NOW);
    assert!(cache.is_empty());
}

#[test]
fn the_least_recently_used_token_is_evicted_first() {
    let mut cache = cache(2);
    let tokens: Vec<_> = (0..3)
        .map(|number| verified(&json!({"iss": number.to_string()}), &key()))
        .collect();
    for (text, known) in &tokens[..2] {
        cache.insert(text, known.clone(), later(60), NOW);
    }
    assert!(cache.find(&tokens[0].0, NOW).is_some());
    cache.insert(&tokens[2].0, tokens[2].1.clone(), later(60), NOW);
    let known = |cache: &mut TokenCache, index: usize| cache.find(&tokens[index].0, NOW).is_some();
    assert!(known(&mut cache, 0));
    assert!(!known(&mut cache, 1));
    assert!(known(&mut cache, 2));
}

#[test]
fn a_cache_of_capacity_zero_stays_empty() {
    let mut cache = cache(0);
    let (text, known) = verified(&json!({}), &key());
    cache.insert(&text, known, later(60), NOW);
    assert!(cache.is_empty());
}

#[test]
fn the_size_of_all_entries_is_bounded() {
    let mut cache = cache(3_000);
    let pad = "x".repeat(5_000);
    for number in 0..2_000 {
        let (text, known) = verified(&json!({"iss": number.to_string(), "pad": pad}), &key());
        cache.insert(&text, known, later(60), NOW);
        assert!(cache.bytes <= max_bytes(0));
    }
    let bytes: usize = cache.entries.iter().map(|(_, entry)| entry.bytes).sum();
    assert_eq!(cache.bytes, bytes);
    assert!((600..750).contains(&cache.len()), "{}", cache.len());
}

#[test]
fn expired_entries_are_evicted_when_they_are_the_oldest() {
    let mut cache = cache(100);
    for number in 0..50 {
        let (text, known) = verified(&json!({"iss": number.to_string()}), &key());
        cache.insert(&text, known, later(10), NOW);
    }
    let (text, known) = verified(&json!({"iss": "new"}), &key());
    cache.insert(&text, known, later(60), later(20));
    assert_eq!(cache.len(), 1);
}

#[test]
fn the_size_limit_follows_the_capacity() {
    const MIB: usize = 1024 * 1024;
    for (capacity, mib) in [
        (0, 8),
        (1, 8),
        (4_096, 8),
        (8_192, 16),
        (51_200, 100),
        (1_000_000, 256),
        (usize::MAX, 256),
    ] {
        assert_eq!(max_bytes(capacity), mib * MIB, "{capacity}");
    }
}

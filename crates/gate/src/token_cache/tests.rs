use serde_json::json;

use super::*;
use crate::policy::{RequirementKind, RequirementNode};
use crate::fixtures;
use crate::token::MAX_TOKEN_BYTES;

const NOW: Timestamp = Timestamp::from_unix_secs(1_700_000_000);

fn later(secs: u64) -> Timestamp {
    NOW.plus(std::time::Duration::from_secs(secs))
}

fn cache(capacity: usize) -> TokenCache {
    TokenCache::new(capacity, RandomState::new())
}

/// A token with `payload`, and what is remembered of it.
fn verified(payload: &serde_json::Value, key: &Rc<[u8]>) -> (String, Verified) {
    let header = json!({"alg": "HS256"});
    let text = fixtures::signed("HS256", &header, payload);
    let (token, _) = Token::parse(&text, MAX_TOKEN_BYTES).unwrap();
    let token = Rc::new(token);
    let key = Rc::clone(key);
    (text, Verified { token, key })
}

fn key() -> Rc<[u8]> {
    [1, 2, 3].into()
}

fn issuer(cache: &mut TokenCache, text: &str, now: Timestamp) -> Option<String> {
    cache.find(text, now)?.token.claims.issuer.clone()
}

#[test]
fn a_token_is_known_by_all_of_its_text() {
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
fn differences_do_not_make_up_for_each_other() {
    let mut cache = cache(8);
    let (text, known) = verified(&json!({"iss": "i", "pad": "x".repeat(400)}), &key());
    cache.insert(&text, known, later(60), NOW);
    // The end is hashed.
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

/// What has been found of a token under `tree` since `from`, until `until`.
fn grant(tree: &Rc<Tree>, from: Timestamp, until: Timestamp) -> Grant {
    let keys = json!({"inline_string": fixtures::key_set()});
    let config = json!({"providers": {"p": {"local_jwks": keys}}}).to_string();
    let config = Config::from_json(config.as_bytes()).unwrap();
    Grant {
        tree: Rc::clone(tree),
        provider: Rc::clone(&config.providers[0]),
        keys: None,
        list: None,
        from,
        until,
    }
}

#[test]
fn a_token_is_familiar_by_all_of_its_text() {
    let mut cache = cache(8);
    let (text, known) = verified(&json!({"iss": "i"}), &key());
    let tree = Rc::new(Tree::from(Kind::Nothing));
    let (other, stranger) = verified(&json!({"iss": "j"}), &key());
    let (_, again) = verified(&json!({"iss": "i"}), &key());
    cache.insert(&text, known.clone(), later(60), NOW);
    assert!(cache.familiar(text.as_bytes()).is_none());
    for other in [&stranger, &again] {
        cache.grant(&other.token, grant(&tree, NOW, later(60)));
        assert!(cache.familiar(text.as_bytes()).is_none());
    }
    cache.grant(&known.token, grant(&tree, NOW, later(60)));
    assert!(
        cache
            .familiar(text.as_bytes())
            .is_some_and(|known| known.text == text)
    );
    assert!(cache.familiar(other.as_bytes()).is_none());
    for at in 0..text.len() {
        let mut other = text.clone().into_bytes();
        other[at] ^= 1;
        assert!(cache.familiar(&other).is_none(), "{at}");
    }
    // Verified anew, it may be by another key.
    cache.insert(&text, known, later(60), NOW);
    assert!(cache.familiar(text.as_bytes()).is_none());
}

#[test]
fn what_has_been_found_is_so_for_a_time_and_one_requirement() {
    let trees = [(); 2].map(|()| Rc::new(Tree::from(Kind::Nothing)));
    let grant = grant(&trees[0], later(10), later(60));
    for (secs, holds) in [(9, false), (10, true), (59, true), (60, false)] {
        assert_eq!(grant.is_for(&trees[0], later(secs)), holds, "{secs}");
        assert!(!grant.is_for(&trees[1], later(secs)));
    }
}

#[test]
fn an_entry_dies_on_time() {
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
fn what_was_used_least_recently_goes_first() {
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
fn a_cache_without_room_remembers_nothing() {
    let mut cache = cache(0);
    let (text, known) = verified(&json!({}), &key());
    cache.insert(&text, known, later(60), NOW);
    assert!(cache.is_empty());
}

#[test]
fn all_entries_together_are_bounded_by_bytes() {
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
fn the_dead_make_room_once_they_are_the_oldest() {
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
fn the_bound_in_bytes_follows_the_number_of_tokens() {
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

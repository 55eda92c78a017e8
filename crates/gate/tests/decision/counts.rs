//! What a decision counts.

use gate::decision::Counts;
use gate::verify::Engine;
use gate_fixtures::{host, key_set, rs256};
use serde_json::{Value, json};

use crate::support::{Gate, bearing, good, payload, policy, policy_of, provider, ready, with};

fn counts(cache_hits: u32, cache_misses: u32, by_host: u32, by_software: u32) -> Counts {
    Counts {
        cache_hits,
        cache_misses,
        verified_by_host: by_host,
        verified_by_software: by_software,
        ..Counts::default()
    }
}

#[test]
fn a_decision_counts_who_verified_the_token() {
    let policy = policy_of(&provider());
    let module = Gate::new().keys(ready);
    let host = Gate::new()
        .keys(ready)
        .engine(Engine::probe(Box::new(host)));
    let request = bearing(&good());
    let decided = |gate: &Gate| gate.decided(&policy, &request).counts;
    assert_eq!(decided(&module), counts(0, 1, 0, 1));
    assert_eq!(decided(&module), counts(1, 0, 0, 0));
    assert_eq!(decided(&host), counts(0, 1, 1, 0));
    assert_eq!(decided(&host), counts(1, 0, 0, 0));
}

#[test]
fn a_token_that_is_refused_before_its_signature_counts_nothing() {
    let policy = policy_of(&provider());
    let header = json!({"alg": "RS256"});
    let expired = rs256(&header, &with(&payload(), &json!({"exp": 1})));
    let unknown = rs256(&json!({"alg": "RS256", "kid": "?"}), &payload());
    let gate = Gate::new().keys(ready);
    for token in [expired, unknown, "a.b.c".to_owned()] {
        let decided = gate.decided(&policy, &bearing(&token));
        assert_eq!(decided.counts, Counts::default(), "{token}");
    }
    let pending = Gate::new().decided(&policy, &bearing(&good()));
    assert_eq!(pending.counts, Counts::default());
}

#[test]
fn a_bad_signature_is_a_miss_that_nobody_verified() {
    let token = good();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let forged = bearing(&format!("{input}.{}", "A".repeat(signature.len())));
    let gate = Gate::new().keys(ready);
    let policy = policy_of(&provider());
    let decided = gate.decided(&policy, &forged);
    assert_eq!(decided.counts, counts(0, 1, 0, 0));
}

#[test]
fn a_token_that_its_provider_does_not_cache_is_neither_hit_nor_miss() {
    for cache in [
        json!({"jwt_cache_size": 0}),
        json!({"jwt_max_token_size": 10}),
    ] {
        let policy = policy_of(&with(&provider(), &json!({ "jwt_cache_config": cache })));
        let gate = Gate::new().keys(ready);
        for _ in 0..2 {
            let decided = gate.decided(&policy, &bearing(&good()));
            assert_eq!(decided.counts, counts(0, 0, 0, 1), "{cache}");
        }
        assert_eq!(gate.cached_tokens(), 0);
    }
}

#[test]
fn each_token_of_a_request_is_counted() {
    let provider = |location: Value| {
        with(
            &json!({"local_jwks": {"inline_string": key_set()}}),
            &location,
        )
    };
    let policy = policy(&json!({
        "providers": {
            "a": provider(json!({})),
            "b": provider(json!({"from_params": ["jwt"]})),
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"requires_all": {"requirements": [
            {"provider_name": "a"},
            {"provider_name": "b"},
        ]}}}],
    }));
    let token = |sub: &str| {
        let payload = with(&payload(), &json!({ "sub": sub }));
        rs256(&json!({"alg": "RS256"}), &payload)
    };
    let mut request = bearing(&token("one"));
    request.target = format!("/?jwt={}", token("two")).into_bytes().into();
    let gate = Gate::new();
    let decided = || gate.decided(&policy, &request).counts;
    assert_eq!(decided(), counts(0, 2, 0, 2));
    assert_eq!(decided(), counts(2, 0, 0, 0));
}

//! A token that has been verified is not verified again, and nothing else changes by that.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::support::{
    Connection, Gate, Issuer, Key, Setup, Token, eventually, get, keys, now, with_time_enough,
};

/// The configuration with these fields of the provider.
fn config(changes: &Value) -> Value {
    let mut config = Issuer::config();
    for (name, value) in changes.as_object().unwrap() {
        config["providers"]["cloud"][name] = value.clone();
    }
    config
}

fn status(gate: &Gate, token: &str) -> u16 {
    gate.send(&get("/").bearer(token)).status
}

/// Waits until the counters have these values: hits, misses and signatures verified by the host.
#[track_caller]
fn counted(gate: &Gate, hits: u64, misses: u64, verified: u64) {
    let counts =
        || ["token_cache.hit", "token_cache.miss", "verified.host"].map(|name| gate.metric(name));
    eventually(
        &format!("{hits} hits, {misses} misses, {verified} verified"),
        || counts() == [hits, misses, verified],
    );
}

#[test]
fn a_token_is_verified_once() {
    let issuer = Issuer::start();
    let gate = Setup::trusting(&issuer).start();
    let tokens = [
        Token::good().signed(),
        Token::good().claim("jti", "2").signed_with(&keys::EC),
    ];
    for _ in 0..5 {
        for token in &tokens {
            assert_eq!(status(&gate, token), 200);
        }
    }
    counted(&gate, 8, 2, 2);
    // A text that begins or ends like a known token is another token.
    let other = Token::good().claim("jti", "3").signed();
    let (input, signature) = tokens[0].rsplit_once('.').unwrap();
    let (other_input, other_signature) = other.rsplit_once('.').unwrap();
    for bad in [
        format!("{other_input}.{signature}"),
        format!("{input}.{other_signature}"),
    ] {
        assert_eq!(status(&gate, &bad), 401);
        assert_eq!(status(&gate, &bad), 401);
    }
    assert_eq!(status(&gate, &tokens[0]), 200);
    counted(&gate, 9, 6, 2);
}

#[test]
fn every_worker_refuses_the_tokens_of_a_withdrawn_key() {
    const WORKERS: u32 = 3;
    let issuer = Issuer::start();
    issuer.publish(&[&keys::RSA, &keys::EC]);
    let mut config = config(&json!({}));
    config["providers"]["cloud"]["remote_jwks"]["cache_duration"] = "0.5s".into();
    let gate = Setup::trusting(&issuer)
        .config(config)
        .workers(WORKERS)
        .start();
    let (rsa, ec) = (Token::good().signed(), Token::good().signed_with(&keys::EC));
    let connections: RefCell<Vec<Connection>> = RefCell::default();
    let all_get = |token: &str, expected: u16| {
        let request = get("/").bearer(token);
        let mut connections = connections.borrow_mut();
        let mut statuses = connections
            .iter_mut()
            .map(|connection| connection.send(&request).unwrap().status);
        statuses.all(|status| status == expected)
    };
    // Opens connections until every worker has one and has verified both tokens.
    eventually("every worker has a connection", || {
        connections.borrow_mut().push(gate.connect());
        assert!(all_get(&rsa, 200));
        assert!(all_get(&ec, 200));
        gate.metric("token_cache.miss") == u64::from(2 * WORKERS)
    });
    issuer.publish(&[&keys::EC]);
    eventually("all workers refuse the token of the withdrawn key", || {
        all_get(&rsa, 401)
    });
    for _ in 0..5 {
        assert!(all_get(&rsa, 401));
        assert!(all_get(&ec, 200));
    }
    // The token of the other key has stayed in the cache.
    assert_eq!(gate.metric("verified.host"), u64::from(2 * WORKERS));
    // When the key is back, its tokens are good again.
    issuer.publish(&[&keys::RSA, &keys::EC]);
    eventually("all workers accept the token again", || all_get(&rsa, 200));
}

#[test]
fn a_remembered_token_expires_like_every_other() {
    let issuer = Issuer::start();
    with_time_enough(|lifetime| {
        let gate = Setup::trusting(&issuer)
            .config(config(&json!({"clock_skew_seconds": 0})))
            .start();
        // Afterwards no request waits for keys.
        assert_eq!(status(&gate, &Token::good().signed()), 200);
        let end = now() + lifetime.as_secs();
        let token = Token::good().claim("exp", end).signed();
        let mut admitted = 0;
        eventually("the token expires", || {
            let before = now();
            let status = status(&gate, &token);
            assert!(before < end || status == 401, "admitted after its end");
            assert!(status == 200 || now() >= end, "refused before its end");
            admitted += u64::from(status == 200);
            status == 401
        });
        if admitted < 2 {
            return false;
        }
        gate.counts("allowed", admitted + 1);
        gate.counts("denied.expired", 1);
        gate.counts("verified.host", 2);
        assert!(gate.metric("token_cache.hit") >= admitted - 1);
        true
    });
}

#[test]
fn a_remembered_token_counts_for_another_provider_only_with_the_same_key() {
    let provider = |key: &Key, audience: &str, size: u32| {
        let mut provider = Issuer::local_provider(&[key]);
        provider["audiences"] = json!([audience]);
        provider["jwt_cache_config"] = json!({ "jwt_cache_size": size });
        provider
    };
    let rule = |name: &str| {
        let path = format!("/{name}");
        json!({"match": {"path": path}, "requires": {"provider_name": name}})
    };
    let here = "https://api.example";
    // Another key with the same `kid`.
    let other = Key::new("rsa-1", "RS256");
    let rules = ["a", "same_key", "no_cache", "other_key", "other_audience"].map(rule);
    let gate = Setup::new(json!({
        "providers": {
            "a": provider(&keys::RSA, here, 10),
            "same_key": provider(&keys::RSA, here, 10),
            "no_cache": provider(&keys::RSA, here, 0),
            "other_key": provider(&other, here, 10),
            "other_audience": provider(&keys::RSA, "https://other.example", 10),
        },
        "rules": rules,
    }))
    .start();
    let token = Token::good().signed();
    let status = |path: &str| gate.send(&get(path).bearer(&token)).status;
    // With each request: its status, and the hits, misses and verified signatures afterwards.
    for (path, expected, counts) in [
        ("/other_key", 401, [0, 1, 0]),
        ("/a", 200, [0, 2, 1]),
        ("/a", 200, [1, 2, 1]),
        ("/same_key", 200, [2, 2, 1]),
        ("/other_key", 401, [2, 3, 1]),
        ("/other_audience", 401, [2, 3, 1]),
        ("/no_cache", 200, [2, 3, 2]),
        ("/a", 200, [3, 3, 2]),
    ] {
        assert_eq!(status(path), expected, "{path}");
        counted(&gate, counts[0], counts[1], counts[2]);
    }
}

#[test]
fn a_cache_of_two_tokens_or_none_changes_no_decision() {
    let issuer = Issuer::start();
    let tokens: Vec<String> = (0..3)
        .map(|number| Token::good().claim("jti", number.to_string()).signed())
        .collect();
    let long = Token::good().claim("pad", "x".repeat(3_000)).signed();
    for (size, counts) in [(0, [0, 0, 16]), (2, [4, 8, 12]), (3, [9, 3, 7])] {
        let limits = json!({"jwt_cache_size": size, "jwt_max_token_size": 2_000});
        let gate = Setup::trusting(&issuer)
            .config(config(&json!({ "jwt_cache_config": limits })))
            .start();
        // In turn, so that a cache of two has just evicted the next token; but sometimes a token comes
        // back in time.
        for index in [0, 1, 2, 0, 1, 2, 2, 1, 2, 0, 0, 1] {
            assert_eq!(status(&gate, &tokens[index]), 200, "{size}");
        }
        // A token that is too long for the cache.
        for _ in 0..4 {
            assert_eq!(status(&gate, &long), 200, "{size}");
        }
        counted(&gate, counts[0], counts[1], counts[2]);
    }
}

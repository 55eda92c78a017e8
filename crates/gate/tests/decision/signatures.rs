//! Algorithms, types and signatures.

use super::*;
use crate::fixtures;
use crate::metrics::Counter;
use crate::verify::Algorithm;

/// A provider with keys of every kind in the configuration, changed by `change`.
fn local(change: &Value) -> Config {
    let mut provider = json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "local_jwks": {"inline_string": full_key_set()},
    });
    for (name, value) in change.as_object().unwrap() {
        provider[name] = value.clone();
    }
    parse(&json!({"providers": {"p": provider}}))
}

#[test]
fn every_algorithm_works_with_both_engines() {
    let names: Vec<_> = Algorithm::ALL.iter().map(|(name, _)| *name).collect();
    let config = local(&json!({ "algorithms": names }));
    for engine in [Engine::software(), Engine::probe(Box::new(fixtures::host))] {
        for (name, algorithm) in Algorithm::ALL {
            let tally = Tally::default();
            let means = Means {
                remote: &ready,
                lists: &|_| RemoteList::Pending,
                introspection: &|_, _| crate::introspection::Standing::Pending,
                engine: &engine,
                tokens: &RefCell::new(TokenCache::new(16, RandomState::new())),
                tally: &tally,
            };
            let decide = |token: &str| {
                gate(
                    &config,
                    &bearing(token),
                    means,
                    Timestamp::from_unix_secs(NOW),
                )
            };
            let token = fixtures::signed(name, &json!({ "alg": name }), &payload());
            assert_eq!(decide(&token), *ADMITTED, "{name}");
            assert_eq!(decide(&token), *ADMITTED, "{name}");
            let by = if engine.of_host().contains(&algorithm) {
                Counter::VerifiedByHost
            } else {
                Counter::VerifiedBySoftware
            };
            let counted = [(Counter::CacheMiss, 1), (by, 1), (Counter::CacheHit, 1)];
            assert_eq!(tally.take(), counted, "{name}");
            // With every other algorithm's name in its header it is not good.
            for (other, _) in Algorithm::ALL {
                let confused = fixtures::signed(name, &json!({ "alg": other }), &payload());
                assert_eq!(
                    decide(&confused) == *ADMITTED,
                    name == other,
                    "{name} as {other}"
                );
            }
        }
    }
}

#[test]
fn only_the_algorithms_that_the_operator_names_are_accepted() {
    for (algorithms, accepted) in [
        (Value::Null, &["RS256", "PS512", "ES512", "EdDSA"][..]),
        (json!(["ES256"]), &["ES256"]),
        (json!(["HS256", "RS384"]), &["HS256", "RS384"]),
    ] {
        let config = local(&json!({ "algorithms": algorithms }));
        for name in [
            "RS256", "RS384", "PS512", "ES256", "ES512", "EdDSA", "HS256",
        ] {
            let token = fixtures::signed(name, &json!({ "alg": name }), &payload());
            let is_default = algorithms.is_null() && !name.starts_with("HS");
            let expected = if is_default || accepted.contains(&name) {
                ADMITTED.clone()
            } else {
                denied(Reason::Algorithm)
            };
            assert_eq!(gated(&config, &bearing(&token), ready), expected, "{name}");
        }
    }
}

#[test]
fn eddsa_and_ed25519_are_one_algorithm() {
    for algorithms in [Value::Null, json!(["EdDSA"]), json!(["Ed25519"])] {
        for of_key in ["EdDSA", "Ed25519"] {
            let mut jwk = fixtures::ed25519_jwk();
            jwk["alg"] = of_key.into();
            let keys = json!({ "keys": [jwk] }).to_string();
            let config = local(&json!({
                "algorithms": algorithms,
                "local_jwks": {"inline_string": keys},
            }));
            for of_token in ["EdDSA", "Ed25519"] {
                let token = fixtures::signed("EdDSA", &json!({ "alg": of_token }), &payload());
                let decision = gated(&config, &bearing(&token), ready);
                assert_eq!(decision, *ADMITTED, "{algorithms} {of_key} {of_token}");
            }
        }
    }
    let config = local(&json!({ "algorithms": ["Ed25519"] }));
    for (header, signed_with) in [("ES256", "ES256"), ("Ed25519", "ES256"), ("Ed448", "EdDSA")] {
        let token = fixtures::signed(signed_with, &json!({ "alg": header }), &payload());
        let decision = gated(&config, &bearing(&token), ready);
        assert_ne!(decision, *ADMITTED, "{header} {signed_with}");
    }
}

#[test]
fn only_the_types_that_the_operator_names_are_accepted() {
    let types = [
        Value::Null,
        json!("JWT"),
        json!("jwt"),
        json!("at+jwt"),
        json!("application/at+jwt"),
        json!("APPLICATION/AT+JWT"),
        json!("secevent+jwt"),
        json!("dpop+jwt"),
        json!("application/"),
        json!("application/application/jwt"),
        json!(""),
    ];
    for (configured, accepted) in [
        (Value::Null, &[0, 1, 2, 3, 4, 5][..]),
        (json!(["AT+JWT"]), &[3, 4, 5]),
        (json!(["application/at+jwt"]), &[3, 4, 5]),
        (json!(["", "jwt"]), &[0, 1, 2]),
        (json!(["secevent+jwt"]), &[6]),
        (json!([""]), &[0]),
    ] {
        let config = local(&json!({ "types": configured }));
        for (index, typ) in types.iter().enumerate() {
            let mut header = json!({"alg": "EdDSA"});
            if !typ.is_null() {
                header["typ"] = typ.clone();
            }
            let token = fixtures::signed("EdDSA", &header, &payload());
            let expected = if accepted.contains(&index) {
                ADMITTED.clone()
            } else {
                denied(Reason::Type)
            };
            let decision = gated(&config, &bearing(&token), ready);
            assert_eq!(decision, expected, "{configured} {typ}");
        }
    }
}

#[test]
fn a_secret_of_a_server_verifies_nothing() {
    let keys = |_: &Provider| {
        let keys = KeySet::parse(full_key_set().as_bytes()).unwrap();
        RemoteKeys::Ready {
            what: Rc::new(keys),
            may_grow: false,
        }
    };
    let token = fixtures::signed("HS256", &json!({"alg": "HS256"}), &payload());
    assert_eq!(
        gated(&config(), &bearing(&token), keys),
        denied(Reason::Algorithm)
    );
}

#[test]
fn every_changed_character_of_a_token_is_noticed() {
    for token in [
        good(),
        es256(&json!({"alg": "ES256", "kid": "ec"}), &payload()),
    ] {
        let step = token.len() / 40 + 1;
        for at in (0..token.len()).step_by(step) {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(
                matches!(decide(&changed), Decision::Settled(Verdict::Deny(_))),
                "{at} of {token}"
            );
        }
    }
}

#[test]
fn ecdsa_signatures_have_one_form() {
    let token = es256(&json!({"alg": "ES256", "kid": "ec"}), &payload());
    let (input, _) = token.rsplit_once('.').unwrap();
    for length in [0, 1, 63, 64, 65, 70, 72, 128] {
        use base64::Engine;
        let zeros = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![0; length]);
        let expected = if length == 0 {
            Reason::MalformedToken
        } else {
            Reason::Signature
        };
        assert_eq!(
            decide(&format!("{input}.{zeros}")),
            denied(expected),
            "{length}"
        );
    }
}

//! Algorithms, types and signatures.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::decision::Counts;
use gate::policy::Policy;
use gate::reason::ReasonKind;
use gate::verify::{Algorithm, Engine};
use gate_fixtures::{ed25519_jwk, es256, full_key_set, host, signed};
use serde_json::{Value, json};

use crate::support::{
    Gate, Outcome, bearing, good, key_set, payload, policy_of, provider, ready, with,
};

/// A provider with keys of every kind in the configuration, and these fields.
fn local(fields: &Value) -> Policy {
    let provider = json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "local_jwks": {"inline_string": full_key_set()},
    });
    policy_of(&with(&provider, fields))
}

fn decide(policy: &Policy, token: &str) -> Outcome {
    Gate::new().decide(policy, &bearing(token))
}

#[test]
fn every_algorithm_works_with_both_engines() {
    let names: Vec<_> = Algorithm::ALL.iter().map(|(name, _)| *name).collect();
    let policy = local(&json!({ "algorithms": names }));
    for engine in [Engine::software, || Engine::probe(Box::new(host))] {
        for (name, algorithm) in Algorithm::ALL {
            let by_host = engine().of_host().contains(&algorithm);
            let gate = Gate::new().engine(engine());
            let token = bearing(&signed(name, &json!({ "alg": name }), &payload()));
            let first = gate.decided(&policy, &token);
            let second = gate.decided(&policy, &token);
            assert_eq!(Outcome::from(first.decision), Outcome::admitted(), "{name}");
            assert_eq!(
                Outcome::from(second.decision),
                Outcome::admitted(),
                "{name}"
            );
            let verified = Counts {
                cache_misses: 1,
                verified_by_host: u32::from(by_host),
                verified_by_software: u32::from(!by_host),
                ..Counts::default()
            };
            let known = Counts {
                cache_hits: 1,
                ..Counts::default()
            };
            assert_eq!((first.counts, second.counts), (verified, known), "{name}");
            // It is not good with the name of any other algorithm in its header.
            for (other, _) in Algorithm::ALL {
                let confused = signed(name, &json!({ "alg": other }), &payload());
                assert_eq!(
                    gate.decide(&policy, &bearing(&confused)) == Outcome::admitted(),
                    name == other,
                    "{name} as {other}"
                );
            }
        }
    }
}

#[test]
fn only_configured_algorithms_are_accepted() {
    for (algorithms, accepted) in [
        (Value::Null, &["RS256", "PS512", "ES512", "EdDSA"][..]),
        (json!(["ES256"]), &["ES256"]),
        (json!(["HS256", "RS384"]), &["HS256", "RS384"]),
    ] {
        let policy = local(&json!({ "algorithms": algorithms }));
        for name in [
            "RS256", "RS384", "PS512", "ES256", "ES512", "EdDSA", "HS256",
        ] {
            let token = signed(name, &json!({ "alg": name }), &payload());
            let is_default = algorithms.is_null() && !name.starts_with("HS");
            let expected = if is_default || accepted.contains(&name) {
                Outcome::admitted()
            } else {
                Outcome::Deny(ReasonKind::Algorithm)
            };
            assert_eq!(decide(&policy, &token), expected, "{name}");
        }
    }
}

#[test]
fn eddsa_and_ed25519_are_one_algorithm() {
    for algorithms in [Value::Null, json!(["EdDSA"]), json!(["Ed25519"])] {
        for of_key in ["EdDSA", "Ed25519"] {
            let mut jwk = ed25519_jwk();
            jwk["alg"] = of_key.into();
            let keys = json!({ "keys": [jwk] }).to_string();
            let policy = local(&json!({
                "algorithms": algorithms,
                "local_jwks": {"inline_string": keys},
            }));
            for of_token in ["EdDSA", "Ed25519"] {
                let token = signed("EdDSA", &json!({ "alg": of_token }), &payload());
                let outcome = decide(&policy, &token);
                assert_eq!(
                    outcome,
                    Outcome::admitted(),
                    "{algorithms} {of_key} {of_token}"
                );
            }
        }
    }
    let policy = local(&json!({ "algorithms": ["Ed25519"] }));
    for (header, signed_with) in [("ES256", "ES256"), ("Ed25519", "ES256"), ("Ed448", "EdDSA")] {
        let token = signed(signed_with, &json!({ "alg": header }), &payload());
        let outcome = decide(&policy, &token);
        assert_ne!(outcome, Outcome::admitted(), "{header} {signed_with}");
    }
}

#[test]
fn only_configured_types_are_accepted() {
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
        json!("another-one/jwt"),
    ];
    for (configured, accepted) in [
        (Value::Null, &[0, 1, 2, 3, 4, 5][..]),
        (json!(["AT+JWT"]), &[3, 4, 5]),
        (json!(["application/at+jwt"]), &[3, 4, 5]),
        (json!(["", "jwt"]), &[0, 1, 2]),
        (json!(["secevent+jwt"]), &[6]),
        (json!([""]), &[0]),
        (json!(["another-one/jwt"]), &[11]),
    ] {
        let policy = local(&json!({ "types": configured }));
        for (index, typ) in types.iter().enumerate() {
            let mut header = json!({"alg": "EdDSA"});
            if !typ.is_null() {
                header["typ"] = typ.clone();
            }
            let token = signed("EdDSA", &header, &payload());
            let expected = if accepted.contains(&index) {
                Outcome::admitted()
            } else {
                Outcome::Deny(ReasonKind::Type)
            };
            let outcome = decide(&policy, &token);
            assert_eq!(outcome, expected, "{configured} {typ}");
        }
    }
}

#[test]
fn a_secret_in_a_remote_key_set_verifies_nothing() {
    let gate = Gate::new().keys(|_| key_set(&full_key_set()));
    let header = json!({"alg": "HS256"});
    let token = bearing(&signed("HS256", &header, &payload()));
    let policy = policy_of(&provider());
    assert_eq!(
        gate.decide(&policy, &token),
        Outcome::Deny(ReasonKind::Algorithm)
    );
}

#[test]
fn every_changed_character_of_a_token_is_noticed() {
    let (policy, gate) = (policy_of(&provider()), Gate::new().keys(ready));
    for token in [
        good(),
        es256(&json!({"alg": "ES256", "kid": "ec"}), &payload()),
    ] {
        assert!(gate.decide(&policy, &bearing(&token)).is_admitted());
        let step = token.len() / 40 + 1;
        for at in (0..token.len()).step_by(step) {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let outcome = gate.decide(&policy, &bearing(&changed));
            assert!(outcome.is_denied(), "{at} of {token}");
        }
    }
}

#[test]
fn ecdsa_signatures_have_one_form() {
    let (policy, gate) = (policy_of(&provider()), Gate::new().keys(ready));
    let token = es256(&json!({"alg": "ES256", "kid": "ec"}), &payload());
    let (input, _) = token.rsplit_once('.').unwrap();
    for length in [0, 1, 63, 64, 65, 70, 72, 128] {
        let zeros = URL_SAFE_NO_PAD.encode(vec![0; length]);
        let expected = if length == 0 {
            ReasonKind::MalformedToken
        } else {
            ReasonKind::Signature
        };
        let token = bearing(&format!("{input}.{zeros}"));
        let outcome = gate.decide(&policy, &token);
        assert_eq!(outcome, Outcome::Deny(expected), "{length}");
    }
}

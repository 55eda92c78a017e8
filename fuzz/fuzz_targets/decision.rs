//! Decides any request with a provider that accepts one known token: nothing else is admitted.
#![no_main]

use std::cell::RefCell;
use std::hash::RandomState;

use bearer_gate::config::Config;
use bearer_gate::gate::{Decision, Means, RemoteKeys, RemoteList, Verdict, gate};
use bearer_gate::metrics::Tally;
use bearer_gate::request::Request;
use bearer_gate::time::Timestamp;
use bearer_gate::token_cache::TokenCache;
use bearer_gate::verify::Engine;
use libfuzzer_sys::fuzz_target;

/// A token signed with the secret in the configuration.
const GOOD: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjpbImh0dHBzOi8vYXBpLmV4YW1wbGUiXSwic3ViIjoicyIsImV4cCI6OTAwNzE5OTI1NDc0MDk5MywiaWF0IjoxNzAwMDAwMDAwLjUsImp0aSI6IjEifQ.f4-1SdpmlyccXhG6aM2linEiHaH_IEYwEa6EVkflX78";

fuzz_target!(
    init: {
        let decision = decide(b"/", format!("Bearer {GOOD}").into_bytes());
        assert!(matches!(decision, Decision::Settled(Verdict::Admit(_))));
    },
    |input: (&[u8], &[u8])| {
        let (target, header) = input;
        let decision = decide(target, header.to_vec());
        if !matches!(decision, Decision::Settled(Verdict::Deny(_))) {
            assert!(header.ends_with(GOOD.as_bytes()), "{decision:?}");
        }
    }
);

fn decide(target: &[u8], header: Vec<u8>) -> Decision {
    thread_local! {
        static CONFIG: Config = config();
        static ENGINE: Engine = const { Engine::software() };
        static TOKENS: RefCell<TokenCache> =
            RefCell::new(TokenCache::new(16, RandomState::new()));
    }
    let request = Request {
        target: target.into(),
        authorization: vec![header.into()],
        ..Request::default()
    };
    CONFIG.with(|config| {
        ENGINE.with(|engine| {
            TOKENS.with(|tokens| {
                let means = Means {
                    remote: &|_| RemoteKeys::Pending,
                    lists: &|_| RemoteList::Pending,
                    introspection: &|_, _| bearer_gate::introspection::Standing::Pending,
                    engine,
                    tokens,
                    tally: &Tally::default(),
                };
                gate(
                    config,
                    &request,
                    means,
                    Timestamp::from_unix_secs(1_700_000_001),
                )
            })
        })
    })
}

fn config() -> Config {
    let keys = r#"{"keys": [{"kty": "oct", "kid": "k", "k": "dGhlIHNlY3JldCBvZiB0aGUgZnV6eiB0YXJnZXQsIDMyKyBieXRlcw"}]}"#;
    let config = serde_json::json!({"providers": {"p": {
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "algorithms": ["RS256", "ES256", "EdDSA", "HS256"],
        "local_jwks": {"inline_string": keys},
    }}});
    Config::from_json(config.to_string().as_bytes()).expect("the configuration is good")
}

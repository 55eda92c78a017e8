//! Decides any request with a provider that accepts one known token: nothing else is admitted.
#![no_main]

use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::RandomState;

use gate::decision::{Context, Decision, Resources, decide};
use gate::fetching::Availability;
use gate::introspection::TokenStatus;
use gate::keys::KeySet;
use gate::policy::{Policy, Provider};
use gate::request::Request;
use gate::revocation::RevocationList;
use gate::time::Timestamp;
use gate::token_cache::TokenCache;
use gate::verify::Engine;
use libfuzzer_sys::fuzz_target;

/// A token signed with the secret in the configuration.
const GOOD: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjpbImh0dHBzOi8vYXBpLmV4YW1wbGUiXSwic3ViIjoicyIsImV4cCI6OTAwNzE5OTI1NDc0MDk5MywiaWF0IjoxNzAwMDAwMDAwLjUsImp0aSI6IjEifQ.f4-1SdpmlyccXhG6aM2linEiHaH_IEYwEa6EVkflX78";

fuzz_target!(
    init: {
        let decision = decide_by_header(b"/", format!("Bearer {GOOD}").into_bytes());
        assert!(matches!(decision, Decision::Admit(_)));
    },
    |input: (&[u8], &[u8])| {
        let (target, header) = input;
        let decision = decide_by_header(target, header.to_vec());
        if !matches!(decision, Decision::Deny(_)) {
            assert!(header.ends_with(GOOD.as_bytes()), "{decision:?}");
        }
    }
);

/// Nothing has been fetched yet.
struct NothingFetched;

impl Resources for NothingFetched {
    fn keys(&self, _: &Provider) -> Availability<KeySet> {
        Availability::Pending
    }

    fn revocations(&self, _: &Provider) -> Availability<RevocationList> {
        Availability::Pending
    }

    fn introspection(&self, _: &Provider, _: &str) -> TokenStatus {
        TokenStatus::Pending
    }
}

fn decide_by_header(target: &[u8], header: Vec<u8>) -> Decision {
    thread_local! {
        static POLICY: Policy = policy();
        static ENGINE: Engine = const { Engine::software() };
        static TOKENS: RefCell<TokenCache> =
            RefCell::new(TokenCache::new(16, RandomState::new()));
    }
    let request = Request {
        target: Cow::from(target).into(),
        authorization: vec![header.into()],
        ..Request::default()
    };
    let now = Timestamp::from_unix_secs(1_700_000_001);
    POLICY.with(|policy| {
        ENGINE.with(|engine| {
            TOKENS.with(|tokens| {
                let context = Context {
                    resources: &NothingFetched,
                    engine,
                    tokens,
                    proof_keys: &RefCell::default(),
                };
                decide(policy, &request, &context, now).decision
            })
        })
    })
}

fn policy() -> Policy {
    let keys = r#"{"keys": [{"kty": "oct", "kid": "k", "k": "dGhlIHNlY3JldCBvZiB0aGUgZnV6eiB0YXJnZXQsIDMyKyBieXRlcw"}]}"#;
    let config = serde_json::json!({"providers": {"p": {
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "algorithms": ["RS256", "ES256", "EdDSA", "HS256"],
        "local_jwks": {"inline_string": keys},
    }}});
    gate_config::parse_json(config.to_string().as_bytes()).expect("the configuration is good")
}

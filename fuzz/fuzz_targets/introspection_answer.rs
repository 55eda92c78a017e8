//! Parses any bytes as the answer of an introspection endpoint: the token is admitted only if the
//! answer is JSON that says it is active, for this API and at this time.
#![no_main]

use std::borrow::Cow;
use std::cell::RefCell;
use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use gate::decision::{Context, Decision, Resources, decide};
use gate::fetching::Availability;
use gate::introspection::{self, TokenStatus};
use gate::keys::KeySet;
use gate::policy::{Policy, Provider};
use gate::request::Request;
use gate::revocation::RevocationList;
use gate::time::Timestamp;
use gate::token_cache::TokenCache;
use gate::verify::Engine;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const TOKEN: &str = "opaque";
const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://api.example";
const NOW: Timestamp = Timestamp::from_unix_secs(1_700_000_000);

fuzz_target!(
    init: {
        let good = format!(r#"{{"active": true, "aud": "{AUDIENCE}"}}"#);
        assert!(is_admitted(&status(good.as_bytes())));
    },
    |body: &[u8]| {
        let lax = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let active = lax.get("active");
        match introspection::read(body) {
            Ok(Some(answer)) => {
                assert_eq!(active, Some(&Value::Bool(true)));
                let lax = lenient(lax.clone());
                assert_eq!(lax, Value::Object(answer.payload.clone()));
                assert_eq!(answer.claims.issuer.as_deref(), lax.get("iss").and_then(Value::as_str));
                assert_eq!(answer.claims.expires_at.is_some(), lax.get("exp").is_some());
                assert!(lax.get("scope").is_none_or(is_scope));
                assert!(!answer.is_access_token || !is_refresh_token(&lax));
                assert!(answer.heap_bytes() <= 96 * body.len() + 2048);
            }
            Ok(None) => assert_eq!(active, Some(&Value::Bool(false))),
            Err(problem) => assert!(!problem.is_empty() && problem.is_ascii()),
        }

        if is_admitted(&status(body)) {
            assert_eq!(active, Some(&Value::Bool(true)));
            let lax = lenient(lax.clone());
            assert!(lax.get("iss").is_none_or(|issuer| issuer == ISSUER));
            assert!(match &lax["aud"] {
                Value::Array(audiences) => audiences.iter().any(|audience| audience == AUDIENCE),
                audience => audience == AUDIENCE,
            });
            assert!(!is_refresh_token(&lax));
            assert!(lax.get("cnf").is_none());
            let number = |name: &str| lax.get(name).and_then(Value::as_f64);
            assert!(number("exp").is_none_or(|exp| exp > 1_699_999_939.0));
            assert!(number("nbf").is_none_or(|nbf| nbf < 1_700_000_061.0));
        }
    }
);

/// The answer without members that are `null`, and with a `sub` that is a string. A `cnf` that is `null` stays.
fn lenient(answer: Value) -> Value {
    let Value::Object(members) = answer else {
        return answer;
    };
    let written = |(name, value): (String, Value)| match value {
        Value::Null if name != "cnf" => None,
        Value::Number(subject) if name == "sub" => Some((name, Value::String(subject.to_string()))),
        other => Some((name, other)),
    };
    Value::Object(members.into_iter().filter_map(written).collect())
}

/// Whether the member is a string or a list of strings.
fn is_scope(scope: &Value) -> bool {
    let is_list = |all: &Vec<Value>| all.iter().all(Value::is_string);
    scope.is_string() || scope.as_array().is_some_and(is_list)
}

/// Whether the answer says that the token is a refresh token.
fn is_refresh_token(answer: &Value) -> bool {
    let names = ["token_type", "token_use"];
    names.iter().any(|name| answer[*name] == "refresh_token")
}

/// The status of the token after this answer.
fn status(body: &[u8]) -> TokenStatus {
    match introspection::read(body) {
        Ok(Some(answer)) => TokenStatus::Active(Rc::new(answer)),
        Ok(None) => TokenStatus::Inactive,
        Err(_) => TokenStatus::Unavailable {
            retry_after: Duration::from_secs(1),
        },
    }
}

/// The introspection endpoint has answered, and nothing else has been fetched.
struct Answered<'s>(&'s TokenStatus);

impl Resources for Answered<'_> {
    fn keys(&self, _: &Provider) -> Availability<KeySet> {
        Availability::Pending
    }

    fn revocations(&self, _: &Provider) -> Availability<RevocationList> {
        Availability::Pending
    }

    fn introspection(&self, _: &Provider, _: &str) -> TokenStatus {
        self.0.clone()
    }
}

fn is_admitted(status: &TokenStatus) -> bool {
    thread_local! {
        static POLICY: Policy = policy();
        static ENGINE: Engine = const { Engine::software() };
    }
    let request = Request {
        target: Cow::from(&b"/"[..]).into(),
        authorization: vec![format!("Bearer {TOKEN}").into_bytes().into()],
        ..Request::default()
    };
    let decision = POLICY.with(|policy| {
        ENGINE.with(|engine| {
            let context = Context {
                resources: &Answered(status),
                engine,
                tokens: &RefCell::new(TokenCache::new(16, RandomState::new())),
                proof_keys: &RefCell::default(),
            };
            decide(policy, &request, &context, NOW).decision
        })
    });
    match decision {
        Decision::Admit(_) => true,
        Decision::Deny(_) => false,
        other => panic!("{other:?}"),
    }
}

fn policy() -> Policy {
    let config = serde_json::json!({"providers": {"p": {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "introspection": {
            "http_uri": {"uri": "https://issuer.example/introspect", "cluster": "c", "timeout": "3s"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
        },
    }}});
    let environment = |_: &str| Some("secret".to_owned());
    gate_config::parse(config.to_string().as_bytes(), &environment)
        .expect("the configuration is good")
}

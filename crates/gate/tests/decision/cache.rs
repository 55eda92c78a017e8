//! The cache of verified tokens never changes a verdict.

use std::cell::RefCell;
use std::hash::RandomState;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Decision, Means, RemoteKeys, RemoteList, Verdict, gate};
use crate::admission::{Admission, HeaderChange};
use crate::config::{Config, Provider};
use crate::denial::Reason;
use crate::fetching::Published;
use crate::fixtures::{self, ec_jwk, ed25519_jwk, oct_jwk};
use crate::keys::KeySet;
use crate::metrics::{Counter, Tally};
use crate::request::Request;
use crate::revocation::{ListFormat, ListReader, RevocationList};
use crate::time::Timestamp;
use crate::token_cache::TokenCache;
use crate::verify::Engine;

const START: u64 = 1_700_000_000;

/// Two providers of one issuer with keys of their own and other demands, one of them once more with
/// a list of revoked tokens, and two with their keys in the configuration, one of which has its
/// tokens elsewhere. Whose token is asked for depends on the path.
fn config() -> Config {
    let remote = |audience: &str, skew: u32, cached: u32| {
        json!({
            "issuer": "https://issuer.example",
            "audiences": [audience],
            "clock_skew_seconds": skew,
            "jwt_cache_config": {"jwt_cache_size": cached, "jwt_max_token_size": 400},
            "remote_jwks": {"http_uri": {"uri": "https://issuer.example", "cluster": audience}},
        })
    };
    let local = json!({
        "algorithms": ["HS256", "EdDSA"],
        "require_expiration": false,
        "types": ["jwt"],
        "local_jwks": {"inline_string": json!({"keys": [oct_jwk(), ed25519_jwk()]}).to_string()},
    });
    let mut listed = remote("a", 60, 3);
    listed["revocation"] = json!({
        "http_uri": {"uri": "http://a/revoked", "cluster": "a", "timeout": "3s"},
        "on_unavailable": "allow",
    });
    // Which of the two has accepted a token is seen by this.
    let mut strict = remote("a", 0, 2);
    strict["forward_payload_header"] = "x-strict".into();
    let mut elsewhere = local.clone();
    elsewhere["from_params"] = json!(["jwt"]);
    let providers = json!({
        "a": strict, "b": remote("b", 60, 0), "c": listed, "l": local, "q": elsewhere,
    });
    let of = |path: &str, provider: &str, claims: Value| {
        let requires = json!({"provider_name": provider, "claims": claims});
        json!({"match": {"path": path}, "requires": requires})
    };
    let any = |path: &str, providers: &[&str]| {
        let each = |provider: &&str| json!({"provider_name": provider});
        let requirements: Vec<Value> = providers.iter().map(each).collect();
        let requires = json!({"requires_any": {"requirements": requirements}});
        json!({"match": {"prefix": path}, "requires": requires})
    };
    let rules = [
        of("/a", "a", json!([])),
        of("/c", "c", json!([{"claim_name": "aud", "exact": "a"}])),
        of("/never", "c", json!([{"claim_name": "aud", "exact": "b"}])),
        of("/l", "l", json!([])),
        any("/two", &["c", "q"]),
        any("/", &["a", "b", "c", "l"]),
    ];
    let config = json!({"providers": providers, "rules": rules}).to_string();
    Config::from_json(config.as_bytes()).unwrap()
}

/// Sets that a server may come to hold: keys are withdrawn, renamed, bound to an algorithm, and
/// replaced by others of the same name.
static SETS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let with = |mut jwk: Value, name: &str, value: &str| {
        jwk[name] = value.into();
        jwk
    };
    // The key of RFC 7515, appendix A.3.1.
    let other = with(ec_jwk(), "x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let other = with(other, "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    [
        json!({"keys": [ec_jwk()]}),
        json!({"keys": [ed25519_jwk()]}),
        json!({"keys": [ec_jwk(), ed25519_jwk()]}),
        json!({"keys": [with(ec_jwk(), "kid", "other"), ed25519_jwk()]}),
        json!({"keys": [with(ec_jwk(), "alg", "ES256")]}),
        json!({"keys": [other, ed25519_jwk()]}),
    ]
    .map(|set| set.to_string().into_bytes())
    .to_vec()
});

static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut tokens = Vec::new();
    for (algorithm, kid) in [
        ("ES256", "ec"),
        ("EdDSA", "ed25519"),
        ("HS256", "oct"),
        ("ES256", "other"),
    ] {
        for (audience, exp) in [
            ("a", Some(START + 50)),
            ("b", Some(START + 100)),
            ("a", None),
        ] {
            for kid in [Some(kid), None] {
                let mut header = json!({"alg": algorithm, "typ": "JWT"});
                if let Some(kid) = kid {
                    header["kid"] = kid.into();
                }
                let mut payload = json!({"iss": "https://issuer.example", "aud": audience});
                if let Some(exp) = exp {
                    payload["exp"] = exp.into();
                }
                tokens.push(fixtures::signed(algorithm, &header, &payload));
            }
        }
    }
    let long = json!({"iss": "https://issuer.example", "aud": "a", "exp": START + 70, "pad": "x".repeat(400)});
    tokens.push(fixtures::signed("ES256", &json!({"alg": "ES256"}), &long));
    assert_eq!(tokens.len(), NOT_YET);
    let later =
        json!({"iss": "https://issuer.example", "aud": "a", "exp": START + 200, "nbf": START + 70});
    tokens.push(fixtures::signed(
        "ES256",
        &json!({"alg": "ES256", "kid": "ec"}),
        &later,
    ));
    let bound = json!({"iss": "https://issuer.example", "aud": "a", "exp": START + 70, "cnf": {}});
    tokens.push(fixtures::signed("ES256", &json!({"alg": "ES256"}), &bound));
    let forged: Vec<_> = tokens
        .iter()
        .map(|token| {
            format!(
                "{}{}",
                &token[..token.len() - 20],
                &tokens[0][tokens[0].len() - 20..]
            )
        })
        .collect();
    tokens.extend(forged);
    tokens
});

/// Which of them is good only after a while.
const NOT_YET: usize = 25;

/// Lists of revoked tokens: one without any, and one with two of those above.
static LISTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let signature = |token: &String| token.rsplit_once('.').unwrap().1.to_owned();
    let signatures: Vec<String> = TOKENS[..2].iter().map(signature).collect();
    [json!([]), json!(signatures)]
        .map(|tokens| json!({ "tokens": tokens }).to_string().into_bytes())
        .to_vec()
});

const PATHS: [&str; 8] = [
    "/a",
    "/c",
    "/any?a=b",
    "/c?access_token=e30.e30.c2ln",
    "/two?jwt=e30.e30.c2ln",
    "/two",
    "/never",
    "/l",
];

#[derive(Clone, Debug)]
enum Step {
    /// A request with a token, for a path.
    Token(usize, usize),
    Keys {
        provider: usize,
        set: Option<usize>,
    },
    List(Option<usize>),
    /// The clock goes on, or is put back.
    Clock(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..TOKENS.len(), 0..PATHS.len()).prop_map(|(token, path)| Step::Token(token, path)),
        // The same few again and again.
        12 => (0..4_usize, 0..PATHS.len()).prop_map(|(token, path)| Step::Token(token, path)),
        4 => (0..3_usize).prop_map(|path| Step::Token(NOT_YET, path)),
        2 => (0..3_usize, prop::option::weighted(0.8, 0..SETS.len()))
            .prop_map(|(provider, set)| Step::Keys { provider, set }),
        1 => prop::option::of(0..LISTS.len()).prop_map(Step::List),
        2 => (-30..40_i64).prop_map(Step::Clock),
    ]
}

/// Decides the tokens among `steps` one after the other, with a cache or without one, and answers
/// the decisions and how many of them needed no verification.
fn decisions(steps: &[Step], cached: bool) -> (Vec<Decision>, usize) {
    let config = config();
    let engine = Engine::software();
    let capacity = if cached { 5 } else { 0 };
    let tokens = RefCell::new(TokenCache::new(capacity, RandomState::new()));
    let tally = Tally::default();
    let set = |index: usize| Rc::new(KeySet::parse(&SETS[index]).unwrap());
    let list = |index: usize| {
        let state = RandomState::new();
        let format = ListFormat::List;
        let list = RevocationList::parse(&LISTS[index], &ListReader { format, state });
        Rc::new(list.unwrap())
    };
    let mut sets: [Option<Rc<KeySet>>; 3] = [2; 3].map(|index| Some(set(index)));
    let mut listed = Some(list(0));
    let mut now = START;
    let mut decisions = Vec::new();
    for step in steps {
        match step {
            Step::Clock(passed) => now = now.saturating_add_signed(*passed),
            // Parsed anew each time: it is the material of a key that counts.
            Step::Keys { provider, set: new } => sets[*provider] = new.map(set),
            Step::List(new) => listed = new.map(list),
            Step::Token(index, path) => {
                let remote = |provider: &Provider| match &sets[provider.index] {
                    Some(set) => RemoteKeys::Ready {
                        what: Rc::clone(set),
                        may_grow: false,
                    },
                    None => RemoteKeys::Pending,
                };
                let lists = |_: &Provider| match &listed {
                    Some(list) => RemoteList::Ready {
                        what: Rc::clone(list),
                        may_grow: false,
                    },
                    None => RemoteList::Unavailable {
                        retry_after: Duration::from_secs(1),
                    },
                };
                let means = Means {
                    remote: &remote,
                    lists: &lists,
                    introspection: &|_, _| crate::introspection::Standing::Pending,
                    engine: &engine,
                    tokens: &tokens,
                    tally: &tally,
                };
                let credential = format!("Bearer {}", TOKENS[*index]).into_bytes();
                let request = Request {
                    target: PATHS[*path].as_bytes().into(),
                    authorization: vec![credential.into()],
                    ..Request::default()
                };
                decisions.push(gate(
                    &config,
                    &request,
                    means,
                    Timestamp::from_unix_secs(now),
                ));
            }
        }
    }
    let counts = tally.take();
    let hits = counts
        .iter()
        .find(|(counter, _)| *counter == Counter::CacheHit);
    (decisions, hits.map_or(0, |(_, count)| *count))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_cache_never_changes_a_verdict(steps in prop::collection::vec(step(), 1..60)) {
        let (with, _) = decisions(&steps, true);
        let (without, hits) = decisions(&steps, false);
        prop_assert_eq!(hits, 0);
        prop_assert_eq!(with, without);
    }
}

#[test]
fn a_key_that_takes_the_place_of_another_does_not_take_over_its_tokens() {
    let mut steps = vec![Step::Token(0, 2), Step::Token(0, 2)];
    for provider in [0, 2] {
        let set = Some(5);
        steps.push(Step::Keys { provider, set });
    }
    steps.push(Step::Token(0, 2));
    let (decisions, hits) = decisions(&steps, true);
    assert_eq!(decisions[2], Reason::Signature.into());
    assert_eq!(hits, 1);
}

#[test]
fn a_withdrawn_key_takes_its_tokens_with_it() {
    let admitted: Decision = Verdict::Admit(Admission {
        verified: true,
        headers: vec![HeaderChange::Remove("authorization".into())],
        ..Admission::default()
    })
    .into();
    let steps = [
        Step::Token(0, 1),
        Step::Token(0, 1),
        Step::Keys {
            provider: 2,
            set: Some(1),
        },
        Step::Token(0, 1),
        Step::Keys {
            provider: 2,
            set: Some(4),
        },
        Step::Token(0, 1),
    ];
    let (decisions, hits) = decisions(&steps, true);
    assert_eq!(decisions[..2], [admitted.clone(), admitted.clone()]);
    assert!(matches!(decisions[2], Decision::Settled(Verdict::Deny(_))));
    assert_eq!(decisions[3], admitted);
    assert_eq!(hits, 2);
}

#[test]
fn a_clock_that_is_put_back_is_believed() {
    let token = || Step::Token(NOT_YET, 1);
    let steps = [
        token(),
        Step::Clock(20),
        token(),
        token(),
        token(),
        Step::Clock(-11),
        token(),
        Step::Clock(1),
        token(),
    ];
    let (decisions, hits) = decisions(&steps, true);
    let refused: Vec<bool> = decisions
        .iter()
        .map(|decision| *decision == Reason::NotYetValid.into())
        .collect();
    assert_eq!(refused, [true, false, false, false, true, false]);
    assert_eq!(hits, 3);
}

#[test]
fn a_provider_that_comes_before_another_may_come_to_accept_its_token() {
    let steps: Vec<Step> = [20, 0, 0, 55, 0]
        .into_iter()
        .flat_map(|passed| [Step::Clock(passed), Step::Token(NOT_YET, 2)])
        .collect();
    let (decisions, _) = decisions(&steps, true);
    assert_eq!(decisions[..3], [0; 3].map(|_| decisions[0].clone()));
    assert_eq!(decisions[3], decisions[4]);
    assert_ne!(decisions[2], decisions[3]);
    assert_eq!(decisions, self::decisions(&steps, false).0);
}

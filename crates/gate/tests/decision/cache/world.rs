//! What the tests of the cache share: a policy, tokens, and a world that changes between requests.

use std::cell::RefCell;
use std::hash::RandomState;
use std::sync::LazyLock;
use std::time::Duration;

use gate::decision::{Context, Counts, Decision, Resources, decide};
use gate::fetching::Availability;
use gate::introspection::TokenStatus;
use gate::keys::KeySet;
use gate::policy::{Policy, Provider};
use gate::request::Request;
use gate::revocation::RevocationList;
use gate::token_cache::TokenCache;
use gate::verify::Engine;
use gate_fixtures::{ec_jwk, ed25519_jwk, oct_jwk, signed};
use serde_json::{Value, json};

use crate::support::{active, at, key_set, policy_with_secrets, revocation_list, with};

/// The time of the first step.
pub(super) const START: u64 = 1_700_000_000;

/// The policy of the tests, with `requirement` for [`RANDOM`].
///
/// The providers `a`, `b` and `c` have the same issuer, but their own keys and conditions; `c` also has
/// a revocation list. `l` and `q` have their keys in the configuration; `q` reads tokens from another
/// location. `i` introspects all tokens. The path selects the provider.
pub(super) fn policy(requirement: &Value) -> Policy {
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
    // This shows which of `a` and `c` accepted a token.
    let mut strict = remote("a", 0, 2);
    strict["forward_payload_header"] = "x-strict".into();
    let elsewhere = with(&local, &json!({"from_params": ["jwt"]}));
    let introspected = with(
        &local,
        &json!({"introspection": {
            "http_uri": {"uri": "http://i/introspect", "cluster": "i", "timeout": "3s"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
            "for": "all",
        }}),
    );
    let providers = json!({
        "a": strict, "b": remote("b", 60, 0), "c": listed, "i": introspected, "l": local,
        "q": elsewhere,
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
        of("/i", "i", json!([])),
        json!({"match": {"path": RANDOM}, "requires": requirement}),
        any("/two", &["c", "q"]),
        any("/", &["a", "b", "c", "l"]),
    ];
    policy_with_secrets(&json!({"providers": providers, "rules": rules}))
}

/// The path whose requirement is an argument of [`policy`].
const RANDOM: &str = "/random";

pub(super) const PATHS: [&str; 10] = [
    "/a",
    "/c",
    "/any?a=b",
    "/c?access_token=e30.e30.c2ln",
    "/two?jwt=e30.e30.c2ln",
    "/two",
    "/never",
    "/l",
    "/i",
    RANDOM,
];

/// Key sets that a server may publish one after the other: keys are withdrawn, renamed, restricted to
/// an algorithm, and replaced by others of the same name.
pub(super) static SETS: LazyLock<Vec<String>> = LazyLock::new(|| {
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
    .map(|set| set.to_string())
    .to_vec()
});

pub(super) static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
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
                tokens.push(signed(algorithm, &header, &payload));
            }
        }
    }
    let long = json!({"iss": "https://issuer.example", "aud": "a", "exp": START + 70, "pad": "x".repeat(400)});
    tokens.push(signed("ES256", &json!({"alg": "ES256"}), &long));
    assert_eq!(tokens.len(), NOT_YET);
    let later =
        json!({"iss": "https://issuer.example", "aud": "a", "exp": START + 200, "nbf": START + 70});
    tokens.push(signed(
        "ES256",
        &json!({"alg": "ES256", "kid": "ec"}),
        &later,
    ));
    let bound = json!({"iss": "https://issuer.example", "aud": "a", "exp": START + 70, "cnf": {}});
    tokens.push(signed("ES256", &json!({"alg": "ES256"}), &bound));
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

/// The index of the token that is not valid yet.
pub(super) const NOT_YET: usize = 25;

/// Revocation lists: an empty one, and one with two of the tokens above.
pub(super) static LISTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let signature = |token: &String| token.rsplit_once('.').unwrap().1.to_owned();
    let signatures: Vec<String> = TOKENS[..2].iter().map(signature).collect();
    [json!([]), json!(signatures)]
        .map(|tokens| json!({ "tokens": tokens }))
        .to_vec()
});

/// What happens between two requests, or a request.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A request with a token, for a path.
    Request { token: usize, path: usize },
    /// A request for [`RANDOM`] with one token in the `Authorization` header and one in the query.
    TwoTokens { header: usize, query: usize },
    /// The server of a provider publishes a key set, or has not published one yet.
    Keys { provider: usize, set: Option<usize> },
    /// The revocation list changes, or becomes unavailable.
    List(Option<usize>),
    /// The introspection endpoint says that all tokens are active or inactive, or has not answered.
    Active(Option<bool>),
    /// The clock goes on, or is set back.
    Clock(i64),
}

/// What has been fetched.
struct World {
    sets: [Availability<KeySet>; 3],
    list: Availability<RevocationList>,
    status: TokenStatus,
}

impl Resources for World {
    fn keys(&self, provider: &Provider) -> Availability<KeySet> {
        self.sets[provider.index].clone()
    }

    fn revocations(&self, _: &Provider) -> Availability<RevocationList> {
        self.list.clone()
    }

    fn introspection(&self, _: &Provider, _: &str) -> TokenStatus {
        self.status.clone()
    }
}

/// The decisions about the requests among `steps`, with a cache of `capacity` tokens.
pub(super) fn run(policy: &Policy, steps: &[Step], capacity: usize) -> Vec<(Decision, Counts)> {
    let engine = Engine::software();
    let tokens = RefCell::new(TokenCache::new(capacity, RandomState::new()));
    let mut world = World {
        sets: [2; 3].map(|index: usize| key_set(&SETS[index])),
        list: revocation_list(&LISTS[0]),
        status: TokenStatus::Pending,
    };
    let mut now = START;
    let mut decisions = Vec::new();
    for step in steps {
        let (token, target) = match step {
            Step::Clock(passed) => {
                now = now.saturating_add_signed(*passed);
                continue;
            }
            // Parsed again each time: the material of a key identifies it.
            Step::Keys { provider, set } => {
                world.sets[*provider] = match set {
                    Some(set) => key_set(&SETS[*set]),
                    None => Availability::Pending,
                };
                continue;
            }
            Step::List(list) => {
                let retry_after = Duration::from_secs(1);
                world.list = match list {
                    Some(list) => revocation_list(&LISTS[*list]),
                    None => Availability::Unavailable { retry_after },
                };
                continue;
            }
            Step::Active(status) => {
                world.status = match status {
                    Some(true) => active(&json!({"active": true})),
                    Some(false) => TokenStatus::Inactive,
                    None => TokenStatus::Pending,
                };
                continue;
            }
            Step::Request { token, path } => (token, PATHS[*path].to_owned()),
            Step::TwoTokens { header, query } => {
                (header, format!("{RANDOM}?jwt={}", TOKENS[*query]))
            }
        };
        let context = Context {
            resources: &world,
            engine: &engine,
            tokens: &tokens,
            proof_keys: &RefCell::default(),
        };
        let credential = format!("Bearer {}", TOKENS[*token]).into_bytes();
        let request = Request {
            target: target.into_bytes().into(),
            authorization: vec![credential.into()],
            ..Request::default()
        };
        let decided = decide(policy, &request, &context, at(now));
        decisions.push((decided.decision, decided.counts));
    }
    decisions
}

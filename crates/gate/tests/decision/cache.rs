//! The cache of verified tokens changes no decision: a known token is decided exactly as an unknown
//! one.

mod world;

use std::time::Duration;

use gate::decision::{Counts, Decision};
use gate::fetching::Availability;
use gate::introspection::TokenStatus;
use gate::reason::ReasonKind;
use gate_fixtures::{ec_jwk, key_set as full, rs256};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    Gate, NOW, Outcome, active, at, bearing, good, key_set, policy_of, policy_with_secrets,
    provider, ready, revocation_list, with,
};
use world::{LISTS, NOT_YET, PATHS, SETS, Step, TOKENS, policy, run};

/// The index of [`PATHS`] whose requirement is random.
const RANDOM: usize = PATHS.len() - 1;

fn step() -> impl Strategy<Value = Step> {
    let request = |token, path| Step::Request { token, path };
    prop_oneof![
        6 => (0..TOKENS.len(), 0..PATHS.len()).prop_map(move |(token, path)| request(token, path)),
        // The same few again and again.
        12 => (0..4_usize, 0..PATHS.len()).prop_map(move |(token, path)| request(token, path)),
        4 => (0..3_usize).prop_map(move |path| request(NOT_YET, path)),
        6 => (0..16_usize).prop_map(move |token| request(token, RANDOM)),
        4 => (0..16_usize, 0..16_usize).prop_map(|(header, query)| Step::TwoTokens { header, query }),
        2 => (0..3_usize, prop::option::weighted(0.8, 0..SETS.len()))
            .prop_map(|(provider, set)| Step::Keys { provider, set }),
        // The tokens above are signed by a key of one set, and the other has another key of its name.
        2 => (0..3_usize, prop::sample::select(vec![2, 5]))
            .prop_map(|(provider, set)| Step::Keys { provider, set: Some(set) }),
        1 => prop::option::of(0..LISTS.len()).prop_map(Step::List),
        1 => prop::option::of(any::<bool>()).prop_map(Step::Active),
        2 => (-30..40_i64).prop_map(Step::Clock),
    ]
}

/// A requirement of any shape.
fn requirement() -> impl Strategy<Value = Value> {
    let provider = prop::sample::select(vec!["a", "b", "c", "i", "l", "q"]);
    let provider = provider.prop_map(|name| json!({"provider_name": name}));
    let leaf = prop_oneof![
        6 => provider.clone(),
        1 => provider.prop_map(|mut requirement| {
            requirement["claims"] = json!([{"claim_name": "aud", "exact": "a"}]);
            requirement
        }),
        1 => Just(json!({"allow_missing": {}})),
        1 => Just(json!({"allow_missing_or_failed": {}})),
        1 => Just(json!({"extract_only_without_validation": {}})),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let list = prop::collection::vec(inner, 1..4);
        let any = |list| json!({"requires_any": {"requirements": Value::Array(list)}});
        let all = |list| json!({"requires_all": {"requirements": Value::Array(list)}});
        prop_oneof![2 => list.clone().prop_map(any), 1 => list.prop_map(all)]
    })
}

/// The decisions about `steps` with a small cache, and how often it knew the token.
fn with_cache(steps: &[Step]) -> (Vec<Decision>, u32) {
    let decided = run(&policy(&json!({"provider_name": "a"})), steps, 5);
    let hits = decided.iter().map(|(_, counts)| counts.cache_hits).sum();
    let decisions = decided.into_iter().map(|(decision, _)| decision);
    (decisions.collect(), hits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_known_token_is_decided_as_an_unknown_one(
        requirement in requirement(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let policy = policy(&requirement);
        let (with, without) = (run(&policy, &steps, 5), run(&policy, &steps, 0));
        for (with, without) in with.iter().zip(&without) {
            prop_assert_eq!(&with.0, &without.0);
            prop_assert_eq!(without.1.cache_hits, 0);
        }
        prop_assert_eq!(with.len(), without.len());
    }
}

/// A request for [`PATHS`]`[path]`.
fn token(token: usize, path: usize) -> Step {
    Step::Request { token, path }
}

#[test]
fn a_key_that_replaces_another_does_not_verify_its_tokens() {
    let mut steps = vec![token(0, 2), token(0, 2)];
    for provider in [0, 2] {
        let set = Some(5);
        steps.push(Step::Keys { provider, set });
    }
    steps.push(token(0, 2));
    let (decisions, hits) = with_cache(&steps);
    assert_eq!(
        Outcome::from(decisions[2].clone()),
        Outcome::Deny(ReasonKind::Signature)
    );
    assert_eq!(hits, 1);
}

#[test]
fn a_withdrawn_key_verifies_no_known_token() {
    let keys = |set| Step::Keys {
        provider: 2,
        set: Some(set),
    };
    let steps = [
        token(0, 1),
        token(0, 1),
        keys(1),
        token(0, 1),
        keys(4),
        token(0, 1),
    ];
    let (decisions, hits) = with_cache(&steps);
    let outcomes: Vec<Outcome> = decisions.into_iter().map(Outcome::from).collect();
    assert_eq!(outcomes[..2], [Outcome::admitted(), Outcome::admitted()]);
    assert!(outcomes[2].is_denied());
    assert_eq!(outcomes[3], Outcome::admitted());
    assert_eq!(hits, 2);
}

#[test]
fn a_known_token_is_not_valid_yet_after_the_clock_is_set_back() {
    let steps = [
        token(NOT_YET, 1),
        Step::Clock(20),
        token(NOT_YET, 1),
        token(NOT_YET, 1),
        token(NOT_YET, 1),
        Step::Clock(-11),
        token(NOT_YET, 1),
        Step::Clock(1),
        token(NOT_YET, 1),
    ];
    let (decisions, hits) = with_cache(&steps);
    let outcomes: Vec<Outcome> = decisions.into_iter().map(Outcome::from).collect();
    let refused = Outcome::Deny(ReasonKind::NotYetValid);
    let refused: Vec<bool> = outcomes.iter().map(|outcome| *outcome == refused).collect();
    assert_eq!(refused, [true, false, false, false, true, false]);
    assert_eq!(hits, 3);
}

#[test]
fn a_known_token_may_be_accepted_by_an_earlier_provider_later() {
    let steps: Vec<Step> = [20, 0, 0, 55, 0]
        .into_iter()
        .flat_map(|passed| [Step::Clock(passed), token(NOT_YET, 2)])
        .collect();
    let (decisions, _) = with_cache(&steps);
    assert_eq!(decisions[..3], [0; 3].map(|_| decisions[0].clone()));
    assert_eq!(decisions[3], decisions[4]);
    assert_ne!(decisions[2], decisions[3]);
}

#[test]
fn a_known_token_is_checked_on_each_request() {
    let remote = |fields: Value| {
        with(
            &json!({
                "issuer": "https://issuer.example",
                "remote_jwks": {"http_uri": {"uri": "http://a/jwks", "cluster": "a"}},
            }),
            &fields,
        )
    };
    let policy = policy_with_secrets(&json!({
        "providers": {
            "p": remote(json!({
                "revocation": {"http_uri": {"uri": "http://a/revoked", "cluster": "a"}},
                "introspection": {
                    "http_uri": {"uri": "http://a/introspect", "cluster": "a"},
                    "client_id": "gate",
                    "client_secret_environment_variable": "SECRET",
                    "for": "all",
                },
            })),
            "q": remote(json!({"audiences": ["other"]})),
        },
        "rules": [
            {"match": {"path": "/"}, "requires": {"provider_name": "p"}},
            {"match": {"path": "/write"}, "requires": {"provider_name": "p", "scopes": ["write"]}},
            {"match": {"path": "/other"}, "requires": {"provider_name": "q"}},
        ],
    }));
    let payload = json!({
        "iss": "https://issuer.example", "aud": "api", "scope": "read", "jti": "one",
        "exp": NOW + 100,
    });
    let request = bearing(&rs256(&json!({"alg": "RS256", "kid": "rsa"}), &payload));
    let known = || {
        let list = revocation_list(&json!({"tokens": []}));
        let gate = Gate::new()
            .keys(|_| key_set(&full()))
            .revocations(move |_| list.clone())
            .introspection(|_, _| active(&json!({"active": true})));
        let admitted = gate.decide(&policy, &request);
        assert_eq!(admitted, Outcome::admitted());
        assert_eq!(gate.cached_tokens(), 1);
        gate
    };
    let path = |path: &'static str| {
        let mut request = request.clone();
        request.target = path.as_bytes().into();
        request
    };
    let hit = Counts {
        cache_hits: 1,
        ..Counts::default()
    };
    let none = Counts::default();
    let revoked = revocation_list(&json!({"tokens": ["one"]}));
    let other_key = json!({"keys": [ec_jwk()]}).to_string();
    for (gate, request, expected, counts) in [
        (known(), path("/"), None, hit),
        (known().at(at(NOW + 159)), path("/"), None, hit),
        (
            known().at(at(NOW + 160)),
            path("/"),
            Some(ReasonKind::Expired),
            none,
        ),
        (known(), path("/write"), Some(ReasonKind::Scope), hit),
        (known(), path("/other"), Some(ReasonKind::Audience), none),
        (
            known().keys(move |_| key_set(&other_key)),
            path("/"),
            Some(ReasonKind::UnknownKey),
            none,
        ),
        (
            known().keys(|_| Availability::Unavailable {
                retry_after: Duration::from_secs(1),
            }),
            path("/"),
            Some(ReasonKind::KeysUnavailable),
            none,
        ),
        (
            known().revocations(move |_| revoked.clone()),
            path("/"),
            Some(ReasonKind::Revoked),
            hit,
        ),
        (
            known().introspection(|_, _| TokenStatus::Inactive),
            path("/"),
            Some(ReasonKind::Inactive),
            hit,
        ),
    ] {
        let decided = gate.decided(&policy, &request);
        let expected = expected.map_or_else(Outcome::admitted, Outcome::Deny);
        assert_eq!(Outcome::from(decided.decision), expected);
        assert_eq!(decided.counts, counts, "{expected:?}");
    }
}

#[test]
fn only_a_token_with_a_valid_signature_is_cached() {
    let policy = policy_of(&provider());
    let good = good();
    let gate = Gate::new().keys(ready);
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    assert_eq!(
        gate.decide(&policy, &bearing(&forged)),
        Outcome::Deny(ReasonKind::Signature)
    );
    assert_eq!(gate.cached_tokens(), 0);
    assert_eq!(gate.decide(&policy, &bearing(&good)), Outcome::admitted());
    assert_eq!(gate.cached_tokens(), 1);
    // Neither is a longer text with the same beginning.
    let longer = bearing(&format!("{good}A"));
    assert!(gate.decide(&policy, &longer).is_denied());
    assert_eq!(gate.cached_tokens(), 1);
}

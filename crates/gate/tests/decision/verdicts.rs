use std::hash::RandomState;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::fixtures::{es256, full_key_set, key_set, rs256};

mod signatures;

const NOW: u64 = 1_700_000_000;

fn provider() -> Value {
    json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "remote_jwks": {
            "http_uri": {"uri": "https://issuer.example/jwks", "cluster": "issuer", "timeout": "3s"},
        },
    })
}

fn config() -> Config {
    parse(&json!({"providers": {"p": provider()}}))
}

fn parse(config: &Value) -> Config {
    Config::from_json(config.to_string().as_bytes()).unwrap()
}

fn payload() -> Value {
    json!({"iss": "https://issuer.example", "aud": "https://api.example", "exp": NOW + 3600})
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn good() -> String {
    rs256(&json!({"alg": "RS256", "kid": "rsa"}), &payload())
}

fn bearing(token: &str) -> Request<'static> {
    Request {
        method: b"GET".into(),
        target: b"/".into(),
        authorization: vec![format!("Bearer {token}").into_bytes().into()],
        ..Request::default()
    }
}

fn ready(_: &Provider) -> RemoteKeys {
    of(&key_set())
}

fn of(key_set: &str) -> RemoteKeys {
    RemoteKeys::Ready {
        what: Rc::new(KeySet::parse(key_set.as_bytes()).unwrap()),
        may_grow: false,
    }
}

fn growing(_: &Provider) -> RemoteKeys {
    RemoteKeys::Ready {
        what: Rc::new(KeySet::parse(key_set().as_bytes()).unwrap()),
        may_grow: true,
    }
}

fn pending(_: &Provider) -> RemoteKeys {
    RemoteKeys::Pending
}

fn unavailable(_: &Provider) -> RemoteKeys {
    RemoteKeys::Unavailable {
        retry_after: Duration::from_secs(7),
    }
}

/// Decides at the time `NOW`.
fn gated(config: &Config, request: &Request, remote: impl Fn(&Provider) -> RemoteKeys) -> Decision {
    let means = Means {
        remote: &remote,
        lists: &|_| RemoteList::Pending,
        introspection: &|_, _| crate::introspection::Standing::Pending,
        engine: &Engine::software(),
        tokens: &RefCell::new(TokenCache::new(16, RandomState::new())),
        tally: &Tally::default(),
    };
    gate(config, request, means, Timestamp::from_unix_secs(NOW))
}

fn decide(token: &str) -> Decision {
    gated(&config(), &bearing(token), ready)
}

fn denied(reason: Reason) -> Decision {
    reason.into()
}

/// The admission of a token that the upstream does not get to see.
static ADMITTED: LazyLock<Decision> = LazyLock::new(|| {
    Decision::Settled(Verdict::Admit(Admission {
        verified: true,
        headers: vec![HeaderChange::Remove("authorization".into())],
        ..Admission::default()
    }))
});

#[test]
fn good_tokens_of_both_algorithms_are_admitted() {
    assert_eq!(decide(&good()), *ADMITTED);
    assert_eq!(
        decide(&es256(&json!({"alg": "ES256", "kid": "ec"}), &payload())),
        *ADMITTED
    );
}

#[test]
fn a_token_that_was_admitted_is_familiar_afterwards() {
    let tokens = RefCell::new(TokenCache::new(16, RandomState::new()));
    let means = Means {
        remote: &ready,
        lists: &|_| RemoteList::Pending,
        introspection: &|_, _| crate::introspection::Standing::Pending,
        engine: &Engine::software(),
        tokens: &tokens,
        tally: &Tally::default(),
    };
    let now = Timestamp::from_unix_secs(NOW);
    let good = good();
    for (token, expected) in [
        (&good, &*ADMITTED),
        (&format!("{good}A"), &denied(Reason::Signature)),
    ] {
        assert_eq!(gate(&config(), &bearing(token), means, now), *expected);
        let familiar = tokens.borrow_mut().familiar(token.as_bytes()).is_some();
        assert_eq!(familiar, *expected == *ADMITTED);
    }
}

#[test]
fn a_token_without_a_kid_is_tried_with_the_keys_that_fit() {
    assert_eq!(
        decide(&rs256(&json!({"alg": "RS256"}), &payload())),
        *ADMITTED
    );
    assert_eq!(
        decide(&es256(&json!({"alg": "ES256"}), &payload())),
        *ADMITTED
    );
}

#[test]
fn what_the_header_says_of_keys_is_not_believed() {
    for header in [
        json!({"alg": "RS256", "kid": "rsa", "jwk": crate::fixtures::rsa_jwk()}),
        json!({"alg": "RS256", "kid": "rsa", "jku": "https://evil.example", "x5c": 1}),
    ] {
        assert_eq!(decide(&rs256(&header, &payload())), *ADMITTED);
    }
    for (header, reason) in [
        (
            json!({"alg": "RS256", "kid": "other", "jwk": crate::fixtures::rsa_jwk()}),
            Reason::UnknownKey,
        ),
        (json!({"alg": "RS256", "kid": "ec"}), Reason::UnknownKey),
        (json!({"alg": "ES256", "kid": "rsa"}), Reason::UnknownKey),
        (json!({"alg": "ES256", "kid": "ec"}), Reason::Signature),
        (json!({"alg": "none", "kid": "rsa"}), Reason::Algorithm),
    ] {
        assert_eq!(
            decide(&rs256(&header, &payload())),
            denied(reason),
            "{header}"
        );
    }
}

#[test]
fn claims_are_checked_before_any_key_is_asked_for() {
    let header = json!({"alg": "RS256", "kid": "rsa"});
    for (payload, reason) in [
        (with(payload(), "exp", json!(NOW - 3600)), Reason::Expired),
        (with(payload(), "iss", json!("x")), Reason::Issuer),
        (with(payload(), "aud", json!("x")), Reason::Audience),
        (
            with(payload(), "nbf", json!(NOW + 3600)),
            Reason::NotYetValid,
        ),
    ] {
        let request = bearing(&rs256(&header, &payload));
        assert_eq!(gated(&config(), &request, pending), denied(reason));
    }
}

#[test]
fn a_bound_token_is_refused_but_only_once_it_is_known_to_be_one() {
    let bound = with(payload(), "cnf", json!({"x5t#S256": "AA"}));
    let header = json!({"alg": "RS256", "kid": "rsa"});
    assert_eq!(
        decide(&rs256(&header, &bound)),
        denied(Reason::SenderConstraint)
    );
    let unknown = json!({"alg": "RS256", "kid": "?"});
    assert_eq!(decide(&rs256(&unknown, &bound)), denied(Reason::UnknownKey));
}

fn waits_for_keys() -> Decision {
    Decision::Wait(Wait {
        at_most: Duration::from_secs(3),
        otherwise: Reason::KeysUnavailable,
    })
}

#[test]
fn without_keys_a_good_token_waits_or_is_put_off() {
    let wait = waits_for_keys();
    assert_eq!(gated(&config(), &bearing(&good()), pending), wait);
    let put_off = Denial {
        retry_after: Some(Duration::from_secs(7)),
        ..Reason::KeysUnavailable.into()
    }
    .into();
    assert_eq!(gated(&config(), &bearing(&good()), unavailable), put_off);
}

#[test]
fn an_unknown_kid_waits_only_while_the_set_may_grow() {
    let wait = waits_for_keys();
    let token = |kid: &str| rs256(&json!({"alg": "RS256", "kid": kid}), &payload());
    let unknown = bearing(&token("new"));
    assert_eq!(gated(&config(), &unknown, growing), wait);
    assert_eq!(
        gated(&config(), &unknown, ready),
        denied(Reason::UnknownKey)
    );
    // A key that is there decides at once, whatever may come.
    assert_eq!(gated(&config(), &bearing(&good()), growing), *ADMITTED);
    let es256_by_rsa = rs256(&json!({"alg": "ES256", "kid": "ec"}), &payload());
    assert_eq!(
        gated(&config(), &bearing(&es256_by_rsa), growing),
        denied(Reason::Signature)
    );
}

#[test]
fn an_unnamed_key_stands_in_for_any_name_and_then_a_bad_signature_is_no_unknown_key() {
    let mut unnamed = crate::fixtures::rsa_jwk();
    unnamed.as_object_mut().unwrap().remove("kid");
    let keys = Rc::new(KeySet::parse(json!({ "keys": [unnamed] }).to_string().as_bytes()).unwrap());
    let growing = |_: &Provider| RemoteKeys::Ready {
        what: Rc::clone(&keys),
        may_grow: true,
    };
    let good = rs256(&json!({"alg": "RS256", "kid": "any"}), &payload());
    assert_eq!(gated(&config(), &bearing(&good), growing), *ADMITTED);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{input}.{}", "A".repeat(signature.len()));
    assert_eq!(
        gated(&config(), &bearing(&forged), growing),
        denied(Reason::Signature)
    );
}

#[test]
fn a_request_without_a_usable_credential_needs_no_keys() {
    let mut request = bearing("a.b.c");
    assert_eq!(
        gated(&config(), &request, pending),
        denied(Reason::MalformedToken)
    );
    request.authorization.push(b"Basic x".into());
    assert_eq!(
        gated(&config(), &request, pending),
        denied(Reason::SeveralTokens)
    );
    request.authorization.clear();
    assert_eq!(gated(&config(), &request, pending), denied(Reason::Missing));
}

#[test]
fn a_key_of_one_issuer_never_verifies_a_token_of_another() {
    let mut other = provider();
    other["issuer"] = json!("https://other.example");
    other["remote_jwks"]["http_uri"]["cluster"] = json!("other");
    let config = parse(&json!({"providers": {"p": provider(), "q": other}}));
    let only_ps = |provider: &Provider| match provider.name.as_str() {
        "p" => ready(provider),
        _ => of(&json!({"keys": [crate::fixtures::ec_jwk()]}).to_string()),
    };
    let header = json!({"alg": "RS256", "kid": "rsa"});
    assert_eq!(
        gated(&config, &bearing(&rs256(&header, &payload())), only_ps),
        *ADMITTED
    );
    let others = with(payload(), "iss", json!("https://other.example"));
    let decision = gated(&config, &bearing(&rs256(&header, &others)), only_ps);
    assert_eq!(decision, denied(Reason::UnknownKey));
}

#[test]
fn of_several_refusals_the_most_telling_is_given() {
    let mut other = provider();
    other["issuer"] = json!("https://other.example");
    let expired = rs256(&json!({"alg": "RS256"}), &with(payload(), "exp", json!(1)));
    for order in [["p", "q"], ["q", "p"]] {
        let mut providers = serde_json::Map::new();
        for name in order {
            let known = if name == "p" {
                provider()
            } else {
                other.clone()
            };
            providers.insert(name.to_owned(), known);
        }
        let config = parse(&json!({ "providers": providers }));
        assert_eq!(
            gated(&config, &bearing(&expired), ready),
            denied(Reason::Expired)
        );
    }
}

#[test]
fn a_token_that_may_yet_be_good_waits_although_another_provider_refuses_it() {
    let mut local = provider();
    let local = local.as_object_mut().unwrap();
    local.remove("remote_jwks");
    let ec_only = json!({"keys": [crate::fixtures::ec_jwk()]}).to_string();
    local.insert("local_jwks".to_owned(), json!({ "inline_string": ec_only }));
    let config = parse(&json!({"providers": {"local": local, "remote": provider()}}));
    let decision = gated(&config, &bearing(&good()), pending);
    assert_eq!(decision, waits_for_keys());
}

#[test]
fn preflights_pass_only_where_the_operator_lets_them() {
    let headers = [
        (":method", "OPTIONS"),
        (":path", "/"),
        ("origin", "https://console.example"),
        ("access-control-request-method", "GET"),
    ];
    let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let preflight = Request::from_headers(headers);
    assert_eq!(gated(&config(), &preflight, ready), denied(Reason::Missing));
    let lenient = parse(&json!({"providers": {"p": provider()}, "bypass_cors_preflight": true}));
    assert_eq!(gated(&lenient, &preflight, ready), Verdict::Pass.into());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_header_panics_or_passes(header: Vec<u8>, target: Vec<u8>) {
        let request = Request {
            authorization: vec![header.into()],
            target: target.into(),
            ..Request::default()
        };
        let decision = gated(&config(), &request, ready);
        proptest::prop_assert!(matches!(decision, Decision::Settled(Verdict::Deny(_))));
    }
}

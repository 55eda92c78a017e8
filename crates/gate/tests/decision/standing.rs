//! What streams stand on that end with their tokens.

use std::cell::RefCell;
use std::rc::Rc;

use gate::decision::{Resources, StandingToken};
use gate::fetching::Availability;
use gate::introspection::TokenStatus;
use gate::keys::KeySet;
use gate::policy::Provider;
use gate::reason::{Reason, ReasonKind};
use gate::revocation::RevocationList;
use gate::time::Timestamp;
use gate::verify::Engine;
use serde_json::{Value, json};

use crate::support::{
    Gate, NOW, active, at, bearing, good, key_set, payload, policy_with_secrets, provider, ready,
    revocation_list, with,
};

/// What a server says later.
struct Later {
    keys: Availability<KeySet>,
    list: Availability<RevocationList>,
}

impl Resources for Later {
    fn keys(&self, _: &Provider) -> Availability<KeySet> {
        self.keys.clone()
    }

    fn revocations(&self, _: &Provider) -> Availability<RevocationList> {
        self.list.clone()
    }

    fn introspection(&self, _: &Provider, _: &str) -> TokenStatus {
        TokenStatus::Pending
    }
}

fn standing(fields: &Value, token: &str) -> Vec<StandingToken> {
    let mut config = json!({"providers": {"p": with(&provider(), fields)}});
    config["end_streams_with_token"] = true.into();
    let policy = policy_with_secrets(&config);
    let response =
        json!({"active": true, "exp": NOW + 100, "aud": "https://api.example", "jti": "one"});
    let gate = Gate::new()
        .keys(ready)
        .revocations(|_| revocation_list(&json!({"tokens": []})))
        .introspection(move |_, _| active(&response));
    gate.decided(&policy, &bearing(token)).standing
}

fn list(document: Value) -> Later {
    Later {
        keys: Availability::Pending,
        list: revocation_list(&document),
    }
}

fn check(token: &StandingToken, later: &Later) -> Option<ReasonKind> {
    let result = token.check_documents(later, &Engine::software());
    result.err().map(|reason| reason.kind())
}

fn revocation() -> Value {
    json!({"revocation": {"http_uri": {"uri": "http://a/revoked", "cluster": "a"}}})
}

#[test]
fn nothing_is_kept_unless_streams_end_with_their_tokens() {
    for (fields, expected) in [
        (json!({}), 0),
        (json!({"end_streams_with_token": true}), 1),
        (
            json!({"end_streams_with_token": true, "report_only": true}),
            0,
        ),
    ] {
        let config = with(&json!({"providers": {"p": provider()}}), &fields);
        let policy = policy_with_secrets(&config);
        let decided = Gate::new().keys(ready).decided(&policy, &bearing(&good()));
        assert_eq!(decided.standing.len(), expected, "{fields}");
        let refused = Gate::new().keys(ready).decided(&policy, &bearing("a.b.c"));
        assert!(refused.standing.is_empty());
    }
}

#[test]
fn a_token_stands_on_the_provider_that_accepted_it() {
    for (accepting, other) in [("a", "b"), ("b", "a")] {
        let mut config = json!({"end_streams_with_token": true, "providers": {}});
        config["providers"][accepting] = provider();
        config["providers"][other] = with(&provider(), &json!({"issuer": "https://other.example"}));
        let policy = policy_with_secrets(&config);
        let decided = Gate::new().keys(ready).decided(&policy, &bearing(&good()));
        let [token] = &*decided.standing else {
            panic!("{:?}", decided.standing);
        };
        assert_eq!(token.provider(), policy.provider(accepting).unwrap().index);
        let shown = format!("{token:?}");
        assert!(
            shown.contains(&format!("provider: {accepting:?}")),
            "{shown}"
        );
        assert!(!shown.contains(&good()), "{shown}");
    }
}

#[test]
fn a_token_stands_until_it_expires_clock_skew_included() {
    let tokens = standing(&json!({"clock_skew_seconds": 10}), &good());
    let end = NOW + 3600 + 10;
    assert_eq!(tokens[0].expiration(), at(end));
    assert_eq!(tokens[0].check_time(at(end - 1)), Ok(()));
    let (exp, now) = (at(NOW + 3600), at(end));
    assert_eq!(tokens[0].check_time(now), Err(Reason::Expired { exp, now }));
}

#[test]
fn a_token_that_never_expires_stands_for_ever() {
    let token = gate_fixtures::rs256(
        &json!({"alg": "RS256", "kid": "rsa"}),
        &json!({"iss": "https://issuer.example", "aud": "https://api.example"}),
    );
    let tokens = standing(&json!({"require_expiration": false}), &token);
    assert_eq!(tokens[0].expiration(), Timestamp::END);
    assert_eq!(tokens[0].check_time(at(NOW * 2)), Ok(()));
}

#[test]
fn a_token_falls_with_its_key_and_an_outage_changes_nothing() {
    let tokens = standing(&json!({}), &good());
    let unavailable = Availability::Unavailable {
        retry_after: std::time::Duration::ZERO,
    };
    let others = json!({"keys": [gate_fixtures::p384_jwk()]}).to_string();
    for (keys, expected) in [
        (ready(&any_provider()), None),
        (key_set(&others), Some(ReasonKind::UnknownKey)),
        (Availability::Pending, None),
        (unavailable, None),
    ] {
        let list = Availability::Pending;
        assert_eq!(check(&tokens[0], &Later { keys, list }), expected);
    }
}

/// Any provider: what the scripted key set does not look at.
fn any_provider() -> Rc<Provider> {
    let config = json!({"providers": {"p": provider()}});
    Rc::clone(&policy_with_secrets(&config).providers[0])
}

#[test]
fn a_token_falls_when_a_list_names_it_its_client_or_its_signature() {
    let header = json!({"alg": "RS256", "kid": "rsa"});
    let named = with(
        &payload(),
        &json!({"jti": "one", "client_id": "app", "iat": NOW}),
    );
    let named = standing(&revocation(), &gate_fixtures::rs256(&header, &named));
    for (document, expected) in [
        (json!({"tokens": ["two"]}), None),
        (json!({"tokens": ["one"]}), Some(ReasonKind::Revoked)),
        (json!({"clients": {"app": NOW}}), None),
        (
            json!({"clients": {"app": NOW + 1}}),
            Some(ReasonKind::Revoked),
        ),
    ] {
        assert_eq!(
            check(&named[0], &list(document.clone())),
            expected,
            "{document}"
        );
    }
    let token = good();
    let (_, signature) = token.rsplit_once('.').unwrap();
    let unnamed = standing(&revocation(), &token);
    let document = json!({"tokens": [signature]});
    assert_eq!(
        check(&unnamed[0], &list(document)),
        Some(ReasonKind::Revoked)
    );
}

#[test]
fn an_opaque_token_stands_as_long_as_the_answer_about_it() {
    let fields = json!({
        "remote_jwks": null,
        "introspection": {
            "http_uri": {"uri": "http://a/introspect", "cluster": "a"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
        },
    });
    let tokens = standing(&with(&revocation(), &fields), "opaque");
    assert_eq!(tokens[0].expiration(), at(NOW + 100 + 60));
    let revoked = list(json!({"tokens": ["one"]}));
    assert_eq!(check(&tokens[0], &revoked), Some(ReasonKind::Revoked));
    let debug = format!("{:?}", RefCell::new(&tokens[0]));
    assert!(!debug.contains("opaque"), "{debug}");
}

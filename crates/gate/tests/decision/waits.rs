//! What a request waits for, for how long, and what it is refused for otherwise.

use std::time::Duration;

use gate::decision::{Decision, Dependency, Wait};
use gate::policy::Policy;
use gate::reason::Reason;
use gate::request::Request;
use gate_fixtures::{key_set, rs256};
use serde_json::{Value, json};

use crate::support::{
    Gate, Outcome, active, bearing, good, newer_possible, payload, policy_with_secrets, provider,
    ready, revocation_list, with,
};

/// A provider with remote keys, whose timeout is `secs`.
fn remote(secs: u64) -> Value {
    let mut provider = provider();
    provider["remote_jwks"]["http_uri"]["timeout"] = json!(format!("{secs}s"));
    provider
}

/// `provider` with a revocation list, whose timeout is two seconds.
fn with_list(provider: Value) -> Value {
    let revocation = json!({
        "http_uri": {"uri": "https://issuer.example/revoked", "cluster": "issuer", "timeout": "2s"},
    });
    with(&provider, &json!({ "revocation": revocation }))
}

/// `provider` with an introspection endpoint for all tokens, whose timeout is five seconds.
fn with_introspection(provider: Value) -> Value {
    let introspection = json!({
        "http_uri": {"uri": "https://issuer.example/introspect", "cluster": "issuer", "timeout": "5s"},
        "client_id": "gate",
        "client_secret_environment_variable": "SECRET",
        "for": "all",
    });
    with(&provider, &json!({ "introspection": introspection }))
}

/// `provider` with its keys in the configuration.
fn local(mut provider: Value) -> Value {
    provider.as_object_mut().unwrap().remove("remote_jwks");
    with(
        &provider,
        &json!({"local_jwks": {"inline_string": key_set()}}),
    )
}

/// A policy with these providers, in the order of their names, and this requirement.
fn policy(providers: &Value, requires: &Value) -> Policy {
    policy_with_secrets(&json!({
        "providers": providers,
        "rules": [{"match": {"prefix": "/"}, "requires": requires}],
    }))
}

/// A policy with this provider only.
fn policy_of(provider: Value) -> Policy {
    policy(&json!({ "p": provider }), &json!({"provider_name": "p"}))
}

fn wait(gate: &Gate, policy: &Policy, request: &Request) -> Wait {
    match gate.decision(policy, request) {
        Decision::Wait(wait) => wait,
        other => panic!("does not wait: {other:?}"),
    }
}

const RETRY_AFTER: Duration = Duration::from_secs(1);

const fn keys_unavailable() -> Reason {
    Reason::KeysUnavailable {
        retry_after: RETRY_AFTER,
    }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn a_request_waits_for_the_first_key_set() {
    let wait = wait(&Gate::new(), &policy_of(remote(3)), &bearing(&good()));
    assert_eq!(
        wait,
        Wait {
            on: vec![Dependency::Keys(0)],
            timeout: secs(3),
            unavailable: keys_unavailable(),
        }
    );
}

#[test]
fn a_request_with_an_unknown_kid_waits_for_newer_keys() {
    let unknown = rs256(&json!({"alg": "RS256", "kid": "new"}), &payload());
    let gate = Gate::new().keys(newer_possible);
    let wait = wait(&gate, &policy_of(remote(3)), &bearing(&unknown));
    assert_eq!(
        wait,
        Wait {
            on: vec![Dependency::NewerKeys(0)],
            timeout: secs(3),
            unavailable: keys_unavailable(),
        }
    );
}

#[test]
fn a_request_waits_for_the_revocation_list_after_its_signature_verified() {
    let (policy, request) = (policy_of(with_list(remote(3))), bearing(&good()));
    let gate = Gate::new();
    assert_eq!(wait(&gate, &policy, &request).on, [Dependency::Keys(0)]);
    assert_eq!(
        wait(&gate.keys(ready), &policy, &request),
        Wait {
            on: vec![Dependency::Revocations(0)],
            timeout: secs(2),
            unavailable: Reason::RevocationUnavailable {
                retry_after: RETRY_AFTER,
            },
        }
    );
}

#[test]
fn a_request_waits_for_the_introspection_of_its_token() {
    let token = good();
    let on = Dependency::Introspection {
        provider: 0,
        token: token.as_str().into(),
    };
    // A provider with remote keys also gives the time that the keys may have taken before.
    for (provider, timeout) in [(local(remote(3)), secs(5)), (remote(3), secs(8))] {
        let policy = policy_of(with_introspection(provider));
        let wait = wait(&Gate::new().keys(ready), &policy, &bearing(&token));
        assert_eq!(
            wait,
            Wait {
                on: vec![on.clone()],
                timeout,
                unavailable: Reason::IntrospectionUnavailable {
                    retry_after: RETRY_AFTER,
                },
            }
        );
    }
}

fn each(names: &[&str]) -> Value {
    let each = names.iter().map(|name| json!({"provider_name": name}));
    each.collect()
}

fn any(names: &[&str]) -> Value {
    json!({"requires_any": {"requirements": each(names)}})
}

fn all(names: &[&str]) -> Value {
    json!({"requires_all": {"requirements": each(names)}})
}

#[test]
fn a_request_with_alternatives_waits_for_all_that_may_decide_it() {
    let providers =
        json!({"a": remote(2), "b": remote(4), "c": with_introspection(local(remote(1)))});
    let policy_of = |names: &[&str]| policy(&providers, &any(names));
    let token = good();
    let request = bearing(&token);
    let introspection = Dependency::Introspection {
        provider: 2,
        token: token.as_str().into(),
    };
    let gate = Gate::new();
    let both = wait(&gate, &policy_of(&["a", "b"]), &request);
    assert_eq!(both.on, [Dependency::Keys(0), Dependency::Keys(1)]);
    assert_eq!(
        (both.timeout, both.unavailable),
        (secs(4), keys_unavailable())
    );
    // The longest of the waits counts, and its reason.
    let three = wait(&gate, &policy_of(&["b", "c", "a"]), &request);
    assert_eq!(
        three.on,
        [Dependency::Keys(1), introspection, Dependency::Keys(0)]
    );
    assert_eq!(three.timeout, secs(5));
    let retry_after = RETRY_AFTER;
    let unavailable = Reason::IntrospectionUnavailable { retry_after };
    assert_eq!(three.unavailable, unavailable);
    // The same dependency is named once.
    let twice = wait(&gate, &policy_of(&["a", "a", "b"]), &request);
    assert_eq!(twice.on, [Dependency::Keys(0), Dependency::Keys(1)]);
}

#[test]
fn of_two_equally_long_waits_the_first_gives_the_reason() {
    let unavailable = |secs: u64| Reason::KeysUnavailable {
        retry_after: self::secs(secs),
    };
    let wait = |provider: usize, timeout: u64, retry_after: u64| {
        let on = Dependency::Keys(provider);
        Wait::new(on, secs(timeout), unavailable(retry_after))
    };
    for (one, other, timeout, retry_after) in [
        (wait(1, 3, 10), wait(2, 3, 20), 3, 10),
        (wait(1, 3, 20), wait(2, 3, 10), 3, 20),
        (wait(1, 3, 10), wait(2, 4, 20), 4, 20),
        (wait(1, 4, 10), wait(2, 3, 20), 4, 10),
    ] {
        let expected = Wait {
            on: vec![Dependency::Keys(1), Dependency::Keys(2)],
            timeout: secs(timeout),
            unavailable: unavailable(retry_after),
        };
        assert_eq!(one.or(other), expected);
    }
}

#[test]
fn a_dependency_names_its_provider() {
    let token = "opaque".into();
    for dependency in [
        Dependency::Keys(7),
        Dependency::NewerKeys(7),
        Dependency::Revocations(7),
        Dependency::Introspection { provider: 7, token },
    ] {
        assert_eq!(dependency.provider(), 7, "{dependency:?}");
    }
}

#[test]
fn a_good_token_does_not_wait_for_another_alternative() {
    let providers = json!({"a": remote(2), "b": local(remote(1))});
    for names in [["a", "b"], ["b", "a"]] {
        let policy = policy(&providers, &any(&names));
        let outcome = Gate::new().decide(&policy, &bearing(&good()));
        assert_eq!(outcome, Outcome::admitted(), "{names:?}");
    }
}

#[test]
fn a_request_that_must_fulfil_all_waits_only_if_nothing_refuses_it() {
    let in_query = |provider: Value| with(&provider, &json!({"from_params": ["jwt"]}));
    let providers =
        json!({"a": remote(2), "b": in_query(remote(4)), "c": in_query(local(remote(1)))});
    let request = |query: &str| {
        let mut request = bearing(&good());
        request.target = format!("/?jwt={query}").into_bytes().into();
        request
    };
    let expired = with(&payload(), &json!({"exp": 1}));
    let expired = rs256(&json!({"alg": "RS256"}), &expired);
    let gate = Gate::new();
    let both = policy(&providers, &all(&["a", "b"]));
    let wait = wait(&gate, &both, &request(&good()));
    assert_eq!(wait.on, [Dependency::Keys(0), Dependency::Keys(1)]);
    assert_eq!(wait.timeout, secs(4));
    for names in [["a", "c"], ["c", "a"]] {
        let policy = policy(&providers, &all(&names));
        let outcome = gate.decide(&policy, &request(&expired));
        assert!(outcome.is_denied(), "{outcome:?}");
    }
    // Of two parts only the one waits that must.
    let one = policy(&providers, &all(&["a", "c"]));
    let Decision::Wait(wait) = gate.decision(&one, &request(&good())) else {
        panic!("the keys of a are pending");
    };
    assert_eq!(wait.on, [Dependency::Keys(0)]);
}

#[test]
fn a_wait_ends_when_what_it_names_has_arrived() {
    let policy = policy_of(with_introspection(with_list(remote(3))));
    let token = good();
    let request = bearing(&token);
    let gate = Gate::new();
    let on = |gate: &Gate| wait(gate, &policy, &request).on;
    assert_eq!(on(&gate), [Dependency::Keys(0)]);
    let gate = gate.keys(ready);
    assert_eq!(on(&gate), [Dependency::Revocations(0)]);
    let list = revocation_list(&json!({"tokens": []}));
    let gate = gate.revocations(move |_| list.clone());
    let token = token.as_str().into();
    let introspection = Dependency::Introspection { provider: 0, token };
    assert_eq!(on(&gate), [introspection]);
    let response = json!({"active": true, "aud": "https://api.example"});
    let gate = gate.introspection(move |_, _| active(&response));
    assert_eq!(gate.decide(&policy, &request), Outcome::admitted());
}

/// Lookups request nothing, so to decide twice is the same as to decide once.
#[test]
fn a_decision_changes_nothing_that_another_depends_on() {
    let unknown = rs256(&json!({"alg": "RS256", "kid": "new"}), &payload());
    let provider = || with_introspection(with_list(remote(3)));
    let policy = policy(&json!({"a": provider(), "b": remote(1)}), &any(&["a", "b"]));
    for gate in [
        Gate::new(),
        Gate::new().keys(ready),
        Gate::new().keys(newer_possible),
    ] {
        for token in [good(), unknown.clone(), "opaque".to_owned()] {
            let decide = || (gate.decision(&policy, &bearing(&token)), gate.lookups());
            let first = decide();
            // A token whose signature verified is known from then on; nothing else changes.
            assert_eq!(decide(), first);
            assert_eq!(decide(), first);
        }
    }
}

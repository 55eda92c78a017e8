use std::hash::RandomState;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::fixtures::{key_set, rs256};

const NOW: u64 = 1_700_000_000;

/// A configuration whose one provider has these fields beside its introspection, which has `tokens`
/// for `for`.
fn config(tokens: &str, fields: Value) -> Config {
    let mut provider = json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "introspection": {
            "http_uri": {"uri": "https://a/introspect", "cluster": "a", "timeout": "3s"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
            "for": tokens,
        },
    });
    for (name, value) in fields.as_object().unwrap() {
        provider[name] = value.clone();
    }
    let config = json!({"providers": {"p": provider}, "rules": [{
        "match": {"prefix": "/"},
        "requires": {"provider_name": "p", "scopes": ["read"]},
    }]});
    let environment = |_: &str| Some("secret".to_owned());
    Config::from_host(config.to_string().as_bytes(), &environment).unwrap()
}

fn local() -> Value {
    json!({"local_jwks": {"inline_string": key_set()}})
}

fn active(change: Value) -> Standing {
    let mut answer = json!({
        "active": true, "scope": "read write", "aud": "https://api.example",
        "client_id": "app", "sub": "user",
    });
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            answer.as_object_mut().unwrap().remove(name);
        } else {
            answer[name] = value.clone();
        }
    }
    let answer = crate::introspection::read(answer.to_string().as_bytes());
    Standing::Active(Rc::new(answer.unwrap().unwrap()))
}

fn jwt(change: Value) -> String {
    let mut claims = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "exp": NOW + 3600,
        "scope": "read",
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    rs256(&json!({"alg": "RS256"}), &claims)
}

fn gated(config: &Config, token: &str, standing: &Standing) -> (Decision, usize) {
    let asked = RefCell::new(0);
    let request = Request {
        target: b"/".into(),
        authorization: vec![format!("Bearer {token}").into_bytes().into()],
        ..Request::default()
    };
    let means = Means {
        remote: &|_| RemoteKeys::Pending,
        lists: &|_| RemoteList::Pending,
        introspection: &|_, asked_about| {
            assert_eq!(asked_about, token);
            *asked.borrow_mut() += 1;
            standing.clone()
        },
        engine: &Engine::software(),
        tokens: &RefCell::new(TokenCache::new(16, RandomState::new())),
        tally: &Tally::default(),
    };
    let decision = gate(config, &request, means, Timestamp::from_unix_secs(NOW));
    (decision, asked.into_inner())
}

fn is_admitted(decision: &Decision) -> bool {
    matches!(decision, Decision::Settled(Verdict::Admit(admission)) if admission.verified)
}

#[test]
fn an_answer_is_checked_like_a_token() {
    let config = config("opaque", json!({}));
    for (change, expected) in [
        (json!({}), None),
        (
            json!({"iss": "https://issuer.example", "exp": NOW + 1}),
            None,
        ),
        (
            json!({"iss": "https://other.example"}),
            Some(Reason::Issuer),
        ),
        (json!({"aud": null}), Some(Reason::Audience)),
        (json!({"aud": "other"}), Some(Reason::Audience)),
        (json!({"aud": ["other", "https://api.example"]}), None),
        (json!({"exp": NOW - 61}), Some(Reason::Expired)),
        (json!({"nbf": NOW + 61}), Some(Reason::NotYetValid)),
        (json!({"iat": NOW + 61}), Some(Reason::IssuedInFuture)),
        (json!({"scope": "write"}), Some(Reason::Scope)),
        (json!({"scope": null}), Some(Reason::Scope)),
        (
            json!({"cnf": {"x5t#S256": "a"}}),
            Some(Reason::SenderConstraint),
        ),
        (json!({"token_type": "refresh_token"}), Some(Reason::Type)),
    ] {
        let (decision, asked) = gated(&config, "opaque", &active(change.clone()));
        assert_eq!(asked, 1);
        match expected {
            None => assert!(is_admitted(&decision), "{change}"),
            Some(expected) => {
                let Decision::Settled(Verdict::Deny(denial)) = decision else {
                    panic!("{change}: {decision:?}");
                };
                assert_eq!(denial.reason, expected, "{change}");
            }
        }
    }
}

#[test]
fn nothing_passes_before_it_is_known_to_be_active() {
    let config = config("opaque", json!({}));
    let retry_after = Duration::from_secs(1);
    let wait = Wait {
        at_most: Duration::from_secs(3),
        otherwise: Reason::IntrospectionUnavailable,
    };
    let unavailable = Denial {
        retry_after: Some(retry_after),
        ..Reason::IntrospectionUnavailable.into()
    };
    for (standing, expected) in [
        (Standing::Pending, Decision::Wait(wait)),
        (Standing::Inactive, Reason::Inactive.into()),
        (Standing::Unavailable { retry_after }, unavailable.into()),
    ] {
        assert_eq!(gated(&config, "opaque", &standing).0, expected);
    }
    let long = "a".repeat(8193);
    assert_eq!(
        gated(&config, &long, &active(json!({}))),
        (Reason::TooLarge.into(), 0)
    );
}

#[test]
fn a_jwt_is_asked_about_only_where_all_tokens_are_and_only_if_it_is_good() {
    let (good, bad) = (jwt(json!({})), jwt(json!({"exp": NOW - 3600})));
    for (tokens, fields, token, standing, admitted, times) in [
        ("opaque", local(), &good, Standing::Inactive, true, 0),
        ("opaque", json!({}), &good, active(json!({})), false, 0),
        ("all", local(), &good, active(json!({})), true, 1),
        ("all", local(), &good, Standing::Inactive, false, 1),
        (
            "all",
            local(),
            &good,
            active(json!({"aud": "other"})),
            false,
            1,
        ),
        ("all", local(), &bad, active(json!({})), false, 0),
        ("all", json!({}), &good, active(json!({})), true, 1),
        ("all", json!({}), &bad, active(json!({})), true, 1),
        ("all", json!({}), &bad, Standing::Inactive, false, 1),
    ] {
        let config = config(tokens, fields.clone());
        let (decision, asked) = gated(&config, token, &standing);
        assert_eq!(
            (is_admitted(&decision), asked),
            (admitted, times),
            "{tokens} {standing:?} {decision:?}"
        );
    }
}

#[test]
fn what_has_three_parts_or_not_tells_who_judges_a_token() {
    let config = config("opaque", local());
    for (token, asked) in [
        ("opaque", 1),
        ("a.b", 1),
        ("a.b.c.d", 1),
        ("a.b.c.d.e", 1),
        ("a.b.c", 0),
        ("..", 0),
    ] {
        assert_eq!(
            gated(&config, token, &Standing::Inactive).1,
            asked,
            "{token}"
        );
    }
}

#[test]
fn the_upstream_learns_what_the_answer_says() {
    let fields =
        json!({"claim_to_headers": [{"claim_name": "client_id", "header_name": "x-client"}]});
    let config = config("opaque", fields);
    let (decision, _) = gated(&config, "opaque", &active(json!({})));
    let Decision::Settled(Verdict::Admit(admission)) = decision else {
        panic!("{decision:?}");
    };
    let expected = HeaderChange::Set("x-client".to_owned(), b"app".to_vec());
    assert!(admission.headers.contains(&expected), "{admission:?}");
}

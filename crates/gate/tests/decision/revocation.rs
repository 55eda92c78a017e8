use std::hash::RandomState;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::fetching::Published;
use crate::fixtures::{key_set, rs256};
use crate::revocation::{ListFormat, ListReader};

const NOW: u64 = 1_700_000_000;

fn config(revocation: Value) -> Config {
    let mut revocation = revocation;
    revocation["http_uri"] = json!({"uri": "http://a/revoked", "cluster": "a", "timeout": "3s"});
    let config = json!({"providers": {"p": {
        "local_jwks": {"inline_string": key_set()},
        "revocation": revocation,
    }}});
    Config::from_json(config.to_string().as_bytes()).unwrap()
}

fn list(tokens: Value) -> RemoteList {
    let reader = ListReader {
        format: ListFormat::List,
        state: RandomState::new(),
    };
    let document = json!({ "tokens": tokens }).to_string();
    RemoteList::Ready {
        what: Rc::new(RevocationList::parse(document.as_bytes(), &reader).unwrap()),
        may_grow: false,
    }
}

fn token(payload: Value) -> String {
    let mut claims = json!({"exp": NOW + 3600, "jti": "one"});
    for (name, value) in payload.as_object().unwrap() {
        claims[name] = value.clone();
    }
    rs256(&json!({"alg": "RS256"}), &claims)
}

fn gated(
    config: &Config,
    token: &str,
    list: &RemoteList,
    tokens: &RefCell<TokenCache>,
) -> Decision {
    let request = Request {
        target: b"/".into(),
        authorization: vec![format!("Bearer {token}").into_bytes().into()],
        ..Request::default()
    };
    let means = Means {
        remote: &|_| RemoteKeys::Pending,
        lists: &|_| list.clone(),
        introspection: &|_, _| crate::introspection::Standing::Pending,
        engine: &Engine::software(),
        tokens,
        tally: &Tally::default(),
    };
    gate(config, &request, means, Timestamp::from_unix_secs(NOW))
}

fn cache() -> RefCell<TokenCache> {
    RefCell::new(TokenCache::new(16, RandomState::new()))
}

fn is_admitted(decision: &Decision) -> bool {
    matches!(decision, Decision::Settled(Verdict::Admit(admission)) if admission.verified)
}

#[test]
fn a_token_is_refused_as_soon_as_it_is_listed_also_if_it_is_known_to_be_good() {
    let (config, token, cache) = (config(json!({})), token(json!({})), cache());
    for (tokens, admitted) in [
        (json!([]), true),
        (json!(["two"]), true),
        (json!(["one"]), false),
        (json!([]), true),
    ] {
        let decision = gated(&config, &token, &list(tokens), &cache);
        assert_eq!(is_admitted(&decision), admitted);
        if !admitted {
            assert_eq!(decision, Reason::Revoked.into());
        }
    }
    assert_eq!(cache.borrow().len(), 1);
}

#[test]
fn nobody_learns_what_is_revoked_without_a_good_signature() {
    let revoked = token(json!({}));
    let (input, _) = revoked.rsplit_once('.').unwrap();
    let other = token(json!({"jti": "two"}));
    let (_, signature) = other.rsplit_once('.').unwrap();
    let forged = format!("{input}.{signature}");
    let list = list(json!(["one"]));
    let decision = gated(&config(json!({})), &forged, &list, &cache());
    assert_eq!(decision, Reason::Signature.into());
}

#[test]
fn a_list_that_is_not_there_is_waited_for_and_then_missed() {
    let retry_after = Duration::from_secs(7);
    let unavailable = RemoteList::Unavailable { retry_after };
    let token = token(json!({}));
    let deny = config(json!({}));
    let allow = config(json!({"on_unavailable": "allow"}));
    for config in [&deny, &allow] {
        let wait = Wait {
            at_most: Duration::from_secs(3),
            otherwise: Reason::RevocationUnavailable,
        };
        let decision = gated(config, &token, &RemoteList::Pending, &cache());
        assert_eq!(decision, Decision::Wait(wait));
    }
    let denial = Denial {
        retry_after: Some(retry_after),
        ..Reason::RevocationUnavailable.into()
    };
    let decision = gated(&deny, &token, &unavailable, &cache());
    assert_eq!(decision, denial.into());
    assert!(is_admitted(&gated(&allow, &token, &unavailable, &cache())));
}

#[test]
fn a_token_that_is_bad_in_any_case_does_not_wait_for_a_list() {
    let expired = token(json!({"exp": NOW - 3600}));
    let decision = gated(&config(json!({})), &expired, &RemoteList::Pending, &cache());
    assert_eq!(decision, Reason::Expired.into());
}

#[test]
fn a_token_that_is_known_is_still_known_by_all_that_a_list_may_name() {
    let list = |document: Value| {
        let reader = ListReader {
            format: ListFormat::List,
            state: RandomState::new(),
        };
        let list = RevocationList::parse(document.to_string().as_bytes(), &reader).unwrap();
        RemoteList::Ready {
            what: Rc::new(list),
            may_grow: false,
        }
    };
    let config = config(json!({}));
    let token = token(json!({"client_id": "a", "azp": "b", "sub": "c", "iat": NOW - 1}));
    let cache = cache();
    let none = list(json!({"tokens": []}));
    assert!(is_admitted(&gated(&config, &token, &none, &cache)));
    for document in [
        json!({"tokens": ["one"]}),
        json!({"clients": {"a": NOW}}),
        json!({"clients": {"b": NOW}}),
        json!({"subjects": {"c": NOW}}),
    ] {
        let decision = gated(&config, &token, &list(document), &cache);
        assert_eq!(decision, Reason::Revoked.into());
    }
}

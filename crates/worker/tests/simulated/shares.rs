//! The shares of providers in the waiting room.

use std::ops::Range;

use gate_simulator::{Listener, Process, Reply, Request, Response, Worker};
use gate_worker::waiting_room::CAPACITY;
use serde_json::{Value, json};

use crate::support::{
    IDLE, MS, SECOND, decided, introspecting_provider, key_set, listening, other_key_set, provider,
    statuses, token, token_with_unknown_key,
};

/// Half of the places, and the share of one of two providers in the other half.
const MOST: usize = 768;

fn active() -> Response {
    Response::new(200, r#"{"active": true}"#)
}

/// The rule that paths below the name of a provider require its tokens.
fn rule(name: &str) -> Value {
    json!({"match": {"prefix": format!("/{name}")}, "requires": {"provider_name": name}})
}

/// A worker with the provider `crowded`, whose endpoint hangs, and this other one. Each has a rule, and
/// as many requests as possible wait for the crowded one.
fn crowded(other: &Value) -> (Process, Worker, Listener, Vec<Request>) {
    let mut crowded = introspecting_provider();
    crowded["issuer"] = "https://crowded.example".into();
    crowded["introspection"]["http_uri"]["cluster"] = "crowded".into();
    let config = json!({
        "providers": {"crowded": crowded, "other": other},
        "rules": [rule("crowded"), rule("other"), {
            "match": {"prefix": "/any"},
            "requires": {"requires_any": {"requirements": [
                {"provider_name": "crowded"}, {"provider_name": "other"},
            ]}},
        }],
    });
    let (process, worker, listener) = listening(&config.to_string());
    process.serve_always("crowded", Reply::Hang);
    process.serve_always("issuer", Reply::After(5 * MS, other_key_set()));
    process.advance(IDLE);
    let crowd = |numbers: Range<usize>| -> Vec<_> {
        let requests = numbers.map(|number| format!("token{number}"));
        let requests = requests.map(|token| listener.get("/crowded", Some(&token)));
        requests.collect()
    };
    let requests = crowd(0..MOST);
    assert_eq!(statuses(&requests), [0; MOST]);
    let refused = crowd(MOST..CAPACITY);
    assert_eq!(statuses(&refused), [503; CAPACITY - MOST]);
    process.advance(20 * MS);
    (process, worker, listener, requests)
}

#[test]
fn a_crowd_for_one_provider_does_not_refuse_or_delay_opaque_tokens_of_another() {
    let (process, _worker, listener, _crowd) = crowded(&introspecting_provider());
    process.serve_always("endpoint", Reply::from(active()));
    let requests: Vec<_> = (0..CAPACITY - MOST)
        .map(|number| listener.get("/other", Some(&format!("other{number}"))))
        .collect();
    let took = decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200; CAPACITY - MOST]);
    assert!(took <= 20 * MS, "{took:?}");
}

#[test]
fn a_crowd_for_one_provider_does_not_refuse_or_delay_a_new_kid_of_another() {
    let (process, _worker, listener, _crowd) = crowded(&provider());
    process.serve_always("issuer", Reply::After(5 * MS, key_set()));
    let requests = [listener.get("/other", Some(&token()))];
    let took = decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200]);
    assert!(took <= 30 * MS, "{took:?}");
    assert_eq!(process.received("issuer").len(), 2);
}

#[test]
fn a_token_that_may_be_of_a_crowded_provider_waits_for_the_other_one() {
    let (process, _worker, listener, _crowd) = crowded(&introspecting_provider());
    process.serve_always("endpoint", Reply::from(active()));
    let requests = [listener.get("/any", Some("opaque"))];
    let took = decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200]);
    assert!(took <= 10 * MS, "{took:?}");
    assert_eq!(process.received("crowded").len(), 128);
    // If the other one does not know the token, nothing can be said about it.
    process.serve_always(
        "endpoint",
        Reply::from(Response::new(200, r#"{"active": false}"#)),
    );
    let requests = [listener.get("/any", Some("unknown"))];
    decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [503]);
}

#[test]
fn the_answers_of_one_provider_do_not_delay_those_of_another() {
    let config = json!({
        "providers": {"cloud": provider(), "other": introspecting_provider()},
        "rules": [rule("cloud"), rule("other")],
    });
    let (process, worker, listener) = listening(&config.to_string());
    process.serve_always("issuer", Reply::Hang);
    process.serve_always("endpoint", Reply::Hang);
    let crowd: Vec<_> = (0..MOST)
        .map(|_| listener.get("/cloud", Some(&token())))
        .collect();
    process.advance(20 * MS);
    let requests = [listener.get("/other", Some("opaque"))];
    process.advance(20 * MS);
    process.respond("issuer", &key_set());
    process.advance(MS);
    process.respond("endpoint", &active());
    let took = decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200]);
    assert!(took <= 2 * MS, "{took:?}");
    assert!(statuses(&crowd).contains(&0));
    decided(&process, &crowd, SECOND);
    assert_eq!(worker.waiters_decided(), MOST + 1);
}

#[test]
fn a_client_that_disconnects_causes_no_refetch_for_its_kid() {
    let config = json!({"providers": {"cloud": provider()}});
    let (process, _worker, listener) = listening(&config.to_string());
    process.advance(IDLE);
    assert_eq!(process.received("issuer").len(), 1);
    for _ in 0..100 {
        listener.get("/", Some(&token_with_unknown_key())).end();
    }
    process.advance(SECOND);
    assert_eq!(process.received("issuer").len(), 1);
}

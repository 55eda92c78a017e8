//! Requests that wait.

use gate_simulator::{Outcome, Reply, Response};
use gate_worker::waiting_room::CAPACITY;
use serde_json::json;

use crate::support::{
    IDLE, MS, SECOND, TIMEOUT, config, decided, key_set, listening, provider, statuses, token,
    token_of,
};

#[test]
fn a_full_room_refuses_at_once_and_all_that_wait_are_decided_16_per_call() {
    let (process, worker, listener) = listening(&config());
    process.serve_always("issuer", Reply::Hang);
    let good = token();
    let bad = format!("{}AAAA", &good[..good.len() - 4]);
    let requests: Vec<_> = (0..CAPACITY)
        .map(|number| if number % 64 == 0 { &good } else { &bad })
        .map(|token| listener.get("/", Some(token)))
        .collect();
    process.advance(20 * MS);
    assert_eq!(process.metric("bearer_gate.waiting"), 1024);
    for _ in 0..3 {
        let refused = listener.get("/", Some(&good));
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.answer_header("retry-after").as_deref(), Some("1"));
    }
    // Requests that need no keys are decided as ever.
    assert_eq!(listener.get("/", None).status(), 401);
    assert!(statuses(&requests).iter().all(|status| *status == 0));
    let before = worker.waiters_decided();
    process.respond("issuer", &key_set());
    let took = decided(&process, &requests, SECOND);
    for (number, status) in statuses(&requests).into_iter().enumerate() {
        assert_eq!(status, if number % 64 == 0 { 200 } else { 401 }, "{number}");
    }
    assert_eq!(worker.waiters_decided() - before, CAPACITY);
    // One call settles 16; the others have their turn a millisecond later.
    assert!(took >= 63 * MS && took <= 80 * MS, "{took:?}");
    assert!(
        worker.deepest_nesting() <= 17,
        "{}",
        worker.deepest_nesting()
    );
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.waiting"), 0);
    assert_eq!(process.metric("bearer_gate.denied.keys_unavailable"), 3);
    assert_eq!(listener.get("/", Some(&good)).status(), 200);
}

#[test]
fn no_request_waits_longer_than_the_timeout() {
    let (process, _worker, listener) = listening(&config());
    process.serve_always("issuer", Reply::Hang);
    let requests = [listener.get("/", Some(&token()))];
    let took = decided(&process, &requests, 3 * SECOND);
    assert!(took >= TIMEOUT && took <= TIMEOUT + 20 * MS, "{took:?}");
    let Outcome::Answered(answer) = requests[0].outcome() else {
        panic!("{:?}", requests[0].outcome());
    };
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("temporarily_unavailable"));
    assert_eq!(requests[0].answer_header("www-authenticate"), None);
    let retry_after = requests[0].answer_header("retry-after").unwrap();
    assert!(retry_after.parse::<u64>().unwrap() >= 1, "{retry_after}");
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.denied.keys_unavailable"), 1);
}

#[test]
fn a_request_is_woken_only_by_what_it_waits_for() {
    let mut other = provider();
    other["issuer"] = "https://other.example".into();
    other["remote_jwks"]["http_uri"]["cluster"] = "other".into();
    other["remote_jwks"]["http_uri"]["uri"] = "https://other.example/jwks".into();
    let rule = |name: &str| json!({"match": {"prefix": format!("/{name}")}, "requires": {"provider_name": name}});
    let config = json!({
        "providers": {"cloud": provider(), "other": other},
        "rules": [rule("cloud"), rule("other")],
    });
    let (process, worker, listener) = listening(&config.to_string());
    process.serve_always("issuer", Reply::Hang);
    process.serve_always("other", Reply::Hang);
    let others_token = token_of("https://other.example", "ec");
    let cloud: Vec<_> = (0..10)
        .map(|_| listener.get("/cloud", Some(&token())))
        .collect();
    let others: Vec<_> = (0..7)
        .map(|_| listener.get("/other", Some(&others_token)))
        .collect();
    // The start of the fetches decides nothing.
    process.advance(500 * MS);
    assert_eq!(worker.waiters_decided(), 0);
    process.respond("issuer", &key_set());
    process.advance(100 * MS);
    assert_eq!(statuses(&cloud), [200; 10]);
    assert_eq!(statuses(&others), [0; 7]);
    assert_eq!(worker.waiters_decided(), 10);
    process.respond("other", &key_set());
    process.advance(100 * MS);
    assert_eq!(statuses(&others), [200; 7]);
    assert_eq!(worker.waiters_decided(), 17);
}

#[test]
fn a_request_that_waits_for_keys_and_a_list_waits_for_one_after_the_other() {
    let mut provider = provider();
    provider["revocation"] = json!({
        "http_uri": {"uri": "https://issuer.example/revoked", "cluster": "list", "timeout": "2s"},
    });
    let config = json!({"providers": {"cloud": provider}});
    let (process, worker, listener) = listening(&config.to_string());
    process.serve_always("issuer", Reply::Hang);
    process.serve_always("list", Reply::Hang);
    let requests = [listener.get("/", Some(&token()))];
    process.advance(50 * MS);
    process.respond("issuer", &key_set());
    process.advance(50 * MS);
    assert_eq!(statuses(&requests), [0]);
    process.respond("list", &Response::new(200, "{\"tokens\": []}"));
    process.advance(50 * MS);
    assert_eq!(statuses(&requests), [200]);
    assert_eq!(worker.waiters_decided(), 2);
}

#[test]
fn clients_that_disconnect_wait_no_more() {
    let (process, worker, listener) = listening(&config());
    process.serve_always("issuer", Reply::Hang);
    let requests: Vec<_> = (0..4).map(|_| listener.get("/", Some(&token()))).collect();
    assert_eq!(process.metric("bearer_gate.waiting"), 4);
    requests[0].end();
    requests[2].end();
    assert_eq!(process.metric("bearer_gate.waiting"), 2);
    process.advance(50 * MS);
    process.respond("issuer", &key_set());
    process.advance(50 * MS);
    assert_eq!(statuses(&requests), [0, 200, 0, 200]);
    assert_eq!(worker.waiters_decided(), 2);
    requests[1].end();
    process.advance(IDLE);
    assert_eq!(process.metric("bearer_gate.waiting"), 0);
    assert_eq!(process.metric("bearer_gate.allowed"), 2);
}

#[test]
fn the_body_of_a_waiting_request_is_held_back() {
    let (process, _worker, listener) = listening(&config());
    let requests = [listener.get("/", Some(&token()))];
    assert!(!requests[0].send_body());
    decided(&process, &requests, SECOND);
    assert!(requests[0].send_body());
}

#[test]
fn a_fetch_that_fails_decides_those_who_wait_once_it_is_clear_that_none_comes_in_time() {
    let (process, _worker, listener) = listening(&config());
    process.set_healthy("issuer", false);
    let requests: Vec<_> = (0..20).map(|_| listener.get("/", Some(&token()))).collect();
    decided(&process, &requests, 3 * SECOND);
    assert_eq!(statuses(&requests), [503; 20]);
}

//! Streams that end with their tokens.

use std::time::Duration;

use gate_fixtures as fixtures;
use gate_simulator::{Listener, Outcome, Process, Request, Response, Worker};
use serde_json::{Value, json};

use crate::logged;
use crate::support::{ISSUER, SECOND, key_set, listening, other_key_set, provider, token};

/// One tick of an idle worker.
const TICK: Duration = Duration::from_millis(500);

fn config(ends: bool) -> Value {
    let mut cloud = provider();
    cloud["clock_skew_seconds"] = json!(0);
    cloud["remote_jwks"]["cache_duration"] = json!("5s");
    cloud["revocation"] = json!({
        "http_uri": {"uri": "https://issuer.example/revoked", "cluster": "lists"},
        "refresh_interval": "5s",
    });
    json!({
        "providers": {"cloud": cloud},
        "rules": [
            {"match": {"path": "/open"}},
            {"match": {"prefix": "/reported"}, "requires": {"provider_name": "cloud"}, "report_only": true},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
        ],
        "end_streams_with_token": ends,
    })
}

fn started(config: &Value) -> (Process, Worker, Listener) {
    let (process, worker, listener) = listening(&config.to_string());
    process.serve_always("lists", Response::new(200, r#"{"tokens": []}"#));
    process.advance(SECOND);
    (process, worker, listener)
}

/// A token that expires after some seconds, with this `jti`.
fn expiring(process: &Process, seconds: u64, jti: &str) -> String {
    let header = json!({"alg": "ES256", "kid": "ec", "typ": "at+jwt"});
    let exp = process.now().unix_millis() / 1000 + seconds;
    let payload = json!({"iss": ISSUER, "sub": "somebody", "exp": exp, "jti": jti});
    fixtures::es256(&header, &payload)
}

fn is_ended(request: &Request) -> bool {
    matches!(request.outcome(), Outcome::Ended(_))
}

/// How long it takes until the stream ends.
fn end(process: &Process, request: &Request, limit: Duration) -> Duration {
    let took = process.advance_until(limit, || is_ended(request));
    took.unwrap_or_else(|| panic!("it goes on: {:?}", request.outcome()))
}

#[test]
fn a_stream_ends_at_most_one_tick_after_its_token_has_expired() {
    logged::start_with_debug();
    let (process, _worker, listener) = started(&config(true));
    process.set_logs_debug(true);
    let stream = listener.get("/chat?secret=1", Some(&expiring(&process, 7, "a")));
    let longer = listener.get("/", Some(&expiring(&process, 8, "a")));
    let ordinary = listener.get("/", Some(&expiring(&process, 7, "a")));
    ordinary.end();
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.streams"), 2);
    logged::take();
    let took = end(&process, &stream, 10 * SECOND);
    assert!((6 * SECOND..=6 * SECOND + TICK).contains(&took), "{took:?}");
    let expected =
        "bearer-gate: decision=end reason=expired provider=cloud method=GET path=/chat exp=";
    let lines = logged::take();
    assert!(
        lines.iter().any(|line| line.starts_with(expected)),
        "{lines:?}"
    );
    assert!(!is_ended(&longer));
    end(&process, &longer, 2 * SECOND);
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.ended.expired"), 2);
    assert_eq!(process.metric("bearer_gate.streams"), 0);
    let state = stream.filter_state();
    assert_eq!(
        state,
        [("bearer_gate.ended".to_owned(), b"expired".to_vec())]
    );
    let Outcome::Ended(answer) = stream.outcome() else {
        panic!("it has ended");
    };
    assert_eq!(answer.status, 401);
}

#[test]
fn the_clock_skew_counts() {
    let mut config = config(true);
    config["providers"]["cloud"]["clock_skew_seconds"] = json!(20);
    let (process, _worker, listener) = started(&config);
    let stream = listener.get("/", Some(&expiring(&process, 5, "a")));
    let took = end(&process, &stream, 30 * SECOND);
    assert!(
        (24 * SECOND..=25 * SECOND + TICK).contains(&took),
        "{took:?}"
    );
}

#[test]
fn a_stream_ends_when_its_token_is_revoked() {
    let (process, _worker, listener) = started(&config(true));
    let [one, two] =
        ["one", "two"].map(|jti| listener.get("/", Some(&expiring(&process, 600, jti))));
    process.advance(20 * SECOND);
    assert!(!is_ended(&one) && !is_ended(&two));
    process.serve_always("lists", Response::new(200, r#"{"tokens": ["one"]}"#));
    end(&process, &one, 10 * SECOND);
    process.advance(10 * SECOND);
    assert!(!is_ended(&two));
    assert_eq!(process.metric("bearer_gate.ended.revoked"), 1);
}

#[test]
fn a_stream_ends_when_its_key_is_withdrawn() {
    let mut config = config(true);
    // The shortest time that a key set may be used.
    config["providers"]["cloud"]["remote_jwks"]["cache_duration"] = json!("60s");
    let (process, _worker, listener) = started(&config);
    let stream = listener.get("/", Some(&expiring(&process, 6000, "a")));
    process.serve_always("issuer", Response::new(500, ""));
    process.advance(100 * SECOND);
    assert!(!is_ended(&stream), "an outage ends nothing");
    process.serve_always("issuer", key_set());
    process.advance(200 * SECOND);
    assert!(!is_ended(&stream), "the same key is there");
    process.serve_always("issuer", other_key_set());
    end(&process, &stream, 200 * SECOND);
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.ended.unknown_key"), 1);
}

#[test]
fn nothing_ends_without_the_field_or_without_a_token_or_where_refusals_are_only_reported() {
    let (process, _worker, listener) = started(&config(false));
    let stream = listener.get("/", Some(&expiring(&process, 5, "one")));
    process.serve_always("lists", Response::new(200, r#"{"tokens": ["one"]}"#));
    process.advance(30 * SECOND);
    assert!(!is_ended(&stream));
    assert!(
        !process
            .metric_names()
            .iter()
            .any(|name| name.contains(".ended."))
    );

    let (process, _worker, listener) = started(&config(true));
    let streams = [
        listener.get("/open", Some(&expiring(&process, 5, "a"))),
        listener.get("/reported", Some(&expiring(&process, 5, "a"))),
    ];
    process.advance(30 * SECOND);
    assert!(!streams.iter().any(is_ended));
}

#[test]
fn a_request_that_has_waited_ends_with_its_token_too() {
    let (process, _worker, listener) = listening(&config(true).to_string());
    process.serve_always("lists", Response::new(200, r#"{"tokens": []}"#));
    let stream = listener.get("/", Some(&expiring(&process, 5, "a")));
    assert_eq!(stream.status(), 0);
    let took = end(&process, &stream, 10 * SECOND);
    assert!((5 * SECOND..=5 * SECOND + TICK).contains(&took), "{took:?}");
}

#[test]
fn many_streams_that_expire_together_end_within_a_moment_and_do_not_nest_deeply() {
    let (process, worker, listener) = started(&config(true));
    let token = expiring(&process, 5, "a");
    let streams: Vec<_> = (0..500).map(|_| listener.get("/", Some(&token))).collect();
    let took = process.advance_until(10 * SECOND, || streams.iter().all(is_ended));
    let took = took.unwrap();
    assert!((5 * SECOND..=6 * SECOND).contains(&took), "{took:?}");
    assert!(
        worker.deepest_nesting() <= 20,
        "{}",
        worker.deepest_nesting()
    );
}

#[test]
fn a_stream_that_ended_by_itself_is_forgotten() {
    let (process, _worker, listener) = started(&config(true));
    let token = expiring(&process, 5, "a");
    for _ in 0..100 {
        listener.get("/", Some(&token)).end();
    }
    process.advance(10 * SECOND);
    assert_eq!(process.metric("bearer_gate.streams"), 0);
    assert_eq!(process.metric("bearer_gate.ended.expired"), 0);
}

#[test]
fn setting_the_clock_forward_ends_streams_whose_tokens_have_expired_by_then() {
    let (process, _worker, listener) = started(&config(true));
    let stream = listener.get("/", Some(&expiring(&process, 600, "a")));
    process.set_clock_forward(Duration::from_secs(700));
    let took = end(&process, &stream, SECOND);
    assert!(took <= TICK, "{took:?}");
}

#[test]
fn a_worker_watches_a_limited_number_of_streams() {
    let (process, _worker, listener) = started(&config(true));
    let token = token();
    let mut streams: Vec<_> = (0..65_536)
        .map(|_| listener.get("/", Some(&token)))
        .collect();
    assert!(streams.iter().all(|stream| stream.status() == 200));
    let refused = listener.get("/", Some(&token));
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.answer_header("retry-after").unwrap(), "1");
    streams.pop().unwrap().end();
    assert_eq!(listener.get("/", Some(&token)).status(), 200);
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.denied.too_many_streams"), 1);
}

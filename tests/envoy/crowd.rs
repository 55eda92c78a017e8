//! As many requests as can wait, all decided by one event: more than the host can answer at once.

use std::thread;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{
    Answer, Door, Gate, Issuer, Key, Reply, Server, Setup, Token, eventually, get, keys,
};

/// How many requests may wait in one worker.
const ROOM: u16 = 1024;
/// How many more requests arrive.
const LATE: u64 = 3;

/// No request waits this long in these tests.
const TIMEOUT: &str = "3600s";

#[test]
fn a_request_beyond_the_limit_is_refused_at_once_and_the_waiting_ones_are_decided() {
    let issuer = Issuer::start();
    let door = Door::new();
    let reply = Reply::behind(&door, Issuer::published(&[&keys::RSA]));
    issuer.server.reply(reply);
    let mut config = Issuer::config();
    config["providers"]["cloud"]["remote_jwks"]["http_uri"]["timeout"] = TIMEOUT.into();
    let gate = Setup::trusting(&issuer).config(config).start();
    let good = Token::good().signed();
    // Its `kid` is that of the published key, so it waits for that key.
    let bad = Token::good().signed_with(&Key::new("rsa-1", "RS256"));
    let is_good = |number: usize| number.is_multiple_of(64);
    let tokens = (0..usize::from(ROOM)).map(|number| if is_good(number) { &*good } else { &*bad });
    let statuses = crowd(&gate, tokens, &good, "keys_unavailable", &door);
    for (number, status) in statuses.iter().enumerate() {
        let expected = if is_good(number) { 200 } else { 401 };
        assert_eq!(*status, expected, "request {number}");
    }
    assert_eq!(gate.upstream.count(), usize::from(ROOM) / 64);
    assert_eq!(issuer.server.count(), 1);
    assert_eq!(gate.send(&get("/").bearer(&good)).status, 200);
}

#[test]
fn one_answer_decides_a_crowd_with_one_opaque_token() {
    let door = Door::new();
    let reply = Reply::behind(&door, Answer::new(200, r#"{"active": false}"#));
    let endpoint = Server::start(move |_| reply.clone());
    let config = json!({"providers": {"cloud": {
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "introspection": {
            "http_uri": {"uri": "http://issuer.example/introspect", "cluster": "endpoint", "timeout": TIMEOUT},
            "client_id": "gate",
            "client_secret_environment_variable": "GATE_SECRET",
        },
    }}});
    let mut setup = Setup::new(config).cluster("endpoint", &endpoint);
    setup.vm_config = json!({"environment_variables": {"key_values": {"GATE_SECRET": "secret"}}});
    let gate = setup.start();
    let tokens = (0..ROOM).map(|_| "opaque");
    let statuses = crowd(&gate, tokens, "opaque", "introspection_unavailable", &door);
    assert_eq!(statuses, vec![401; usize::from(ROOM)]);
    assert_eq!(endpoint.count(), 1);
    gate.counts("denied.inactive", u64::from(ROOM));
    assert_eq!(gate.upstream.count(), 0);
}

/// Fills the room with requests with these tokens and sends a few more with the token `late`, which
/// are refused for the reason `otherwise`. Then opens the door, and returns the statuses of the
/// requests that waited, in the order of their tokens.
fn crowd<'t>(
    gate: &Gate,
    tokens: impl Iterator<Item = &'t str>,
    late: &str,
    otherwise: &str,
    door: &Door,
) -> Vec<u16> {
    let statuses = at_once(gate.port, tokens, || {
        eventually("all wait", || gate.metric("waiting") == u64::from(ROOM));
        // The door is closed and nothing times out: these are answered without waiting.
        for _ in 0..LATE {
            let answer = gate.send(&get("/").bearer(late));
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (503, "temporarily_unavailable")
            );
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        gate.counts(&format!("denied.{otherwise}"), LATE);
        assert_eq!(gate.metric("waiting"), u64::from(ROOM));
        assert_eq!(gate.upstream.count(), 0);
        door.open();
    });
    assert_eq!(statuses.len(), usize::from(ROOM));
    eventually("no request waits", || gate.metric("waiting") == 0);
    // The VM has not failed.
    let log = gate.log();
    for sign in ["RangeError", "Function: ", "panicked"] {
        assert!(!log.contains(sign), "{log}");
    }
    statuses
}

/// Sends a request with each of these tokens, all at the same time over a few connections, and runs
/// `meanwhile` while they are under way. Returns the statuses in the order of the tokens.
fn at_once<'t>(
    port: u16,
    tokens: impl Iterator<Item = &'t str>,
    meanwhile: impl FnOnce() + Send,
) -> Vec<u16> {
    /// A connection has room for at least this many requests.
    const ON_ONE_CONNECTION: usize = 100;
    let tokens: Vec<&str> = tokens.collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    thread::scope(|scope| {
        let other = scope.spawn(meanwhile);
        let mut answers: Vec<(usize, u16)> = runtime.block_on(async {
            let mut under_way = JoinSet::new();
            for (part, tokens) in tokens.chunks(ON_ONE_CONNECTION).enumerate() {
                let client = reqwest::Client::builder()
                    .http2_prior_knowledge()
                    .no_proxy()
                    .build()
                    .unwrap();
                for (index, token) in tokens.iter().enumerate() {
                    let request = client
                        .get(format!("http://127.0.0.1:{port}/"))
                        .bearer_auth(token);
                    let number = part * ON_ONE_CONNECTION + index;
                    under_way.spawn(async move {
                        (number, request.send().await.unwrap().status().as_u16())
                    });
                }
            }
            under_way.join_all().await
        });
        other.join().unwrap();
        answers.sort_unstable();
        answers.into_iter().map(|(_, status)| status).collect()
    })
}

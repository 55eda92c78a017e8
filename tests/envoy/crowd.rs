//! As many requests as can wait, all settled by the same news: more than the host can answer at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{
    Answer, Gate, Issuer, Key, Reply, Server, Setup, Token, eventually, get, keys,
};

/// How many requests of a worker may wait.
const ROOM: u16 = 1024;
/// How many more come.
const LATE: u64 = 3;

#[test]
fn one_more_than_can_wait_is_put_off_at_once_and_those_who_wait_are_decided() {
    let issuer = Issuer::start();
    let door = Door::of(&issuer.server, Issuer::published(&[&keys::RSA]));
    let mut config = Issuer::config();
    config["providers"]["cloud"]["remote_jwks"]["http_uri"]["timeout"] = "20s".into();
    let gate = Setup::trusting(&issuer).config(config).start();
    let good = Token::good().signed();
    // Of the same name as the published key, so that it waits for that.
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
fn a_crowd_with_one_opaque_token_is_settled_by_one_answer() {
    let endpoint = Server::start(|_| Answer::new(500, "").into());
    let door = Door::of(&endpoint, Answer::new(200, r#"{"active": false}"#));
    let config = json!({"providers": {"cloud": {
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "introspection": {
            "http_uri": {"uri": "http://issuer.example/introspect", "cluster": "endpoint", "timeout": "20s"},
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
    eventually("they are counted", || {
        gate.metric("denied.inactive") == u64::from(ROOM)
    });
    assert_eq!(gate.upstream.count(), 0);
}

/// What holds back the answers of a server.
struct Door(Arc<AtomicBool>);

impl Door {
    /// Lets the server answer with this, but not before the door is opened.
    fn of(server: &Server, answer: impl Into<Reply>) -> Self {
        let door = Arc::new(AtomicBool::new(false));
        let opened = Arc::clone(&door);
        let answer = answer.into();
        server.script(move |_| {
            while !opened.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            answer.clone()
        });
        Self(door)
    }

    fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Fills the room with requests that have these tokens, sends a few more with the token `late`, which
/// are put off for the reason `otherwise`, and opens the door. Answers with the statuses of those who
/// waited, in the order of their tokens.
fn crowd<'t>(
    gate: &Gate,
    tokens: impl Iterator<Item = &'t str>,
    late: &str,
    otherwise: &str,
    door: &Door,
) -> Vec<u16> {
    let statuses = at_once(gate.port, tokens, || {
        eventually("all wait", || gate.metric("waiting") == u64::from(ROOM));
        let begun = Instant::now();
        for _ in 0..LATE {
            let answer = gate.send(&get("/").bearer(late));
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (503, "temporarily_unavailable")
            );
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        assert!(begun.elapsed() < Duration::from_secs(5));
        eventually("they are counted", || {
            gate.metric(&format!("denied.{otherwise}")) == LATE
        });
        assert_eq!(gate.metric("waiting"), u64::from(ROOM));
        assert_eq!(gate.upstream.count(), 0);
        door.open();
    });
    assert_eq!(statuses.len(), usize::from(ROOM));
    eventually("nobody waits", || gate.metric("waiting") == 0);
    // The VM is still the first one.
    let log = gate.log();
    for sign in ["RangeError", "Function: ", "panicked"] {
        assert!(!log.contains(sign), "{log}");
    }
    statuses
}

/// Sends a request with each of these tokens, all at the same time over a few connections, and does
/// `meanwhile` what is to be done while they are on their way. Answers with the statuses, in the
/// order of the tokens.
fn at_once<'t>(
    port: u16,
    tokens: impl Iterator<Item = &'t str>,
    meanwhile: impl FnOnce() + Send,
) -> Vec<u16> {
    /// A connection has room for so many requests at least.
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

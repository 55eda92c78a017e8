//! Requests that arrive before the keys wait, are decided like all others, and never reach the
//! upstream undecided.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{
    Door, Issuer, Key, Reply, Setup, Token, eventually, get, in_parallel_while, keys, now,
};

/// Makes the key server of `issuer` hold back these keys behind the returned door.
fn held_back(issuer: &Issuer, keys: &[&Key]) -> Door {
    let door = Door::new();
    let reply = Reply::behind(&door, Issuer::published(keys));
    issuer.server.reply(reply);
    door
}

/// The configuration with this timeout of the key server, which is also the longest wait of a request.
fn config(timeout: &str) -> serde_json::Value {
    let mut config = Issuer::config();
    config["providers"]["cloud"]["remote_jwks"]["http_uri"]["timeout"] = timeout.into();
    config
}

#[test]
fn one_fetch_decides_a_storm_of_requests_on_a_cold_filter() {
    let issuer = Issuer::start();
    let door = held_back(&issuer, &[&keys::RSA]);
    let gate = Setup::trusting(&issuer).workers(4).start();
    let good = Token::good().signed();
    // Its `kid` is that of the published key: an unknown one would be worth another fetch.
    let bad = Token::good().signed_with(&Key::new("rsa-1", "RS256"));
    let expired = Token::good().claim("exp", now() - 3600).signed();
    let send = |number: usize| {
        let token = [&good, &bad, &good, &expired][number % 4];
        gate.send(&get(format!("/{number}")).bearer(token)).status
    };
    let statuses = in_parallel_while(64, send, || {
        // An expired token is refused without a key.
        eventually("48 requests wait", || gate.metric("waiting") == 48);
        assert_eq!(gate.upstream.count(), 0);
        door.open();
    });
    for (number, status) in statuses.iter().enumerate() {
        let expected = if number % 2 == 0 { 200 } else { 401 };
        assert_eq!(*status, expected, "request {number}");
    }
    assert_eq!(issuer.server.count(), 1);
    let mut reached: Vec<u32> = gate
        .upstream
        .received()
        .iter()
        .map(|request| request.target[1..].parse().unwrap())
        .collect();
    reached.sort_unstable();
    assert_eq!(reached, (0..64).step_by(2).collect::<Vec<u32>>());
}

#[test]
fn what_needs_no_key_is_refused_without_waiting() {
    let issuer = Issuer::start();
    issuer.server.reply(Reply::Hang);
    // A request that waited would get no answer before the test gives up.
    let gate = Setup::trusting(&issuer).config(config("3600s")).start();
    assert_eq!(gate.send(&get("/")).status, 401);
    let expired = Token::good().claim("exp", now() - 3600).signed();
    assert_eq!(gate.send(&get("/").bearer(expired)).status, 401);
}

#[test]
fn no_request_waits_longer_than_the_timeout() {
    let issuer = Issuer::start();
    issuer.server.reply(Reply::Hang);
    let gate = Setup::trusting(&issuer).config(config("2s")).start();
    let begun = Instant::now();
    let answer = gate.send(&get("/").bearer(Token::good().signed()));
    assert!(begun.elapsed() < Duration::from_mins(1));
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (503, "temporarily_unavailable")
    );
    assert!(
        answer
            .header("retry-after")
            .is_some_and(|after| after >= "1")
    );
    assert!(answer.header("www-authenticate").is_none());
    assert_eq!(gate.upstream.count(), 0);
}

#[test]
fn a_client_that_goes_away_while_it_waits_is_forgotten() {
    let issuer = Issuer::start();
    let door = held_back(&issuer, &[&keys::RSA]);
    let gate = Setup::trusting(&issuer).start();
    let good = get("/").bearer(Token::good().signed());
    let mut gone = gate.connect();
    gone.start(&good).unwrap();
    let mut stays = gate.connect();
    stays.start(&good).unwrap();
    eventually("both wait", || gate.metric("waiting") == 2);
    drop(gone);
    eventually("one is forgotten", || gate.metric("waiting") == 1);
    door.open();
    assert_eq!(stays.finish().unwrap().status, 200);
    assert_eq!(gate.upstream.count(), 1);
    assert_eq!(gate.send(&good).status, 200);
}

#[test]
fn a_body_waits_with_its_request_with_and_without_stop_iteration() {
    let unpublished = Key::new("rsa-1", "RS256");
    for early in [false, true] {
        let issuer = Issuer::start();
        let door = held_back(&issuer, &[&keys::RSA]);
        let mut setup = Setup::trusting(&issuer);
        setup.plugin_config = json!({"allow_on_headers_stop_iteration": early});
        let gate = setup.start();
        let post = |key: &Key| {
            get("/orders")
                .method("POST")
                .bearer(Token::good().signed_with(key))
        };
        let requests = [
            post(&unpublished).body("a body"),
            post(&unpublished).chunk("a body"),
            post(&keys::RSA).body("a body"),
            post(&keys::RSA).chunk("a body"),
        ];
        let send = |number: usize| gate.send(&requests[number]).status;
        let statuses = in_parallel_while(4, send, || {
            eventually("all wait", || gate.metric("waiting") == 4);
            assert_eq!(gate.upstream.count(), 0, "{early}");
            door.open();
        });
        assert_eq!(statuses, [401, 401, 200, 200], "{early}");
        let reached = gate.upstream.received();
        assert_eq!(reached.len(), 2, "{early}");
        for request in reached {
            assert!(request.body.windows(6).any(|bytes| bytes == b"a body"));
        }
    }
}

//! Requests that arrive before the keys wait, are decided like all others, and never reach the
//! upstream undecided.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Issuer, Key, Reply, Setup, Token, eventually, get, in_parallel, keys, now};

/// Lets the issuer's key server take its time.
fn slow(issuer: &Issuer, delay: Duration, keys: &[&Key]) {
    let published = Issuer::published(keys);
    issuer
        .server
        .reply(Reply::After(delay, Box::new(published.into())));
}

#[test]
fn a_storm_on_a_cold_filter_is_all_decided_by_one_fetch() {
    let issuer = Issuer::start();
    slow(&issuer, Duration::from_millis(800), &[&keys::RSA]);
    let gate = Setup::trusting(&issuer).workers(4).start();
    let good = Token::good().signed();
    // Of the same name as the published key: another would be worth a fetch of its own.
    let bad = Token::good().signed_with(&Key::new("rsa-1", "RS256"));
    let expired = Token::good().claim("exp", now() - 3600).signed();
    let statuses = in_parallel(64, |number| {
        let token = [&good, &bad, &good, &expired][number % 4];
        gate.send(&get(format!("/{number}")).bearer(token)).status
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
    let gate = Setup::trusting(&issuer).start();
    let begun = Instant::now();
    assert_eq!(gate.send(&get("/")).status, 401);
    let expired = Token::good().claim("exp", now() - 3600).signed();
    assert_eq!(gate.send(&get("/").bearer(expired)).status, 401);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn nobody_waits_longer_than_the_timeout() {
    let issuer = Issuer::start();
    issuer.server.reply(Reply::Hang);
    let gate = Setup::trusting(&issuer).start();
    let begun = Instant::now();
    let answer = gate.send(&get("/").bearer(Token::good().signed()));
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
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(gate.upstream.count(), 0);
}

#[test]
fn a_client_that_goes_away_while_it_waits_is_forgotten() {
    let issuer = Issuer::start();
    slow(&issuer, Duration::from_millis(700), &[&keys::RSA]);
    let gate = Setup::trusting(&issuer).start();
    let good = get("/").bearer(Token::good().signed());
    let mut gone = gate.connect();
    gone.start(&good).unwrap();
    let mut stays = gate.connect();
    stays.start(&good).unwrap();
    eventually("the fetch has begun", || issuer.server.count() == 1);
    drop(gone);
    assert_eq!(stays.finish().unwrap().status, 200);
    assert_eq!(gate.upstream.count(), 1);
    assert_eq!(gate.send(&good).status, 200);
}

#[test]
fn a_body_waits_with_its_request_however_envoy_is_told_to_treat_it() {
    let unpublished = Key::new("rsa-1", "RS256");
    for early in [false, true] {
        let issuer = Issuer::start();
        slow(&issuer, Duration::from_millis(600), &[&keys::RSA]);
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
        let statuses = in_parallel(4, |number| gate.send(&requests[number]).status);
        assert_eq!(statuses, [401, 401, 200, 200], "{early}");
        let reached = gate.upstream.received();
        assert_eq!(reached.len(), 2, "{early}");
        for request in reached {
            assert!(request.body.windows(6).any(|bytes| bytes == b"a body"));
        }
    }
}

//! Workers and roots that vanish while they fetch.

use gate_simulator::{Outcome, Reply};
use serde_json::json;

use crate::support::{
    IDLE, MS, SECOND, TIMEOUT, config, decided, key_set, listeners, other_key_set, process,
    statuses, token, token_with_unknown_key,
};

#[test]
fn a_worker_that_dies_with_the_turn_stops_the_others_for_twice_the_timeout() {
    let process = process();
    let mortal = process.start_worker();
    let doomed = mortal.listen(&config()).unwrap();
    let waiting = doomed.get("/", Some(&token()));
    process.serve_always("issuer", Reply::Hang);
    assert!(
        process
            .advance_until(50 * MS, || process.in_flight("issuer") == 1)
            .is_some()
    );
    let listeners = listeners(&process, 2, &config());
    mortal.kill();
    assert_eq!(waiting.outcome(), Outcome::Lost);
    process.serve_always("issuer", key_set());
    let again = process.advance_until(2 * TIMEOUT + IDLE, || process.received("issuer").len() == 2);
    let again = again.unwrap();
    assert!(again + 50 * MS >= 2 * TIMEOUT, "{again:?}");
    process.advance(IDLE);
    for listener in &listeners {
        assert_eq!(listener.get("/", Some(&token())).status(), 200);
    }
    assert_eq!(process.received("issuer").len(), 2);
}

#[test]
fn requests_that_wait_for_the_fetch_of_a_dead_worker_are_refused_in_time() {
    let process = process();
    let mortal = process.start_worker();
    let _doomed = mortal.listen(&config()).unwrap();
    process.serve_always("issuer", Reply::Hang);
    assert!(
        process
            .advance_until(50 * MS, || process.in_flight("issuer") == 1)
            .is_some()
    );
    let listener = process.start_worker().listen(&config()).unwrap();
    mortal.kill();
    let requests = [listener.get("/", Some(&token()))];
    let took = decided(&process, &requests, 3 * SECOND);
    assert_eq!(statuses(&requests), [503]);
    assert!(took <= TIMEOUT + 10 * MS, "{took:?}");
}

#[test]
fn a_worker_that_dies_after_sharing_loses_nothing() {
    let process = process();
    let mortal = process.start_worker();
    let _doomed = mortal.listen(&config()).unwrap();
    process.advance(50 * MS);
    mortal.kill();
    let listener = process.start_worker().listen(&config()).unwrap();
    let requests = [listener.get("/", Some(&token()))];
    decided(&process, &requests, 50 * MS);
    assert_eq!(statuses(&requests), [200]);
    assert_eq!(process.received("issuer").len(), 1);
}

#[test]
fn a_late_response_to_a_lapsed_turn_changes_nothing() {
    let process = process();
    let stalled = process.start_worker();
    let slow = stalled.listen(&config()).unwrap();
    process.serve_always("issuer", Reply::After(SECOND, key_set()));
    assert!(
        process
            .advance_until(50 * MS, || process.in_flight("issuer") == 1)
            .is_some()
    );
    // The holder of the turn does not run for so long that another worker takes over.
    stalled.set_stalled(true);
    let other = process.start_worker().listen(&config()).unwrap();
    process.advance(2 * TIMEOUT + 500 * MS);
    assert_eq!(process.received("issuer").len(), 2);
    stalled.set_stalled(false);
    process.advance(3 * SECOND);
    assert_eq!(process.received("issuer").len(), 2);
    for listener in [&slow, &other] {
        assert_eq!(listener.get("/", Some(&token())).status(), 200);
    }
    assert_eq!(process.metric("bearer_gate.jwks.cloud.fetch_failure"), 0);
}

#[test]
fn a_response_is_of_no_use_after_the_timeout() {
    for (held_up, fetches) in [(TIMEOUT + 500 * MS, 1), (60 * SECOND, 2)] {
        let process = process();
        let worker = process.start_worker();
        let listener = worker.listen(&config()).unwrap();
        process.serve_always("issuer", Reply::After(SECOND, key_set()));
        assert!(
            process
                .advance_until(50 * MS, || process.in_flight("issuer") == 1)
                .is_some()
        );
        // The issuer withdraws its keys while the response waits for a thread that does not run.
        worker.set_stalled(true);
        process.serve_always("issuer", other_key_set());
        process.advance(held_up);
        worker.set_stalled(false);
        process.advance(20 * MS);
        assert_eq!(process.received("issuer").len(), fetches, "{held_up:?}");
        process.advance(3 * SECOND);
        assert_eq!(process.received("issuer").len(), 2, "{held_up:?}");
        let requests = [listener.get("/", Some(&token()))];
        decided(&process, &requests, 20 * SECOND);
        assert_eq!(statuses(&requests), [401], "{held_up:?}");
    }
}

#[test]
fn a_root_that_is_removed_while_it_fetches_gives_the_turn_back() {
    let process = process();
    process.serve_always("issuer", Reply::Hang);
    let removed = process.start_worker().listen(&config()).unwrap();
    assert!(
        process
            .advance_until(50 * MS, || process.in_flight("issuer") == 1)
            .is_some()
    );
    let listener = process.start_worker().listen(&config()).unwrap();
    let requests = [listener.get("/", Some(&token()))];
    process.advance(100 * MS);
    assert_eq!(statuses(&requests), [0]);
    process.serve_always("issuer", key_set());
    removed.remove();
    assert_eq!(process.in_flight("issuer"), 0, "its callout is cancelled");
    let took = decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200]);
    assert!(took <= 25 * MS, "{took:?}");
}

#[test]
fn a_root_that_is_removed_while_it_refetches_leaves_the_cooldown_to_others() {
    let process = process();
    let mut listeners = listeners(&process, 2, &config());
    process.advance(IDLE);
    process.serve_always("issuer", Reply::Hang);
    let removed = listeners.pop().unwrap();
    let gone = removed.get("/", Some(&token_with_unknown_key()));
    process.advance(50 * MS);
    assert_eq!(process.in_flight("issuer"), 1);
    let requests = [listeners[0].get("/", Some(&token_with_unknown_key()))];
    gone.end();
    process.serve_always("issuer", key_set());
    removed.remove();
    let took = decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [401]);
    assert!(took <= 50 * MS, "{took:?}");
    assert_eq!(process.received("issuer").len(), 3);
}

#[test]
fn a_root_that_is_removed_after_its_turn_was_taken_over_takes_nothing_back() {
    let process = process();
    process.serve_always("issuer", Reply::Hang);
    let stalled = process.start_worker();
    let first = stalled.listen(&config()).unwrap();
    assert!(
        process
            .advance_until(50 * MS, || process.in_flight("issuer") == 1)
            .is_some()
    );
    let mut config: serde_json::Value = serde_json::from_str(&config()).unwrap();
    config["stat_prefix"] = json!("other");
    let second = process.start_worker().listen(&config.to_string()).unwrap();
    // The turn lapses, and the other worker takes it.
    stalled.set_stalled(true);
    process.advance(2 * TIMEOUT + 100 * MS);
    assert_eq!(process.received("issuer").len(), 2);
    first.remove();
    process.advance(SECOND);
    assert_eq!(process.received("issuer").len(), 2);
    process.respond("issuer", &key_set());
    process.advance(IDLE);
    assert_eq!(second.get("/", Some(&token())).status(), 200);
}

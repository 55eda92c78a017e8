//! The wall clock is set back and forward.

use gate_simulator::{Process, Reply};

use crate::support::{
    HOUR, IDLE, MS, SECOND, TIMEOUT, config, decided, key_set, listeners, listening, process,
    statuses, token, token_with_unknown_key,
};

/// Sets the clock an hour back or forward.
const MOVES: [fn(&Process); 2] = [
    |process| process.set_clock_back(HOUR),
    |process| process.set_clock_forward(HOUR),
];

#[test]
fn a_clock_that_moves_while_all_is_well_costs_at_most_one_fetch() {
    for set_clock in MOVES {
        let process = process();
        let listeners = listeners(&process, 3, &config());
        process.advance(IDLE);
        set_clock(&process);
        process.advance(2 * SECOND);
        for listener in &listeners {
            assert_eq!(listener.get("/", Some(&token())).status(), 200);
        }
        assert_eq!(process.received("issuer").len(), 2);
        process.advance(300 * SECOND);
        assert_eq!(process.received("issuer").len(), 2);
    }
}

#[test]
fn requests_that_wait_while_the_clock_moves_are_refused_and_the_next_ones_are_served() {
    for set_clock in MOVES {
        let process = process();
        process.serve_always("issuer", Reply::After(SECOND, key_set()));
        let listeners = listeners(&process, 2, &config());
        process.advance(50 * MS);
        let token = token();
        let requests: Vec<_> = listeners
            .iter()
            .map(|one| one.get("/", Some(&token)))
            .collect();
        set_clock(&process);
        let took = decided(&process, &requests, SECOND);
        assert_eq!(statuses(&requests), [503; 2]);
        assert!(took <= 20 * MS, "{took:?}");
        assert_eq!(
            requests[0].answer_header("retry-after").as_deref(),
            Some("1")
        );
        process.advance(2 * SECOND);
        for listener in &listeners {
            assert_eq!(listener.get("/", Some(&token)).status(), 200);
        }
    }
}

#[test]
fn a_fetch_that_hangs_while_the_clock_moves_holds_up_nobody_for_long() {
    for set_clock in MOVES {
        let process = process();
        process.serve_always("issuer", Reply::Hang);
        let listeners = listeners(&process, 2, &config());
        process.advance(50 * MS);
        assert_eq!(process.in_flight("issuer"), 1);
        set_clock(&process);
        process.serve_always("issuer", key_set());
        let token = token();
        let requests: Vec<_> = listeners
            .iter()
            .map(|one| one.get("/", Some(&token)))
            .collect();
        let took = decided(&process, &requests, TIMEOUT);
        assert_eq!(statuses(&requests), [200; 2]);
        assert!(took <= 50 * MS, "{took:?}");
    }
}

#[test]
fn a_refetch_is_possible_after_the_clock_was_set_back() {
    let (process, _worker, listener) = listening(&config());
    process.advance(IDLE);
    let refetch = |expected| {
        let requests = [listener.get("/", Some(&token_with_unknown_key()))];
        decided(&process, &requests, SECOND);
        assert_eq!(process.received("issuer").len(), expected);
    };
    refetch(2);
    process.set_clock_back(HOUR);
    // The clock itself is a reason to fetch.
    process.advance(SECOND);
    assert_eq!(process.received("issuer").len(), 3);
    refetch(4);
}

#[test]
fn a_failed_fetch_is_retried_although_the_clock_was_set_back() {
    let (process, _worker, listener) = listening(&config());
    process.set_healthy("issuer", false);
    process.advance(30 * SECOND);
    process.set_clock_back(HOUR);
    process.set_healthy("issuer", true);
    process.advance(SECOND);
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
}

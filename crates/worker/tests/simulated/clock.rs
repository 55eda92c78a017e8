//! The wall clock is set back and forward, is wrong, or cannot be read.

use std::time::Duration;

use gate_simulator::{Listener, Process, Reply, Response};
use serde_json::json;

use crate::logged;
use crate::support::{
    HOUR, IDLE, MS, SECOND, TIMEOUT, config, decided, introspecting_provider, key_set, listeners,
    listening, process, provider, statuses, token, token_with_unknown_key,
};

/// Sets the clock an hour back or forward, or does not.
const MOVES: [fn(&Process); 3] = [
    |_| (),
    |process| process.set_clock_back(HOUR),
    |process| process.set_clock_forward(HOUR),
];

/// How far the simulated clock is from the epoch.
const SINCE_EPOCH: Duration = Duration::from_secs(1_700_000_000);

#[test]
fn a_clock_that_moves_while_all_is_well_causes_no_fetch_and_delays_none() {
    for set_clock in MOVES {
        let process = process();
        let listeners = listeners(&process, 3, &config());
        process.advance(IDLE);
        set_clock(&process);
        process.advance(530 * SECOND);
        for listener in &listeners {
            assert_eq!(listener.get("/", Some(&token())).status(), 200);
        }
        assert_eq!(process.received("issuer").len(), 1);
        process.advance(70 * SECOND);
        assert_eq!(process.received("issuer").len(), 2);
    }
}

#[test]
fn requests_that_wait_while_the_clock_moves_are_served() {
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
        let took = decided(&process, &requests, 2 * SECOND);
        assert_eq!(statuses(&requests), [200; 2]);
        assert!(took >= 900 * MS && took <= SECOND, "{took:?}");
    }
}

#[test]
fn requests_that_wait_in_vain_are_refused_at_the_same_time() {
    for set_clock in MOVES {
        let (process, _worker, listener) = listening(&config());
        process.serve_always("issuer", Reply::Hang);
        let requests = [listener.get("/", Some(&token()))];
        process.advance(SECOND);
        set_clock(&process);
        let took = decided(&process, &requests, 2 * SECOND) + SECOND;
        assert_eq!(statuses(&requests), [503]);
        assert!(took >= TIMEOUT && took <= TIMEOUT + 20 * MS, "{took:?}");
    }
}

#[test]
fn the_turn_of_a_worker_that_dies_ends_at_the_same_time() {
    for set_clock in MOVES {
        let process = process();
        let mortal = process.start_worker();
        let _doomed = mortal.listen(&config()).unwrap();
        process.serve_always("issuer", Reply::Hang);
        process.advance(50 * MS);
        let _listener = process.start_worker().listen(&config()).unwrap();
        mortal.kill();
        set_clock(&process);
        process.advance(2 * TIMEOUT - 60 * MS);
        assert_eq!(process.received("issuer").len(), 1);
        process.advance(100 * MS);
        assert_eq!(process.received("issuer").len(), 2);
    }
}

#[test]
fn a_fetch_between_two_attempts_goes_on_at_the_same_time() {
    let times = MOVES.map(|set_clock| {
        let mut provider = provider();
        let backoff = json!({"base_interval": "1s", "max_interval": "1s"});
        let retries = json!({"num_retries": 1, "retry_back_off": backoff});
        provider["remote_jwks"]["retry_policy"] = retries;
        let config = json!({"providers": {"cloud": provider}}).to_string();
        let (process, _worker, _listener) = listening(&config);
        process.serve_always("issuer", Response::new(503, ""));
        process.advance(20 * MS);
        assert_eq!(process.received("issuer").len(), 1);
        set_clock(&process);
        process.advance(30 * SECOND);
        let received = process.received("issuer").into_iter();
        received.map(|request| request.at).collect::<Vec<_>>()
    });
    assert!(times[0].len() > 4, "{times:?}");
    assert_eq!(times[1], times[0]);
    assert_eq!(times[2], times[0]);
}

#[test]
fn the_cooldown_after_an_unknown_key_is_neither_longer_nor_shorter() {
    for set_clock in MOVES {
        let (process, _worker, listener) = listening(&config());
        process.advance(IDLE);
        let refetch = |expected| {
            let requests = [listener.get("/", Some(&token_with_unknown_key()))];
            decided(&process, &requests, SECOND);
            assert_eq!(process.received("issuer").len(), expected);
        };
        refetch(2);
        set_clock(&process);
        process.advance(9 * SECOND);
        refetch(2);
        process.advance(SECOND);
        refetch(3);
    }
}

#[test]
fn a_failed_fetch_is_retried_whatever_the_clock_says() {
    for set_clock in MOVES {
        let (process, _worker, listener) = listening(&config());
        process.set_healthy("issuer", false);
        process.advance(10 * SECOND);
        set_clock(&process);
        process.set_healthy("issuer", true);
        process.advance(60 * SECOND);
        assert_eq!(listener.get("/", Some(&token())).status(), 200);
    }
}

#[test]
fn an_introspection_response_is_used_for_the_same_time() {
    for (set_clock, exp) in MOVES.iter().flat_map(|set_clock| {
        // Expiry is a date, so that only one beyond all moves of the clock is compared.
        [None, Some(1_700_100_000_u64)].map(|exp| (set_clock, exp))
    }) {
        let config = json!({"providers": {"cloud": introspecting_provider()}});
        let (process, _worker, listener) = listening(&config.to_string());
        let mut body = json!({"active": true, "iss": "https://issuer.example", "sub": "a"});
        body["exp"] = json!(exp.unwrap_or(1_700_200_000));
        process.serve_always("endpoint", Response::new(200, body.to_string()));
        let status = || {
            let requests = [listener.get("/", Some("opaque"))];
            decided(&process, &requests, SECOND);
            statuses(&requests)[0]
        };
        assert_eq!(status(), 200);
        set_clock(&process);
        process.advance(59 * SECOND);
        assert_eq!((status(), process.received("endpoint").len()), (200, 1));
        process.advance(SECOND);
        assert_eq!((status(), process.received("endpoint").len()), (200, 2));
    }
}

#[test]
fn the_metric_of_the_last_fetch_is_a_date() {
    let process = process();
    let _listeners = listeners(&process, 2, &config());
    process.advance(10 * SECOND);
    let name = "bearer_gate.jwks.cloud.fetched_at";
    assert_eq!(process.metric(name), 1_700_000_000);
}

#[test]
fn tokens_are_judged_by_the_wall_clock() {
    let (process, _worker, listener) = listening(&config());
    process.advance(SECOND);
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
    process.set_clock_forward(Duration::from_secs(100_000_060));
    assert_eq!(listener.get("/", Some(&token())).status(), 401);
}

/// A configuration with an open path and a lenient one.
fn with_open_paths() -> String {
    let requirements = json!([{"provider_name": "cloud"}, {"allow_missing": {}}]);
    json!({
        "providers": {"cloud": provider()},
        "rules": [
            {"match": {"path": "/open"}},
            {"match": {"path": "/lenient"}, "requires": {"requires_any": {"requirements": requirements}}},
            {"match": {"path": "/guarded"}, "requires": {"provider_name": "cloud"}},
        ],
    })
    .to_string()
}

/// The statuses of requests without and with a token.
fn answers(listener: &Listener) -> [u16; 6] {
    let token = token();
    let status = |path, token| listener.get(path, token).status();
    [
        status("/open", None),
        status("/lenient", None),
        status("/guarded", None),
        status("/open", Some(&*token)),
        status("/lenient", Some(&*token)),
        status("/guarded", Some(&*token)),
    ]
}

#[test]
fn while_the_date_is_unknown_nothing_passes_that_needs_a_token() {
    let faults: [fn(&Process); 2] = [
        |process| process.set_wall_clock_readable(false),
        |process| process.set_clock_back(SINCE_EPOCH),
    ];
    let repairs: [fn(&Process); 2] = [
        |process| process.set_wall_clock_readable(true),
        |process| process.set_clock_forward(SINCE_EPOCH),
    ];
    for (fault, repair) in faults.into_iter().zip(repairs) {
        logged::start();
        let process = process();
        fault(&process);
        let listener = process.start_worker().listen(&with_open_paths()).unwrap();
        process.advance(SECOND);
        assert_eq!(process.received("issuer").len(), 1);
        for _ in 0..10 {
            assert_eq!(answers(&listener), [200, 200, 401, 200, 503, 503]);
        }
        let refused = listener.get("/guarded", Some(&token()));
        assert_eq!(refused.answer_header("retry-after").as_deref(), Some("1"));
        let lines = logged::take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("the clock of the host is not set"));
        repair(&process);
        assert_eq!(answers(&listener), [200, 200, 401, 200, 200, 200]);
    }
}

#[test]
fn a_clock_that_fails_later_is_replaced_by_the_last_date_and_the_time_since() {
    let faults: [fn(&Process); 2] = [
        |process| process.set_wall_clock_readable(false),
        |process| process.set_clock_back(SINCE_EPOCH),
    ];
    for fault in faults {
        let mut provider = provider();
        provider["clock_skew_seconds"] = json!(0);
        let config = json!({"providers": {"cloud": provider}}).to_string();
        let (process, _worker, listener) = listening(&config);
        process.advance(SECOND);
        // The token expires in 100 seconds.
        process.set_clock_forward(Duration::from_secs(99_999_900 - 1));
        assert_eq!(listener.get("/", Some(&token())).status(), 200);
        fault(&process);
        process.advance(99 * SECOND);
        assert_eq!(listener.get("/", Some(&token())).status(), 200);
        process.advance(SECOND);
        assert_eq!(listener.get("/", Some(&token())).status(), 401);
    }
}

#[test]
fn a_host_without_a_monotonic_clock_is_refused() {
    logged::start();
    let process = process();
    process.set_monotonic_clock_readable(false);
    assert!(process.start_worker().listen(&config()).is_none());
    let lines = logged::take();
    assert_eq!(
        lines,
        ["bearer-gate: the host does not allow the module to call clock_time_get"]
    );
}

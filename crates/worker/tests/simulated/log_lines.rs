//! How many log lines clients and servers can cause.

use std::time::Duration;

use gate_simulator::{Process, Reply, Response};
use serde_json::{Value, json};

use crate::logged;
use crate::support::{
    MS, SECOND, config, introspecting_provider, key_set, listeners, listening, process, provider,
    token_with_unknown_key,
};

/// The time between two lines.
const PERIOD: Duration = Duration::from_secs(10);

/// A key set with an unusable key, which differs in every version.
fn with_unusable_key(version: usize) -> Response {
    let mut keys: Value = serde_json::from_slice(&key_set().body).unwrap();
    let unusable = json!({"kty": "RSA", "kid": version.to_string(), "n": "AQAB", "e": "AQAB"});
    keys["keys"].as_array_mut().unwrap().push(unusable);
    Response::new(200, keys.to_string())
}

/// The lines in the log after `duration`, while `each` happens every 100 ms.
fn lines_during(process: &Process, duration: Duration, mut each: impl FnMut(usize)) -> Vec<String> {
    let end = process.elapsed() + duration;
    let mut number = 0;
    while process.elapsed() < end {
        each(number);
        number += 1;
        process.advance(100 * MS);
    }
    logged::take()
}

/// Asserts the number of lines, all of which contain `text`.
fn assert_lines(lines: &[String], count: usize, text: &str) {
    assert!(lines.iter().all(|line| line.contains(text)), "{lines:?}");
    assert_eq!(lines.len(), count, "{lines:?}");
}

#[test]
fn an_introspection_endpoint_causes_one_line_in_ten_seconds_whatever_it_answers() {
    logged::start();
    let config = json!({"providers": {"cloud": introspecting_provider()}}).to_string();
    let process = process();
    let listeners = listeners(&process, 3, &config);
    let mut served = 0;
    process.serve("endpoint", move |_| {
        served += 1;
        match served % 4 {
            0 => Response::new(200, "{\"active\": false}").into(),
            1 => Response::new(429, "").into(),
            2 => Reply::Reset(MS),
            _ => Response::new(400 + served % 99, "").into(),
        }
    });
    let lines = lines_during(&process, 3 * PERIOD, |number| {
        for listener in &listeners {
            let _request = listener.get("/", Some(&format!("token{number}")));
        }
    });
    assert_lines(&lines, 3, "introspection failed");
    assert!(!lines[0].contains("more"), "{lines:?}");
    // The worker that writes the line tells how many of its own were not written.
    assert!(lines[1].ends_with("more not logged before"), "{lines:?}");
    let failures = process.metric("bearer_gate.introspection.cloud.failure");
    assert!(failures > 100, "{failures}");
}

#[test]
fn a_key_server_that_fails_causes_one_line_in_ten_seconds() {
    logged::start();
    let process = process();
    let mut served = 0;
    process.serve("issuer", move |_| {
        served += 1;
        Response::new(500 + served % 99, "").into()
    });
    let _listeners = listeners(&process, 3, &config());
    let lines = lines_during(&process, 3 * PERIOD, |_| ());
    assert!((1..=3).contains(&lines.len()), "{lines:?}");
    assert_lines(&lines, lines.len(), "fetching the key set failed");
    assert!(process.metric("bearer_gate.jwks.cloud.fetch_failure") > 3);
}

#[test]
fn clients_with_unknown_keys_cause_one_line_in_ten_seconds() {
    logged::start();
    let mut provider = provider();
    provider["remote_jwks"]["refetch_cooldown"] = json!("1s");
    let config = json!({"providers": {"cloud": provider}}).to_string();
    let (process, _worker, listener) = listening(&config);
    process.advance(SECOND);
    process.serve_always("issuer", Response::new(500, ""));
    let lines = lines_during(&process, 2 * PERIOD, |_| {
        let _request = listener.get("/", Some(&token_with_unknown_key()));
    });
    assert_lines(&lines, 2, "fetching the key set failed");
}

#[test]
fn sets_with_unusable_keys_cause_one_line_in_ten_seconds() {
    logged::start();
    let mut provider = provider();
    provider["remote_jwks"]["refetch_cooldown"] = json!("1s");
    let config = json!({"providers": {"cloud": provider}}).to_string();
    let (process, _worker, listener) = listening(&config);
    let mut version = 0;
    process.serve("issuer", move |_| {
        version += 1;
        with_unusable_key(version).into()
    });
    let lines = lines_during(&process, 2 * PERIOD, |_| {
        let _request = listener.get("/", Some(&token_with_unknown_key()));
    });
    assert_lines(&lines, 2, "keys[2] is skipped");
    assert!(lines[1].ends_with("more not logged before"), "{lines:?}");
    assert!(process.metric("bearer_gate.jwks.cloud.skipped_keys") > 10);
}

#[test]
fn the_workers_of_a_process_write_one_line_about_a_set_that_is_too_old() {
    logged::start();
    let mut provider = provider();
    provider["remote_jwks"]["cache_duration"] = json!("10s");
    provider["remote_jwks"]["max_stale"] = json!("30s");
    let config = json!({"providers": {"cloud": provider}}).to_string();
    let process = process();
    let _listeners = listeners(&process, 4, &config);
    process.advance(SECOND);
    process.serve_always("issuer", Response::new(500, ""));
    let mut lines = lines_during(&process, 35 * SECOND, |_| ());
    lines.retain(|line| line.contains("too old"));
    assert_lines(&lines, 1, "the key set is too old to be used");
}

#[test]
fn two_kinds_of_problems_and_two_providers_do_not_suppress_each_other() {
    logged::start();
    let mut other = provider();
    other["remote_jwks"]["http_uri"]["cluster"] = json!("missing");
    let mut opaque = introspecting_provider();
    opaque["introspection"]["http_uri"]["cluster"] = json!("missing");
    let config = json!({
        "providers": {"cloud": provider(), "other": other, "opaque": opaque},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "opaque"}}],
    });
    let (process, _worker, listener) = listening(&config.to_string());
    process.serve_always("issuer", Response::new(500, ""));
    let _request = listener.get("/", Some("opaque"));
    process.advance(SECOND);
    let mut lines = logged::take();
    lines.sort();
    let expected = [
        "provider cloud: fetching the key set failed: the status is 500",
        "provider opaque: introspection failed: the cluster is unknown or has no healthy host",
        "provider other: fetching the key set failed: the cluster is unknown or has no healthy host",
    ];
    assert_eq!(lines, expected.map(|line| format!("bearer-gate: {line}")));
}

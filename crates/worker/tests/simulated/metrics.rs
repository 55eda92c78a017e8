//! The metrics that operators know.

use gate_simulator::Response;
use serde_json::json;

use crate::support::{
    IDLE, MS, SECOND, config, decided, introspecting_provider, listeners, listening, process,
    provider, token, token_with_unknown_key,
};

#[test]
fn every_metric_has_the_name_that_operators_know() {
    let mut fetched = provider();
    fetched["revocation"] = json!({
        "http_uri": {"uri": "https://issuer.example/revoked", "cluster": "issuer"},
    });
    let mut local = json!({"local_jwks": {"inline_string": gate_fixtures::key_set()}});
    local["issuer"] = "https://local.example".into();
    let config = json!({"providers": {
        "cloud": fetched,
        "local": local,
        "opaque": introspecting_provider(),
    }});
    let (process, _worker, _listener) = listening(&config.to_string());
    let names = process.metric_names();
    let others: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_prefix("bearer_gate."))
        .filter(|name| !name.starts_with("denied."))
        .collect();
    assert_eq!(
        others,
        [
            "allowed",
            "bypassed",
            "introspection.opaque.failure",
            "introspection.opaque.success",
            "jwks.cloud.fetch_failure",
            "jwks.cloud.fetch_success",
            "jwks.cloud.fetched_at",
            "jwks.cloud.keys",
            "jwks.cloud.skipped_keys",
            "jwks.local.keys",
            "jwks.local.skipped_keys",
            "jwks.opaque.keys",
            "jwks.opaque.skipped_keys",
            "metadata",
            "revocation.cloud.entries",
            "revocation.cloud.fetch_failure",
            "revocation.cloud.fetch_success",
            "revocation.cloud.fetched_at",
            "token_cache.hit",
            "token_cache.miss",
            "verified.host",
            "verified.software",
            "waiting",
        ]
    );
    for reason in gate::reason::ReasonKind::ALL {
        let name = format!("bearer_gate.denied.{}", reason.metric());
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(process.metric("bearer_gate.jwks.local.keys"), 2);
}

#[test]
fn a_prefix_tells_the_filters_of_one_envoy_apart() {
    let config = json!({"providers": {"cloud": provider()}, "stat_prefix": "edge"});
    let (process, _worker, _listener) = listening(&config.to_string());
    let names = process.metric_names();
    let has_prefix = |name: &String| name.starts_with("bearer_gate.edge.");
    assert!(names.iter().all(has_prefix), "{names:?}");
}

#[test]
fn what_all_workers_did_is_counted_in_one_place() {
    let process = process();
    let listeners = listeners(&process, 3, &config());
    process.advance(SECOND);
    let fetched_at = process.metric("bearer_gate.jwks.cloud.fetched_at");
    assert_eq!(fetched_at, 1_700_000_000);
    let token = token();
    for listener in &listeners {
        for _ in 0..4 {
            assert_eq!(listener.get("/", Some(&token)).status(), 200);
        }
        assert_eq!(listener.get("/", None).status(), 401);
    }
    let requests = [listeners[0].get("/", Some(&token_with_unknown_key()))];
    decided(&process, &requests, SECOND);
    process.advance(IDLE);
    for (name, expected) in [
        ("allowed", 12),
        ("bypassed", 0),
        ("denied.missing", 3),
        ("denied.unknown_key", 1),
        ("token_cache.hit", 9),
        ("token_cache.miss", 3),
        ("verified.host", 3),
        ("verified.software", 0),
        ("jwks.cloud.fetch_success", 2),
        ("jwks.cloud.fetch_failure", 0),
        ("jwks.cloud.skipped_keys", 0),
        ("jwks.cloud.keys", 2),
        ("waiting", 0),
    ] {
        assert_eq!(
            process.metric(&format!("bearer_gate.{name}")),
            expected,
            "{name}"
        );
    }
}

#[test]
fn waiting_requests_of_all_workers_are_summed_up() {
    let process = process();
    process.serve_always("issuer", gate_simulator::Reply::Hang);
    let listeners = listeners(&process, 3, &config());
    let token = token();
    let requests: Vec<_> = listeners
        .iter()
        .flat_map(|listener| (0..5).map(|_| listener.get("/", Some(&token))))
        .collect();
    process.advance(20 * MS);
    assert_eq!(process.metric("bearer_gate.waiting"), 15);
    requests[7].end();
    assert_eq!(process.metric("bearer_gate.waiting"), 14);
    process.advance(3 * SECOND);
    assert_eq!(process.metric("bearer_gate.waiting"), 0);
    assert_eq!(process.metric("bearer_gate.denied.keys_unavailable"), 14);
}

#[test]
fn the_keys_of_a_set_are_counted_as_skipped_even_if_none_is_usable() {
    let process = process();
    let keys = json!({"keys": [{"kty": "oct", "k": "AQAB"}, {}, 1]}).to_string();
    process.serve_always("issuer", Response::new(200, keys));
    let _listeners = listeners(&process, 2, &config());
    process.advance(500 * MS);
    assert_eq!(process.metric("bearer_gate.jwks.cloud.fetch_failure"), 1);
    assert_eq!(process.metric("bearer_gate.jwks.cloud.skipped_keys"), 3);
}

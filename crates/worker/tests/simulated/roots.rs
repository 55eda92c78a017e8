//! Configurations that are replaced, and several roots in one virtual machine. Envoy creates a new root
//! for a new configuration, and removes the old one when its listener and its streams are gone.

use gate_simulator::{Process, Reply, Response, Worker};
use serde_json::{Value, json};

use crate::logged;
use crate::support::{
    IDLE, MS, SECOND, TIMEOUT, config, decided, key_set, listening, process, provider, statuses,
    token, token_of,
};

/// The configuration with other audiences, which the tokens do not have.
fn stricter() -> String {
    let mut provider = provider();
    provider["audiences"] = json!(["https://api.example"]);
    json!({"providers": {"cloud": provider}}).to_string()
}

#[test]
fn requests_that_wait_while_the_configuration_is_replaced_are_decided_by_the_old_one() {
    let (process, worker, old) = listening(&config());
    process.serve_always("issuer", Reply::After(300 * MS, key_set()));
    let before: Vec<_> = (0..20).map(|_| old.get("/", Some(&token()))).collect();
    process.advance(50 * MS);
    let new = worker.listen(&stricter()).unwrap();
    // The audience is compared before the signature, so that this needs no keys.
    assert_eq!(new.get("/", Some(&token())).status(), 401);
    decided(&process, &before, SECOND);
    assert_eq!(statuses(&before), [200; 20]);
    for request in &before {
        request.end();
    }
    old.remove();
    process.advance(IDLE);
    assert_eq!(process.received("issuer").len(), 1, "both share the keys");
    assert_eq!(new.get("/", Some(&token())).status(), 401);
    assert_eq!(process.metric("bearer_gate.waiting"), 0);
}

#[test]
fn a_configuration_counts_as_a_user_although_other_workers_got_ahead_of_it() {
    let (process, _worker, kept) = listening(&config());
    // As many as a worker tries.
    process.lose_swaps(4);
    process.advance(SECOND);
    let removed = process.start_worker().listen(&config()).unwrap();
    process.advance(SECOND);
    removed.remove();
    process.advance(SECOND);
    assert_eq!(
        process.received("issuer").len(),
        1,
        "the keys stay for the first"
    );
    assert_eq!(kept.get("/", Some(&token())).status(), 200);
}

#[test]
fn a_configuration_that_replaces_one_that_fetches_fetches_at_once() {
    let (process, worker, old) = listening(&config());
    process.serve_always("issuer", Reply::Hang);
    process.advance(100 * MS);
    assert_eq!(process.in_flight("issuer"), 1);
    let mut config: Value = serde_json::from_str(&config()).unwrap();
    config["stat_prefix"] = json!("new");
    let new = worker.listen(&config.to_string()).unwrap();
    let requests = [new.get("/", Some(&token()))];
    process.advance(100 * MS);
    assert_eq!(process.received("issuer").len(), 1, "the turn is taken");
    process.serve_always("issuer", key_set());
    old.remove();
    let took = decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200]);
    assert!(took <= 25 * MS, "{took:?}");
}

#[test]
fn a_replaced_root_with_waiting_requests_goes_on_until_they_are_decided() {
    let (process, worker, old) = listening(&config());
    process.serve_always("issuer", Reply::Hang);
    let requests = [old.get("/", Some(&token()))];
    let new = worker.listen(&stricter()).unwrap();
    let took = decided(&process, &requests, 3 * SECOND);
    assert_eq!(statuses(&requests), [503]);
    assert!(took <= TIMEOUT + 20 * MS, "{took:?}");
    drop(new);
}

#[test]
fn one_of_two_roots_in_a_virtual_machine_is_replaced_and_the_other_does_not_notice() {
    let process = process();
    process.serve_always("other", key_set());
    let worker = process.start_worker();
    let mut other = provider();
    other["issuer"] = "https://other.example".into();
    other["remote_jwks"]["http_uri"]["cluster"] = "other".into();
    let other =
        |prefix: &str| json!({"providers": {"cloud": other}, "stat_prefix": prefix}).to_string();
    let stays = worker.listen(&config()).unwrap();
    let replaced = worker.listen(&other("first")).unwrap();
    let others_token = token_of("https://other.example", "ec");
    process.advance(SECOND);
    for (listener, token, status) in [
        (&stays, &token(), 200),
        (&replaced, &others_token, 200),
        // The same name, another issuer.
        (&stays, &others_token, 401),
        (&replaced, &token(), 401),
    ] {
        let request = listener.get("/", Some(token));
        assert_eq!(request.status(), status);
        request.end();
    }
    let new = worker.listen(&other("second")).unwrap();
    replaced.remove();
    process.advance(SECOND);
    assert_eq!(stays.get("/", Some(&token())).status(), 200);
    assert_eq!(new.get("/", Some(&others_token)).status(), 200);
    // The keys of both were fetched once.
    assert_eq!(process.received("issuer").len(), 1);
    assert_eq!(process.received("other").len(), 1);
    // A replaced root has handed over what it counted.
    assert_eq!(process.metric("bearer_gate.first.allowed"), 1);
    assert_eq!(process.metric("bearer_gate.first.denied.issuer"), 1);
}

#[test]
fn an_invalid_configuration_is_refused_and_the_old_one_stays() {
    let (process, worker, listener) = listening(&config());
    assert!(worker.listen("{\"providers\": {}}").is_none());
    assert!(worker.listen("").is_none());
    process.advance(SECOND);
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
}

#[test]
fn every_problem_of_a_configuration_has_a_line_in_the_log() {
    let (_process, worker, _listener) = listening(&config());
    logged::start();
    let invalid = json!({"providers": {"cloud": {"audiences": [""]}}, "realm": ""});
    assert!(worker.listen(&invalid.to_string()).is_none());
    assert_eq!(
        logged::take(),
        [
            "bearer-gate: configuration: providers.cloud.audiences[0]: must not be empty",
            "bearer-gate: configuration: realm: must not be empty",
        ]
    );
}

#[test]
fn a_root_keeps_its_configuration() {
    let (process, _worker, listener) = listening(&config());
    let requests = [listener.get("/", Some(&token()))];
    assert!(listener.configure_again(&config()));
    assert!(!listener.configure_again(&stricter()));
    decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200]);
    assert_eq!(process.received("issuer").len(), 1);
}

/// The configuration with a key set and a revocation list at these paths, and an unusable local key.
fn at_path(name: &str) -> String {
    let mut provider = provider();
    let uri = |kind: &str| format!("https://issuer.example/{kind}/{name}");
    provider["remote_jwks"]["http_uri"]["uri"] = json!(uri("jwks"));
    provider["revocation"] = json!({
        "http_uri": {"uri": uri("revoked"), "cluster": "list", "timeout": "2s"},
    });
    let unusable = json!({"kty": "RSA", "kid": name, "n": "AQAB", "e": "AQAB"});
    let mut keys: Value = serde_json::from_str(&gate_fixtures::key_set()).unwrap();
    keys["keys"].as_array_mut().unwrap().push(unusable);
    let local = json!({
        "issuer": "https://local.example",
        "local_jwks": {"inline_string": keys.to_string()},
    });
    json!({"providers": {"cloud": provider, "local": local}}).to_string()
}

/// A process whose list has 100 kB.
fn process_with_lists() -> Process {
    let process = process();
    let names: Vec<String> = (0..10_000).map(|number| format!("{number:>7}")).collect();
    let list = json!({"tokens": names}).to_string();
    process.serve_always("list", Response::new(200, list));
    process
}

#[test]
fn documents_that_no_configuration_uses_leave_shared_data() {
    let process = process_with_lists();
    let workers: Vec<_> = (0..3).map(|_| process.start_worker()).collect();
    let mut used = Vec::new();
    let mut sizes = Vec::new();
    let mut entries = Vec::new();
    for number in 0..20 {
        // The host checks a configuration in a virtual machine that it discards.
        process
            .start_worker()
            .listen(&at_path(&number.to_string()))
            .unwrap()
            .remove();
        let listen = |worker: &Worker| worker.listen(&at_path(&number.to_string())).unwrap();
        let replaced = std::mem::replace(&mut used, workers.iter().map(listen).collect());
        process.advance(SECOND);
        for listener in replaced {
            listener.remove();
        }
        process.advance(SECOND);
        sizes.push(process.shared_size());
        entries.push(process.shared_keys("said").len());
        for listener in &used {
            let request = listener.get("/", Some(&token()));
            assert_eq!(request.status(), 200);
            request.end();
        }
    }
    assert!(sizes[0] > 100_000, "{sizes:?}");
    assert!(sizes[19] < sizes[0] + 20_000, "{sizes:?}");
    assert_eq!(entries[19], entries[0], "{entries:?}");
    // No worker missed a key set.
    assert_eq!(process.received("issuer").len(), 20);
}

#[test]
fn a_document_that_another_configuration_uses_stays_in_shared_data() {
    let process = process_with_lists();
    let worker = process.start_worker();
    let removed = worker.listen(&at_path("a")).unwrap();
    let mut config: Value = serde_json::from_str(&at_path("a")).unwrap();
    config["stat_prefix"] = json!("other");
    let stays = worker.listen(&config.to_string()).unwrap();
    process.advance(SECOND);
    let before = process.received("list").len();
    removed.remove();
    let new = process.start_worker().listen(&at_path("a")).unwrap();
    process.advance(MS * 50);
    for listener in [&stays, &new] {
        assert_eq!(listener.get("/", Some(&token())).status(), 200);
    }
    assert_eq!(process.received("list").len(), before);
}

#[test]
fn a_configuration_that_replaces_the_only_user_of_a_document_keeps_it() {
    let process = process_with_lists();
    let worker = process.start_worker();
    let old = worker.listen(&at_path("a")).unwrap();
    process.advance(SECOND);
    let mut config: Value = serde_json::from_str(&at_path("a")).unwrap();
    config["stat_prefix"] = json!("new");
    let new = worker.listen(&config.to_string()).unwrap();
    // The new root has not ticked yet.
    old.remove();
    process.advance(50 * MS);
    assert_eq!(new.get("/", Some(&token())).status(), 200);
    assert_eq!(process.received("issuer").len(), 1);
    assert_eq!(process.received("list").len(), 1);
}

#[test]
fn a_worker_that_misses_a_discarded_document_fetches_it_again() {
    let process = process_with_lists();
    let worker = process.start_worker();
    let removed = worker.listen(&at_path("a")).unwrap();
    process.advance(SECOND);
    removed.remove();
    assert!(process.shared_size() < 10_000);
    let before = process.received("list").len();
    let listener = worker.listen(&at_path("a")).unwrap();
    process.advance(SECOND);
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
    assert_eq!(process.received("list").len(), before + 1);
}

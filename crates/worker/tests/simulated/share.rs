//! Workers that share nothing.

use gate_simulator::{Process, Reply};
use serde_json::{Value, json};

use crate::support::{
    IDLE, MS, SECOND, config, decided, introspecting_provider, key_set, listeners, other_key_set,
    process, provider, statuses, token, token_with_unknown_key,
};

/// The configuration in which workers share nothing.
fn separate() -> String {
    json!({"providers": {"cloud": provider()}, "share": "worker"}).to_string()
}

/// Writes to shared data that this is the key set, fetched just now.
fn forge(process: &Process, set: &Value) {
    // Names and form are those of a process whose workers share.
    let model = self::process();
    let _listeners = listeners(&model, 1, &config());
    model.advance(process.elapsed().max(IDLE));
    let entry = |kind: &str| model.shared_keys(kind).pop().unwrap();
    let (document, progress) = (entry(".document."), entry(".progress."));
    let mut state: Value = serde_json::from_slice(&model.shared(&progress).unwrap()).unwrap();
    state["version"]["id"] = 7.into();
    let text = format!("{set}\n{}", json!({"id": 7, "validator": null}));
    process.set_shared(&document, text.as_bytes());
    process.set_shared(&progress, state.to_string().as_bytes());
}

#[test]
fn a_forged_key_set_is_used_only_where_workers_share() {
    for (config, expected) in [(config(), 200), (separate(), 401)] {
        let process = process();
        process.serve_always("issuer", other_key_set());
        let listeners = listeners(&process, 2, &config);
        process.advance(IDLE);
        forge(
            &process,
            &serde_json::from_str(&gate_fixtures::key_set()).unwrap(),
        );
        process.advance(IDLE);
        let requests: Vec<_> = listeners
            .iter()
            .map(|one| one.get("/", Some(&token())))
            .collect();
        decided(&process, &requests, SECOND);
        assert_eq!(statuses(&requests), [expected; 2]);
    }
}

#[test]
fn each_worker_fetches_and_refetches_and_writes_nothing_to_shared_data() {
    let process = process();
    process.serve_always("endpoint", Reply::NotSent);
    let config = json!({
        "providers": {"cloud": provider(), "opaque": introspecting_provider()},
        "share": "worker",
    });
    let listeners = listeners(&process, 3, &config.to_string());
    let token = token();
    let requests: Vec<_> = listeners
        .iter()
        .map(|one| one.get("/", Some(&token)))
        .collect();
    decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200; 3]);
    assert_eq!(process.received("issuer").len(), 3);
    let unknown = token_with_unknown_key();
    let requests: Vec<_> = listeners
        .iter()
        .map(|one| one.get("/", Some(&unknown)))
        .collect();
    decided(&process, &requests, SECOND);
    assert_eq!(process.received("issuer").len(), 6);
    // A problem that is logged.
    let _failing = listeners[0].get("/", Some("opaque"));
    process.advance(1200 * SECOND);
    assert!(process.received("issuer").len() >= 9);
    assert_eq!(process.shared_len(), 0);
}

#[test]
fn a_new_configuration_of_a_worker_has_the_keys_of_the_one_that_it_replaces() {
    let process = process();
    let worker = process.start_worker();
    let old = worker.listen(&separate()).unwrap();
    process.advance(IDLE);
    let changed = json!({"providers": {"cloud": provider()}, "share": "worker", "realm": "a"});
    let new = worker.listen(&changed.to_string()).unwrap();
    old.remove();
    process.serve_always("issuer", Reply::Hang);
    process.advance(20 * MS);
    let request = new.get("/", Some(&token()));
    assert_eq!(request.status(), 200);
    assert_eq!(process.received("issuer").len(), 1);
    request.end();
    // A set without users leaves the memory of the worker.
    new.remove();
    process.serve_always("issuer", key_set());
    let again = worker.listen(&separate()).unwrap();
    process.advance(IDLE);
    assert_eq!(again.get("/", Some(&token())).status(), 200);
    assert_eq!(process.received("issuer").len(), 2);
}

//! Revocation lists, which workers share in several parts.

use gate_simulator::{Process, Response};
use serde_json::{Value, json};

use crate::support::{
    IDLE, SECOND, decided, listeners, process, provider, statuses, token, token_with_id,
};

/// The configuration with a revocation list.
fn config() -> String {
    let mut provider = provider();
    provider["revocation"] = json!({
        "http_uri": {"uri": "https://issuer.example/revoked", "cluster": "list", "timeout": "2s"},
    });
    json!({"providers": {"cloud": provider}}).to_string()
}

/// Serves a list that names `name` and some others.
fn publish(process: &Process, name: &str) {
    let mut names: Vec<_> = (0..100).map(|number| format!("other-{number}")).collect();
    names.push(name.to_owned());
    let list = json!({"tokens": names}).to_string();
    process.serve_always("list", Response::new(200, list));
}

/// The statuses of an unlisted token and of the token `name` in a worker that starts now.
fn in_new_worker(process: &Process, name: &str) -> Vec<u16> {
    let listener = &listeners(process, 1, &config())[0];
    let requests = [token(), token_with_id(name)].map(|token| listener.get("/", Some(&token)));
    decided(process, &requests, SECOND);
    statuses(&requests)
}

/// The entry as if another fetch had brought it.
fn of_another_fetch(entry: &[u8]) -> Vec<u8> {
    let end = entry.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let mut trailer: Value = serde_json::from_slice(&entry[end..]).unwrap();
    trailer["id"] = json!(7);
    [&entry[..end], trailer.to_string().as_bytes()].concat()
}

#[test]
fn a_list_that_lacks_a_part_is_fetched_again_for_new_workers() {
    let process = process();
    publish(&process, "revoked");
    let _listeners = listeners(&process, 1, &config());
    process.advance(SECOND);
    let parts: Vec<_> = process.shared_keys(".list.");
    let parts: Vec<_> = parts
        .iter()
        .filter(|key| key.contains("document"))
        .collect();
    assert_eq!(parts.len(), 16);
    for (number, part) in parts.into_iter().enumerate() {
        let entry = process.shared(part).unwrap();
        match number % 3 {
            0 => process.remove_shared(part),
            1 => process.set_shared(part, &of_another_fetch(&entry)),
            _ => process.set_shared(part, b""),
        }
        assert_eq!(in_new_worker(&process, "revoked"), [200, 401], "{part}");
        let fetches = process.received("list").len();
        assert_eq!(fetches, number + 2, "{part}");
        // Now the list is whole again.
        assert_eq!(in_new_worker(&process, "revoked"), [200, 401], "{part}");
        assert_eq!(process.received("list").len(), fetches, "{part}");
    }
}

#[test]
fn a_document_of_another_fetch_than_the_state_names_is_fetched_again() {
    for server in ["issuer", "list"] {
        let process = process();
        publish(&process, "revoked");
        let _listeners = listeners(&process, 1, &config());
        process.advance(SECOND);
        let is_list = |key: &String| key.contains(".list.");
        let mut parts = process.shared_keys("document");
        parts.retain(|key| is_list(key) == (server == "list"));
        assert!(!parts.is_empty(), "{server}");
        for part in &parts {
            let entry = process.shared(part).unwrap();
            process.set_shared(part, &of_another_fetch(&entry));
        }
        let fetches = process.received(server).len();
        assert_eq!(in_new_worker(&process, "revoked"), [200, 401], "{server}");
        assert_eq!(process.received(server).len(), fetches + 1, "{server}");
    }
}

#[test]
fn all_workers_adopt_a_new_list_although_other_writers_got_ahead() {
    let process = process();
    publish(&process, "first");
    let listeners = listeners(&process, 3, &config());
    process.advance(SECOND);
    publish(&process, "second");
    process.lose_some_swaps([false, true, false, false, true, true, false, true]);
    process.advance(11 * SECOND + IDLE);
    for listener in &listeners {
        let requests =
            ["first", "second"].map(|name| listener.get("/", Some(&token_with_id(name))));
        assert_eq!(statuses(&requests), [200, 401]);
    }
    assert_eq!(in_new_worker(&process, "second"), [200, 401]);
}

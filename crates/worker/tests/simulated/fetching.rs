//! What is fetched, when, and by which worker.

use gate_simulator::{Reply, Response};
use serde_json::{Value, json};

use crate::support::{
    IDLE, ISSUER, MS, SECOND, config, decided, key_set, listeners, listening, other_key_set,
    process, provider, statuses, token, token_of, token_with_unknown_key,
};

#[test]
fn the_first_fetch_is_sent_within_50_ms_of_loading_and_needs_no_request() {
    let (process, _worker, listener) = listening(&config());
    assert_eq!(process.received("issuer").len(), 0, "not while configuring");
    let took = process.advance_until(50 * MS, || !process.received("issuer").is_empty());
    assert!(took.is_some());
    let fetch = &process.received("issuer")[0];
    for (name, value) in [
        (":method", "GET"),
        (":path", "/jwks"),
        (":authority", "issuer.example"),
        ("accept", "application/jwk-set+json, application/json"),
    ] {
        assert_eq!(fetch.header(name), Some(value));
    }
    process.advance(10 * MS);
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
}

#[test]
fn metadata_and_lists_are_requested_as_json() {
    let mut provider = provider();
    let discovery = json!({"cluster": "issuer", "timeout": "2s"});
    provider["remote_jwks"] = json!({"discovery": discovery});
    provider["revocation"] = json!({
        "http_uri": {"uri": "https://issuer.example/revoked", "cluster": "list", "timeout": "2s"},
    });
    let config = json!({"providers": {"cloud": provider}}).to_string();
    let (process, _worker, _listener) = listening(&config);
    process.serve_always("list", Response::new(200, "{\"tokens\": []}"));
    process.advance(SECOND);
    for cluster in ["issuer", "list"] {
        let request = &process.received(cluster)[0];
        assert_eq!(
            request.header("accept"),
            Some("application/json"),
            "{cluster}"
        );
    }
}

#[test]
fn metadata_and_keys_are_requested_with_credentials() {
    let mut provider = provider();
    provider["remote_jwks"] = json!({
        "discovery": {"cluster": "issuer", "timeout": "2s"},
        "authorization": {"token_environment_variable": "SECRET"},
        "headers": [{"name": "x-tenant", "value": "a"}],
    });
    let process = process();
    process.serve("issuer", |request| {
        let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://keys.example/jwks"});
        match (request.header("authorization"), request.header(":path")) {
            (Some("Bearer secret"), Some("/jwks")) => key_set().into(),
            (Some("Bearer secret"), _) => Response::new(200, metadata.to_string()).into(),
            _ => Response::new(401, "").into(),
        }
    });
    let config = json!({"providers": {"cloud": provider}}).to_string();
    let listener = process.start_worker().listen(&config).unwrap();
    process.advance(IDLE);
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
    let received = process.received("issuer");
    let places = received.iter().map(|request| request.header(":authority"));
    let places: Vec<_> = places.collect();
    assert_eq!(places, [Some("issuer.example"), Some("keys.example")]);
    assert!(
        received
            .iter()
            .all(|request| request.header("x-tenant") == Some("a"))
    );
}

#[test]
fn configurations_with_other_credentials_share_no_keys_and_no_name_reveals_a_secret() {
    let with = |fields: Value| {
        let mut provider = provider();
        let jwks = provider["remote_jwks"].as_object_mut().unwrap();
        jwks.extend(fields.as_object().unwrap().clone());
        json!({"providers": {"cloud": provider}}).to_string()
    };
    let process = process();
    process.set_environment_variable("OTHER", "another secret");
    let basic = |user: &str| json!({"username": user, "password_environment_variable": "SECRET"});
    let key =
        |name: &str| json!({"headers": [{"name": "x-key", "value_environment_variable": name}]});
    let configs = [
        with(json!({})),
        with(json!({"authorization": basic("a")})),
        with(json!({"authorization": basic("b")})),
        with(json!({"authorization": {"token_environment_variable": "SECRET"}})),
        with(key("SECRET")),
        with(key("OTHER")),
        with(json!({"headers": [{"name": "x-key", "value": "a"}]})),
    ];
    let worker = process.start_worker();
    let listeners: Vec<_> = configs
        .iter()
        .map(|one| worker.listen(one).unwrap())
        .collect();
    process.advance(IDLE);
    let token = token();
    assert!(
        listeners
            .iter()
            .all(|one| one.get("/", Some(&token)).status() == 200)
    );
    assert_eq!(process.received("issuer").len(), configs.len());
    assert_eq!(process.shared_keys("document").len(), configs.len());
    assert!(process.shared_keys("secret").is_empty());
}

#[test]
fn one_fetch_serves_the_whole_process() {
    let process = process();
    let listeners = listeners(&process, 8, &config());
    let token = token();
    let requests: Vec<_> = listeners
        .iter()
        .map(|one| one.get("/", Some(&token)))
        .collect();
    assert_eq!(statuses(&requests), [0; 8]);
    decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200; 8]);
    assert_eq!(process.received("issuer").len(), 1);
    // So does each refresh.
    process.advance(601 * SECOND);
    assert_eq!(process.received("issuer").len(), 2);
}

#[test]
fn providers_with_different_key_uses_do_not_spoil_each_others_fetches() {
    let with_uses = |uses: &[&str]| {
        let mut provider = provider();
        provider["remote_jwks"]["key_uses"] = json!(uses);
        provider
    };
    let mut key = gate_fixtures::ec_jwk();
    key["use"] = "jwt-svid".into();
    let set = Response::new(200, json!({ "keys": [key] }).to_string());
    let process = process();
    process.serve_always("issuer", set);
    let providers = json!({"a": with_uses(&["sig"]), "b": with_uses(&["jwt-svid"])});
    let rule = |name: &str| {
        let path = format!("/{name}");
        json!({"match": {"path": path}, "requires": {"provider_name": name}})
    };
    let config = json!({"providers": providers, "rules": [rule("a"), rule("b")]});
    let listener = process.start_worker().listen(&config.to_string()).unwrap();
    process.advance(IDLE);
    // For `a` there is no usable key, which makes its fetches fail.
    assert_eq!(listener.get("/b", Some(&token())).status(), 200);
    let waiting = [listener.get("/a", Some(&token()))];
    decided(&process, &waiting, 4 * SECOND);
    assert_eq!(statuses(&waiting), [503]);
}

#[test]
fn two_workers_adopt_the_document_of_a_third() {
    let process = process();
    let listeners = listeners(&process, 3, &config());
    process.advance(20 * MS);
    // The others are idle by now; a new set is with them after their next tick.
    process.serve_always("issuer", other_key_set());
    let refetching = listeners[0].get("/", Some(&token_with_unknown_key()));
    process.advance(IDLE);
    assert_eq!(refetching.status(), 401);
    assert_eq!(process.received("issuer").len(), 2);
    let token = token();
    for listener in &listeners {
        // The key is no longer in the set, and the cooldown forbids another fetch.
        assert_eq!(listener.get("/", Some(&token)).status(), 401);
    }
    assert_eq!(process.metric("bearer_gate.jwks.cloud.keys"), 1);
}

#[test]
fn an_unknown_key_causes_one_fetch_of_the_process_in_a_cooldown() {
    let process = process();
    let listeners = listeners(&process, 4, &config());
    process.advance(IDLE);
    assert_eq!(process.received("issuer").len(), 1);
    let token = token_with_unknown_key();
    for cooldown in 1..4 {
        let requests: Vec<_> = listeners
            .iter()
            .flat_map(|listener| (0..5).map(|_| listener.get("/", Some(&token))))
            .collect();
        assert_eq!(statuses(&requests), [0; 20]);
        decided(&process, &requests, SECOND);
        assert_eq!(statuses(&requests), [401; 20]);
        process.advance(8 * SECOND);
        for listener in &listeners {
            // The cooldown has not ended, so it is not worth waiting.
            assert_eq!(listener.get("/", Some(&token)).status(), 401);
        }
        assert_eq!(process.received("issuer").len(), 1 + cooldown);
        process.advance(3 * SECOND);
    }
}

#[test]
fn a_request_with_a_new_key_is_admitted_after_the_refetch() {
    let (process, _worker, listener) = listening(&config());
    process.serve_always("issuer", other_key_set());
    process.advance(IDLE);
    process.serve_always("issuer", Reply::After(300 * MS, key_set()));
    let requests = [listener.get("/", Some(&token()))];
    let took = decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200]);
    assert!(took >= 300 * MS && took <= 330 * MS, "{took:?}");
}

#[test]
fn a_lost_swap_is_repeated_at_once_and_four_lost_swaps_at_the_next_tick() {
    for (lost, latest) in [(1, 11 * MS), (3, 11 * MS), (4, 21 * MS), (9, 41 * MS)] {
        let (process, _worker, listener) = listening(&config());
        process.lose_swaps(lost);
        let took = process.advance_until(latest, || process.received("issuer").len() == 1);
        assert!(took.is_some(), "{lost}");
        process.advance(20 * MS);
        assert_eq!(listener.get("/", Some(&token())).status(), 200);
    }
}

#[test]
fn a_document_that_could_not_be_shared_is_fetched_again() {
    let process = process();
    let listeners = listeners(&process, 2, &config());
    let sent = process.advance_until(50 * MS, || process.in_flight("issuer") == 1);
    assert!(sent.is_some());
    // The other worker also ticks first. Then all attempts to share the document fail, and the turn ends.
    process.advance(MS);
    process.lose_swaps(4);
    let token = token();
    let requests: Vec<_> = listeners
        .iter()
        .map(|one| one.get("/", Some(&token)))
        .collect();
    decided(&process, &requests, 2 * SECOND);
    assert_eq!(statuses(&requests), [200; 2]);
    assert_eq!(process.received("issuer").len(), 2);
}

#[test]
fn a_refetch_for_an_unknown_key_survives_lost_swaps() {
    let (process, _worker, listener) = listening(&config());
    process.advance(IDLE);
    process.lose_swaps(4);
    let requests = [listener.get("/", Some(&token_with_unknown_key()))];
    let took = decided(&process, &requests, SECOND);
    assert!(took < 100 * MS, "{took:?}");
    assert_eq!(process.received("issuer").len(), 2);
}

#[test]
fn a_document_that_is_lost_from_shared_data_is_fetched_again_for_new_workers() {
    let (process, _worker, _listener) = listening(&config());
    process.advance(IDLE);
    for key in process.shared_keys("document") {
        process.remove_shared(&key);
    }
    let listener = process.start_worker().listen(&config()).unwrap();
    let requests = [listener.get("/", Some(&token()))];
    decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200]);
    assert_eq!(process.received("issuer").len(), 2);
}

#[test]
fn a_server_may_ask_for_an_earlier_refresh_but_not_within_a_minute() {
    for (directive, cache_control, due) in [
        ("max-age=300", "honor", 300),
        ("max-age=1", "honor", 60),
        ("no-store", "honor", 60),
        ("no-store", "ignore", 600),
    ] {
        let mut provider = provider();
        provider["remote_jwks"]["cache_control"] = cache_control.into();
        let config = json!({"providers": {"cloud": provider}}).to_string();
        let process = process();
        process.serve_always("issuer", key_set().header("cache-control", directive));
        let _listener = process.start_worker().listen(&config).unwrap();
        // The refresh may come up to a tenth earlier.
        process.advance((due * 9 / 10 - 1) * SECOND);
        assert_eq!(process.received("issuer").len(), 1, "{directive}");
        process.advance((due / 10 + 2) * SECOND);
        assert_eq!(process.received("issuer").len(), 2, "{directive}");
    }
}

#[test]
fn an_unchanged_document_is_not_transferred_again() {
    let (process, _worker, listener) = listening(&config());
    let tag = "\"a\"";
    process.serve_always("issuer", key_set().header("etag", tag));
    process.advance(SECOND);
    process.serve_always("issuer", Response::new(304, ""));
    process.advance(600 * SECOND);
    let received = process.received("issuer");
    assert_eq!(received.len(), 2);
    assert_eq!(received[1].header("if-none-match"), Some(tag));
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
    assert_eq!(process.metric("bearer_gate.jwks.cloud.fetch_success"), 2);
}

#[test]
fn a_document_that_comes_back_with_another_tag_is_requested_with_that_one() {
    for tags in [
        ["\"a\"", "\"b\"", "\"c\""],
        ["\"a\"", "W/\"a\"", "\"a\""],
        ["\"a\"", "", "\"a\""],
        ["", "\"a\"", "\"b\""],
    ] {
        let process = process();
        let listeners = listeners(&process, 2, &config());
        let mut served = 0;
        process.serve("issuer", move |request| {
            let tag = tags.get(served).copied().unwrap_or_default();
            served += 1;
            if served > tags.len() && request.header("if-none-match").is_some() {
                return Response::new(304, "").into();
            }
            key_set().header("etag", tag).into()
        });
        process.advance(5 * 601 * SECOND);
        let received = process.received("issuer");
        let sent: Vec<_> = received
            .iter()
            .map(|request| request.header("if-none-match").unwrap_or_default())
            .collect();
        // The first request has no tag, and a 304 leaves the last one in use.
        let expected = [&[""], &tags[..], &tags[2..], &tags[2..]].concat();
        assert_eq!(sent[..expected.len()], expected);
        for listener in &listeners {
            assert_eq!(listener.get("/", Some(&token())).status(), 200);
        }
        let name = "bearer_gate.jwks.cloud.fetch_failure";
        assert_eq!(process.metric(name), 0);
    }
}

#[test]
fn keys_are_used_while_the_server_is_down_until_they_are_too_old() {
    let mut provider = provider();
    let remote = provider["remote_jwks"].as_object_mut().unwrap();
    remote.insert("cache_duration".to_owned(), json!("10s"));
    remote.insert("max_stale".to_owned(), json!("30s"));
    let config = json!({"providers": {"cloud": provider}}).to_string();
    let (process, _worker, listener) = listening(&config);
    process.advance(SECOND);
    process.set_healthy("issuer", false);
    process.advance(28 * SECOND);
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
    process.advance(2 * SECOND);
    assert_eq!(process.metric("bearer_gate.jwks.cloud.keys"), 0);
    let request = [listener.get("/", Some(&token()))];
    decided(&process, &request, 3 * SECOND);
    assert_eq!(statuses(&request), [503]);
    process.set_healthy("issuer", true);
    process.advance(60 * SECOND);
    assert_eq!(listener.get("/", Some(&token())).status(), 200);
}

#[test]
fn providers_with_keys_at_one_place_share_a_fetch_and_keep_their_issuers() {
    let mut other = provider();
    other["issuer"] = "https://other.example".into();
    let rule = |name: &str| json!({"match": {"prefix": format!("/{name}")}, "requires": {"provider_name": name}});
    let config = json!({
        "providers": {"cloud": provider(), "other": other},
        "rules": [rule("cloud"), rule("other")],
    });
    let (process, _worker, listener) = listening(&config.to_string());
    process.advance(SECOND);
    assert_eq!(process.received("issuer").len(), 1);
    assert_eq!(listener.get("/cloud", Some(&token())).status(), 200);
    assert_eq!(listener.get("/other", Some(&token())).status(), 401);
    let foreign = token_of("https://other.example", "ec");
    assert_eq!(listener.get("/other", Some(&foreign)).status(), 200);
}

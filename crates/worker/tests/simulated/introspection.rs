//! Tokens that are introspected.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate_fixtures::es256;
use gate_simulator::{Listener, Process, Received, Reply, Response, Worker};
use gate_worker::waiting_room::CAPACITY;
use serde_json::{Value, json};

use crate::support::{
    IDLE, ISSUER, MS, SECOND, TIMEOUT, decided, introspecting_provider, listening, process,
    statuses, token, token_of,
};

fn introspecting() -> (Process, Worker, Listener) {
    let config = json!({"providers": {"cloud": introspecting_provider()}});
    let (process, worker, listener) = listening(&config.to_string());
    process.serve_always("endpoint", Reply::Hang);
    process.advance(IDLE);
    (process, worker, listener)
}

fn active() -> Response {
    let body = json!({"active": true, "iss": "https://issuer.example", "sub": "somebody"});
    Response::new(200, body.to_string())
}

#[test]
fn requests_with_the_same_token_share_an_introspection() {
    let (process, worker, listener) = introspecting();
    let requests: Vec<_> = (0..9).map(|_| listener.get("/", Some("opaque"))).collect();
    process.advance(20 * MS);
    let received = process.received("endpoint");
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header(":method"), Some("POST"));
    let body = String::from_utf8(received[0].body.clone()).unwrap();
    assert_eq!(body, "token=opaque&token_type_hint=access_token");
    // base64("gate:secret")
    let authorization = received[0].header("authorization");
    assert_eq!(authorization, Some("Basic Z2F0ZTpzZWNyZXQ="));
    process.respond("endpoint", &active());
    process.advance(20 * MS);
    assert_eq!(statuses(&requests), [200; 9]);
    assert_eq!(worker.waiters_decided(), 9);
    // The response is cached.
    assert_eq!(listener.get("/", Some("opaque")).status(), 200);
    assert_eq!(process.received("endpoint").len(), 1);
    process.advance(IDLE);
    let name = "bearer_gate.introspection.cloud.success";
    assert_eq!(process.metric(name), 1);
}

/// The parameters of a request to the endpoint.
fn parameters(request: &Received) -> Vec<(String, String)> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

/// The requests to the endpoint for two tokens, with these fields in place of the secret.
fn authenticated(fields: &Value) -> Vec<Received> {
    let mut provider = introspecting_provider();
    let introspection = provider["introspection"].as_object_mut().unwrap();
    introspection.remove("client_secret_environment_variable");
    introspection.extend(fields.as_object().unwrap().clone());
    let process = process();
    process.set_environment_variable("KEY", &gate_fixtures::client_jwk().to_string());
    process.serve_always("endpoint", Reply::from(active()));
    let config = json!({"providers": {"cloud": provider}}).to_string();
    let listener = process.start_worker().listen(&config).unwrap();
    process.advance(IDLE);
    let requests = ["one", "two"].map(|token| listener.get("/", Some(token)));
    decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200; 2]);
    process.received("endpoint")
}

#[test]
fn a_secret_or_the_identifier_alone_may_be_in_the_body() {
    let id = ("client_id".to_owned(), "gate".to_owned());
    let secret = ("client_secret".to_owned(), "secret".to_owned());
    for (fields, expected) in [
        (
            json!({"authentication": "client_secret_post", "client_secret_environment_variable": "SECRET"}),
            vec![id.clone(), secret],
        ),
        (json!({"authentication": "tls_client_auth"}), vec![id]),
    ] {
        for request in authenticated(&fields) {
            assert_eq!(request.header("authorization"), None);
            let parameters = parameters(&request);
            assert_eq!(parameters[0].0, "token");
            assert_eq!(parameters[2..], expected, "{fields}");
        }
    }
}

#[test]
fn each_request_has_an_assertion_of_its_own() {
    let received = authenticated(&json!({
        "authentication": "private_key_jwt",
        "client_key_environment_variable": "KEY",
    }));
    let mut identifiers = Vec::new();
    for request in &received {
        assert_eq!(request.header("authorization"), None);
        let parameters = parameters(request);
        let value = |name: &str| {
            let found = parameters.iter().find(|(known, _)| known == name);
            found.unwrap().1.clone()
        };
        assert_eq!(value("client_id"), "gate");
        let assertion = value("client_assertion");
        let payload = assertion.split('.').nth(1).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(payload["aud"], ISSUER);
        assert_eq!(payload["iat"], 1_700_000_000);
        identifiers.push(payload["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(identifiers.len(), 2);
    assert_ne!(identifiers[0], identifiers[1]);
}

#[test]
fn one_response_serves_all_who_wait_for_it_even_if_it_must_not_be_stored() {
    let expired = Response::new(200, r#"{"active":true,"exp":1}"#);
    let inactive = Response::new(200, r#"{"active":false}"#);
    for (response, expected) in [(expired, 401), (inactive, 401), (active(), 200)] {
        let mut provider = introspecting_provider();
        // The shortest durations: nothing is stored.
        provider["introspection"]["cache_duration"] = "0.000000001s".into();
        provider["introspection"]["negative_cache_duration"] = "0.000000001s".into();
        let config = json!({"providers": {"cloud": provider}});
        let (process, worker, listener) = listening(&config.to_string());
        process.serve_always("endpoint", Reply::Hang);
        let requests: Vec<_> = (0..CAPACITY)
            .map(|_| listener.get("/", Some("opaque")))
            .collect();
        process.advance(20 * MS);
        process.respond("endpoint", &response);
        // Some have been decided, the others are called.
        process.advance(MS);
        let late = listener.get("/", Some("opaque"));
        process.advance(100 * MS);
        assert_eq!(statuses(&requests), [expected; CAPACITY]);
        assert_eq!(worker.waiters_decided(), CAPACITY);
        // A request that arrived after the response needs another one.
        assert_eq!(late.status(), 0);
        assert_eq!(process.received("endpoint").len(), 2);
        process.respond("endpoint", &response);
        process.advance(10 * MS);
        assert_eq!(late.status(), expected);
    }
}

#[test]
fn a_status_that_is_not_stored_is_kept_by_a_request_that_waits_on() {
    let mut provider = introspecting_provider();
    provider["introspection"]["cache_duration"] = "0.000000001s".into();
    provider["revocation"] = json!({
        "http_uri": {"uri": "https://issuer.example/revoked", "cluster": "list", "timeout": "2s"},
    });
    let config = json!({"providers": {"cloud": provider}});
    let (process, _worker, listener) = listening(&config.to_string());
    process.serve_always("list", Reply::Hang);
    process.serve_always("endpoint", Reply::from(active()));
    let requests = [listener.get("/", Some("opaque"))];
    process.advance(100 * MS);
    assert_eq!(statuses(&requests), [0]);
    process.respond("list", &Response::new(200, r#"{"tokens": []}"#));
    process.advance(50 * MS);
    assert_eq!(statuses(&requests), [200]);
    assert_eq!(process.received("endpoint").len(), 1);
}

#[test]
fn a_request_is_sent_a_millisecond_after_the_token_arrived() {
    let (process, _worker, listener) = introspecting();
    let _request = listener.get("/", Some("opaque"));
    let sent = process.advance_until(SECOND, || process.in_flight("endpoint") == 1);
    assert_eq!(sent, Some(MS));
}

#[test]
fn a_response_wakes_only_requests_with_its_token() {
    let (process, worker, listener) = introspecting();
    process.serve("endpoint", |request| {
        if request.body.starts_with(b"token=quick&") {
            active().into()
        } else {
            Reply::Hang
        }
    });
    let slow: Vec<_> = (0..5).map(|_| listener.get("/", Some("slow"))).collect();
    let quick: Vec<_> = (0..3).map(|_| listener.get("/", Some("quick"))).collect();
    process.advance(50 * MS);
    assert_eq!(statuses(&quick), [200; 3]);
    assert_eq!(statuses(&slow), [0; 5]);
    assert_eq!(worker.waiters_decided(), 3);
    process.respond("endpoint", &Response::new(200, "{\"active\": false}"));
    process.advance(50 * MS);
    assert_eq!(statuses(&slow), [401; 5]);
    assert_eq!(worker.waiters_decided(), 8);
}

#[test]
fn a_jwt_is_sent_to_no_endpoint_of_another_issuer() {
    let mut own = introspecting_provider();
    own["introspection"]["for"] = "all".into();
    let mut other = own.clone();
    other["issuer"] = "https://other.example".into();
    other["introspection"]["http_uri"]["cluster"] = "other".into();
    let config = json!({"providers": {"cloud": own, "other": other}});
    let (process, _worker, listener) = listening(&config.to_string());
    process.serve_always("endpoint", Reply::from(active()));
    process.serve_always("other", Reply::from(active()));
    let expired = json!({"iss": ISSUER, "exp": 1_600_000_000});
    let expired = es256(&json!({"alg": "ES256"}), &expired);
    let nobodys = token_of("https://third.example", "ec");
    let requests = [token(), expired, nobodys].map(|token| listener.get("/", Some(&token)));
    decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200, 401, 401]);
    assert_eq!(process.received("endpoint").len(), 1);
    assert!(process.received("other").is_empty());
}

#[test]
fn clients_that_disconnect_cause_no_call_and_delay_nobody() {
    let (process, _worker, listener) = introspecting();
    process.serve_always("endpoint", Reply::from(active()));
    for number in 0..2 * CAPACITY {
        listener.get("/", Some(&format!("token{number}"))).end();
    }
    let requests = [listener.get("/", Some("good"))];
    let took = decided(&process, &requests, SECOND);
    assert!(took <= 10 * MS, "{took:?}");
    assert_eq!(statuses(&requests), [200]);
    let received = process.received("endpoint");
    assert_eq!(received.len(), 1);
    assert!(received[0].body.starts_with(b"token=good&"));
}

#[test]
fn only_calls_in_flight_are_left_of_clients_that_disconnect() {
    let (process, _worker, listener) = introspecting();
    let requests: Vec<_> = (0..CAPACITY)
        .map(|number| listener.get("/", Some(&format!("token{number}"))))
        .collect();
    process.advance(20 * MS);
    assert_eq!(process.in_flight("endpoint"), 128);
    for request in &requests {
        request.end();
    }
    let good = listener.get("/", Some("good"));
    process.advance(20 * MS);
    process.respond("endpoint", &active());
    process.advance(20 * MS);
    process.respond("endpoint", &active());
    process.advance(20 * MS);
    assert_eq!(good.status(), 200);
    assert_eq!(process.received("endpoint").len(), 129);
}

#[test]
fn a_call_that_two_clients_wait_for_is_made_if_one_of_them_disconnects() {
    let (process, _worker, listener) = introspecting();
    process.serve_always("endpoint", Reply::from(active()));
    let requests = ["one", "one"].map(|token| listener.get("/", Some(token)));
    requests[0].end();
    process.advance(20 * MS);
    assert_eq!(requests[1].status(), 200);
}

#[test]
fn no_call_is_made_that_a_request_needs_no_more() {
    let (mut first, mut second) = (introspecting_provider(), introspecting_provider());
    first["introspection"]["http_uri"]["cluster"] = "first".into();
    second["introspection"]["http_uri"]["cluster"] = "second".into();
    let config = json!({"providers": {"first": first, "second": second}});
    let (process, _worker, listener) = listening(&config.to_string());
    process.serve_always("first", Reply::from(active()));
    process.serve_always("second", Reply::Hang);
    // The first 128 tokens use up the calls to the second endpoint.
    let requests: Vec<_> = (0..200)
        .map(|number| listener.get("/", Some(&format!("token{number}"))))
        .collect();
    decided(&process, &requests, SECOND);
    assert_eq!(statuses(&requests), [200; 200]);
    process.advance(5 * SECOND);
    assert_eq!(process.received("first").len(), 200);
    assert_eq!(process.received("second").len(), 128);
}

#[test]
fn an_endpoint_that_fails_means_503_and_is_not_asked_again_for_a_second() {
    for reply in [
        Reply::from(Response::new(500, "")),
        Reply::from(Response::new(200, "{}")),
        Reply::Reset(MS),
    ] {
        let (process, _worker, listener) = introspecting();
        process.serve_always("endpoint", reply);
        let requests = [listener.get("/", Some("opaque"))];
        let took = decided(&process, &requests, SECOND);
        assert!(took < 20 * MS, "{took:?}");
        assert_eq!(statuses(&requests), [503]);
        assert_eq!(listener.get("/", Some("opaque")).status(), 503);
        assert_eq!(process.received("endpoint").len(), 1);
        process.advance(SECOND);
        let _request = listener.get("/", Some("opaque"));
        process.advance(10 * MS);
        assert_eq!(process.received("endpoint").len(), 2);
        process.advance(IDLE);
        let name = "bearer_gate.introspection.cloud.failure";
        assert_eq!(process.metric(name), 2);
    }
}

#[test]
fn a_response_after_the_timeout_is_none() {
    let (process, worker, listener) = introspecting();
    process.serve_always("endpoint", Reply::After(SECOND, active()));
    let requests = [listener.get("/", Some("opaque"))];
    process.advance(20 * MS);
    // The token is revoked while the response waits for a thread that does not run.
    worker.set_stalled(true);
    process.serve_always("endpoint", Response::new(200, r#"{"active": false}"#));
    process.advance(TIMEOUT + 500 * MS);
    worker.set_stalled(false);
    process.advance(20 * MS);
    assert_eq!(statuses(&requests), [503]);
    process.advance(SECOND);
    let requests = [listener.get("/", Some("opaque"))];
    process.advance(20 * MS);
    assert_eq!(statuses(&requests), [401]);
}

#[test]
fn an_endpoint_that_hangs_or_is_unknown_means_503() {
    let (process, _worker, listener) = introspecting();
    let requests = [listener.get("/", Some("opaque"))];
    let took = decided(&process, &requests, 3 * SECOND);
    assert!(took >= TIMEOUT && took < TIMEOUT + 20 * MS, "{took:?}");
    assert_eq!(statuses(&requests), [503]);
    process.set_healthy("endpoint", false);
    let requests = [listener.get("/", Some("other"))];
    let took = decided(&process, &requests, SECOND);
    assert!(took <= 10 * MS, "{took:?}");
    assert_eq!(statuses(&requests), [503]);
}

#[test]
fn a_thousand_tokens_are_introspected_128_at_a_time() {
    let (process, _worker, listener) = introspecting();
    process.serve_always("endpoint", Reply::After(10 * MS, active()));
    let requests: Vec<_> = (0..1000)
        .map(|number| listener.get("/", Some(&format!("token{number}"))))
        .collect();
    decided(&process, &requests, TIMEOUT);
    assert!(statuses(&requests).iter().all(|status| *status == 200));
    assert_eq!(process.received("endpoint").len(), 1000);
}

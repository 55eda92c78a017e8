//! Refusals that are only reported: the requests pass as they were sent.

use gate_simulator::{Reply, Request, Response};
use serde_json::{Value, json};

use crate::logged;
use crate::support::{
    MS, SECOND, TIMEOUT, decided, introspecting_provider, listening, provider, token, token_of,
};

/// A provider that passes claims on and removes tokens.
fn cloud() -> Value {
    let mut provider = provider();
    provider["claim_to_headers"] = json!([{"header_name": "x-sub", "claim_name": "sub"}]);
    provider["forward_payload_header"] = json!("x-payload");
    provider["claims_to_filter_state"] = json!([{"key": "sub", "claim_name": "sub"}]);
    provider
}

fn report_only() -> String {
    json!({"providers": {"cloud": cloud()}, "report_only": true}).to_string()
}

fn report(request: &Request) -> String {
    let state = request.filter_state();
    match state.as_slice() {
        [] => String::new(),
        [(key, value)] if key == "bearer_gate.would_deny" => {
            String::from_utf8(value.clone()).unwrap()
        }
        [(key, value), (other, rule)]
            if key == "bearer_gate.would_deny" && other == "bearer_gate.rule" =>
        {
            String::from_utf8([&value[..], b" by ", &rule[..]].concat()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_that_would_be_refused_passes_as_it_was_sent_without_claims() {
    let (process, _worker, listener) = listening(&report_only());
    process.advance(SECOND);
    let foreign = format!("Bearer {}", token_of("https://other.example", "ec"));
    let good = format!("Bearer {}", token());
    let pseudo = [(":method", "GET"), (":path", "/"), (":authority", "a")];
    for (headers, reason) in [
        (&[][..], "missing"),
        (&[("authorization", "Bearer a b")], "malformed"),
        (&[("authorization", "Bearer a.b.c")], "malformed"),
        (&[("authorization", &foreign)], "issuer"),
        (
            &[("authorization", &*good), ("authorization", &*foreign)],
            "several_tokens",
        ),
    ] {
        let sent = [&pseudo[..], headers].concat();
        let own = [("x-sub", "forged"), ("x_payload", "forged")];
        let request = listener.request(&[&sent[..], &own].concat());
        assert_eq!(request.status(), 200, "{reason}");
        assert_eq!(report(&request), reason);
        // All that the client sent, but not its copies of our headers.
        let received = request.headers();
        let received = received
            .iter()
            .map(|(name, value)| (name.as_str(), str::from_utf8(value).unwrap()));
        assert_eq!(received.collect::<Vec<_>>(), sent);
        assert!(!request.is_route_cleared());
    }
    process.advance(SECOND);
    for (reason, count) in [("missing", 1), ("malformed", 2), ("issuer", 1)] {
        let name = format!("bearer_gate.would_deny.{reason}");
        assert_eq!(process.metric(&name), count);
        let name = format!("bearer_gate.denied.{reason}");
        assert_eq!(process.metric(&name), 0);
    }
    assert_eq!(process.metric("bearer_gate.bypassed"), 0);
}

#[test]
fn a_good_token_is_handled_as_ever() {
    let (process, _worker, listener) = listening(&report_only());
    process.advance(SECOND);
    let request = listener.get("/", Some(&token()));
    assert_eq!(request.header("x-sub"), [b"somebody"]);
    assert!(request.header("authorization").is_empty());
    assert_eq!(
        request.filter_state(),
        [("sub".to_owned(), b"somebody".to_vec())]
    );
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.allowed"), 1);
}

#[test]
fn a_rule_that_only_reports_leaves_the_others_as_they_are() {
    logged::start_with_debug();
    let config = json!({
        "providers": {"cloud": cloud()},
        "rules": [
            {"match": {"prefix": "/a"}, "requires": {"provider_name": "cloud"}, "report_only": true},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
        ],
    });
    let (process, _worker, listener) = listening(&config.to_string());
    process.set_logs_debug(true);
    process.advance(SECOND);
    logged::take();
    let reported = listener.get("/a", None);
    assert_eq!(
        (reported.status(), report(&reported).as_str()),
        (200, "missing by rules[0]")
    );
    let ambiguous = listener.get("/a/..%2fb", None);
    assert_eq!(ambiguous.status(), 401);
    assert_eq!(listener.get("/b", None).status(), 401);
    assert_eq!(
        logged::take(),
        [
            "bearer-gate: decision=would_deny reason=missing provider=cloud rule=0 method=GET path=/a",
            "bearer-gate: decision=deny reason=missing provider=cloud rule=1 method=GET path=/a/..%2fb",
            "bearer-gate: decision=deny reason=missing provider=cloud rule=1 method=GET path=/b",
        ]
    );
}

#[test]
fn a_request_waits_for_keys_and_passes_when_its_time_is_up() {
    let (process, _worker, listener) = listening(&report_only());
    process.serve_always("issuer", Reply::Hang);
    let waiting = [listener.get("/", Some(&token()))];
    assert_eq!(waiting[0].status(), 0);
    let took = decided(&process, &waiting, 2 * TIMEOUT);
    assert!(took >= TIMEOUT, "{took:?}");
    assert_eq!(waiting[0].status(), 200);
    assert_eq!(report(&waiting[0]), "keys_unavailable");
    assert_eq!(waiting[0].header("authorization").len(), 1);
    assert!(waiting[0].header("x-sub").is_empty());
}

#[test]
fn a_request_that_waited_is_admitted_if_it_turns_out_to_be_good() {
    let (process, _worker, listener) = listening(&report_only());
    let waiting = [listener.get("/", Some(&token()))];
    decided(&process, &waiting, SECOND);
    assert_eq!(waiting[0].header("x-sub"), [b"somebody"]);
}

#[test]
fn requests_pass_when_the_waiting_room_is_full() {
    let (process, _worker, listener) = listening(&report_only());
    process.serve_always("issuer", Reply::Hang);
    let requests: Vec<_> = (0..1100)
        .map(|_| listener.get("/", Some(&token())))
        .collect();
    let passed: Vec<_> = requests.iter().filter(|one| one.status() == 200).collect();
    assert_eq!(passed.len(), 1100 - 1024);
    assert!(passed.iter().all(|one| report(one) == "keys_unavailable"));
    let took = process.advance_until(2 * TIMEOUT, || {
        requests.iter().all(|one| one.status() == 200)
    });
    assert!(took.is_some());
}

#[test]
fn an_inactive_token_is_reported_after_the_endpoint_has_answered() {
    let config = json!({"providers": {"cloud": introspecting_provider()}, "report_only": true});
    let (process, _worker, listener) = listening(&config.to_string());
    let inactive = Response::new(200, "{\"active\": false}");
    process.serve_always("endpoint", Reply::After(5 * MS, inactive));
    let waiting = [listener.get("/", Some("opaque"))];
    decided(&process, &waiting, SECOND);
    assert_eq!(waiting[0].status(), 200);
    assert_eq!(report(&waiting[0]), "inactive");
}

#[test]
fn a_forged_header_is_removed_and_reported_where_routes_name_requirements() {
    let config = json!({
        "providers": {"cloud": cloud()},
        "per_route_requirements": true,
        "report_only": true,
    });
    let (process, _worker, listener) = listening(&config.to_string());
    process.advance(SECOND);
    let bearer = format!("Bearer {}", token());
    let request = listener.request(&[
        (":method", "GET"),
        (":path", "/"),
        (":authority", "a"),
        ("authorization", &bearer),
        ("x_sub", "forged"),
    ]);
    assert_eq!(request.status(), 200);
    assert_eq!(report(&request), "header");
    assert!(request.header("x_sub").is_empty());
    // It was not judged, so nothing of the token is passed on.
    assert!(request.header("x-sub").is_empty());
    assert_eq!(request.header("authorization").len(), 1);
}

//! What operators learn of refusals besides counters: lines in the debug log, and filter state.

use gate_simulator::Request;
use serde_json::json;

use crate::logged;
use crate::support::{SECOND, config, decided, listening, token, token_with_unknown_key};

fn reason(request: &Request) -> Vec<(String, String)> {
    let state = request.filter_state().into_iter();
    let text = |value| String::from_utf8(value).unwrap();
    state.map(|(key, value)| (key, text(value))).collect()
}

#[test]
fn a_refusal_has_a_line_in_the_debug_log_if_the_host_writes_such_lines() {
    logged::start_with_debug();
    let (process, _worker, listener) = listening(&config());
    process.advance(SECOND);
    logged::take();
    let expected = "bearer-gate: decision=deny reason=missing provider=cloud method=GET path=/a";
    assert_eq!(listener.get("/a?b=c", None).status(), 401);
    assert_eq!(logged::take(), [""; 0]);
    process.set_logs_debug(true);
    assert_eq!(listener.get("/a?b=c", None).status(), 401);
    assert_eq!(logged::take(), [expected]);
    assert_eq!(listener.get("/a?b=c", Some(&token())).status(), 200);
    assert_eq!(logged::take(), [""; 0]);
    let waiting = [listener.get("/a", Some(&token_with_unknown_key()))];
    decided(&process, &waiting, SECOND);
    let lines = logged::take();
    let end = "reason=unknown_key provider=cloud method=GET path=/a kid=unknown alg=ES256";
    assert!(lines.iter().any(|line| line.ends_with(end)), "{lines:?}");
}

#[test]
fn a_refusal_has_its_reason_in_filter_state() {
    let key = "bearer_gate.reason".to_owned();
    for strip in [false, true] {
        let mut config: serde_json::Value = serde_json::from_str(&config()).unwrap();
        config["strip_failure_response"] = json!(strip);
        let (process, _worker, listener) = listening(&config.to_string());
        let missing = listener.get("/", None);
        assert_eq!(reason(&missing), [(key.clone(), "missing".to_owned())]);
        process.advance(SECOND);
        let waiting = [listener.get("/", Some(&token_with_unknown_key()))];
        decided(&process, &waiting, SECOND);
        assert_eq!(
            reason(&waiting[0]),
            [(key.clone(), "unknown_key".to_owned())]
        );
        assert!(reason(&listener.get("/", Some(&token()))).is_empty());
    }
}

#[test]
fn a_refusal_names_its_rule_in_filter_state() {
    let mut config: serde_json::Value = serde_json::from_str(&config()).unwrap();
    config["rules"] = json!([
        {"match": {"path": "/open"}},
        {"match": {"prefix": "/a"}, "requires": {"provider_name": "cloud"}},
        {"match": {"prefix": "/b"}, "requirement_name": "orders"},
    ]);
    config["requirement_map"] = json!({"orders": {"provider_name": "cloud"}});
    config["per_route_requirements"] = json!(true);
    let (_process, _worker, listener) = listening(&config.to_string());
    let state = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for (path, route, expected) in [
        ("/a", None, &["missing", "rules[1]"][..]),
        ("/b", None, &["missing", "rules[2]"]),
        (
            "/open",
            Some("orders"),
            &["missing", "requirement_map.orders"],
        ),
        // No requirement has decided.
        ("/c", None, &["no_rule"]),
        ("/a", Some("unknown"), &["requirement"]),
    ] {
        let headers = [(":method", "GET"), (":path", path), (":authority", "a")];
        let request = listener.request_on_route(&headers, route);
        let names = ["bearer_gate.reason", "bearer_gate.rule"];
        let expected = names
            .iter()
            .zip(expected)
            .map(|(name, value)| state(name, value));
        assert_eq!(
            reason(&request),
            expected.collect::<Vec<_>>(),
            "{path} {route:?}"
        );
    }
    let open = [(":method", "GET"), (":path", "/open"), (":authority", "a")];
    assert!(reason(&listener.request(&open)).is_empty());
}

#[test]
fn problem_details_take_the_place_of_the_body() {
    let mut config: serde_json::Value = serde_json::from_str(&config()).unwrap();
    config["response_body"] = json!("problem");
    let (_process, _worker, listener) = listening(&config.to_string());
    let request = listener.get("/", None);
    assert_eq!(
        request.answer_header("content-type").unwrap(),
        "application/problem+json"
    );
    let challenge = request.answer_header("www-authenticate").unwrap();
    assert_eq!(challenge, "Bearer realm=\"api.example\"");
    // The status of a gRPC answer is in its trailers, and a body would be a message.
    let grpc = listener.request(&[
        (":method", "POST"),
        (":path", "/a"),
        (":authority", "a"),
        ("content-type", "application/grpc"),
    ]);
    assert_eq!(grpc.answer_header("content-type"), None);
}

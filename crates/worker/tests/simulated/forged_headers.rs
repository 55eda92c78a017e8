//! Headers of the client that an upstream could take for headers of the gate.

use gate_simulator::{Listener, Process, Request, Worker};
use serde_json::json;

use crate::support::{SECOND, decided, listening, provider, token};

/// Spellings of the headers that the gate sets, and of the one that holds tokens, which careless
/// upstreams do not tell apart.
const SPELLINGS: [&str; 8] = [
    "x-user-id",
    "x_user_id",
    "x_user-id",
    "x-user_id",
    "x-payload",
    "x_payload",
    "x_under_score",
    "x-under-score",
];

/// Other spellings of the header that holds tokens.
const TOKEN_SPELLINGS: [&str; 1] = ["x_token"];

/// Names that are not those of the gate.
const OTHERS: [&str; 4] = ["x-user", "xuserid", "x--user-id", "x_"];

fn listener(per_route_requirements: bool) -> (Process, Worker, Listener) {
    let mut cloud = provider();
    cloud["forward_payload_header"] = json!("x-payload");
    cloud["forward"] = json!(true);
    cloud["claim_to_headers"] = json!([
        {"header_name": "x-user-id", "claim_name": "sub"},
        {"header_name": "x_under_score", "claim_name": "missing"},
    ]);
    cloud["from_headers"] =
        json!([{"name": "authorization", "value_prefix": "Bearer "}, {"name": "x-token"}]);
    let named = json!({"anyone": {"allow_missing": {}}});
    let config = json!({
        "providers": {"cloud": cloud},
        "bypass_cors_preflight": true,
        "rules": [
            {"match": {"prefix": "/open"}},
            {"match": {"prefix": "/lenient"}, "requires": {"allow_missing_or_failed": {}}},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
        ],
        "requirement_map": if per_route_requirements { named } else { json!({}) },
        "per_route_requirements": per_route_requirements,
    });
    listening(&config.to_string())
}

/// A request with all of these headers besides its own.
fn forged(listener: &Listener, method: &str, path: &str, more: &[(&str, &str)]) -> Request {
    let mut headers = vec![(":method", method), (":path", path), (":authority", "a")];
    headers.extend(more);
    let names = SPELLINGS.iter().chain(&TOKEN_SPELLINGS).chain(&OTHERS);
    headers.extend(names.map(|name| (*name, "forged")));
    listener.request(&headers)
}

/// Checks that of the client's headers only those reach the upstream that cannot be taken for the
/// gate's.
fn assert_clean(request: &Request, subject: &[&[u8]]) {
    assert_eq!(request.status(), 200);
    assert_eq!(request.header("x-user-id"), subject);
    let forged = |name: &&str| request.header(name).contains(&b"forged".to_vec());
    let passed: Vec<_> = SPELLINGS
        .iter()
        .chain(&TOKEN_SPELLINGS)
        .filter(|name| forged(name))
        .collect();
    assert!(passed.is_empty(), "{passed:?}");
    assert!(OTHERS.iter().all(forged));
}

#[test]
fn a_request_with_such_a_header_is_refused_and_not_changed_where_routes_name_requirements() {
    let (process, _worker, listener) = listener(true);
    let bearer = format!("Bearer {}", token());
    let preflight = [
        (":method", "OPTIONS"),
        ("origin", "https://a"),
        ("access-control-request-method", "GET"),
    ];
    let mut refused = 0;
    for name in SPELLINGS.iter().chain(&TOKEN_SPELLINGS) {
        for (path, more) in [
            ("/open", &[][..]),
            ("/lenient", &[]),
            ("/lenient", &[("authorization", "Bearer a.b.c")]),
            ("/", &[("authorization", bearer.as_str())]),
            ("/", &[]),
            ("/", &preflight),
        ] {
            for requirement in [None, Some("anyone"), Some("unknown")] {
                let pseudo = [(":method", "GET"), (":path", path), (":authority", "a")];
                let headers = [&pseudo[..], more, &[(*name, "forged")]].concat();
                let request = listener.request_on_route(&headers, requirement);
                assert_eq!(request.status(), 400, "{name} {path} {requirement:?}");
                // Only the reason is noted, for access logs.
                let noted = [("bearer_gate.reason".to_owned(), b"header".to_vec())];
                assert_eq!(
                    (request.changes(), request.filter_state()),
                    (1, noted.to_vec())
                );
                let challenge = request.answer_header("www-authenticate").unwrap();
                assert!(
                    challenge.contains(r#"error="invalid_request""#),
                    "{challenge}"
                );
                refused += 1;
            }
        }
    }
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.denied.header"), refused);
}

#[test]
fn a_request_that_need_not_be_changed_is_not_changed() {
    for per_route_requirements in [false, true] {
        let (process, _worker, listener) = listener(per_route_requirements);
        process.advance(SECOND);
        let pseudo = [(":method", "GET"), (":authority", "a")];
        let harmless: Vec<_> = OTHERS.iter().map(|name| (*name, "kept")).collect();
        for (path, authorization) in [
            ("/open", None),
            ("/open", Some("Bearer a.b.c")),
            ("/lenient", None),
            ("/lenient", Some("Bearer a.b.c")),
        ] {
            let mut headers = [&pseudo[..], &harmless, &[(":path", path)]].concat();
            headers.extend(authorization.map(|value| ("authorization", value)));
            let request = listener.request(&headers);
            assert_eq!(request.status(), 200);
            assert_eq!(request.changes(), 0, "{path} {authorization:?}");
        }
    }
}

#[test]
fn no_spelling_of_a_header_of_the_gate_reaches_the_upstream_from_a_client() {
    let (process, _worker, listener) = listener(false);
    let bearer = format!("Bearer {}", token());
    let bad = "Bearer a.b.c";
    let preflight = [
        ("origin", "https://a"),
        ("access-control-request-method", "GET"),
    ];
    let waits = forged(&listener, "GET", "/", &[("authorization", &bearer)]);
    decided(&process, std::slice::from_ref(&waits), SECOND);
    assert_clean(&waits, &[b"somebody"]);
    for request in [
        forged(&listener, "GET", "/open", &[]),
        forged(&listener, "GET", "/lenient", &[]),
        forged(&listener, "GET", "/lenient", &[("authorization", bad)]),
        forged(&listener, "OPTIONS", "/", &preflight),
    ] {
        assert_clean(&request, &[]);
    }
    let known = forged(&listener, "GET", "/", &[("authorization", &bearer)]);
    assert_clean(&known, &[b"somebody"]);
}

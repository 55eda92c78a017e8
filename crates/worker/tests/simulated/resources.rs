//! Protected resources: metadata, challenges and warnings.

use serde_json::{Value, json};

use crate::logged;
use crate::support::{SECOND, listening, provider};

const URL: &str = "https://api.example/.well-known/oauth-protected-resource/mcp";
const TARGET: &str = "/.well-known/oauth-protected-resource/mcp";

/// A configuration that refuses everything but the metadata.
fn config(change: &Value) -> String {
    let mut config = json!({
        "providers": {"cloud": provider()},
        "rules": [{"match": {"prefix": "/mcp"}, "requires": {
            "provider_name": "cloud", "scopes": ["mcp:read"],
        }}],
        "unmatched_requests": "deny",
        "resource_metadata": {"resource": "https://api.example/mcp"},
    });
    for (name, value) in change.as_object().unwrap() {
        config[name] = value.clone();
    }
    config.to_string()
}

#[test]
fn metadata_are_served_before_any_rule_and_counted_apart() {
    let mut cloud = provider();
    cloud["claim_to_headers"] = json!([{"header_name": "x-user", "claim_name": "sub"}]);
    let config = config(&json!({
        "providers": {"cloud": cloud},
        "per_route_requirements": true,
        "strip_failure_response": true,
    }));
    let (process, _worker, listener) = listening(&config);
    // The host does not even know the date.
    process.set_wall_clock_readable(false);
    let answered = listener.get(TARGET, Some("not.a.token"));
    assert_eq!(answered.status(), 200);
    let content_type = answered.answer_header("content-type");
    assert_eq!(content_type.as_deref(), Some("application/json"));
    // Such a header is refused elsewhere.
    let forged = [
        (":method", "GET"),
        (":path", TARGET),
        (":authority", "elsewhere.example"),
        ("x-user", "root"),
    ];
    let forged = listener.request_on_route(&forged, Some("unknown"));
    assert_eq!(forged.status(), 200);
    let preflight = listener.request(&[
        (":method", "OPTIONS"),
        (":path", TARGET),
        (":authority", "api.example"),
        ("origin", "https://app.example"),
        ("access-control-request-method", "GET"),
    ]);
    assert_eq!(preflight.status(), 204);
    let other = listener.get("/.well-known/oauth-protected-resource/other", None);
    assert_eq!(other.status(), 404);
    process.advance(SECOND);
    assert_eq!(process.metric("bearer_gate.metadata"), 4);
    for name in process.metric_names() {
        let counts_requests = ["allowed", "bypassed"]
            .iter()
            .any(|end| name.ends_with(end));
        if counts_requests || name.contains(".denied.") {
            assert_eq!(process.metric(&name), 0, "{name}");
        }
    }
}

#[test]
fn a_request_that_waited_is_challenged_like_any_other() {
    let (process, _worker, listener) = listening(&config(&json!({})));
    let waiting = listener.get("/mcp/tools", Some(&crate::support::token()));
    assert_eq!(waiting.status(), 0);
    process.advance(SECOND);
    assert_eq!(waiting.status(), 403);
    let expected = format!(
        "Bearer realm=\"api.example\", error=\"insufficient_scope\", error_description=\"The access token \
         lacks a scope that is needed here\", scope=\"mcp:read\", resource_metadata=\"{URL}\""
    );
    let challenge = waiting.answer_header("www-authenticate");
    assert_eq!(challenge.as_deref(), Some(&*expected));
    let missing = listener.get("/mcp", None).answer_header("www-authenticate");
    let expected =
        format!("Bearer realm=\"api.example\", scope=\"mcp:read\", resource_metadata=\"{URL}\"");
    assert_eq!(missing.as_deref(), Some(&*expected));
}

#[test]
fn likely_mistakes_are_logged_once_each() {
    logged::start();
    let _listening = listening(&config(&json!({
        "rules": [
            {"match": {"path": "/a"}, "requires": {"provider_name": "cloud", "scopes": ["openid"]}},
            {"match": {"path": "/b"}, "requires": {"provider_name": "cloud", "scopes": ["openid"]}},
        ],
    })));
    assert_eq!(
        logged::take(),
        [
            "bearer-gate: configuration: rules[0].requires: the scope \"openid\" concerns only client \
             and authorization server, but challenges ask for it",
            "bearer-gate: configuration: resource_metadata[0].resource: no provider has it among its audiences",
        ]
    );
}

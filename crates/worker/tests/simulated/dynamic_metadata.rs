//! Rules that depend on dynamic metadata.

use gate::request::MetadataName;
use serde_json::{Value, json};

use crate::support::{SECOND, listening, provider, token};

const MCP: &str = "envoy.filters.http.mcp";

fn name(key: &str) -> MetadataName {
    MetadataName {
        filter: MCP.to_owned(),
        path: key.split('.').map(str::to_owned).collect(),
    }
}

fn condition(key: &str, value: &str) -> Value {
    let path: Vec<Value> = key.split('.').map(|key| json!({ "key": key })).collect();
    json!({"filter": MCP, "path": path, "value": {"string_match": {"exact": value}}})
}

/// A rule for `/mcp` with a condition on metadata.
fn rule(conditions: &[Value], scopes: &[&str]) -> Value {
    json!({
        "match": {"path": "/mcp", "dynamic_metadata": conditions},
        "requires": {"provider_name": "cloud", "scopes": scopes},
    })
}

#[test]
fn a_request_that_waits_is_decided_by_the_metadata_that_it_arrived_with() {
    let call = condition("method", "tools/call");
    let config = json!({"providers": {"cloud": provider()}, "rules": [
        rule(&[call.clone(), condition("params.name", "read")], &[]),
        rule(&[call], &["mcp:write"]),
    ]});
    let (process, _worker, listener) = listening(&config.to_string());
    let authorization = format!("Bearer {}", token());
    let headers = [
        (":method", "POST"),
        (":path", "/mcp"),
        (":authority", "api.example"),
        ("authorization", &*authorization),
    ];
    let send = |tool: &str| {
        let metadata = vec![
            (name("method"), b"tools/call".to_vec()),
            (name("params.name"), tool.as_bytes().to_vec()),
        ];
        listener.request_with_metadata(&headers, metadata)
    };
    let (read, write) = (send("read"), send("write"));
    let other_path = [(":method", "GET"), (":path", "/other"), (":authority", "a")];
    let other = listener.request_with_metadata(&other_path, Vec::new());
    assert_eq!((read.status(), write.status(), other.status()), (0, 0, 401));
    process.advance(SECOND);
    assert_eq!((read.status(), write.status()), (200, 403));
    let challenge = write.answer_header("www-authenticate").unwrap();
    assert!(challenge.contains("scope=\"mcp:write\""), "{challenge}");
    for request in [read, write] {
        let reads = [name("method"), name("params.name")];
        assert_eq!(request.metadata_reads(), reads);
    }
    assert!(other.metadata_reads().is_empty());
}

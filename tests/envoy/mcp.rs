//! Scopes for single MCP tools, by the metadata of Envoy's MCP filter and by headers.

use serde_json::{Value, json};

use crate::support::{Challenge, Gate, Issuer, Request, Setup, Token, envoy_has, get, keys};

/// The rules of `envoy/mcp.yaml` for POST requests: which scopes a call needs shows by which the
/// challenge names.
fn rules() -> Value {
    let metadata = |path: Value, value: Value| json!({"filter": "envoy.filters.http.mcp", "path": path, "value": { "string_match": value }});
    let method = |value: Value| metadata(json!([{"key": "method"}]), value);
    let name = |value: Value| metadata(json!([{"key": "params"}, {"key": "name"}]), value);
    let harmless = json!({"safe_regex": {"regex": "initialize|notifications/.*|tools/list"}});
    let rule = |conditions: Value, scopes: Value| {
        json!({
            "match": {"path": "/mcp", "dynamic_metadata": conditions},
            "requires": {"provider_name": "cloud", "scopes": scopes},
        })
    };
    json!([
        rule(
            json!([
                method(json!({"exact": "tools/call"})),
                name(json!({"prefix": "read_"}))
            ]),
            json!(["call:read"]),
        ),
        rule(json!([method(harmless)]), json!(["harmless"])),
        rule(json!([]), json!(["strictest"])),
    ])
}

/// The filters of `envoy/mcp.yaml`, if the MCP filter of the Envoy under test writes metadata that the rules read.
fn gate(rejects_duplicates: bool) -> Option<Gate> {
    if !envoy_has("1.38.2", "metadata of `envoy.filters.http.mcp`") {
        return None;
    }
    let config = json!({
        "providers": {"cloud": Issuer::local_provider(&[&keys::RSA])},
        "rules": rules(),
        "resource_metadata": {"resource": "https://api.example/mcp"},
    });
    let mut setup = Setup::new(config);
    let mcp =
        |kind: &str| format!("type.googleapis.com/envoy.extensions.filters.http.mcp.v3.{kind}");
    let filters = json!([
        {"name": "envoy.filters.http.buffer", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
            "max_request_bytes": LIMIT,
        }},
        {"name": "envoy.filters.http.mcp", "typed_config": {
            "@type": mcp("Mcp"),
            "max_request_body_size": LIMIT,
        }},
        setup.filter(),
    ]);
    setup.instead = filters.as_array().cloned();
    let mut for_route = json!({
        "@type": mcp("McpOverride"),
        "traffic_mode": "REJECT_NO_MCP",
        "max_request_body_size": LIMIT,
    });
    if rejects_duplicates {
        for_route["reject_duplicate_keys"] = true.into();
    }
    setup.route = json!({
        "match": {"path_separated_prefix": "/mcp"},
        "typed_per_filter_config": {"envoy.filters.http.mcp": for_route},
    });
    Some(setup.start())
}

/// Whether the MCP filter of the Envoy under test can refuse objects with two members of the same name.
fn rejects_duplicates() -> bool {
    envoy_has("1.40.0", "`reject_duplicate_keys` of the MCP filter")
}

/// The longest body, in bytes. The MCP filter alone reads 8 KiB.
const LIMIT: u32 = 65536;

fn post(body: impl AsRef<[u8]>) -> Request {
    get("/mcp")
        .method("POST")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(body)
}

/// The scope that a request without a token is told to ask for.
fn scope(gate: &Gate, request: &Request) -> String {
    let answer = gate.send(request);
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = Challenge::from_response(&answer).unwrap().unwrap();
    challenge.parameter("scope").to_owned()
}

fn message(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

#[test]
fn the_scope_depends_on_method_and_tool() {
    let Some(gate) = gate(rejects_duplicates()) else {
        return;
    };
    let call = |name: &str| message("tools/call", &json!({"name": name, "arguments": {}}));
    for (body, expected) in [
        (message("initialize", &json!({})), "harmless"),
        (message("notifications/initialized", &json!({})), "harmless"),
        (message("tools/list", &json!({})), "harmless"),
        (message("tools/listx", &json!({})), "strictest"),
        (call("read_file"), "call:read"),
        (call("write_file"), "strictest"),
        (call("Read_file"), "strictest"),
        (
            message("tools/call", &json!({"arguments": {}})),
            "strictest",
        ),
        (
            message("resources/read", &json!({"name": "read_file"})),
            "strictest",
        ),
    ] {
        assert_eq!(scope(&gate, &post(&body)), expected, "{body}");
    }
    let good = Token::good().claim("scope", "call:read").signed();
    let admitted = gate.send(&post(call("read_file")).bearer(&good));
    assert_eq!(admitted.status, 200, "{admitted:?}");
    let lacking = gate.send(&post(call("write_file")).bearer(&good));
    assert_eq!(lacking.status, 403);
    let challenge = Challenge::from_response(&lacking).unwrap().unwrap();
    assert_eq!(challenge.parameter("error"), "insufficient_scope");
    assert_eq!(challenge.parameter("scope"), "strictest");
}

#[test]
fn what_is_no_call_of_mcp_for_certain_reaches_no_server_without_the_strictest_scope() {
    let rejects_duplicates = rejects_duplicates();
    let reads_to_the_end = envoy_has("1.39.3", "refusing a second message behind the first");
    let Some(gate) = gate(rejects_duplicates) else {
        return;
    };
    let skipped = |what: &str| match what {
        "two messages" => !reads_to_the_end,
        _ => {
            !rejects_duplicates
                && (what.starts_with("two names") || what.starts_with("two methods"))
        }
    };
    let call = message("tools/call", &json!({"name": "read_file"}));
    let call = call.as_str();
    let of_type = |content_type: &str| {
        let request = get("/mcp")
            .method("POST")
            .header("content-type", content_type);
        request.header("accept", "application/json, text/event-stream")
    };
    let post_body = |body: &str| of_type("application/json").body(body);
    let padded = |padding: usize, name: &str| {
        let padding = "x".repeat(padding);
        post_body(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"x":"{padding}","name":"{name}"}}}}"#
        ))
    };
    let with_params = |params: &str| {
        post_body(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#
        ))
    };
    let late = "x".repeat(9000);
    for (what, request, expected) in [
        ("plain", post(call), "call:read"),
        (
            "a charset",
            of_type("application/json; charset=utf-8").body(call),
            "call:read",
        ),
        (
            "chunked",
            of_type("application/json").chunk(call),
            "call:read",
        ),
        (
            "an escape",
            with_params(r#"{"name":"\u0072ead_file"}"#),
            "call:read",
        ),
        (
            "a name beyond 8 KiB",
            padded(9 * 1024, "read_file"),
            "call:read",
        ),
        (
            "another name beyond 8 KiB",
            padded(9 * 1024, "write_file"),
            "strictest",
        ),
        ("no name", with_params("{}"), "strictest"),
        ("a number", with_params(r#"{"name":5}"#), "strictest"),
        (
            "a stream",
            get("/mcp").header("accept", "text/event-stream"),
            "strictest",
        ),
        ("more than the limit", padded(70_000, "read_file"), "413"),
        ("another type", of_type("text/plain").body(call), "400"),
        ("a batch", post_body(&format!("[{call}]")), "400"),
        ("no JSON", post_body("{"), "400"),
        ("no body", post_body(""), "400"),
        ("two messages", post_body(&format!("{call}{call}")), "400"),
        (
            "two names",
            with_params(r#"{"name":"read_file","name":"write_file"}"#),
            "400",
        ),
        (
            "two names, one escaped",
            with_params(r#"{"name":"read_file","\u006eame":"write_file"}"#),
            "400",
        ),
        (
            "two names, the second one late",
            with_params(&format!(
                r#"{{"name":"read_file","x":"{late}","name":"write_file"}}"#
            )),
            "400",
        ),
        (
            "two methods, the second one late",
            post_body(&format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"x":"{late}","name":"write_file"}},"method":"tools/call"}}"#
            )),
            "400",
        ),
    ] {
        if skipped(what) {
            continue;
        }
        let answer = gate.send(&request);
        let found = match answer.status {
            401 => scope(&gate, &request),
            other => other.to_string(),
        };
        assert_eq!(found, expected, "{what}: {answer:?}");
    }
    assert_eq!(gate.upstream.count(), 0);
    let metadata = gate.send(&get("/.well-known/oauth-protected-resource/mcp"));
    assert_eq!(metadata.json()["resource"], "https://api.example/mcp");
}

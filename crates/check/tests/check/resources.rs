//! Protected resources: their metadata, and the challenges that clients get.

use serde_json::{Value, json};

use crate::support::{config, decide, file, run};

/// A configuration with a resource that needs a scope.
fn mcp(resource: &Value) -> Value {
    config(&json!({
        "resource_metadata": resource,
        "rules": [{"match": {"prefix": "/mcp"}, "requires": {
            "provider_name": "joe", "scopes": ["mcp:read"],
        }}],
    }))
}

fn resource() -> Value {
    json!({
        "resource": "https://api.example/mcp",
        "authorization_servers": ["https://joe.example"],
    })
}

const DOCUMENT: &str = r#"{"resource":"https://api.example/mcp","authorization_servers":["https://joe.example"],"bearer_methods_supported":["header"]}"#;
const URL: &str = "https://api.example/.well-known/oauth-protected-resource/mcp";

#[test]
fn the_metadata_of_a_configuration_are_shown() {
    let path = file("c.json", mcp(&resource()).to_string());
    let path = path.to_str().unwrap();
    let (status, printed) = run(&[path]);
    assert_eq!(status, 0, "{printed}");
    let line = format!("  resource https://api.example/mcp: metadata at {URL}\n    {DOCUMENT}\n");
    assert!(printed.contains(&line), "{printed}");
    let warning = "warning: resource_metadata[0].resource: no provider has it among its audiences";
    assert!(printed.contains(warning), "{printed}");
    let (_, printed) = run(&["--json", path]);
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        report["configurations"][0]["resources"],
        json!([{"resource": "https://api.example/mcp", "metadata_url": URL, "document": DOCUMENT}])
    );

    let elsewhere = json!({"resource": "https://a", "metadata_url": "https://b/c"});
    let path = file("c.json", mcp(&elsewhere).to_string());
    let (status, printed) = run(&[path.to_str().unwrap()]);
    assert_eq!(status, 0, "{printed}");
    let line = "  resource https://a: metadata at https://b/c, which is served elsewhere\n";
    assert!(printed.contains(line), "{printed}");
}

#[test]
fn the_challenge_that_a_client_would_get_is_shown() {
    let config = mcp(&resource());
    let path = file("c.json", config.to_string());
    let (status, printed) = run(&["--path", "/mcp", path.to_str().unwrap()]);
    assert_eq!(status, 1, "{printed}");
    let challenge = format!(
        r#"    www-authenticate: Bearer realm="localhost", scope="mcp:read", resource_metadata="{URL}""#
    );
    assert!(printed.contains(&challenge), "{printed}");
    let (status, printed) = decide(&config, &["--path", "/mcp"]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains(r#"error="insufficient_scope""#),
        "{printed}"
    );
    let end = format!(r#"scope="mcp:read", resource_metadata="{URL}""#);
    assert!(printed.contains(&end), "{printed}");
}

#[test]
fn a_request_for_metadata_is_answered() {
    let path = file("c.json", mcp(&resource()).to_string());
    let path = path.to_str().unwrap();
    let target = "/.well-known/oauth-protected-resource/mcp";
    let (status, printed) = run(&["--path", target, path]);
    assert_eq!(status, 0, "{printed}");
    for says in [
        "decision: 200, counted as bearer_gate.metadata\n",
        "    access-control-allow-origin: *\n",
        DOCUMENT,
    ] {
        assert!(printed.contains(says), "{printed}");
    }
    let (_, printed) = run(&["--json", "--path", target, path]);
    let report: Value = serde_json::from_str(&printed).unwrap();
    let decision = &report["configurations"][0]["decision"];
    assert_eq!(decision["outcome"], "metadata");
    assert_eq!(decision["answer"]["body"], DOCUMENT);
    let (status, printed) = run(&["--method", "POST", "--path", target, path]);
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains("decision: 405"), "{printed}");
}

#[test]
fn a_token_for_another_resource_is_explained() {
    let mut resource = resource();
    resource["require_audience"] = json!(true);
    let (status, printed) = decide(&mcp(&resource), &["--path", "/mcp"]);
    assert_eq!(status, 1, "{printed}");
    let says = "aud: missing, expected the resource of the request, https://api.example/mcp";
    assert!(printed.contains(says), "{printed}");
}

#[test]
fn rules_may_depend_on_dynamic_metadata() {
    let method = |method: &str| {
        json!([{"filter": "envoy.filters.http.mcp", "path": [{"key": "method"}], "value": {
            "string_match": {"exact": method},
        }}])
    };
    let config = config(&json!({"rules": [
        {"match": {"path": "/mcp", "dynamic_metadata": method("tools/list")}},
        {"match": {"path": "/mcp"}, "requires": {"provider_name": "joe", "scopes": ["mcp:write"]}},
    ]}));
    let path = file("c.json", config.to_string());
    let path = path.to_str().unwrap();
    for (metadata, status, says) in [
        (
            r#"{"envoy.filters.http.mcp": {"method": "tools/list"}}"#,
            0,
            "decision: passes without a valid token",
        ),
        (
            r#"{"envoy.filters.http.mcp": {"method": "tools/call", "params": {"name": "a"}}}"#,
            1,
            r#"www-authenticate: Bearer realm="localhost", scope="mcp:write""#,
        ),
        ("{}", 1, r#"scope="mcp:write""#),
        ("[]", 2, "--dynamic-metadata: is not a JSON object"),
        ("{", 2, "--dynamic-metadata: EOF"),
    ] {
        let (found, printed) = run(&["--path", "/mcp", "--dynamic-metadata", metadata, path]);
        assert_eq!(found, status, "{printed}");
        assert!(printed.contains(says), "{printed}");
    }
}

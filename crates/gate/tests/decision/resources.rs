//! Protected resources: their metadata, and tokens that must be meant for them.

use gate::answer::Answer;
use gate::reason::ReasonKind;
use gate::resource_metadata;
use serde_json::{Value, json};

use crate::support::{
    Gate, Outcome, active, payload, policy, policy_with_secrets, provider, ready, request, with,
};

fn gate_of(resources: &Value) -> Value {
    json!({
        "providers": {"p": provider()},
        "resource_metadata": resources,
    })
}

/// The answer to a request for metadata.
fn answer(config: &Value, method: &str, target: &str, more: &[(&str, &str)]) -> Option<Answer> {
    let headers = [(":method", method), (":authority", "api.example")];
    let headers = [&headers[..], more].concat();
    resource_metadata::answer(&policy(config), &request(target, &headers))
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mut headers = answer.headers.iter();
    let found = headers.find(|(known, _)| *known == name);
    found.map_or("", |(_, value)| value)
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const PREFLIGHT: [(&str, &str); 2] = [
    ("origin", "https://app.example"),
    ("access-control-request-method", "GET"),
];

#[test]
fn the_document_is_served_whatever_the_request_carries() {
    let config = gate_of(&json!({
        "resource": "https://api.example/mcp",
        "scopes_supported": ["mcp:read"],
    }));
    let token = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    for (method, path, more) in [
        ("GET", "/mcp", &[][..]),
        ("GET", "/mcp/?a=b", &[]),
        ("HEAD", "/mcp", &[]),
        ("GET", "/mcp", &token),
    ] {
        let target = format!("{WELL_KNOWN}{path}");
        let answer = answer(&config, method, &target, more).unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.headers,
            [
                ("content-type", "application/json".into()),
                ("cache-control", "max-age=3600".into()),
                ("access-control-allow-origin", "*".into()),
            ]
        );
        assert_eq!(
            answer.body,
            r#"{"resource":"https://api.example/mcp","authorization_servers":["https://issuer.example"],"scopes_supported":["mcp:read"],"bearer_methods_supported":["header"]}"#
        );
    }
}

#[test]
fn everything_else_below_the_well_known_path_is_answered_too() {
    let config = gate_of(&json!({"resource": "https://api.example/mcp"}));
    for (method, path, more, status) in [
        ("GET", "", &[][..], 404),
        ("GET", "/other", &[], 404),
        ("HEAD", "/other", &[], 404),
        ("POST", "/mcp", &[], 405),
        ("POST", "/other", &[], 405),
        ("get", "/mcp", &[], 405),
        ("OPTIONS", "/mcp", &[], 204),
        ("OPTIONS", "/other", &PREFLIGHT[..1], 204),
        ("OPTIONS", "/mcp", &PREFLIGHT, 204),
        ("OPTIONS", "/other", &PREFLIGHT, 204),
        ("OPTIONS", "", &PREFLIGHT, 204),
    ] {
        let target = format!("{WELL_KNOWN}{path}");
        let answer = answer(&config, method, &target, more).unwrap();
        let which = format!("{method} {path}");
        assert_eq!(answer.status, status, "{which}");
        assert_eq!(
            header(&answer, "access-control-allow-origin"),
            "*",
            "{which}"
        );
        let is_preflight = more.len() == 2;
        let names_methods = matches!(status, 204 | 405) && !is_preflight;
        let allow = if names_methods {
            "GET, HEAD, OPTIONS"
        } else {
            ""
        };
        assert_eq!(header(&answer, "allow"), allow, "{which}");
        assert_eq!(answer.body.is_empty(), status == 204, "{which}");
        if is_preflight {
            assert_eq!(header(&answer, "access-control-allow-methods"), "GET");
            assert_eq!(
                header(&answer, "access-control-allow-headers"),
                "*, authorization"
            );
            assert_eq!(header(&answer, "access-control-max-age"), "86400");
        }
    }
    let missing = answer(&config, "GET", &format!("{WELL_KNOWN}/other"), &[]).unwrap();
    assert_eq!(header(&missing, "content-type"), "application/json");
    assert_eq!(
        missing.body,
        r#"{"error":"not_found","error_description":"There is no such resource here"}"#
    );
    let grpc = [("content-type", "application/grpc")];
    let grpc = answer(&config, "POST", &format!("{WELL_KNOWN}/mcp"), &grpc).unwrap();
    assert_eq!(
        (grpc.status, &*grpc.body),
        (405, "Use GET to read the metadata")
    );
    assert_eq!(answer(&config, "GET", "/mcp", &[]), None);
    assert_eq!(answer(&config, "OPTIONS", "/mcp", &PREFLIGHT), None);
}

/// The decision about a request with a token for these audiences.
fn decide(config: &Value, authority: &str, target: &str, audiences: &Value) -> Outcome {
    let payload = with(&payload(), &json!({ "aud": audiences }));
    let token = gate_fixtures::rs256(&json!({"alg": "RS256", "kid": "rsa"}), &payload);
    let bearer = format!("Bearer {token}");
    let headers = [(":authority", authority), ("authorization", &*bearer)];
    let gate = Gate::new().keys(ready);
    gate.decide(&policy(config), &request(target, &headers))
}

#[test]
fn a_token_must_be_meant_for_the_resource_that_it_is_used_at() {
    let mut config = gate_of(&json!([
        {"resource": "https://a/mcp", "require_audience": true},
        {"resource": "https://b/mcp", "require_audience": true},
        {"resource": "https://a/open"},
    ]));
    let api = "https://api.example";
    for (authority, target, audiences, admitted) in [
        ("a", "/mcp", json!([api, "https://a/mcp"]), true),
        ("a", "/mcp/x?y", json!(["https://a/mcp", api]), true),
        ("a", "/mcp", json!(api), false),
        ("a", "/mcp", json!([api, "https://a/mcp/"]), false),
        ("a", "/mcp", json!([api, "https://b/mcp"]), false),
        ("b", "/mcp", json!([api, "https://b/mcp"]), true),
        // Besides the audiences of the provider.
        ("a", "/mcp", json!("https://a/mcp"), false),
        ("a", "/open", json!(api), true),
        ("a", "/", json!(api), true),
        // Another authority leads around no condition.
        ("x", "/mcp", json!(api), false),
        ("x", "/mcp", json!([api, "https://a/mcp"]), true),
        // Nor does a path that the upstream may take for another one.
        ("a", "/open//", json!(api), false),
        ("a", "/x/..;/mcp", json!([api, "https://a/mcp"]), false),
        (
            "a",
            "/%6dcp",
            json!([api, "https://a/mcp", "https://b/mcp"]),
            true,
        ),
    ] {
        let outcome = decide(&config, authority, target, &audiences);
        let which = format!("{authority}{target} {audiences}");
        assert_eq!(outcome.is_admitted(), admitted, "{which}: {outcome:?}");
        if !admitted {
            assert_eq!(outcome, Outcome::Deny(ReasonKind::Audience), "{which}");
        }
    }
    config["resource_metadata"] = json!({"resource": "https://a", "require_audience": true});
    for audience in ["https://a", "https://a/"] {
        let outcome = decide(&config, "a", "/x//y", &json!([api, audience]));
        assert!(outcome.is_admitted(), "{audience}: {outcome:?}");
    }
    assert!(decide(&config, "x", "/", &json!(api)).is_denied());
}

#[test]
fn a_condition_names_the_resources_that_tokens_must_name() {
    let config = gate_of(&json!([
        {"resource": "https://a/mcp", "require_audience": true},
        {"resource": "https://a/open"},
    ]));
    let policy = policy(&config);
    for (target, expected) in [("/mcp", &["https://a/mcp"][..]), ("/open", &[])] {
        let request = request(target, &[(":authority", "a")]);
        let condition = policy.resources.audience_condition(&request);
        let required: Vec<&str> = condition.required().collect();
        assert_eq!(required, expected, "{target}");
    }
}

#[test]
fn an_introspected_token_must_be_meant_for_the_resource_too() {
    let policy = policy_with_secrets(&json!({
        "providers": {"p": {"introspection": {
            "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
        }}},
        "resource_metadata": {
            "resource": "https://a/mcp",
            "authorization_servers": ["https://issuer.example"],
            "require_audience": true,
        },
    }));
    for (response, admitted) in [
        (json!({"active": true}), false),
        (json!({"active": true, "aud": "https://a"}), false),
        (json!({"active": true, "aud": ["b", "https://a/mcp"]}), true),
    ] {
        let gate = Gate::new().introspection(move |_, _| active(&response));
        let headers = [(":authority", "a"), ("authorization", "Bearer opaque")];
        let outcome = gate.decide(&policy, &request("/mcp", &headers));
        assert_eq!(outcome.is_admitted(), admitted, "{outcome:?}");
    }
}

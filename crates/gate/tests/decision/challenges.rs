//! The challenges of refusals: RFC 6750, section 3.

use gate::answer::Answer;
use gate::decision::Decision;
use gate::policy::Policy;
use gate::request::Request;
use serde_json::{Value, json};

use crate::support::{Gate, bearing, payload, policy, provider, ready, request, with};

/// The challenge that the request gets; empty if it gets none.
fn challenge(policy: &Policy, request: &Request<'_>) -> String {
    let gate = Gate::new().keys(ready);
    let decided = gate.decided(policy, request);
    let Decision::Deny(reason) = &decided.decision else {
        return String::new();
    };
    let answer = Answer::refusal(reason, policy, request, decided.requirement, None);
    let mut challenges = answer.headers.iter();
    let challenge = challenges.find(|(name, _)| *name == "www-authenticate");
    challenge.map_or_else(String::new, |(_, value)| value.clone().into_owned())
}

/// The `scope` of the challenge that a request with this token gets, if it must fulfil `requires`.
fn scope(requires: &Value, token: Option<&str>) -> String {
    let policy = policy(&json!({
        "providers": {"p": provider(), "q": provider()},
        "rules": [{"match": {"prefix": "/"}, "requires": requires}],
    }));
    let request = match token {
        Some(token) => bearing(token),
        None => request("/", &[]),
    };
    let challenge = challenge(&policy, &request);
    let (_, scope) = challenge.split_once(", scope=\"").unwrap_or_default();
    scope.trim_end_matches('"').to_owned()
}

/// A token with these scopes.
fn with_scope(scope: &str) -> String {
    let payload = with(&payload(), &json!({ "scope": scope }));
    gate_fixtures::rs256(&json!({"alg": "RS256", "kid": "rsa"}), &payload)
}

#[test]
fn a_request_without_a_token_is_told_which_scopes_to_ask_for() {
    let of = |provider: &str, fields: Value| with(&json!({ "provider_name": provider }), &fields);
    let any = |parts: Value| json!({"requires_any": {"requirements": parts}});
    let all = |parts: Value| json!({"requires_all": {"requirements": parts}});
    for (requires, expected) in [
        (of("p", json!({})), ""),
        (of("p", json!({"scopes": ["a", "b"]})), "a b"),
        (of("p", json!({"scopes": ["a", "b", "a"]})), "a b"),
        (of("p", json!({"any_scope": ["b", "c"]})), "b"),
        (
            of("p", json!({"scopes": ["a"], "any_scope": ["b", "c"]})),
            "a b",
        ),
        (
            of("p", json!({"scopes": ["a", "c"], "any_scope": ["b", "c"]})),
            "a c",
        ),
        (
            any(json!([
                of("p", json!({})),
                of("q", json!({"scopes": ["b"]}))
            ])),
            "b",
        ),
        (
            any(json!([
                of("p", json!({"scopes": ["a"]})),
                of("q", json!({"scopes": ["b"]})),
            ])),
            "a",
        ),
        (
            all(json!([
                of("p", json!({"scopes": ["a"]})),
                of("q", json!({"scopes": ["b", "a"]})),
            ])),
            "a b",
        ),
        (
            with(
                &any(json!([
                    of("p", json!({})),
                    all(json!([of("q", json!({"scopes": ["b"]}))])),
                ])),
                &json!({"scopes": ["c"]}),
            ),
            "c b",
        ),
    ] {
        assert_eq!(scope(&requires, None), expected, "{requires}");
    }
}

#[test]
fn a_token_without_a_scope_is_told_all_that_are_needed() {
    let requires = json!({
        "requires_any": {"requirements": [
            {"provider_name": "p", "scopes": ["mcp:read"]},
            {"provider_name": "q", "scopes": ["other"]},
        ]},
        "scopes": ["mcp:call"],
    });
    for (token, expected) in [
        ("", "mcp:call mcp:read"),
        ("mcp:call", "mcp:call mcp:read"),
        ("mcp:read", "mcp:call"),
        ("mcp:read mcp:call", ""),
    ] {
        assert_eq!(
            scope(&requires, Some(&with_scope(token))),
            expected,
            "{token}"
        );
    }
    let both = json!({"requires_all": {"requirements": [
        {"provider_name": "p", "scopes": ["a"]},
        {"provider_name": "p", "scopes": ["b"]},
    ]}});
    for token in ["", "a", "b"] {
        assert_eq!(scope(&both, Some(&with_scope(token))), "a b", "{token}");
    }
}

#[test]
fn the_challenge_is_that_of_the_rule_that_decides() {
    let policy = policy(&json!({
        "providers": {"p": provider()},
        "requirement_map": {"write": {"provider_name": "p", "scopes": ["write"]}},
        "rules": [
            {"match": {"path": "/read"}, "requires": {"provider_name": "p", "scopes": ["read"]}},
            {"match": {"path": "/write"}, "requirement_name": "write"},
        ],
    }));
    let authority = [(":authority", "api.example")];
    for (path, expected) in [
        ("/read", r#"Bearer realm="api.example", scope="read""#),
        ("/write?a", r#"Bearer realm="api.example", scope="write""#),
        ("/other", r#"Bearer realm="api.example""#),
    ] {
        assert_eq!(challenge(&policy, &request(path, &authority)), expected);
    }
    let headers = [
        (":authority", "api.example"),
        ("authorization", "Bearer a.b"),
    ];
    let expected = r#"Bearer realm="api.example", error="invalid_token", error_description="The access token is malformed", scope="read""#;
    assert_eq!(challenge(&policy, &request("/read", &headers)), expected);
    let headers = [(":authority", "api.example"), ("authorization", "Bearer")];
    let expected = r#"Bearer realm="api.example", error="invalid_request", error_description="The credential is not a well-formed bearer token""#;
    assert_eq!(challenge(&policy, &request("/read", &headers)), expected);
}

#[test]
fn the_challenge_names_the_metadata_of_the_resource() {
    let policy = policy(&json!({
        "providers": {"p": provider()},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p", "scopes": ["mcp:read"]}}],
        "resource_metadata": [
            {"resource": "https://api.example/mcp"},
            {"resource": "https://api.example/other", "metadata_url": "https://cdn.example/other.json?v=1"},
        ],
    }));
    let url = "https://api.example/.well-known/oauth-protected-resource/mcp";
    let scope = r#"Bearer realm="api.example", scope="mcp:read""#;
    for (path, expected) in [
        ("/mcp", format!(r#"{scope}, resource_metadata="{url}""#)),
        ("/mcpx", scope.to_owned()),
        (
            "/other/x",
            format!(r#"{scope}, resource_metadata="https://cdn.example/other.json?v=1""#),
        ),
    ] {
        let authority = [(":authority", "api.example")];
        assert_eq!(challenge(&policy, &request(path, &authority)), expected);
    }
    // Every refusal by this gate names them, whatever the reason.
    for authorization in ["Bearer", "Bearer a.b", "Basic a"] {
        let headers = [("authorization", authorization)];
        let challenge = challenge(&policy, &request("/mcp", &headers));
        let end = format!(r#", resource_metadata="{url}""#);
        assert!(challenge.ends_with(&end), "{challenge}");
    }
    let mut lacking = bearing(&with_scope("mcp:list"));
    lacking.target = b"/mcp".into();
    let expected = format!(
        r#"Bearer realm="", error="insufficient_scope", error_description="The access token lacks a scope that is needed here", scope="mcp:read", resource_metadata="{url}""#
    );
    assert_eq!(challenge(&policy, &lacking), expected);
}

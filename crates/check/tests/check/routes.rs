//! Routes that match on what the filter changes, where routes name requirements.

use serde_json::{Value, json};

use crate::support::{check, file, run};

/// Providers that read tokens from all kinds of places, and set headers and filter state.
fn providers(forward: bool) -> Value {
    let provider = |more: Value| {
        let mut provider = json!({
            "issuer": "joe",
            "remote_jwks": {"http_uri": {"uri": "https://joe.example/jwks", "cluster": "joe"}},
            "forward": forward,
        });
        for (name, value) in more.as_object().unwrap() {
            provider[name] = value.clone();
        }
        provider
    };
    json!({
        "plain": provider(json!({
            "forward_payload_header": "x-payload",
            "claim_to_headers": [{"header_name": "X-Tenant", "claim_name": "tenant"}],
            "claims_to_filter_state": [{"key": "tier", "claim_name": "tier"}],
        })),
        "elsewhere": provider(json!({
            "from_headers": [{"name": "x-token"}],
            "from_params": ["jwt"],
            "from_cookies": ["session"],
        })),
    })
}

/// An Envoy file with the filter and these members of a virtual host.
fn envoy(configuration: &Value, host: &Value) -> String {
    let mut virtual_host = json!({"name": "all", "domains": ["*"]});
    for (name, value) in host.as_object().unwrap() {
        virtual_host[name] = value.clone();
    }
    let manager = json!({
        "http_filters": [{"typed_config": {"config": {
            "vm_config": {"code": {"local": {"filename": "bearer_gate.wasm"}}},
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.Struct",
                "value": configuration,
            },
        }}}],
        "route_config": {"virtual_hosts": [virtual_host]},
    });
    json!({"static_resources": {"listeners": [
        {"filter_chains": [{"filters": [{"typed_config": manager}]}]},
    ]}})
    .to_string()
}

fn configuration(forward: bool, per_route_requirements: bool) -> Value {
    let named = json!({"open": {"allow_missing": {}}, "admin": {"provider_name": "plain"}});
    let unnamed = json!({});
    json!({
        "providers": providers(forward),
        "requirement_map": if per_route_requirements { named } else { unnamed },
        "rules": [{
            "match": {"prefix": "/", "headers": [{"name": "x-tenant", "present_match": true}]},
            "requires": {"requires_any": {"requirements": [
                {"provider_name": "plain"}, {"provider_name": "elsewhere"},
            ]}},
        }],
        "per_route_requirements": per_route_requirements,
    })
}

/// The warnings about an Envoy file with this match in a route.
fn warnings(configuration: &Value, matcher: &Value) -> Vec<String> {
    let route = json!({"match": matcher, "route": {"cluster": "a"}});
    let host = json!({"routes": [{"match": {"prefix": "/"}, "route": {"cluster": "a"}}, route]});
    warnings_of(configuration, &host)
}

fn warnings_of(configuration: &Value, host: &Value) -> Vec<String> {
    let (status, printed) = check(&file("routes.json", envoy(configuration, host)));
    assert_eq!(status, 0, "{printed}");
    let lines = printed.lines();
    let warnings = lines.filter_map(|line| line.strip_prefix("  warning: "));
    warnings.map(str::to_owned).collect()
}

#[test]
fn every_route_that_matches_on_what_the_filter_changes_is_reported() {
    let header =
        |name: &str| json!({"prefix": "/", "headers": [{"name": name, "present_match": true}]});
    for (matcher, what, token) in [
        (header("x-tenant"), "the header x-tenant", false),
        (header("X-Tenant"), "the header x-tenant", false),
        (header("x_tenant"), "the header x_tenant", false),
        (header("x-payload"), "the header x-payload", false),
        (header("x_token"), "the header x_token", false),
        (header("x-token"), "the header x-token", true),
        (header("Authorization"), "the header authorization", true),
        (header("cookie"), "the header cookie", true),
        (header(":path"), "the header :path", true),
        (
            json!({"prefix": "/", "query_parameters": [{"name": "jwt", "present_match": true}]}),
            "the query parameter jwt",
            true,
        ),
        (
            json!({"prefix": "/", "queryParameters": [{"name": "jwt"}]}),
            "the query parameter jwt",
            true,
        ),
        (
            json!({"prefix": "/", "cookies": [{"name": "session"}]}),
            "the cookie session",
            true,
        ),
        (
            json!({"prefix": "/", "filter_state": [{"key": "wasm.tier"}]}),
            "the filter state wasm.tier",
            false,
        ),
    ] {
        let found = warnings(&configuration(false, true), &matcher);
        assert_eq!(found.len(), 1, "{matcher}: {found:?}");
        let place = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config\
                     .route_config.virtual_hosts[0].routes[1] matches on ";
        assert!(
            found[0].starts_with(&format!("{place}{what}, ")),
            "{found:?}"
        );
        // A token that is forwarded stays where it is.
        let forwarded = warnings(&configuration(true, true), &matcher);
        assert_eq!(forwarded.is_empty(), token, "{matcher}: {forwarded:?}");
        assert!(
            warnings(&configuration(false, false), &matcher).is_empty(),
            "{matcher}"
        );
    }
}

#[test]
fn routes_that_match_on_something_else_are_not_reported() {
    for matcher in [
        json!({"path": "/x-tenant"}),
        json!({"prefix": "/", "headers": [{"name": "x-other"}, {"name": ":method"}]}),
        json!({"prefix": "/", "query_parameters": [{"name": "x-tenant"}, {"name": "JWT"}]}),
        json!({"prefix": "/", "cookies": [{"name": "jwt"}]}),
        json!({"prefix": "/", "filter_state": [{"key": "tier"}, {"key": "wasm.x"}]}),
    ] {
        let found = warnings(&configuration(false, true), &matcher);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn matcher_trees_are_searched_too() {
    let typed = |kind: &str, field: &str, name: &str| {
        json!({"matcher_tree": {"input": {"name": "input", "typed_config": {
            "@type": format!("type.googleapis.com/envoy.type.matcher.v3.{kind}"),
            field: name,
        }}}})
    };
    for (kind, field, name, reported) in [
        (
            "HttpRequestHeaderMatchInput",
            "header_name",
            "x-tenant",
            true,
        ),
        (
            "HttpRequestHeaderMatchInput",
            "headerName",
            "authorization",
            true,
        ),
        (
            "HttpRequestHeaderMatchInput",
            "header_name",
            "x-other",
            false,
        ),
        (
            "HttpRequestQueryParamMatchInput",
            "query_param",
            "jwt",
            true,
        ),
    ] {
        let host = json!({"matcher": typed(kind, field, name)});
        let found = warnings_of(&configuration(false, true), &host);
        assert_eq!(
            found.len(),
            usize::from(reported),
            "{kind} {name}: {found:?}"
        );
    }
}

#[test]
fn the_report_for_programs_has_the_warnings() {
    let matcher = json!({"prefix": "/", "headers": [{"name": "x-tenant"}]});
    let host = json!({"routes": [{"match": matcher}]});
    let path = file("routes.json", envoy(&configuration(false, true), &host));
    let (_, printed) = run(&["--json", path.to_str().unwrap()]);
    let report: Value = serde_json::from_str(&printed).unwrap();
    let warnings = report["configurations"][0]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{printed}");
}

#[test]
fn the_matches_of_rules_are_no_routes() {
    let path = file("config.json", configuration(false, true).to_string());
    let (status, printed) = check(&path);
    assert_eq!(status, 0);
    assert!(!printed.contains("  warning: "), "{printed}");
    assert!(!printed.contains("matches on"), "{printed}");
}

#[test]
fn a_request_with_a_header_of_the_filter_is_refused() {
    let path = file("config.json", configuration(false, true).to_string());
    let path = path.to_str().unwrap();
    let (status, printed) = run(&["--path", "/", "--header", "x_tenant: root", path]);
    assert_eq!(status, 1);
    assert!(
        printed.contains("- header: x_tenant is a header that clients may not send"),
        "{printed}"
    );
    assert!(
        printed.contains("decision: 400, counted as bearer_gate.denied.header"),
        "{printed}"
    );
}

//! `compare` says for which requests the gate does something else than `jwt_authn`.
//!
//! Whether it is right about `jwt_authn` is tested in a real Envoy: `tests/envoy/comparison.rs`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{file, root, run};

/// A filter with these rules, and a provider with these fields.
fn native(provider: &Value, rules: &Value) -> String {
    let mut p = json!({
        "issuer": "https://issuer.example",
        "remote_jwks": {"http_uri": {"uri": "https://issuer.example/jwks", "cluster": "issuer", "timeout": "1s"}},
    });
    for (name, value) in provider.as_object().unwrap() {
        p[name] = value.clone();
    }
    json!({"providers": {"p": p}, "rules": rules}).to_string()
}

fn all() -> Value {
    json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}])
}

fn compare(config: &str, more: &[&str]) -> (i32, String) {
    let config = file("native.json", config);
    let mut arguments = vec!["compare"];
    arguments.extend(more);
    arguments.push(config.to_str().unwrap());
    run(&arguments)
}

/// What `--json` prints about the only chain of filters.
fn compared(config: &str) -> Value {
    let (status, printed) = compare(config, &["--json"]);
    assert_eq!(status, 0, "{printed}");
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["comparisons"].as_array().unwrap().len(), 1);
    report["comparisons"][0].clone()
}

/// The names of the differences, each once.
fn differences(comparison: &Value) -> Vec<&str> {
    let differences = comparison["differences"].as_array().unwrap();
    let mut names: Vec<&str> = Vec::new();
    for difference in differences {
        let name = difference["difference"].as_str().unwrap();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[test]
fn differences_are_counted_and_explained() {
    let config = root().join("docs/ci/jwt_authn.yaml");
    let (status, printed) = run(&["compare", config.to_str().unwrap()]);
    assert_eq!(status, 0, "{printed}");
    for part in [
        "http_filters\n",
        " requests, ",
        "another audience: ",
        "a token for another audience is refused with 401, not 403 (docs/differences.md#another-audience)",
        "GET /orders at api.example, wrong-audience token of customers: 403 (audience) -> 401 (audience)",
        "ambiguous paths: ",
        "no unexpected differences\n",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[test]
fn a_provider_without_audiences_has_none_that_differ() {
    let comparison = compared(&native(&json!({}), &all()));
    let differences = differences(&comparison);
    assert!(
        !differences.contains(&"another audience"),
        "{differences:?}"
    );
    assert!(differences.contains(&"`typ`"), "{differences:?}");
    assert!(comparison["requests"].as_u64().unwrap() > 30);
}

#[test]
fn what_the_upstream_gets_is_compared() {
    let provider = json!({
        "claim_to_headers": [{"header_name": "x-level", "claim_name": "user.level"}],
        "from_cookies": ["session"],
        "from_params": ["jwt"],
    });
    let comparison = compared(&native(&provider, &all()));
    let differences = differences(&comparison);
    for name in [
        "numbers in headers",
        "JSON in headers",
        "a token in a cookie",
        "the rest of the query",
    ] {
        assert!(differences.contains(&name), "{name}: {differences:?}");
    }
}

#[test]
fn tokens_are_not_printed() {
    let provider = json!({"forward_payload_header": "x-payload", "from_params": ["jwt"]});
    for more in [&["--all"][..], &["--json"]] {
        let (_, printed) = compare(&native(&provider, &all()), more);
        assert!(!printed.contains("eyJ"), "{printed}");
    }
}

#[test]
fn the_name_of_the_filter_in_a_text_is_no_file() {
    let name = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
    let config: Value = serde_json::from_str(&native(&json!({}), &all())).unwrap();
    let mut typed = config;
    typed["@type"] = format!("type.googleapis.com/{name}").into();
    let texts = json!([name, format!("a\n{name}\n")]);
    let file =
        json!({"type_urls": texts, "http_filters": [{"name": "jwt", "typed_config": typed}]});
    let (status, printed) = compare(&file.to_string(), &[]);
    assert_eq!(status, 0, "{printed}");
}

#[test]
fn requests_may_come_from_a_file() {
    let cases = file(
        "cases.yaml",
        "cases:\n- name: an eternal token\n  request: { path: /a }\n  token: no-expiration\n  expect: { status: 200 }\n\
         - name: a token of another type\n  token: { kind: wrong-type, provider: p }\n  expect: { status: 401 }\n",
    );
    let cases = cases.to_str().unwrap();
    let (status, printed) = compare(&native(&json!({}), &all()), &["--cases", cases]);
    assert_eq!(status, 0, "{printed}");
    assert!(
        printed.contains("2 requests, 1 the same, 1 differs\n"),
        "{printed}"
    );
    assert!(
        printed.contains("GET / at localhost, a token of another type: 200 -> 401 (type)\n"),
        "{printed}"
    );
}

#[test]
fn tokens_of_a_file_are_signed_with_other_keys() {
    let cases = file(
        "cases.yaml",
        "cases:\n- name: a\n  token: { file: a.jwt }\n  expect: { status: 200 }\n",
    );
    let cases = cases.to_str().unwrap();
    let (status, printed) = compare(&native(&json!({}), &all()), &["--cases", cases]);
    assert_eq!(status, 2, "{printed}");
    assert!(
        printed.contains("3:10: compare mints all tokens: name a `kind`"),
        "{printed}"
    );
}

#[test]
fn configurations_and_requests_can_be_written() {
    let out = file("out", "").with_extension("d");
    let out = out.to_str().unwrap();
    let (status, printed) = compare(&native(&json!({}), &all()), &["--out", out]);
    assert_eq!(status, 0, "{printed}");
    let read = |name: &str| {
        let text = fs::read_to_string(format!("{out}/1.{name}.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert!(read("jwt_authn").to_string().contains("jwt_authn.v3"));
    assert!(!read("bearer-gate").to_string().contains("jwt_authn.v3"));
    let requests = read("requests");
    assert_eq!(requests[0]["native"]["status"], 401);
    assert_eq!(requests[0]["gate"]["challenge"], true);
}

#[test]
fn a_file_that_cannot_be_converted_cannot_be_compared() {
    let (status, printed) = compare(
        "{\"providers\": {}, \"filter_state_rules\": {\"name\": \"x\"}}",
        &[],
    );
    assert_eq!(status, 2, "{printed}");
    assert!(
        printed.contains("a wasm filter cannot read filter state"),
        "{printed}"
    );
    let (status, printed) = run(&["compare", "docs/tasks/scopes.yaml"]);
    assert_eq!(status, 2, "{printed}");
    assert!(
        printed.contains(
            "has bearer-gate and no jwt_authn filter: give the file before the conversion"
        ),
        "{printed}"
    );
}

#[test]
fn policies_of_a_control_plane_are_not_compared() {
    for policy in [
        "{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: a}, spec: {jwtRules: [{issuer: \
         a, jwks: '{}'}]}}",
        "{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: SecurityPolicy, metadata: {name: a}, spec: {jwt: {providers: \
         []}}}",
    ] {
        let (status, printed) = compare(policy, &[]);
        assert_eq!(status, 2, "{printed}");
        assert!(
            printed.contains(
                "has policies of Istio or Envoy Gateway, and compare takes files of Envoy: give it the configuration \
                 dump of a proxy with jwt_authn\n"
            ),
            "{printed}"
        );
    }
}

#[test]
fn envoy_needs_a_module_to_compare_with() {
    let (status, printed) = compare(
        &native(&json!({}), &all()),
        &["--envoy", "envoy", "--module", "/nowhere/gate.wasm"],
    );
    assert_eq!(status, 2, "{printed}");
    assert!(
        printed.contains(
            "/nowhere/gate.wasm: is no file, and --envoy needs the module: name it with --module"
        ),
        "{printed}"
    );
}

#[test]
fn a_config_map_and_a_dump_are_compared_too() {
    let config = native(&json!({}), &all());
    let mut typed: Value = serde_json::from_str(&config).unwrap();
    typed["@type"] =
        "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication".into();
    let filter = json!({"name": "jwt", "typed_config": typed});
    let manager = json!({"http_filters": [filter], "rds": {"route_config_name": "r"}});
    let route = json!({
        "match": {"path": "/open"},
        "route": {"cluster": "a"},
        "typed_per_filter_config": {"jwt": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
            "disabled": true,
        }},
    });
    let routes = json!({"name": "r", "virtual_hosts": [{"name": "v", "domains": ["a.example"], "routes": [route]}]});
    let dump = json!({"configs": [manager, routes]}).to_string();
    let (status, printed) = compare(&dump, &["--all"]);
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains("configs[0].http_filters\n"), "{printed}");
    assert!(printed.contains("at a.example"), "{printed}");
    let bootstrap = json!({"static_resources": {"listeners": [{"http_filters": [filter]}]}});
    let indented = bootstrap.to_string();
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  envoy.yaml: |\n    {indented}\n"
    );
    let (status, printed) = compare(&map, &[]);
    assert_eq!(status, 0, "{printed}");
    assert!(
        printed.contains("data.envoy.yaml.static_resources"),
        "{printed}"
    );
}

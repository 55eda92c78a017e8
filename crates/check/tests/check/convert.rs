//! `convert` puts the gate in the place of `jwt_authn`.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::Stdio;

use gate::time::Timestamp;
use gate_check::{Console, Status};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::support::{command, file, key_set, root, run, told};

/// Converts a file. Returns the exit status, the standard output and the standard error.
fn convert(name: &str, content: &str, more: &[&str]) -> (i32, String, String) {
    let path = file(name, content);
    let mut arguments = vec!["convert"];
    arguments.extend(more);
    arguments.push(path.to_str().unwrap());
    let output = command(&arguments).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Converts a file that can be converted, and checks that the gate accepts the result.
fn converted(name: &str, content: &str) -> (String, String) {
    let (status, output, errors) = convert(name, content, &[]);
    assert_eq!(status, 0, "{errors}");
    let result = file(name, &output);
    let (status, printed) = run(&[result.to_str().unwrap()]);
    assert_eq!(status, 0, "{printed}\n{output}");
    (output, errors)
}

/// Why a file cannot be converted.
fn refused(content: &str) -> String {
    let (status, output, errors) = convert("c.yaml", content, &[]);
    assert_eq!((status, output.as_str()), (2, ""), "{errors}");
    errors
}

/// The text without comments and empty lines.
fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines with REVIEW, without their text.
fn reviews(text: &str) -> usize {
    text.lines()
        .filter(|line| line.trim_start().starts_with("# REVIEW: "))
        .count()
}

const LISTENER: &str = r#"# The public listener.
name: public
address: { socket_address: { address: 0.0.0.0, port_value: 8080 } }   # for everybody
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: public
      route_config:
        virtual_hosts: [{ name: all, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: api } }] }]
      http_filters:
      # Who is it?
      - name: envoy.filters.http.jwt_authn
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
          providers:
            # Our own accounts.
            accounts:
              issuer: https://login.example
              audiences:
              - https://api.example   # the API

              remote_jwks:
                http_uri: { uri: https://login.example/jwks, cluster: login, timeout: 5s }
              from_headers: [{ name: Authorization, value_prefix: "Bearer " }]
              require_expiration: true
          rules:
          - match: { prefix: /health }
          - match:
              prefix: /
            requires: { provider_name: accounts }   # everything else
      - name: envoy.filters.http.router
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
"#;

#[test]
fn a_filter_is_replaced_where_it_is_and_the_rest_stays_byte_for_byte() {
    let (output, errors) = converted("c.yaml", LISTENER);
    let expected = r#"name: public
address: { socket_address: { address: 0.0.0.0, port_value: 8080 } }   # for everybody
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: public
      route_config:
        virtual_hosts: [{ name: all, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: api } }] }]
      http_filters:
      - name: bearer-gate
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
          config:
            name: bearer-gate
            failure_policy: FAIL_RELOAD
            vm_config:
              vm_id: bearer-gate
              runtime: envoy.wasm.runtime.v8
              code:
                local:
                  filename: /etc/envoy/bearer_gate.wasm
            configuration:
              "@type": type.googleapis.com/google.protobuf.Struct
              value:
                providers:
                  accounts:
                    issuer: https://login.example
                    audiences:
                    - https://api.example   # the API
                    remote_jwks:
                      http_uri: { uri: https://login.example/jwks, cluster: login, timeout: 5s }
                    from_headers: [{ name: Authorization, value_prefix: "Bearer " }]
                    require_expiration: true
                rules:
                - match: { prefix: /health }
                - match:
                    prefix: /
                  requires: { provider_name: accounts }   # everything else
      - name: envoy.filters.http.router
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"#;
    assert_eq!(without_comments(&output), expected);
    for comment in [
        "# The public listener.\n",
        "# Who is it?\n",
        "# Our own accounts.\n",
    ] {
        assert!(output.contains(comment), "{comment}");
    }
    // The general one, and that of the audiences.
    assert_eq!(reviews(&output), 2, "{output}");
    assert!(
        errors.contains("2 changes of meaning are marked with REVIEW"),
        "{errors}"
    );
}

#[test]
fn a_diff_shows_only_the_filter() {
    let (status, output, _) = convert(
        "c.yaml",
        LISTENER,
        &["--diff", "--module", "/opt/gate.wasm"],
    );
    assert_eq!(status, 0);
    assert!(output.starts_with("--- a/"), "{output}");
    assert!(
        output.contains(
            "\n-      - name: envoy.filters.http.jwt_authn\n+      - name: bearer-gate\n"
        )
    );
    assert!(
        output.contains("+                  filename: /opt/gate.wasm\n"),
        "{output}"
    );
    assert!(!output.contains("port_value"), "{output}");
}

/// A bare native configuration with this provider and these rules, in JSON.
fn bare(provider: &Value, more: &Value) -> String {
    let mut config = json!({"providers": {"p": provider}});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config.to_string()
}

/// The converted form of a native configuration.
fn convert_bare(provider: &Value, more: &Value) -> (Value, String) {
    let (output, errors) = converted("c.json", &bare(provider, more));
    (serde_json::from_str(&output).unwrap(), errors)
}

fn local() -> Value {
    json!({
        "issuer": "joe",
        "local_jwks": {"inline_string": key_set()},
        "from_headers": [{"name": "x-token"}],
        "require_expiration": true,
    })
}

fn with(mut provider: Value, name: &str, value: impl Into<Value>) -> Value {
    provider[name] = value.into();
    provider
}

fn all_rule() -> Value {
    json!({"rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]})
}

#[test]
fn defaults_of_jwt_authn_are_written_out() {
    let (config, errors) = convert_bare(
        &json!({"issuer": "joe", "local_jwks": {"inline_string": key_set()}}),
        &json!({}),
    );
    let provider = &config["providers"]["p"];
    assert_eq!(
        provider["from_headers"],
        json!([{"name": "Authorization", "value_prefix": "Bearer "}])
    );
    assert_eq!(provider["from_params"], json!(["access_token"]));
    assert_eq!(provider["require_expiration"], false);
    assert_eq!(config["rules"], json!([{"match": {"prefix": "/"}}]));
    for path in [
        "providers.p.from_params",
        "providers.p.require_expiration",
        "rules",
    ] {
        assert!(
            errors.contains(&format!("REVIEW {path}: ")),
            "{path} is not in {errors}"
        );
    }
}

#[test]
fn requests_that_no_rule_matches_still_pass() {
    let open =
        json!({"rules": [{"match": {"prefix": "/api"}, "requires": {"provider_name": "p"}}]});
    let (config, errors) = convert_bare(&local(), &open);
    assert_eq!(config["unmatched_requests"], "allow");
    assert!(errors.contains("REVIEW unmatched_requests: "), "{errors}");
    let (config, _) = convert_bare(&local(), &all_rule());
    assert_eq!(config["unmatched_requests"], Value::Null);
}

#[test]
fn numbers_that_mean_something_else_are_changed_or_marked() {
    let provider = with(local(), "clock_skew_seconds", 0);
    let provider = with(provider, "max_lifetime", "3600s");
    let provider = with(
        provider,
        "jwt_cache_config",
        json!({"jwt_max_token_size": 100_000}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    let provider = &config["providers"]["p"];
    assert_eq!(provider["clock_skew_seconds"], 60);
    assert_eq!(provider["jwt_cache_config"]["jwt_max_token_size"], 65536);
    assert!(
        errors.contains("REVIEW providers.p.max_lifetime: "),
        "{errors}"
    );
}

#[test]
fn what_jwt_authn_does_not_look_at_in_a_match_is_left_out() {
    let rule = json!({"rules": [{
        "match": {"prefix": "/", "grpc": {}, "runtime_fraction": {"default_value": {"numerator": 1}}},
        "requires": {"provider_name": "p"},
    }]});
    let (config, errors) = convert_bare(&local(), &rule);
    assert_eq!(config["rules"][0]["match"], json!({"prefix": "/"}));
    assert!(errors.contains("`grpc` is left out"), "{errors}");
    assert!(
        errors.contains("`runtime_fraction` is left out"),
        "{errors}"
    );
}

#[test]
fn a_header_that_the_gate_does_not_set_is_left_out() {
    let claim = |header: &str| json!({"header_name": header, "claim_name": "sub"});
    let provider = with(
        local(),
        "claim_to_headers",
        json!([claim("Cookie"), claim("x-user")]),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    assert_eq!(
        config["providers"]["p"]["claim_to_headers"],
        json!([claim("x-user")])
    );
    assert!(
        errors.contains("the gate sets no header Cookie"),
        "{errors}"
    );
    let block = "providers:\n  p:\n    issuer: joe\n    claim_to_headers:\n    - header_name: cookie\n      claim_name: \
                 sub\n    - header_name: x-user\n      claim_name: sub\n    remote_jwks:\n      http_uri: { uri: \
                 https://joe.example, cluster: joe, timeout: 1s }\n";
    let (output, _) = converted("c.yaml", block);
    assert!(output.contains("claim_to_headers:\n     [{"), "{output}");
}

#[test]
fn a_path_template_becomes_a_regular_expression() {
    let rule = json!({"rules": [{
        "match": {"path_match_policy": {
            "name": "envoy.path.match.uri_template.uri_template_matcher",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                "path_template": "/users/{id}",
            },
        }},
        "requires": {"provider_name": "p"},
    }]});
    let (config, _) = convert_bare(&local(), &rule);
    let regex = "/users/[a-zA-Z0-9-._~%!$&'()+,;:@=]+";
    assert_eq!(
        config["rules"][0]["match"],
        json!({"safe_regex": {"regex": regex}})
    );
}

#[test]
fn a_match_of_connect_requests_becomes_a_condition_on_the_method() {
    let rule =
        |matcher: Value| json!({"rules": [{"match": matcher, "requires": {"provider_name": "p"}}]});
    let (config, errors) = convert_bare(&local(), &rule(json!({"connect_matcher": {}})));
    let method = json!([{"name": ":method", "string_match": {"exact": "CONNECT"}}]);
    assert_eq!(
        config["rules"][0]["match"],
        json!({"prefix": "", "headers": method})
    );
    assert!(errors.contains("stand for connect_matcher"), "{errors}");
    let limited = json!({"connect_matcher": {}, "headers": [{"name": "x"}]});
    let refusal = refused(&bare(&local(), &rule(limited)));
    assert!(refusal.contains("connect_matcher: "), "{refusal}");
}

#[test]
fn an_empty_requirement_becomes_an_open_one() {
    let rules = json!({
        "rules": [
            {"match": {"prefix": "/a"}, "requires": {}},
            {"match": {"prefix": "/b"}, "requires": {"requires_any": {"requirements": [
                {"provider_name": "p"}, {},
            ]}}},
            {"match": {"prefix": "/c"}, "requires": {"allow_missing": null}},
            {"match": {"prefix": "/"}, "requirement_name": "r"},
        ],
        "requirement_map": {"r": {}},
    });
    let (config, _) = convert_bare(&local(), &rules);
    let open = json!({"allow": {}});
    assert_eq!(config["rules"][0]["requires"], open);
    assert_eq!(config["rules"][2]["requires"], open);
    assert_eq!(
        config["rules"][1]["requires"]["requires_any"]["requirements"][1],
        open
    );
    assert_eq!(config["requirement_map"]["r"], open);
}

#[test]
fn shared_secrets_name_their_algorithms() {
    let keys = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXMgLi4uLi4", "alg": "HS256"}]});
    let provider = with(
        local(),
        "local_jwks",
        json!({"inline_string": keys.to_string()}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    let algorithms = config["providers"]["p"]["algorithms"].as_array().unwrap();
    assert!(algorithms.contains(&json!("HS256")) && algorithms.contains(&json!("RS256")));
    assert!(
        errors.contains("REVIEW providers.p.algorithms: "),
        "{errors}"
    );
}

#[test]
fn keys_in_a_file_are_copied_into_the_configuration() {
    let keys = file("keys.json", key_set());
    let provider = with(
        local(),
        "local_jwks",
        json!({"filename": keys, "watched_directory": {"path": "/"}}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    let inline = config["providers"]["p"]["local_jwks"]["inline_string"]
        .as_str()
        .unwrap();
    let (copied, original): (Value, Value) = (
        serde_json::from_str(inline).unwrap(),
        serde_json::from_str(&key_set()).unwrap(),
    );
    assert_eq!(copied, original);
    assert!(errors.contains("is the content of"), "{errors}");

    let provider = with(
        local(),
        "local_jwks",
        json!({"filename": "/nowhere/keys.json"}),
    );
    let refusal = refused(&bare(&provider, &all_rule()));
    assert!(
        refusal.contains("providers.p.local_jwks.filename: "),
        "{refusal}"
    );
    assert!(
        refusal.contains("run convert where the file is"),
        "{refusal}"
    );
}

#[test]
fn a_key_set_that_the_gate_does_not_accept_admits_nobody() {
    for keys in [
        "PUBLIC-KEY",
        r#"{"keys": []}"#,
        r#"{"keys": [{"kty": "oct", "k": "1234567890"}]}"#,
    ] {
        let provider = with(local(), "local_jwks", json!({"inline_string": keys}));
        let (config, errors) = convert_bare(&provider, &all_rule());
        let inline = config["providers"]["p"]["local_jwks"]["inline_string"]
            .as_str()
            .unwrap();
        assert!(inline.contains("nobody"), "{inline}");
        assert!(
            errors.contains("every token of this provider is refused"),
            "{errors}"
        );
    }
}

#[test]
fn keys_for_other_uses_are_used_as_before() {
    let mut set: Value = serde_json::from_str(&key_set()).unwrap();
    set["keys"][0]["use"] = "jwt-svid".into();
    let provider = with(
        local(),
        "local_jwks",
        json!({"inline_string": set.to_string()}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    assert_eq!(
        config["providers"]["p"]["local_jwks"]["key_uses"],
        json!(["sig", "jwt-svid"])
    );
    assert!(errors.contains("local_jwks.key_uses: "), "{errors}");
}

#[test]
fn metadata_that_nobody_reads_is_left_out_and_other_metadata_is_refused() {
    let provider = with(local(), "header_in_metadata", "jose");
    let (config, errors) = convert_bare(&provider, &all_rule());
    assert_eq!(config["providers"]["p"]["header_in_metadata"], Value::Null);
    assert!(errors.contains("Nothing in this file reads it"), "{errors}");

    let reader = LISTENER
        .replace("require_expiration: true", "header_in_metadata: jose")
        .replace(
            "stat_prefix: public",
            "stat_prefix: \"%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:jose)%\"",
        );
    let refusal = refused(&reader);
    assert!(
        refusal.contains("something in this file reads it"),
        "{refusal}"
    );
    assert!(refusal.contains(".yaml:27:15: "), "{refusal}");
}

const ROUTES: &str = r#"name: routes
virtual_hosts:
- name: open
  domains: ["open.example"]
  typed_per_filter_config:
    envoy.filters.http.jwt_authn:
      "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig
      disabled: true
  routes:
  - match: { prefix: /private }
    route: { cluster: api }
    typed_per_filter_config:
      envoy.filters.http.jwt_authn:
        "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig
        requirement_name: private
      envoy.filters.http.cors:
        "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
  - name: rest   # of them
    match: { prefix: / }
    metadata: { filter_metadata: { other: { a: b } } }
    route: { cluster: api }
- name: gated
  domains: ["*"]
  routes:
  - match: { prefix: / }
    route: { cluster: api }
"#;

#[test]
fn choices_of_routes_move_into_their_metadata() {
    let (status, output, errors) = convert("routes.yaml", ROUTES, &[]);
    assert_eq!(status, 0, "{errors}");
    let expected = r#"name: routes
virtual_hosts:
- name: open
  domains: ["open.example"]
  routes:
  - match: { prefix: /private }
    route: { cluster: api }
    typed_per_filter_config:
      envoy.filters.http.cors:
        "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
    metadata:
      filter_metadata:
        bearer_gate:
          requirement_name: private
  - name: rest   # of them
    match: { prefix: / }
    metadata: { filter_metadata: { other: { a: b }, "bearer_gate": {"requirement_name": "jwt_authn_disabled"} } }
    route: { cluster: api }
- name: gated
  domains: ["*"]
  routes:
  - match: { prefix: / }
    route: { cluster: api }"#;
    assert_eq!(without_comments(&output), expected);
}

#[test]
fn requirements_of_routes_are_found_by_the_gate() {
    let routes: Value = json!([{
        "match": {"prefix": "/"},
        "route": {"cluster": "api"},
        "typed_per_filter_config": {"envoy.filters.http.jwt_authn": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
            "requirement_name": "private",
        }},
    }]);
    let filter = json!({
        "name": "envoy.filters.http.jwt_authn",
        "typedConfig": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"p": local()},
            "requirementMap": {"private": {"providerName": "p"}},
        },
    });
    let manager = json!({
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
        "http_filters": [filter, {"name": "router"}],
    });
    let (output, errors) = converted("c.json", &format!("{manager:#}"));
    let output: Value = serde_json::from_str(&output).unwrap();
    let config = &output["http_filters"][0]["typedConfig"]["config"]["configuration"]["value"];
    assert_eq!(config["per_route_requirements"], true);
    assert_eq!(
        config["requirementMap"],
        json!({"private": {"providerName": "p"}})
    );
    let route = &output["route_config"]["virtual_hosts"][0]["routes"][0];
    assert_eq!(
        route["metadata"]["filter_metadata"]["bearer_gate"],
        json!({"requirement_name": "private"})
    );
    assert_eq!(route["typed_per_filter_config"], Value::Null);
    assert!(errors.contains("per_route_requirements: "), "{errors}");
}

#[test]
fn requirements_that_routes_elsewhere_may_name_are_kept() {
    let map = json!({"requirement_map": {"private": {"provider_name": "p"}}});
    let (config, errors) = convert_bare(&local(), &map);
    assert_eq!(config["per_route_requirements"], true);
    assert_eq!(
        config["requirement_map"]["jwt_authn_disabled"],
        json!({"allow": {}})
    );
    assert!(
        errors.contains("names private: convert the routes that do, too"),
        "{errors}"
    );
}

#[test]
fn a_choice_of_a_weighted_cluster_is_refused() {
    let routes = r#"virtual_hosts:
- name: v
  domains: ["*"]
  routes:
  - match: { prefix: / }
    route:
      weighted_clusters:
        clusters:
        - name: a
          weight: 1
          typed_per_filter_config:
            envoy.filters.http.jwt_authn:
              "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig
              disabled: true
"#;
    let refusal = refused(routes);
    assert!(refusal.contains(":12:13: "), "{refusal}");
    assert!(
        refusal.contains("move the PerRouteConfig to the route"),
        "{refusal}"
    );
}

#[test]
fn a_filter_in_a_config_map_is_converted_there() {
    let indented = format!("    {}\n", LISTENER.trim_end().replace('\n', "\n    "));
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: envoy }}\ndata:\n  envoy.yaml: |\n{indented}  other: x\n"
    );
    let (status, output, errors) = convert("map.yaml", &map, &[]);
    assert_eq!(status, 0, "{errors}");
    assert!(
        output.contains("\n          - name: bearer-gate\n"),
        "{output}"
    );
    assert!(output.ends_with("\n  other: x\n"), "{output}");
    assert!(
        output.contains("\n    # The public listener.\n"),
        "{output}"
    );
}

#[test]
fn reviews_of_json_in_a_config_map_are_told_with_their_paths() {
    let native = bare(&local(), &all_rule());
    let filter = json!({"name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": content(&native)["providers"],
    }});
    let indented = format!("    {}\n", format!("{filter:#}").replace('\n', "\n    "));
    let map = format!("kind: ConfigMap\ndata:\n  filter.json: |\n{indented}");
    let (status, output, errors) = convert("map.yaml", &map, &[]);
    assert_eq!(status, 0, "{errors}");
    assert!(output.contains("\"bearer-gate\""), "{output}");
    assert!(
        errors.contains("REVIEW data.filter.json.typed_config.rules: "),
        "{errors}"
    );
}

#[test]
fn a_typed_struct_and_discovered_filters_are_converted() {
    let native = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
    let filters = json!({"http_filters": [
        {"name": "jwt", "typed_config": {
            "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
            "type_url": native,
            "value": {"providers": {"p": local()}, "rules": all_rule()["rules"]},
        }},
        {"name": "found", "config_discovery": {"config_source": {"ads": {}}, "type_urls": [native]}},
    ]});
    let (output, _) = converted("c.json", &format!("{filters:#}"));
    let output: Value = serde_json::from_str(&output).unwrap();
    let wasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
    let filters = &output["http_filters"];
    assert_eq!(filters[0]["typed_config"]["@type"], wasm);
    assert_eq!(filters[0]["name"], "jwt");
    assert_eq!(filters[1]["config_discovery"]["type_urls"], json!([wasm]));
}

#[test]
fn what_has_no_jwt_authn_is_refused_in_one_sentence() {
    for (content, sentence) in [
        ("a: 1\n", "has no jwt_authn filter"),
        (
            "- name: envoy.filters.http.jwt_authn\n  config: { providers: {} }\n",
            "`config` without a type",
        ),
        ("a: [1\n", ".yaml:1:4: is neither JSON nor YAML"),
        ("a: 1\na: 2\n", ".yaml: is neither JSON nor YAML: duplicate"),
        (
            "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec: {jwtRules: []}\n",
            "RequestAuthentication a: has no jwtRules",
        ),
    ] {
        let refusal = refused(content);
        assert!(refusal.contains(sentence), "{refusal}");
    }
    let rules =
        json!({"filter_state_rules": {"name": "x", "requires": {"a": {"provider_name": "p"}}}});
    let refusal = refused(&bare(&local(), &rules));
    assert!(
        refusal.contains("filter_state_rules: a wasm filter cannot read filter state"),
        "{refusal}"
    );
}

/// The content of a text in YAML or JSON.
fn content(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn the_layout_of_a_file_does_not_matter() {
    let original = content(LISTENER);
    let (expected, _) = converted("layout.yaml", LISTENER);
    let expected = content(&expected);
    for text in [
        original.to_string(),
        format!("{original:#}"),
        format!("{original:#}").replace("  ", "\t"),
        LISTENER.replace('\n', "\r\n"),
        LISTENER.trim_end().to_owned(),
        LISTENER
            .replace('\n', "\n    ")
            .replacen("# The", "    # The", 1),
        format!("---\n{LISTENER}...\n"),
    ] {
        let (status, output, errors) = convert("layout.yaml", &text, &[]);
        assert_eq!(status, 0, "{errors}{text}");
        assert_eq!(content(&output), expected, "{text}\n{output}");
    }
}

#[test]
fn a_filter_that_is_off_by_default_is_switched_on_by_its_routes() {
    let filter_config = "type.googleapis.com/envoy.config.route.v3.FilterConfig";
    let per_route = |choice: Value| {
        let kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";
        let mut choice = choice;
        choice["@type"] = kind.into();
        json!({"match": {"prefix": "/"}, "route": {}, "typed_per_filter_config": {"envoy.filters.http.jwt_authn": choice}})
    };
    let switch = json!({
        "match": {"prefix": "/"},
        "route": {},
        "typed_per_filter_config": {"envoy.filters.http.jwt_authn": {"@type": filter_config, "disabled": true}},
    });
    let manager = json!({
        "http_filters": [{
            "name": "envoy.filters.http.jwt_authn",
            "disabled": true,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"p": local()},
                "requirement_map": {"r": {"provider_name": "p"}},
            },
        }],
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [
            per_route(json!({"requirement_name": "r"})), per_route(json!({"disabled": true})), switch,
        ]}]},
    });
    let (output, _) = converted("off.json", &format!("{manager:#}"));
    let output = content(&output);
    assert_eq!(output["http_filters"][0]["disabled"], true);
    let routes = &output["route_config"]["virtual_hosts"][0]["routes"];
    let on = json!({"@type": filter_config, "config": {}});
    let off = json!({"@type": filter_config, "disabled": true});
    for (index, switch, requirement) in [
        (0, &on, json!("r")),
        (1, &off, Value::Null),
        (2, &off, Value::Null),
    ] {
        let route = &routes[index];
        let both = json!({"bearer-gate": switch, "bearer-gate-payload": switch});
        assert_eq!(route["typed_per_filter_config"], both, "{route}");
        assert_eq!(
            route["metadata"]["filter_metadata"]["bearer_gate"]["requirement_name"],
            requirement
        );
    }
}

#[test]
fn filters_that_want_different_things_of_one_route_are_refused() {
    let routes = ROUTES.replace(
        "      envoy.filters.http.cors:\n        \"@type\": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy\n",
        "      second:\n        \"@type\": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig\n        \
         requirement_name: other\n",
    );
    assert_ne!(routes, ROUTES);
    let refusal = refused(&routes);
    assert!(
        refusal.contains("several jwt_authn filters have different requirements"),
        "{refusal}"
    );
}

#[test]
fn a_payload_in_metadata_takes_the_way_through_a_header() {
    let text = LISTENER.replace(
        "require_expiration: true",
        "require_expiration: true\n              payload_in_metadata: user",
    );
    let (output, _) = converted("payload.yaml", &text);
    let output = content(&output);
    let filters = &output["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"];
    let provider =
        &filters[0]["typed_config"]["config"]["configuration"]["value"]["providers"]["accounts"];
    assert_eq!(provider["payload_in_metadata"], "user");
    assert_eq!(provider["payload_metadata_header"], "x-bearer-gate-payload");
    assert_eq!(filters[1]["name"], "bearer-gate-payload");
    let rules = json!([{
        "header": "x-bearer-gate-payload",
        "on_header_present": {
            "metadata_namespace": "envoy.filters.http.jwt_authn",
            "key": "user",
            "type": "PROTOBUF_VALUE",
            "encode": "BASE64",
        },
        "remove": true,
    }]);
    assert_eq!(filters[1]["typed_config"]["request_rules"], rules);
    assert_eq!(filters[2]["name"], "envoy.filters.http.router");
}

#[test]
fn aliases_in_what_is_converted_are_written_out() {
    let text = LISTENER
        .replace(
            "            accounts:\n",
            "            accounts: &accounts\n",
        )
        .replace(
            "          rules:\n",
            "            partners: *accounts\n          rules:\n",
        )
        .replace("require_expiration: true", "forward: true")
        .replace("{ socket_address: {", "&address { socket_address: {")
        .replace(
            "stat_prefix: public",
            "stat_prefix: public\n      # *accounts",
        );
    let (output, _) = converted("aliases.yaml", &text);
    assert_eq!(output.matches("require_expiration").count(), 2, "{output}");
    assert!(output.contains("# *accounts"), "{output}");
    assert!(output.contains("&address {"), "{output}");
}

#[test]
fn where_no_comment_can_stand_the_reviews_go_to_the_standard_error() {
    let flow = "{providers: {p: {issuer: 'a text of\n  two lines', require_expiration: false, clock_skew_seconds: 0, from_headers: [{name: x}],\n  \
                remote_jwks: {http_uri: {uri: 'https://joe.example', cluster: joe, timeout: 1s}}, max_lifetime: \"5s\", audiences: [a,\n  b], \
                clear_route_cache: true, header_in_metadata: \"x\n  y\"}}, rules: [{match: {prefix: /}, requires: {provider_name: p}}]}\n";
    let (output, errors) = converted("flow.yaml", flow);
    for path in ["providers.p.audiences", "providers.p.max_lifetime"] {
        let is_marked = output.contains("REVIEW") || errors.contains(&format!("REVIEW {path}: "));
        assert!(is_marked, "{output}{errors}");
    }
}

#[test]
fn a_file_may_come_from_the_standard_input() {
    let mut child = command(&["convert", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(LISTENER.as_bytes())
        .unwrap();
    let (status, printed) = told(&child.wait_with_output().unwrap());
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains("- name: bearer-gate\n"), "{printed}");
}

#[test]
fn the_page_about_convert_shows_what_it_does() {
    let page = std::fs::read_to_string(root().join("docs/convert.md")).unwrap();
    let block = |kind: &str| {
        let start = format!("```{kind}\n");
        page.split(&start)
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap()
            .to_owned()
    };
    let path = file("page.yaml", block("yaml"));
    let (status, printed) = run(&["convert", "--diff", path.to_str().unwrap()]);
    assert_eq!(status, 0, "{printed}");
    let name = path.display().to_string();
    assert!(
        printed
            .replace(&name, "envoy.yaml")
            .starts_with(&block("diff")),
        "{printed}"
    );
}

/// Runs `convert` in this process on this text.
fn convert_here(text: &str) -> Option<String> {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut console = Console {
        environment: &|_| None,
        input: &mut text.as_bytes(),
        output: &mut output,
        errors: &mut errors,
    };
    let arguments = ["convert", "-"].map(OsString::from);
    let status = gate_check::run(arguments, &mut console, Timestamp::from_unix_secs(0)).unwrap();
    (status == Status::Good).then(|| String::from_utf8(output).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// A file with lines missing, moved or indented otherwise is converted or refused; what is converted is YAML.
    #[test]
    fn no_damage_to_a_file_makes_convert_fail(
        routes in any::<bool>(),
        changes in vec((any::<Index>(), any::<Index>(), 0_usize..4), 1..4),
    ) {
        let mut lines: Vec<String> = if routes { ROUTES } else { LISTENER }.lines().map(str::to_owned).collect();
        for (from, to, kind) in changes {
            let (from, to) = (from.index(lines.len()), to.index(lines.len()));
            match kind {
                0 => drop(lines.splice(from..=from, Vec::new())),
                1 => lines.swap(from, to),
                2 => lines[from].insert_str(0, "  "),
                _ => drop(lines.splice(to..to, [lines[from].clone()])),
            }
        }
        let text = lines.join("\n");
        if let Some(output) = convert_here(&text) {
            prop_assert!(serde_saphyr::from_str::<Value>(&output).is_ok(), "{text}\n{output}");
        }
    }
}

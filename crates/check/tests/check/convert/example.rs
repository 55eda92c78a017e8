//! Examples that the tests of `convert` change, and ways to convert them.

use serde_json::{Value, json};

use crate::support::{command, file, key_set, run};

/// Converts a file. Returns the exit status, the standard output and the standard error.
pub(super) fn convert(name: &str, content: &str, more: &[&str]) -> (i32, String, String) {
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
pub(super) fn converted(name: &str, content: &str) -> (String, String) {
    let (status, output, errors) = convert(name, content, &[]);
    assert_eq!(status, 0, "{errors}");
    let result = file(name, &output);
    let (status, printed) = run(&[result.to_str().unwrap()]);
    assert_eq!(status, 0, "{printed}\n{output}");
    (output, errors)
}

/// Why a file cannot be converted.
pub(super) fn refused(content: &str) -> String {
    let (status, output, errors) = convert("c.yaml", content, &[]);
    assert_eq!((status, output.as_str()), (2, ""), "{errors}");
    errors
}

/// The text without comments and empty lines.
pub(super) fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines with REVIEW, without their text.
pub(super) fn reviews(text: &str) -> usize {
    text.lines()
        .filter(|line| line.trim_start().starts_with("# REVIEW: "))
        .count()
}

pub(super) const LISTENER: &str = r#"# The public listener.
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

/// A bare native configuration with this provider and these rules, in JSON.
pub(super) fn bare(provider: &Value, more: &Value) -> String {
    let mut config = json!({"providers": {"p": provider}});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config.to_string()
}

/// The converted form of a native configuration.
pub(super) fn convert_bare(provider: &Value, more: &Value) -> (Value, String) {
    let (output, errors) = converted("c.json", &bare(provider, more));
    (serde_json::from_str(&output).unwrap(), errors)
}

pub(super) fn local() -> Value {
    json!({
        "issuer": "joe",
        "local_jwks": {"inline_string": key_set()},
        "from_headers": [{"name": "x-token"}],
        "require_expiration": true,
    })
}

pub(super) fn with(mut provider: Value, name: &str, value: impl Into<Value>) -> Value {
    provider[name] = value.into();
    provider
}

pub(super) fn all_rule() -> Value {
    json!({"rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]})
}

pub(super) const ROUTES: &str = r#"name: routes
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

/// The content of a text in YAML or JSON.
pub(super) fn content(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

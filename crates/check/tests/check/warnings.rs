//! Warnings: what is valid but dangerous.

use std::fs;

use serde_json::{Value, json};

use crate::support::{check, file, key_set, root, run};

/// A bootstrap without anything to warn of.
const GOOD: &str = r#"static_resources:
  listeners:
  - name: public
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          normalize_path: true
          merge_slashes: true
          path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT
          common_http_protocol_options: { headers_with_underscores_action: REJECT_REQUEST }
          http_filters:
          - name: bearer-gate
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                failure_policy: FAIL_RELOAD
                vm_config: { vm_id: bearer-gate, runtime: envoy.wasm.runtime.v8, code: { local: { filename: bearer_gate.wasm } } }
                configuration:
                  "@type": type.googleapis.com/google.protobuf.Struct
                  value:
                    providers:
                      joe:
                        issuer: https://joe.example
                        audiences: [api]
                        remote_jwks:
                          http_uri: { uri: https://joe.example/jwks, cluster: joe, timeout: 1s }
                    rules:
                    - match: { path: /health }
                    - match: { prefix: /api }
                      requires: { provider_name: joe }
                    - match: { prefix: / }
                      requires: { provider_name: joe }
          - name: envoy.filters.http.router
  clusters:
  - name: joe
    transport_socket:
      name: tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: joe.example
        common_tls_context:
          validation_context:
            trusted_ca: { filename: /etc/ssl/certs/ca-certificates.crt }
            match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: joe.example } }]
"#;

/// The lines with warnings.
fn warnings(text: &str) -> Vec<String> {
    let (status, printed) = check(&file("w.yaml", text));
    assert_eq!(status, 0, "{printed}");
    let lines = printed.lines().filter(|line| line.contains("warning: "));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_careful_configuration_has_no_warnings_and_a_table() {
    assert_eq!(warnings(GOOD), Vec::<String>::new());
    let (_, printed) = check(&file("t.yaml", GOOD));
    let table = "
  rule  requests         need
  1     exactly /health  nothing
  2     below /api       a token of joe
  3     below /          a token of joe
  -     all others       are refused: 401
";
    assert!(printed.contains(table), "{printed}");
    let path = file("s.yaml", GOOD);
    assert_eq!(run(&["--strict", path.to_str().unwrap()]).0, 0);
}

/// Changes to [`GOOD`], each with the warning that it causes and the text at whose place it is.
const CHANGES: [(&str, &str, &str, &str); 23] = [
    (
        "failure_policy: FAIL_RELOAD",
        "failure_policy: FAIL_OPEN",
        "fail-open",
        "failure_policy: FAIL_OPEN",
    ),
    (
        "failure_policy: FAIL_RELOAD",
        "fail_open: true",
        "fail-open",
        "fail_open: true",
    ),
    (
        "failure_policy: FAIL_RELOAD",
        "failure_policy: FAIL_CLOSED",
        "fail-reload",
        "failure_policy: FAIL_CLOSED",
    ),
    ("vm_id: bearer-gate, ", "", "vm-id", "{ runtime: "),
    (
        "normalize_path: true",
        "stat_prefix: a",
        "path-normalization",
        "\"@type\": type.googleapis.com/envoy.extensions.filters.network",
    ),
    (
        "merge_slashes: true",
        "merge_slashes: false",
        "path-normalization",
        "\"@type\": type.googleapis.com/envoy.extensions.filters.network",
    ),
    (
        "UNESCAPE_AND_REDIRECT",
        "KEEP_UNCHANGED",
        "path-normalization",
        "\"@type\": type.googleapis.com/envoy.extensions.filters.network",
    ),
    (
        "REJECT_REQUEST",
        "ALLOW",
        "underscores",
        "\"@type\": type.googleapis.com/envoy.extensions.filters.network",
    ),
    (
        "cluster: joe,",
        "cluster: jane,",
        "unknown-cluster",
        "jane, timeout",
    ),
    (
        "uri: https://",
        "uri: http://",
        "plain-text",
        "joe, timeout",
    ),
    (
        "    transport_socket:\n",
        "    transport_socket_:\n",
        "plain-text",
        "joe, timeout",
    ),
    (
        "            match_typed_subject",
        "            _match_typed_subject",
        "tls-validation",
        "joe, timeout",
    ),
    (
        "            trusted_ca",
        "            _trusted_ca",
        "tls-validation",
        "joe, timeout",
    ),
    (
        "issuer: https://joe.example\n",
        "clock_skew_seconds: 5\n",
        "no-issuer",
        "clock_skew_seconds: 5",
    ),
    (
        "audiences: [api]",
        "audiences: []",
        "no-audiences",
        "issuer: https",
    ),
    (
        "audiences: [api]",
        "audiences: [api]\n                        clock_skew_seconds: 301",
        "clock-skew",
        "301",
    ),
    (
        "audiences: [api]",
        "audiences: [api]\n                        claim_to_headers: [{header_name: x-a, claim_name: a}, {header_name: X-A, claim_name: b}]",
        "same-header",
        "{header_name: X-A",
    ),
    (
        "audiences: [api]",
        "audiences: [api]\n                        payload_in_metadata: p\n                        payload_metadata_header: x-p",
        "payload-metadata",
        "payload_metadata_header",
    ),
    (
        "path: /health }",
        "prefix: /health }",
        "prefix",
        "{ prefix: /health }",
    ),
    (
        "path: /health }",
        "prefix: / }",
        "open-rule",
        "{ prefix: / }\n                    - match: { prefix: /api",
    ),
    (
        "match: { prefix: / }",
        "match: { path: /api/x }",
        "shadowed-rule",
        "{ path: /api/x }",
    ),
    (
        "rules:\n",
        "unmatched_requests: allow\n                    rules:\n",
        "open-rule",
        "allow\n",
    ),
    (
        "          - name: bearer-gate\n",
        "          - name: envoy.filters.http.lua\n          - name: bearer-gate\n",
        "filter-order",
        "name: bearer-gate\n            typed_config",
    ),
];

#[test]
fn each_dangerous_change_is_warned_of_at_its_place() {
    for (before, after, kind, place) in CHANGES {
        let text = GOOD.replacen(before, after, 1);
        assert_ne!(text, GOOD, "{before} is not there");
        let position = text
            .find(place)
            .unwrap_or_else(|| panic!("{place} is not there"));
        let before = text.get(..position).unwrap();
        let line = before.matches('\n').count() + 1;
        let column = position - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        let found = warnings(&text);
        let start = format!("w.yaml:{line}:{column}: warning: ");
        let end = format!(" (docs/warnings.md#{kind})");
        assert_eq!(found.len(), 1, "{after}: {found:#?}");
        assert!(
            found[0].contains(&start),
            "{after}: {start} is not in {found:#?}"
        );
        assert!(found[0].ends_with(&end), "{after}: {found:#?}");
        let path = file("strict.yaml", &text);
        let (status, printed) = run(&["--strict", path.to_str().unwrap()]);
        assert_eq!(status, 1, "{printed}");
    }
}

#[test]
fn a_mutation_of_other_headers_does_not_change_the_path() {
    let with = |name: &str| {
        let filter = format!(
            "          - name: m\n            typed_config:\n              \"@type\": \
             type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation\n              mutations: \
             {{ request_mutations: [{{ remove: '{name}' }}] }}\n          - name: bearer-gate\n"
        );
        warnings(&GOOD.replace("          - name: bearer-gate\n", &filter))
    };
    assert_eq!(with("x-user"), Vec::<String>::new());
    assert_eq!(with(":path").len(), 1);
}

#[test]
fn sarif_has_mistakes_and_warnings_with_their_places() {
    let text = GOOD
        .replace("FAIL_RELOAD", "FAIL_OPEN")
        .replace("audiences: [api]", "audiencez: [api]");
    let path = file("sarif.yaml", &text);
    let (status, printed) = run(&["--sarif", path.to_str().unwrap()]);
    assert_eq!(status, 1, "{printed}");
    let sarif: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    let found: Vec<(&str, &str, usize)> = results
        .iter()
        .map(|result| {
            let region = &result["locations"][0]["physicalLocation"]["region"];
            let line = usize::try_from(region["startLine"].as_u64().unwrap()).unwrap();
            (
                result["level"].as_str().unwrap(),
                result["ruleId"].as_str().unwrap(),
                line,
            )
        })
        .collect();
    let line = |part: &str| text.lines().position(|line| line.contains(part)).unwrap() + 1;
    assert_eq!(
        found,
        [
            ("error", "configuration", line("audiencez")),
            ("warning", "fail-open", line("FAIL_OPEN")),
            ("warning", "no-audiences", line("issuer: ")),
        ]
    );
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "fail-open");
}

#[test]
fn routes_and_requirements_that_do_not_fit_are_warned_of() {
    let routes = "          route_config:
            virtual_hosts:
            - name: v
              domains: ['*']
              routes:
              - match: { prefix: /a }
                route: { cluster: joe }
                metadata: { filter_metadata: { bearer_gate: { requirement_name: nobody } } }
              - match: { prefix: /b }
                route: { cluster: joe }
                typed_per_filter_config:
                  envoy.filters.http.jwt_authn:
                    '@type': type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig
                    disabled: true
          http_filters:\n";
    let map = "per_route_requirements: true
                    requirement_map: { unused: { provider_name: joe } }
                    rules:\n";
    let text = GOOD
        .replace("          http_filters:\n", routes)
        .replace("rules:\n", map);
    let found = warnings(&text);
    for kind in [
        "unknown-requirement",
        "unnamed-requirement",
        "per-route-config",
    ] {
        let end = format!("#{kind})");
        assert!(
            found.iter().any(|line| line.ends_with(&end)),
            "{kind}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn secrets_without_their_algorithm_are_warned_of() {
    let mut set: Value = serde_json::from_str(&key_set()).unwrap();
    let secret = json!({"kty": "oct", "k": "c2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXMgLi4uLi4"});
    set["keys"].as_array_mut().unwrap().push(secret);
    let config = json!({"providers": {"p": {
        "issuer": "p", "audiences": ["a"], "local_jwks": {"inline_string": set.to_string()},
    }}});
    let found = warnings(&config.to_string());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].ends_with("(docs/warnings.md#hmac)"), "{found:#?}");
}

#[test]
fn a_payload_that_a_filter_moves_is_not_warned_of() {
    let with = |header: &str| {
        let audiences = "audiences: [api]";
        let payload = "\n                        payload_in_metadata: p\n                        payload_metadata_header: X-P";
        let filter = format!(
            "          - name: m\n            typed_config:\n              \"@type\": \
             type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config\n              request_rules: \
             [{{ header: {header}, on_header_present: {{ key: p }}, remove: true }}]\n"
        );
        let router = "          - name: envoy.filters.http.router\n";
        GOOD.replacen(audiences, &format!("{audiences}{payload}"), 1)
            .replacen(router, &format!("{filter}{router}"), 1)
    };
    assert_eq!(warnings(&with("x-p")), Vec::<String>::new());
    assert_eq!(warnings(&with("x-q")).len(), 1);
}

#[test]
fn every_kind_of_warning_is_documented() {
    let page = fs::read_to_string(root().join("docs/warnings.md")).unwrap();
    let documented: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let mut kinds: Vec<&str> = CHANGES.iter().map(|(_, _, kind, _)| *kind).collect();
    kinds.extend([
        "unknown-requirement",
        "unnamed-requirement",
        "per-route-config",
        "hmac",
    ]);
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(documented, kinds);
}

#[test]
fn a_native_configuration_is_recognised() {
    let filter = |kind: &str| {
        format!(
            "http_filters:\n- name: envoy.filters.http.jwt_authn\n  typed_config:\n    \
             '@type': type.googleapis.com/{kind}\n    providers: {{}}\n"
        )
    };
    let native = filter("envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication");
    let map = format!(
        "kind: ConfigMap\ndata:\n  envoy.yaml: |\n    {}\n",
        native.replace('\n', "\n    ")
    );
    let old = filter("envoy.config.filter.http.jwt_authn.v2alpha.JwtAuthentication");
    let oldest =
        "http_filters:\n- name: envoy.filters.http.jwt_authn\n  config: { providers: {} }\n";
    for text in [&*native, &map, &old, oldest] {
        let (status, printed) = check(&file("native.yaml", text));
        assert_eq!(status, 2);
        assert!(
            printed.contains("has a jwt_authn filter and no bearer-gate"),
            "{printed}"
        );
        assert!(printed.contains("bearer-gate-check convert "), "{printed}");
    }
}

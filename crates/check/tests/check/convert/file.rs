//! What `convert` makes of whole files.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::Stdio;

use gate::time::Timestamp;
use gate_check::{Console, Status};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use proptest::sample::Index;
use serde_json::{Value, json};

use super::example::{
    LISTENER, ROUTES, all_rule, bare, content, convert, converted, local, refused, reviews,
    without_comments,
};
use crate::support::{command, file, root, run, told};

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
        ("", ".yaml: is empty"),
        ("# nothing\n", ".yaml: is empty"),
        (
            "http_filters:\n- name: envoy.filters.http.jwt_authn\n  typed_config: { providers: {} }\n",
            ".yaml:2:3: http_filters[0]: has the name of jwt_authn and no `typed_config` with an `@type`",
        ),
        ("a: [1\n", ".yaml:1:4: is neither JSON nor YAML"),
        (
            "a: 1\na: 2\n",
            ".yaml:2:1: is neither JSON nor YAML: duplicate",
        ),
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

#[test]
fn a_filter_that_is_only_named_is_refused_beside_one_that_converts() {
    let second = "- name: envoy.filters.http.jwt_authn\n";
    let first = "- name: envoy.filters.http.jwt_authn\n  typed_config:\n    \"@type\": \
                 type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication\n    providers: {p: \
                 {issuer: a, remote_jwks: {http_uri: {uri: https://a/jwks, cluster: a, timeout: 1s}}}}\n";
    let refusal = refused(&format!("http_filters:\n{first}{second}"));
    assert!(
        refusal.contains(".yaml:6:3: http_filters[1]: has the name of jwt_authn and no"),
        "{refusal}"
    );
    // Envoy starts without an optional filter, and a patch of Istio names the place of the filter.
    let optional = "- name: envoy.filters.http.jwt_authn\n  is_optional: true\n";
    let place = "subFilter: {name: envoy.filters.http.jwt_authn}\n";
    converted(
        "c.yaml",
        &format!("{place}http_filters:\n{first}{optional}"),
    );
}

#[test]
fn what_every_configuration_changes_is_printed_once_for_json_with_two_filters() {
    let filter = json!({"name": "jwt", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"p": local()},
    }});
    let lists = json!([{"http_filters": [filter]}, {"http_filters": [filter]}]);
    let (_, errors) = converted("c.json", &lists.to_string());
    assert_eq!(
        errors.matches("what every configuration changes").count(),
        1
    );
    let second = "REVIEW [1].http_filters[0].typed_config: the same as at [0].http_filters[0].typed_config\n";
    assert!(errors.contains(second), "{errors}");
}

#[test]
fn what_the_gate_refuses_has_its_place_in_the_file_before_the_conversion() {
    let filter = "http_filters:\n- name: jwt\n  typed_config:\n    \"@type\": \
                  type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication\n    providers: {p: \
                  {issuer: a, remote_jwks: {http_uri: {uri: https://a/jwks, cluster: a, timeout: 1s}}}}\n    rules:\n    \
                  - match: {prefix: /}\n      requires:\n        allow_missing: true\n";
    let refusal = refused(filter);
    assert!(
        refusal.contains(
            ".yaml:9:9: http_filters[0].typed_config.rules[0].requires.allow_missing: must be an object"
        ),
        "{refusal}"
    );
    let alone = "providers: {p: {issuer: a, local_jwks: {inline_string: '{}'}}}\nrules:\n- match: {prefix: /}\n  requires: \
                 {allow_missing: true}\n";
    let refusal = refused(alone);
    assert!(
        refusal.contains(".yaml:4:14: rules[0].requires.allow_missing: must be an object"),
        "{refusal}"
    );
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

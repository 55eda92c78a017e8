//! Configurations are found in all kinds of files, and checked.

use std::fs;

use serde_json::{Value, json};

use crate::support::{check, command, config, file, root, run};

#[test]
fn good_and_bad_configurations_are_distinguished() {
    for (name, content, status, says) in [
        (
            "a.json",
            config(&json!({})).to_string(),
            0,
            "a.json: valid, providers: joe",
        ),
        (
            "a.yaml",
            "providers:\n  joe:\n    remoteJwks:\n      httpUri: {uri: 'http://a', cluster: a}\n"
                .to_owned(),
            0,
            "a.yaml: valid, providers: joe",
        ),
        (
            "b.yaml",
            "providers:\n  joe:\n    remote_jwks:\n      http_uri: {uri: 'http://a'}\n".to_owned(),
            1,
            "b.yaml:4:7: bearer-gate: configuration: providers.joe.remote_jwks.http_uri.cluster: \
             missing field",
        ),
        (
            "twice.json",
            r#"{"providers": {"a": {"issuer": "a", "issuer": "b"}}}"#.to_owned(),
            1,
            "bearer-gate: configuration: providers.a.issuer: given twice",
        ),
        (
            "rule.json",
            config(&json!({"rules": [{"match": {}}]})).to_string(),
            1,
            "rules[0].match: needs one of prefix, path",
        ),
        (
            "open.json",
            config(&json!({"rules": [{"match": {"prefix": "/"}, "requires": {}}]})).to_string(),
            1,
            "rules[0].requires: is empty: name what is required, or write {\"allow\": {}}",
        ),
        (
            "map.json",
            config(&json!({"requirement_map": {"joe": {"provider_name": "joe"}}})).to_string(),
            1,
            "requirement_map.joe: nothing can name this requirement",
        ),
        (
            "secret.yaml",
            "providers:\n  joe:\n    local_jwks: '{\"keys\": []}'\n".to_owned(),
            1,
            "providers.joe.local_jwks: must be an object, not a string\n",
        ),
        (
            "c.json",
            r#"{"providers": "#.to_owned(),
            2,
            "c.json:1:14: is not JSON: EOF",
        ),
        (
            "d.yaml",
            "a: [".to_owned(),
            2,
            "d.yaml:1:4: is neither JSON nor YAML",
        ),
        (
            "e.yaml",
            "a: 1\na: 2\n".to_owned(),
            2,
            "e.yaml:2:1: is neither JSON nor YAML: duplicate mapping key: a\n",
        ),
        (
            "tab.yaml",
            "a:\n\tb: 1\n".to_owned(),
            2,
            "tab.yaml:2:2: is neither JSON nor YAML: tabs disallowed within this context (block indentation); YAML is \
             not indented with tabs: use spaces\n",
        ),
        (
            "template.yaml",
            "a: {{ .Values.a }}\nb: [\n".to_owned(),
            2,
            "it looks like a template: render it first",
        ),
        (
            "comments.json",
            "{\"providers\": {} // none\n}".to_owned(),
            2,
            "it looks like JSON with comments",
        ),
        (
            "f.json",
            "{}".to_owned(),
            2,
            "has no configuration of bearer-gate",
        ),
        (
            "empty.yaml",
            "# nothing\n".to_owned(),
            2,
            "empty.yaml: is empty\n",
        ),
        (
            "g.json",
            r#"{"providers": {}}"#.to_owned(),
            1,
            "providers: must not be empty",
        ),
    ] {
        let (found, printed) = check(&file(name, &content));
        assert_eq!(found, status, "{content}: {printed}");
        assert!(
            printed.contains(says),
            "{printed:?} does not contain {says:?}"
        );
    }
    let (status, printed) = run(&["/nowhere/a.json"]);
    assert_eq!(status, 2);
    assert!(
        printed.starts_with("bearer-gate-check: /nowhere/a.json: "),
        "{printed}"
    );
    let (status, printed) = check(&file("h.yaml", b"\xff\xfe: 1"));
    assert_eq!(status, 2, "{printed}");
}

/// The lines of the report without those of warnings and tables.
fn problems(printed: &str) -> Vec<&str> {
    let lines = printed.lines().filter(|line| {
        let is_table = line.starts_with("  ") && !line.starts_with("  did you mean");
        !is_table && !line.contains(": warning: ")
    });
    lines.collect()
}

#[test]
fn every_problem_has_a_line() {
    let config = config(&json!({"realm": "", "rulez": []})).to_string();
    let (status, printed) = check(&file("several.json", &config));
    assert_eq!(status, 1);
    let lines = problems(&printed);
    assert_eq!(lines.len(), 3, "{printed}");
    let place = |name: &str| format!("several.json:1:{}: ", config.find(name).unwrap() + 1);
    assert!(
        lines[0]
            .contains(&(place("\"rulez\"") + "bearer-gate: configuration: rulez: unknown field")),
        "{printed}"
    );
    assert_eq!(lines[1], "  did you mean rules?");
    assert!(
        lines[2].ends_with(
            &(place("\"realm\"") + "bearer-gate: configuration: realm: must not be empty")
        ),
        "{printed}"
    );
}

#[test]
fn the_example_configurations_are_valid() {
    let mut checked = 0;
    for entry in fs::read_dir(root().join("envoy")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let (status, printed) = check(&path);
        // Some files are snippets without the filter.
        if status == 2 && printed.contains("has no configuration of bearer-gate") {
            continue;
        }
        assert_eq!(status, 0, "{printed}");
        checked += 1;
    }
    assert!(checked >= 2, "only {checked}");
}

/// A `PluginConfig` of Envoy with this configuration.
fn plugin(configuration: &Value) -> Value {
    json!({
        "name": "gate",
        "vm_config": {"code": {"local": {"filename": "/etc/envoy/bearer_gate.wasm"}}},
        "configuration": configuration,
    })
}

fn typed(kind: &str, value: &Value) -> Value {
    json!({"@type": format!("type.googleapis.com/google.protobuf.{kind}"), "value": value})
}

#[test]
fn configurations_are_found_wherever_envoy_reads_them() {
    let good = config(&json!({}));
    let bad = config(&json!({"rulez": []}));
    let filters = json!({"http_filters": [
        {"name": "lua"},
        {"typed_config": {"config": plugin(&typed("Struct", &good))}},
        {"typed_config": {"config": plugin(&typed("StringValue", &json!(bad.to_string())))}},
        {"typed_config": {"config": {
            "vm_config": {"code": {"local": {"filename": "/other.wasm"}}},
            "configuration": typed("StringValue", &json!("whatever")),
        }}},
    ]});
    let listener = json!({"filter_chains": [{"filters": [{"typed_config": filters}]}]});
    let hcm = "filter_chains[0].filters[0].typed_config.http_filters";
    for (name, content, at) in [
        (
            "bootstrap.json",
            json!({"static_resources": {"listeners": [listener]}}),
            format!("static_resources.listeners[0].{hcm}"),
        ),
        (
            "lds.json",
            json!({"resources": [listener]}),
            format!("resources[0].{hcm}"),
        ),
    ] {
        let (status, printed) = check(&file(name, content.to_string()));
        assert_eq!(status, 1, "{printed}");
        let lines = problems(&printed);
        assert_eq!(lines.len(), 3, "{printed}");
        let place = |index| format!(": {at}[{index}].typed_config.config.configuration: ");
        assert!(lines[0].contains(&(place(1) + "valid")), "{printed}");
        assert!(
            lines[1].contains(&(place(2) + "bearer-gate: configuration: rulez: unknown field")),
            "{printed}"
        );
    }
    let none = json!({"config": {"vmConfig": {"vmId": "bearer-gate"}}});
    let (status, printed) = check(&file("ecds.json", none.to_string()));
    assert_eq!(status, 1);
    let says = "config.configuration: bearer-gate: configuration: is empty";
    assert!(printed.contains(says), "{printed}");
}

#[test]
fn configurations_are_found_in_kubernetes_manifests() {
    let manifests = "
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: gate, namespace: istio-system}
spec:
  url: oci://registry.example/bearer-gate:1
  pluginConfig:
    providers:
      joe:
        issuer: joe
        remote_jwks: {http_uri: {uri: https://joe.example/jwks, cluster: joe}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: edge}
spec:
  wasm:
    - name: other
      code: {type: HTTP, http: {url: https://other.example/other.wasm}}
    - name: gate
      code: {type: HTTP, http: {url: https://here.example/bearer_gate.wasm}}
      config: {providers: {}}
";
    let (status, printed) = check(&file("manifests.yaml", manifests));
    assert_eq!(status, 1);
    for says in [
        ": WasmPlugin/gate.spec.pluginConfig: valid, providers: joe\n",
        ": EnvoyExtensionPolicy/edge.spec.wasm[1].config: bearer-gate: configuration: \
         providers: must not be empty\n",
    ] {
        assert!(
            printed.contains(says),
            "{printed:?} does not contain {says:?}"
        );
    }
}

#[test]
fn the_gate_is_found_in_a_file_inside_a_file() {
    let native = fs::read_to_string(root().join("docs/ci/jwt_authn.yaml")).unwrap();
    let lines: Vec<String> = native.lines().map(|line| format!("    {line}")).collect();
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name}\ndata:\n  other: |\n    a: 1\n  envoy.yaml: |\n{}\n  last: b\n",
        lines.join("\n"),
        name = "{name: a}",
    );
    let converted = |text: &str| {
        let path = file("native.yaml", text);
        let output = command(&["convert", path.to_str().unwrap()])
            .output()
            .unwrap();
        file("gate.yaml", output.stdout)
    };
    let alone = converted(&native);
    let (status, expected) = check(&alone);
    assert_eq!(status, 0, "{expected}");
    let inside = converted(&map);
    let (status, printed) = check(&inside);
    assert_eq!(status, 0, "{printed}");
    // The same table and warnings, each where the file inside has moved to: seven lines down and four to the right.
    let moved = |line: &str| match line.split_once(".yaml:") {
        Some((_, place)) => {
            let mut parts = place.splitn(3, ':');
            let (Some(line), Some(column), Some(text)) = (parts.next(), parts.next(), parts.next())
            else {
                return place.to_owned();
            };
            match (line.parse::<usize>(), column.parse::<usize>()) {
                (Ok(line), Ok(column)) => format!("{}:{}:{text}", line + 7, column + 4),
                _ => place.to_owned(),
            }
        }
        None => line.to_owned(),
    };
    let expected: Vec<String> = expected.lines().map(moved).collect();
    let without_name = |line: &str| {
        let place = line.split_once(".yaml:").map_or(line, |(_, place)| place);
        place.to_owned()
    };
    let printed: Vec<String> = printed.lines().map(without_name).collect();
    assert_eq!(printed, expected);
}

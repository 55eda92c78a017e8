//! `bearer-gate-check` as operators and CI run it: exit status, messages, `--json`.

#![expect(
    clippy::too_many_lines,
    reason = "a table of cases is as long as it is"
)]

#[cfg(test)]
mod check {
    use std::fs;
    use std::io::Write as _;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output, Stdio};
    use std::sync::atomic::{AtomicU32, Ordering};

    use serde_json::{Value, json};

    /// The token of RFC 7515, appendix A.3: issued by `joe`, good until 1300819380.
    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
                         dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-X\
                         x-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const GOOD_UNTIL: u64 = 1_300_819_380;

    fn key_set() -> String {
        json!({"keys": [{
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }]})
        .to_string()
    }

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// A file with this content.
    fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::SeqCst);
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(format!("{number}-{name}"));
        fs::write(&path, content).unwrap();
        path
    }

    fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bearer-gate-check"));
        command.current_dir(root()).args(arguments);
        // What `make run` gives Envoy, and the demo's configuration asks for.
        command.env("GATE_SECRET", "of-the-demo");
        command
    }

    /// The exit status, and all that is printed.
    fn run(arguments: &[&str]) -> (i32, String) {
        told(&command(arguments).output().unwrap())
    }

    fn told(output: &Output) -> (i32, String) {
        let printed = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        let printed = String::from_utf8(printed).unwrap();
        (output.status.code().unwrap(), printed)
    }

    fn check(path: &Path) -> (i32, String) {
        run(&[path.to_str().unwrap()])
    }

    /// The configuration that the token suits, with `change`.
    fn config(change: &Value) -> Value {
        let mut config = json!({"providers": {"joe": {
            "issuer": "joe",
            "remote_jwks": {"http_uri": {"uri": "https://joe.example/jwks", "cluster": "joe"}},
        }}});
        for (name, value) in change.as_object().unwrap() {
            config[name] = value.clone();
        }
        config
    }

    #[test]
    fn good_and_bad_configurations_are_told_apart() {
        for (name, content, status, says) in [
            ("a.json", config(&json!({})).to_string(), 0, "a.json: valid, providers: joe"),
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
                "b.yaml: bearer-gate: configuration: providers.joe.remote_jwks.http_uri.cluster: \
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
            ("c.json", r#"{"providers": "#.to_owned(), 2, "c.json: is not JSON: EOF"),
            ("d.yaml", "a: [".to_owned(), 2, "d.yaml: is neither JSON nor YAML"),
            ("e.yaml", "a: 1\na: 2\n".to_owned(), 2, "duplicate"),
            ("f.json", "{}".to_owned(), 2, "has no configuration of bearer-gate"),
            ("g.json", r#"{"providers": {}}"#.to_owned(), 1, "providers: must not be empty"),
        ] {
            let (found, printed) = check(&file(name, &content));
            assert_eq!(found, status, "{content}: {printed}");
            assert!(printed.contains(says), "{printed:?} does not say {says:?}");
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

    #[test]
    fn the_configurations_that_come_with_the_filter_are_valid() {
        let mut checked = 0;
        for entry in fs::read_dir(root().join("envoy")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let (status, printed) = check(&path);
            // What is there for the wasm filter's sake: snippets have none.
            if status == 2 && printed.contains("has no configuration of bearer-gate") {
                continue;
            }
            assert_eq!(status, 0, "{printed}");
            checked += 1;
        }
        assert!(checked >= 2, "only {checked}");
    }

    /// Envoy's description of a wasm plugin.
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
            let lines: Vec<&str> = printed.lines().collect();
            assert_eq!(lines.len(), 2, "{printed}");
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
        let says = "config.configuration: bearer-gate: configuration: there is none";
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
            assert!(printed.contains(says), "{printed:?} does not say {says:?}");
        }
    }

    /// What is decided of a request with the token, a second before the token's end.
    fn decide(config: &Value, more: &[&str]) -> (i32, String) {
        let (config, jwks) = (file("c.json", config.to_string()), file("jwks", key_set()));
        let token = file("token", format!("{TOKEN}\n"));
        let token = format!("@{}", token.display());
        let now = (GOOD_UNTIL - 1).to_string();
        let mut arguments = vec!["--token", &token, "--now", &now];
        arguments.extend(["--jwks", jwks.to_str().unwrap()]);
        arguments.extend(more);
        arguments.push(config.to_str().unwrap());
        let (status, printed) = run(&arguments);
        for part in TOKEN.split('.') {
            assert!(!printed.contains(part), "the token is printed: {printed}");
        }
        (status, printed)
    }

    #[test]
    fn the_decision_is_explained() {
        let late = (GOOD_UNTIL + 60).to_string();
        let rules = json!({"rules": [
            {"match": {"path": "/health"}},
            {"match": {"prefix": "/admin"}, "requires": {"provider_name": "joe", "scopes": ["admin"]}},
            {"match": {"prefix": "/root"}, "requires": {"provider_name": "joe", "claims": [
                {"claim_path": ["http://example.com/is_root"], "exact": true},
                {"claim_name": "role", "any_of": ["a", "b"]},
            ]}},
            {"match": {"prefix": "/open"}, "requires": {"allow_missing": {}}},
        ]});
        let other = json!({"providers": {"jane": {
            "issuer": "jane",
            "audiences": ["api"],
            "remote_jwks": {"http_uri": {"uri": "https://jane.example", "cluster": "jane"}},
        }}});
        let none = json!({});
        for (change, more, status, says) in [
            (
                &none,
                vec![],
                0,
                "decision: admitted, counted as bearer_gate.allowed",
            ),
            (&none, vec![], 0, "removes the header authorization"),
            (
                &none,
                vec!["--now", &late],
                1,
                "exp: 2011-03-22T18:43:00Z; it is 2011-03-22T18:44:00Z, clocks may differ by 1m",
            ),
            (
                &none,
                vec!["--now", &late],
                1,
                "decision: 401, counted as bearer_gate.denied.expired",
            ),
            (
                &none,
                vec!["--now", "2011-03-22T18:44:00Z"],
                1,
                "error=\"invalid_token\", error_description=\"The access token expired\"",
            ),
            (&other, vec![], 1, "iss: \"joe\", not \"jane\""),
            (
                &none,
                vec!["--header", "Authorization: Basic eA=="],
                1,
                "there are several",
            ),
            (
                &none,
                vec!["--path", "/a?access_token=x"],
                1,
                "counted as bearer_gate.denied.several_tokens",
            ),
            (
                &rules,
                vec!["--path", "/admin"],
                1,
                "rules[0]: is not for the request",
            ),
            (
                &rules,
                vec!["--path", "/admin"],
                1,
                "rules[1]: needs a token of joe with the scopes admin: refused: scope",
            ),
            (&rules, vec!["--path", "/admin"], 1, "decision: 403"),
            (
                &rules,
                vec!["--path", "/root"],
                1,
                "role: there is none, must be one of \"a\", \"b\"",
            ),
            (
                &rules,
                vec!["--path", "/health"],
                0,
                "passes without a good token",
            ),
            (&rules, vec!["--path", "/open//x"], 0, "decision: admitted"),
            (
                &rules,
                vec!["--path", "/x"],
                1,
                "rules: none is left for the request",
            ),
            (
                &json!({"bypass_cors_preflight": true}),
                vec![
                    "--method",
                    "OPTIONS",
                    "--header",
                    "Origin: https://a",
                    "--header",
                    "Access-Control-Request-Method: GET",
                ],
                0,
                "CORS preflight: passes",
            ),
            (
                &json!({"strip_failure_response": true}),
                vec!["--now", &late],
                1,
                "cache-control: no-store\n",
            ),
        ] {
            let (found, printed) = decide(&config(change), &more);
            assert_eq!(found, status, "{change} {more:?}: {printed}");
            assert!(printed.contains(says), "{printed} does not say {says:?}");
        }
    }

    #[test]
    fn keys_that_are_not_given_leave_it_open() {
        let config = file("c.json", config(&json!({})).to_string());
        let now = GOOD_UNTIL.to_string();
        let arguments = ["--token", TOKEN, "--now", &now, config.to_str().unwrap()];
        let (status, printed) = run(&arguments);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains("not given: --jwks joe=FILE"), "{printed}");
        for (jwks, status, says) in [
            ("joe=/nowhere", 2, "/nowhere: "),
            ("jane=/dev/null", 2, "--jwks: there is no provider \"jane\""),
            (
                "joe=/dev/null",
                1,
                "keys: none: the key set is not a JSON object (/dev/null)",
            ),
        ] {
            let (found, printed) = run(&[&arguments[..], &["--jwks", jwks]].concat());
            assert_eq!(found, status, "{printed}");
            assert!(printed.contains(says), "{printed}");
        }
    }

    #[test]
    fn tokens_may_come_from_the_standard_input() {
        let config = file("c.json", config(&json!({})).to_string());
        let jwks = file("jwks", key_set());
        let now = GOOD_UNTIL.to_string();
        let mut child = command(&[
            "--token",
            "-",
            "--now",
            &now,
            "--jwks",
            jwks.to_str().unwrap(),
        ])
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(TOKEN.as_bytes())
            .unwrap();
        let (status, printed) = told(&child.wait_with_output().unwrap());
        assert_eq!(status, 0, "{printed}");
        let (status, printed) = run(&["--token", "-", "-"]);
        assert_eq!(status, 2);
        assert!(
            printed.contains("cannot both be the standard input"),
            "{printed}"
        );
    }

    #[test]
    fn programs_get_json() {
        let (status, printed) = decide(&config(&json!({})), &["--json", "--path", "/a"]);
        assert_eq!(status, 0);
        let report: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(report["status"], "good");
        let checked = &report["configurations"][0];
        assert_eq!(checked["valid"], true);
        assert_eq!(checked["decision"]["outcome"], "admitted");
        assert_eq!(checked["decision"]["verified"], true);
        assert_eq!(checked["decision"]["request"], "GET /a at localhost");
        assert!(!checked["decision"]["steps"].as_array().unwrap().is_empty());

        let (status, printed) = decide(
            &config(&json!({})),
            &[
                "--json",
                "--now",
                "2000000000",
                "--header",
                "content-type: application/grpc",
            ],
        );
        assert_eq!(status, 1);
        let report: Value = serde_json::from_str(&printed).unwrap();
        let decision = &report["configurations"][0]["decision"];
        assert_eq!(report["status"], "bad");
        assert_eq!(decision["reason"], "expired");
        assert_eq!(decision["answer"]["status"], 401);
        assert_eq!(decision["answer"]["body"], "The access token expired");

        let bad = file("bad.json", r#"{"providers": {"a": {}}}"#);
        let (status, printed) = run(&["--json", bad.to_str().unwrap()]);
        assert_eq!(status, 1);
        let report: Value = serde_json::from_str(&printed).unwrap();
        let checked = &report["configurations"][0];
        assert_eq!(checked["valid"], false);
        assert_eq!(
            checked["error"],
            "providers.a: needs remote_jwks, local_jwks or introspection"
        );
        assert_eq!(checked["decision"], Value::Null);
    }

    #[test]
    fn the_command_line_is_explained() {
        for (arguments, status, says) in [
            (
                &["--help"][..],
                0,
                "Usage: bearer-gate-check [OPTIONS] FILE",
            ),
            (
                &["-V"],
                0,
                concat!("bearer-gate-check ", env!("CARGO_PKG_VERSION"), "\n"),
            ),
            (
                &["--schema"],
                0,
                "https://json-schema.org/draft/2020-12/schema",
            ),
            (&[], 2, "FILE is missing"),
            (&["--nonsense"], 2, "invalid option '--nonsense'"),
            (&["a", "b"], 2, "more than one FILE"),
            (&["--now", "soon", "a"], 2, "--now: \"soon\" is neither"),
            (
                &["--header", "hush-hush", "a"],
                2,
                "--header: is not NAME:VALUE",
            ),
            (&["a", "--token"], 2, "--token: its value is missing"),
        ] {
            let (found, printed) = run(arguments);
            assert_eq!(found, status, "{printed}");
            assert!(printed.contains(says), "{printed} does not say {says:?}");
            assert!(!printed.contains("hush-hush"), "{printed}");
        }
    }
}

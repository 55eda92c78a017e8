//! The reference documents say what the types say: every field, every example, every reason, every
//! metric.

#[cfg(test)]
mod reference {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    use gate::answer::{Answer, ChallengeParameters};
    use gate::policy::Policy;
    use gate::reason::ReasonKind;
    use gate_config::schema;
    use gate_worker::metric_names::{counters, gauges};
    use serde_json::{Map, Value, json};

    fn read(path: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The key of RFC 7515, appendix A.3.
    fn key_set() -> String {
        json!({"keys": [{
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }]})
        .to_string()
    }

    fn read_config(config: &Value) -> Result<Policy, String> {
        let environment = |name: &str| match name {
            "JWKS" => Some(key_set()),
            "CLIENT_KEY" => Some(gate_fixtures::client_jwk().to_string()),
            "TOKEN" => Some("mF_9.B5f-4.1JqM".to_owned()),
            "DPOP_NONCE_KEY" => Some("A".repeat(43)),
            _ => None,
        };
        gate_config::parse(config.to_string().as_bytes(), &environment)
            .map_err(|error| error.to_string())
    }

    /// The objects of the schema that have fields, by their titles.
    fn objects() -> BTreeMap<String, Value> {
        let mut schema = schema();
        schema["title"] = "Configuration".into();
        let definitions = schema["$defs"].as_object().unwrap().clone();
        let all = definitions.values().chain([&schema]);
        let with_fields = all.filter(|object| {
            let fields = object["properties"].as_object();
            fields.is_some_and(|fields| !fields.is_empty())
        });
        with_fields
            .map(|object| (object["title"].as_str().unwrap().to_owned(), object.clone()))
            .collect()
    }

    /// Groups of fields that exclude each other, of an object of the schema.
    fn groups(object: &Value) -> Vec<BTreeSet<String>> {
        fn required(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(object) => {
                    // What none of the alternatives is.
                    for (name, value) in object.iter().filter(|(name, _)| *name != "not") {
                        if name == "required" {
                            let names = value.as_array().unwrap().iter();
                            found.extend(names.map(|name| name.as_str().unwrap().to_owned()));
                        } else {
                            required(value, found);
                        }
                    }
                }
                Value::Array(values) => values.iter().for_each(|value| required(value, found)),
                _ => {}
            }
        }
        let all = object["allOf"].as_array();
        let one_of = all
            .into_iter()
            .flatten()
            .filter(|part| part.get("oneOf").is_some());
        one_of
            .map(|part| {
                let mut found = BTreeSet::new();
                required(part, &mut found);
                found
            })
            .collect()
    }

    /// `base` with the fields of `fragment`, which displace those that they exclude.
    fn merged(object: &Value, mut base: Value, fragment: &Map<String, Value>) -> Value {
        let groups = groups(object);
        let fields = base.as_object_mut().unwrap();
        for (name, value) in fragment {
            for group in groups.iter().filter(|group| group.contains(name)) {
                fields.retain(|known, _| !group.contains(known) || fragment.contains_key(known));
            }
            fields.insert(name.clone(), value.clone());
        }
        base
    }

    /// A revocation list, with what `fragment` needs beside it.
    fn list_with(fragment: &Map<String, Value>) -> Value {
        let mut list = json!({
            "http_uri": {"uri": "https://issuer.example/revoked", "cluster": "issuer"},
        });
        if fragment.contains_key("username") {
            list["password_environment_variable"] = "JWKS".into();
        }
        if fragment.contains_key("password_environment_variable") {
            list["username"] = "gate".into();
        }
        list
    }

    /// An introspection endpoint, with what `fragment` needs beside it.
    fn endpoint_around(fragment: &Map<String, Value>) -> Value {
        let mut endpoint = json!({
            "http_uri": {"uri": "https://issuer.example/introspect", "cluster": "issuer"},
            "client_id": "gate",
            "client_secret_environment_variable": "JWKS",
        });
        let of_key = ["client_key_environment_variable", "audience"];
        if of_key.iter().any(|name| fragment.contains_key(*name)) {
            endpoint["authentication"] = "private_key_jwt".into();
            endpoint["client_secret_environment_variable"] = Value::Null;
            endpoint["client_key_environment_variable"] = "CLIENT_KEY".into();
        }
        endpoint
    }

    /// A provider with these members.
    fn provider_with(change: &Value) -> Value {
        let base = json!({"issuer": "https://issuer.example", "local_jwks": {
            "inline_string": key_set(),
        }});
        merged(&objects()["Provider"], base, change.as_object().unwrap())
    }

    /// A provider with what `fragment` needs beside it.
    fn provider_around(fragment: &Map<String, Value>) -> Value {
        let mut base = provider_with(&json!({}));
        let filter_state = json!([{"key": "a", "claim_name": "a"}]);
        for (name, other, value) in [
            (
                "normalize_payload_in_metadata",
                "claims_to_filter_state",
                filter_state,
            ),
            (
                "payload_in_metadata",
                "payload_metadata_header",
                json!("x-a"),
            ),
            ("payload_metadata_header", "payload_in_metadata", json!("a")),
        ] {
            if fragment.contains_key(name) {
                base[other] = value;
            }
        }
        if fragment.contains_key("profile") {
            base["audiences"] = json!(["https://api.example"]);
        }
        base
    }

    /// A configuration whose provider has these members.
    fn configuration_with_provider(change: &Value) -> Value {
        json!({
            "providers": {"cloud": provider_with(change)},
            "requirement_map": {"orders": {"provider_name": "cloud"}},
            "rules": [{"match": {"path": "/orders"}, "requirement_name": "orders"}],
        })
    }

    /// A configuration with this rule.
    fn configuration_with_rule(rule: &Value) -> Value {
        let mut config = configuration_with_provider(&json!({}));
        config["rules"] = json!([rule, config["rules"][0]]);
        config
    }

    /// A configuration with `fragment` in the object of this title, and all else that it needs.
    fn wrapped(title: &str, fragment: &Map<String, Value>) -> Value {
        let objects = objects();
        let object = &objects[title];
        let own = |base: Value| merged(object, base, fragment);
        let with_provider = |change: Value| configuration_with_provider(&change);
        let with_rule = |rule: Value| configuration_with_rule(&rule);
        let with_requirement = |requirement: Value| {
            with_rule(json!({"match": {"prefix": "/"}, "requires": requirement}))
        };
        if let Some(config) = top_level(title, fragment, &own) {
            return config;
        }
        if let Some(jwks) = remote_jwks(title, fragment, &own) {
            return with_provider(json!({ "remote_jwks": jwks }));
        }
        match title {
            "Configuration" => {
                let mut base = with_provider(json!({}));
                if fragment.contains_key("rules") {
                    base.as_object_mut().unwrap().remove("requirement_map");
                }
                own(base)
            }
            "Provider" => with_provider(own(provider_around(fragment))),
            "Revocation" => with_provider(json!({"revocation": own(list_with(fragment))})),
            "Introspection" => {
                with_provider(json!({"introspection": own(endpoint_around(fragment))}))
            }
            "Token cache" => with_provider(json!({"jwt_cache_config": own(json!({}))})),
            "Local key set" => {
                with_provider(json!({"local_jwks": own(json!({"inline_string": key_set()}))}))
            }
            "Token header" => {
                with_provider(json!({"from_headers": [own(json!({"name": "x-token"}))]}))
            }
            "Claim to header" => with_provider(json!({"claim_to_headers": [
                own(json!({"header_name": "x-a", "claim_name": "a"})),
            ]})),
            "Claim to filter state" => with_provider(json!({"claims_to_filter_state": [
                own(json!({"key": "a", "claim_name": "a"})),
            ]})),
            "Normalization" => with_provider(json!({
                "claims_to_filter_state": [{"key": "a", "claim_name": "a"}],
                "normalize_payload_in_metadata": own(json!({})),
            })),
            "Path key" => with_provider(json!({"scope_claims": [[own(json!({"key": "a"}))]]})),
            "Rule" => with_rule(own(json!({"match": {"prefix": "/"}}))),
            "String match" => with_provider(json!({"subjects": own(json!({"exact": "a"}))})),
            "Regular expression" => {
                with_provider(json!({"subjects": {"safe_regex": own(json!({"regex": "a"}))}}))
            }
            "RE2" => with_provider(json!({"subjects": {"safe_regex": {
                "regex": "a",
                "google_re2": own(json!({})),
            }}})),
            "Requirement" => with_requirement(own(json!({"provider_name": "cloud"}))),
            "Requirements" => with_requirement(json!({"requires_any": own(json!({
                "requirements": [{"provider_name": "cloud"}],
            }))})),
            "Provider and audiences" => {
                with_requirement(json!({"provider_and_audiences": own(json!({
                    "provider_name": "cloud",
                }))}))
            }
            "Extraction" => {
                with_requirement(json!({"extract_only_without_validation": own(json!({}))}))
            }
            "DPoP" => {
                let mut config = with_provider(json!({}));
                config["dpop"] = own(dpop_around(fragment));
                config
            }
            "Claim condition" => with_requirement(json!({"provider_name": "cloud", "claims": [
                own(json!({"claim_name": "a", "exact": "b"})),
            ]})),
            _ => {
                let matcher = match_with(title, &own);
                let problem = "where is it in a configuration? Say so here";
                with_rule(
                    json!({ "match": matcher.unwrap_or_else(|| panic!("{title}: {problem}")) }),
                )
            }
        }
    }

    /// What `dpop` needs besides `fragment`: keys of nonces need nonces.
    fn dpop_around(fragment: &Map<String, Value>) -> Value {
        if fragment.keys().any(|name| name.contains("_key_")) {
            json!({"nonce": "required", "nonce_key_environment_variable": "DPOP_NONCE_KEY"})
        } else {
            json!({})
        }
    }

    /// A configuration with the object of this title, which `own` completes, in a field of its own.
    fn top_level(
        title: &str,
        fragment: &Map<String, Value>,
        own: &dyn Fn(Value) -> Value,
    ) -> Option<Value> {
        let (name, base) = match title {
            "Resource metadata" => (
                "resource_metadata",
                json!({"resource": "https://api.example/mcp"}),
            ),
            "Client certificate" => {
                let base = if fragment.get("from") == Some(&Value::Null) {
                    json!({})
                } else if fragment.contains_key("element") {
                    json!({"from": "xfcc", "trusted_peers": "any"})
                } else {
                    json!({"from": "header", "trusted_peers": "any"})
                };
                ("client_certificate", base)
            }
            _ => return None,
        };
        let mut config = configuration_with_provider(&json!({}));
        config[name] = own(base);
        Some(config)
    }

    /// A remote key set with the object of this title, which `own` completes.
    fn remote_jwks(
        title: &str,
        fragment: &Map<String, Value>,
        own: &dyn Fn(Value) -> Value,
    ) -> Option<Value> {
        let http_uri = json!({"uri": "https://issuer.example/jwks", "cluster": "issuer"});
        Some(match title {
            "Remote key set" => own(json!({ "http_uri": http_uri })),
            "HTTP URI" => json!({"http_uri": own(http_uri)}),
            "Discovery" => json!({"discovery": own(json!({"cluster": "issuer"}))}),
            "Authorization" => {
                let base = if fragment.contains_key("username") {
                    json!({"password_environment_variable": "JWKS"})
                } else if fragment.contains_key("password_environment_variable") {
                    json!({"username": "gate"})
                } else {
                    json!({})
                };
                json!({"http_uri": http_uri, "authorization": own(base)})
            }
            "Request header" => json!({"http_uri": http_uri, "headers": [
                own(json!({"name": "x-a", "value": "a"})),
            ]}),
            "Asynchronous fetch" => json!({"http_uri": http_uri, "async_fetch": own(json!({}))}),
            "Retry policy" => json!({"http_uri": http_uri, "retry_policy": own(json!({}))}),
            "Retry back-off" => json!({"http_uri": http_uri, "retry_policy": {
                "retry_back_off": own(json!({"base_interval": "1s"})),
            }}),
            _ => return None,
        })
    }

    /// The match of a rule with the object of this title, which `own` completes.
    fn match_with(title: &str, own: &dyn Fn(Value) -> Value) -> Option<Value> {
        Some(match title {
            "Match" => own(json!({"prefix": "/"})),
            "Header match" => json!({"prefix": "/", "headers": [own(json!({"name": "x-a"}))]}),
            "Integer range" => json!({"prefix": "/", "headers": [
                {"name": "x-a", "range_match": own(json!({}))},
            ]}),
            "Metadata match" => {
                let base = json!({"filter": "f", "path": ["a"], "value": {"present_match": true}});
                json!({"prefix": "/", "dynamic_metadata": [own(base)]})
            }
            "Value match" => json!({"prefix": "/", "dynamic_metadata": [{
                "filter": "f", "path": ["a"], "value": own(json!({"present_match": true})),
            }]}),
            "Query parameter match" => json!({"prefix": "/", "query_parameters": [
                own(json!({"name": "a"})),
            ]}),
            _ => return None,
        })
    }

    fn field(name: &str, value: &Value) -> Map<String, Value> {
        Map::from_iter([(name.to_owned(), value.clone())])
    }

    /// The sections of a document by their headings of the second level.
    fn sections(document: &str) -> BTreeMap<String, String> {
        let mut sections = BTreeMap::new();
        for section in document.split("\n## ").skip(1) {
            let (title, text) = section.split_once('\n').unwrap();
            let before = sections.insert(title.to_owned(), text.to_owned());
            assert_eq!(before, None, "there are two sections {title:?}");
        }
        sections
    }

    /// The cells of the rows of a section's tables whose first cell is a name in backticks.
    fn rows(section: &str) -> Vec<Vec<String>> {
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        rows.map(|row| {
            let row = row.trim_start_matches("| ").trim_end_matches(" |");
            row.split(" | ").map(str::to_owned).collect()
        })
        .collect()
    }

    /// What stands in backticks, where a cell is nothing else.
    fn code(cell: &str) -> Option<&str> {
        cell.strip_prefix('`')?.strip_suffix('`')
    }

    #[test]
    fn every_field_is_in_the_reference_and_no_other_is() {
        let sections = sections(&read("docs/configuration.md"));
        for (title, object) in objects() {
            let section = sections.get(&title);
            let section = section.unwrap_or_else(|| panic!("there is no section {title:?}"));
            let rows = rows(section);
            let described: BTreeSet<&str> = rows.iter().map(|row| code(&row[0]).unwrap()).collect();
            assert_eq!(
                described.len(),
                rows.len(),
                "{title}: a field is described twice"
            );
            let fields = object["properties"].as_object().unwrap();
            let snake = |name: &&String| !name.bytes().any(|byte| byte.is_ascii_uppercase());
            let fields: BTreeSet<&str> = fields.keys().filter(snake).map(String::as_str).collect();
            assert_eq!(described, fields, "{title}");
        }
    }

    #[test]
    fn the_filter_knows_the_fields_of_the_schema_and_no_others() {
        // What may have several forms, none of them is said to have a field too many.
        let objects = objects()
            .into_iter()
            .filter(|(title, _)| title != "Path key");
        for (title, object) in objects {
            let config = wrapped(&title, &field("no_such_field", &json!(1)));
            let error = read_config(&config).unwrap_err();
            let known = error.split_once("unknown field, expected ");
            let (_, known) = known.unwrap_or_else(|| panic!("{title}: {error}"));
            let known = known.trim_start_matches("one of ").split([',', ' ']);
            let known: BTreeSet<&str> = known
                .filter(|name| !name.is_empty() && *name != "or")
                .collect();
            let fields = object["properties"].as_object().unwrap();
            let fields: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
            assert_eq!(known, fields, "{title}");
        }
    }

    #[test]
    fn every_field_has_an_example_that_is_valid() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let sections = sections(&read("docs/configuration.md"));
        for (title, object) in objects() {
            for row in rows(&sections[&title]) {
                let [name, _, default, example] = row.as_slice() else {
                    panic!("{title}: a row has four cells: {row:?}");
                };
                let name = code(name).unwrap();
                let schema = &object["properties"][name];
                if schema["deprecated"] == true {
                    assert_eq!((default.as_str(), example.as_str()), ("–", "–"), "{name}");
                    continue;
                }
                let example = code(example).and_then(|example| serde_json::from_str(example).ok());
                let example: Value = example.unwrap_or_else(|| panic!("{title}: {row:?}"));
                let config = wrapped(&title, &field(name, &example));
                if let Err(problem) = read_config(&config) {
                    panic!("{title}: the example of {name}: {problem}");
                }
                assert!(
                    validator.is_valid(&config),
                    "{title}: the example of {name}"
                );
                let without = wrapped(&title, &field(name, &Value::Null));
                let required = default == "required";
                if required || code(default).is_some() {
                    assert_eq!(read_config(&without).is_err(), required, "{title}: {name}");
                }
            }
        }
    }

    #[test]
    fn every_json_example_is_valid() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let (mut complete, mut parts) = (0, 0);
        for document in [
            "docs/configuration.md",
            "docs/operations.md",
            "docs/rollout.md",
        ] {
            let text = read(document);
            let mut title = "";
            for (index, piece) in text.split("```").enumerate() {
                if index % 2 == 0 {
                    let mut headings = piece.lines().filter_map(|line| line.strip_prefix("## "));
                    title = headings.next_back().unwrap_or(title);
                    continue;
                }
                let Some(example) = piece.strip_prefix("json\n") else {
                    continue;
                };
                let example: Value = serde_json::from_str(example).unwrap();
                let config = if example.get("providers").is_some() {
                    complete += 1;
                    example
                } else {
                    parts += 1;
                    wrapped(title, example.as_object().unwrap())
                };
                if let Err(problem) = read_config(&config) {
                    panic!("{document}, {title}: {problem}");
                }
                assert!(validator.is_valid(&config), "{document}, {title}");
            }
        }
        assert!(complete >= 1 && parts >= 2, "{complete} and {parts}");
    }

    #[test]
    fn the_json_examples_for_mcp_are_valid() {
        let page = read("docs/mcp.md");
        let pieces = page.split("```");
        let examples: Vec<Value> = pieces
            .filter_map(|piece| piece.strip_prefix("json\n"))
            .map(|example| serde_json::from_str(example).unwrap())
            .collect();
        assert!(examples.len() >= 2, "only {}", examples.len());
        for example in examples {
            let config = if example.get("match").is_some() {
                configuration_with_rule(&example)
            } else {
                let mut config = configuration_with_provider(&json!({}));
                let fields = config.as_object_mut().unwrap();
                fields.extend(example.as_object().unwrap().clone());
                config
            };
            if let Err(problem) = read_config(&config) {
                panic!("{example}: {problem}");
            }
        }
    }

    /// What the filter is configured with in a part of an Envoy bootstrap.
    fn configurations(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(object) if object.contains_key("vm_config") => {
                let value = &object["configuration"]["value"];
                let text = value.as_str().map(serde_json::from_str);
                found.push(text.map_or_else(|| value.clone(), Result::unwrap));
            }
            Value::Object(object) => object
                .values()
                .for_each(|value| configurations(value, found)),
            Value::Array(values) => values.iter().for_each(|value| configurations(value, found)),
            _ => {}
        }
    }

    #[test]
    fn the_configurations_that_come_with_the_filter_suit_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let mut found = Vec::new();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy")).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            configurations(&serde_saphyr::from_str(&text).unwrap(), &mut found);
        }
        assert!(found.len() >= 4, "only {}", found.len());
        for config in found {
            let problems: Vec<String> = validator
                .iter_errors(&config)
                .map(|error| error.to_string())
                .collect();
            assert!(problems.is_empty(), "{config}: {problems:?}");
        }
    }

    #[test]
    fn the_documents_name_the_versions_of_envoy_that_are_tested() {
        let versions = read("tests/envoy/versions");
        let versions: Vec<&str> = versions.split_whitespace().collect();
        let (newest, others) = versions.split_last().unwrap();
        let readme = read("README.md")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for sentence in [
            format!("Envoy {} and {newest}", others.join(", ")),
            format!("All tests run with Envoy {newest}"),
        ] {
            assert!(readme.contains(&sentence), "README.md lacks: {sentence}");
        }
        let program = format!(".tools/envoy-{newest}/bin/envoy");
        assert!(read("envoy/demo.yaml").contains(&program), "{program}");
    }

    /// Every row of the tables of `docs/operations.md` under this heading, by its first cell.
    fn operations(title: &str) -> BTreeMap<String, Vec<String>> {
        let sections = sections(&read("docs/operations.md"));
        let rows = rows(&sections[title]);
        let named = rows
            .into_iter()
            .map(|row| (code(&row[0]).unwrap().to_owned(), row));
        named.collect()
    }

    #[test]
    fn every_reason_is_explained_with_its_answer() {
        let described = operations("Why requests are refused");
        let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for reason in ReasonKind::ALL {
            let answer = Answer::new(&reason.example(), &ChallengeParameters::default(), false);
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            let error = body["error"].as_str().unwrap();
            let answers = expected.entry(reason.metric().to_owned()).or_default();
            answers.insert(format!("{} `{error}`", answer.status));
        }
        let names = |map: BTreeSet<&String>| map.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(described.keys().collect()),
            names(expected.keys().collect())
        );
        for (reason, row) in described {
            let [_, answer, meaning, remedy] = row.as_slice() else {
                panic!("{reason}: a row has four cells");
            };
            let answers: BTreeSet<String> = answer.split(", ").map(str::to_owned).collect();
            assert_eq!(answers, expected[&reason], "{reason}");
            assert!(!meaning.is_empty() && !remedy.is_empty(), "{reason}");
        }
    }

    /// The name of a reason in the console's table: the name of the variant with underscores. The name in
    /// metrics is not enough, because two reasons share one.
    fn code_of(reason: ReasonKind) -> String {
        let mut code = String::new();
        for letter in format!("{reason:?}").chars() {
            if letter.is_ascii_uppercase() && !code.is_empty() {
                code.push('_');
            }
            code.push(letter.to_ascii_lowercase());
        }
        code
    }

    /// The console knows a reason by the description in the answer, and explains it by its code.
    #[test]
    fn the_console_of_the_demo_explains_every_reason() {
        let table: Value =
            serde_json::from_str(&read("demo/console/reasons.json")).expect("reasons.json is JSON");
        let table = table.as_object().unwrap();
        let described: BTreeMap<String, &str> = table
            .iter()
            .map(|(code, row)| (code.clone(), row["description"].as_str().unwrap()))
            .collect();
        let expected: BTreeMap<String, &str> = ReasonKind::ALL
            .iter()
            .map(|reason| (code_of(*reason), reason.description()))
            .collect();
        assert_eq!(described, expected);
        let descriptions: BTreeSet<&str> = expected.values().copied().collect();
        assert_eq!(descriptions.len(), expected.len(), "descriptions differ");
        for (code, row) in table {
            let explanation = row["explanation"].as_str().unwrap();
            assert!(explanation.ends_with('.'), "{code}: {explanation}");
        }
    }

    #[test]
    fn every_metric_is_explained() {
        let mut config = wrapped("Remote key set", &Map::new());
        let http_uri = json!({"uri": "https://issuer.example/x", "cluster": "issuer"});
        config["providers"]["cloud"]["revocation"] = json!({ "http_uri": http_uri });
        config["providers"]["cloud"]["introspection"] = json!({
            "http_uri": http_uri,
            "client_id": "gate",
            "client_secret_environment_variable": "JWKS",
        });
        config["dpop"] = json!({});
        config["report_only"] = json!(true);
        config["end_streams_with_token"] = json!(true);
        let config = read_config(&config).unwrap();
        let counters = counters(&config)
            .into_iter()
            .map(|(_, name)| (name, "counter"));
        let gauges = gauges(&config).into_iter().map(|(_, name)| (name, "gauge"));
        let expected: BTreeSet<(String, &str)> = counters
            .chain(gauges)
            .map(|(name, kind)| match name.split_once(".denied.") {
                Some((before, _)) => (format!("{before}.denied.<reason>"), kind),
                None if name.contains(".would_deny.") || name.contains(".ended.") => {
                    let (before, _) = name.rsplit_once('.').unwrap();
                    (format!("{before}.<reason>"), kind)
                }
                None => (name.replace(".cloud.", ".<provider>."), kind),
            })
            .collect();
        let described = operations("What to watch");
        let described: BTreeSet<(String, &str)> = described
            .iter()
            .map(|(name, row)| (name.clone(), row[1].as_str()))
            .collect();
        assert_eq!(described, expected);
    }
}

//! The JSON Schema.

use std::fs;
use std::path::Path;

use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::spellings::{camel, everything, twice};
use super::support::read;

fn valid(config: &Value) -> bool {
    jsonschema::validator_for(&crate::schema())
        .unwrap()
        .is_valid(config)
}

fn provider_with(fields: &Value) -> Value {
    let mut provider = json!({"local_jwks": {"inline_string": key_set()}});
    for (name, value) in fields.as_object().unwrap() {
        provider[name] = value.clone();
    }
    json!({"providers": {"p": provider}})
}

fn resources(resources: &Value) -> Value {
    let mut config = provider_with(&json!({"issuer": "https://issuer.example"}));
    config["resource_metadata"] = resources.clone();
    config
}

fn rule(rule: &Value) -> Value {
    let mut config = provider_with(&json!({}));
    config["rules"] = json!([rule]);
    config["requirement_map"] = json!({"r": {"provider_name": "p"}});
    config["per_route_requirements"] = json!(true);
    config
}

fn claim(claim: &Value) -> Value {
    let requires = json!({"provider_name": "p", "claims": [claim]});
    rule(&json!({"match": {"prefix": "/"}, "requires": requires}))
}

#[test]
fn the_schema_file_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bearer-gate.schema.json");
    let text = serde_json::to_string_pretty(&crate::schema()).unwrap() + "\n";
    assert!(
        fs::read_to_string(file).unwrap_or_default() == text,
        "docs/bearer-gate.schema.json is out of date: run `make schema`"
    );
}

#[test]
fn every_field_is_described() {
    fn walk(schema: &Value, path: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, field) in properties.into_iter().flatten() {
            assert!(field["description"].is_string(), "{path}.{name}");
        }
    }
    let schema = crate::schema();
    walk(&schema, "Config");
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        walk(definition, name);
    }
}

#[test]
fn both_spellings_are_valid_but_not_at_once() {
    assert!(valid(&everything()));
    assert!(valid(&camel(&everything())));
    for (name, config) in twice(&everything()) {
        assert!(!valid(&config), "{name}");
    }
}

#[test]
fn the_schema_accepts_what_the_parser_accepts() {
    let prefix = json!({"prefix": "/"});
    for config in [
        // Valid.
        provider_with(&json!({})),
        provider_with(&json!({"issuer": null, "forward": null})),
        provider_with(&json!({"clock_skew_seconds": "5"})),
        provider_with(&json!({"clock_skew_seconds": 0})),
        provider_with(&json!({"max_lifetime": {"seconds": 5}})),
        provider_with(&json!({"max_lifetime": "0.000000001s"})),
        provider_with(&json!({"payload_in_metadata": ""})),
        provider_with(&json!({"payloadInMetadata": "x", "payloadMetadataHeader": "X-A"})),
        provider_with(&json!({"scope_claims": ["a.b", ["c", "d"], [{"key": "e"}]]})),
        provider_with(&json!({"from_headers": [{"name": "X-Token", "valuePrefix": ""}]})),
        provider_with(&json!({"remote_jwks": {"http_uri": {
            "uri": "https://issuer.example/jwks?a=b", "cluster": "c", "timeout": "0.5s",
        }}, "local_jwks": null})),
        rule(&json!({"match": prefix})),
        rule(&json!({"match": {"path": "/", "prefix": null}})),
        rule(&json!({"match": prefix, "requirementName": "r"})),
        rule(&json!({"match": prefix, "requires": {"allow": {}}})),
        rule(&json!({"match": prefix, "requires": {"allow": {}, "provider_name": null}})),
        rule(
            &json!({"match": prefix, "requires": {"requiresAny": {"requirements": [
                {"providerName": "p"}, {"allowMissing": {}},
            ]}}}),
        ),
        rule(&json!({"match": {"prefix": "", "grpc": {}, "headers": [{"name": ":method"}]}})),
        claim(&json!({"claim_name": "a", "exact": []})),
        claim(&json!({"claim_name": "a", "claim_path": [], "exact": 1})),
        claim(&json!({"claimPath": ["a"], "anyOf": [1, "b"]})),
        // Invalid.
        json!({}),
        json!([]),
        json!({"providers": {}}),
        json!({"providers": []}),
        json!({"providers": {"p": {}}}),
        json!({"providers": {"p": {"local_jwks": {}}}}),
        provider_with(&json!({"remote_jwks": {"http_uri": {"uri": "http://a", "cluster": "a"}}})),
        provider_with(&json!({"audience": "a"})),
        provider_with(&json!({"audiences": [""]})),
        provider_with(&json!({"issuer": ""})),
        provider_with(&json!({"clock_skew_seconds": -1})),
        provider_with(&json!({"clock_skew_seconds": 4_294_967_296_u64})),
        provider_with(&json!({"clock_skew_seconds": 0.5})),
        provider_with(&json!({"max_lifetime": "0s"})),
        provider_with(&json!({"max_lifetime": "0.0s"})),
        provider_with(&json!({"max_lifetime": "5m"})),
        provider_with(&json!({"max_lifetime": 5})),
        provider_with(&json!({"max_lifetime": {"minutes": 5}})),
        provider_with(&json!({"subjects": {}})),
        provider_with(&json!({"subjects": {"exact": "a", "prefix": "b"}})),
        provider_with(&json!({"subjects": {"safe_regex": {}}})),
        provider_with(&json!({"header_in_metadata": "x"})),
        provider_with(&json!({"from_headers": [{"name": "Cookie"}]})),
        provider_with(&json!({"from_headers": [{"name": "a b"}]})),
        provider_with(&json!({"from_headers": [{"name": "a", "value_prefix": "\n"}]})),
        provider_with(&json!({"claim_to_headers": [{"header_name": "x"}]})),
        provider_with(&json!({"claim_to_headers": [{"claim_name": "x"}]})),
        provider_with(&json!({"claims_to_filter_state": [{"key": "a b", "claim_name": "x"}]})),
        provider_with(&json!({"remote_jwks": {}, "local_jwks": null})),
        provider_with(
            &json!({"remote_jwks": {"http_uri": {"uri": "http://a"}}, "local_jwks": null}),
        ),
        provider_with(
            &json!({"remote_jwks": {"http_uri": {"uri": "a", "cluster": "a"}}, "local_jwks": null}),
        ),
        provider_with(
            &json!({"remote_jwks": {"http_uri": {"uri": "http://u@a", "cluster": "a"}}, "local_jwks": null}),
        ),
        rule(&json!({})),
        rule(&json!({"match": {}})),
        rule(&json!({"match": {"prefix": "/", "path": "/"}})),
        rule(&json!({"match": {"path_separated_prefix": "/a/"}})),
        rule(&json!({"match": {"path_separated_prefix": "/a?b"}})),
        rule(&json!({"match": {"connect_matcher": {}}})),
        rule(&json!({"match": prefix, "requires": {"allow": {}}, "requirement_name": "r"})),
        rule(&json!({"match": prefix, "requires": {}})),
        rule(&json!({"match": prefix, "requires": null})),
        rule(&json!({"match": prefix, "requires": null, "requirement_name": "r"})),
        rule(&json!({"match": prefix, "requirement_name": null})),
        rule(&json!({"match": prefix, "requires": {"provider_name": null}})),
        rule(&json!({"match": prefix, "requires": {"requires_any": {"requirements": [{}]}}})),
        rule(&json!({"match": prefix, "requires": {"allow": {}, "allow_missing": {}}})),
        rule(&json!({"match": {"prefix": "/", "headers": [
            {"name": "a", "present_match": true, "string_match": {"exact": "b"}},
        ]}})),
        rule(&json!({"match": prefix, "requires": {"requires_any": {"requirements": []}}})),
        rule(&json!({"match": prefix, "requires": {"provider_name": "p", "allow_missing": {}}})),
        rule(&json!({"match": prefix, "requires": {"provider_name": "p", "scopes": ["a b"]}})),
        rule(&json!({"match": prefix, "requires": {"provider_and_audiences": {}}})),
        claim(&json!({"claim_name": "a"})),
        claim(&json!({"exact": 1})),
        claim(&json!({"claim_name": "a", "exact": 1, "any_of": [1]})),
        claim(&json!({"claim_name": "a", "claim_path": ["a"], "exact": 1})),
        claim(&json!({"claim_name": "a", "any_of": []})),
    ] {
        check(&config);
    }
}

#[test]
fn the_schema_accepts_the_resources_that_the_parser_accepts() {
    for config in [
        // Valid.
        resources(&json!({"resource": "https://a"})),
        resources(&json!([{"resource": "https://a/b", "requireAudience": true}])),
        resources(&json!([{"resource": "http://[::1]:3000/b"}, {"resource": "http://localhost"}])),
        resources(&json!({"resource": "https://a", "metadata_url": "https://a?b"})),
        resources(&json!({"resource": "https://a", "additional": {"b": [1]}})),
        // Invalid.
        resources(&json!([])),
        resources(&json!({})),
        resources(&json!({"resource": "http://a"})),
        resources(&json!({"resource": "https://a?b"})),
        resources(&json!({"resource": "https://a", "authorization_servers": []})),
        resources(&json!({"resource": "https://a", "bearer_methods_supported": ["cookie"]})),
        resources(&json!({"resource": "https://a", "resource_documentation": "b"})),
        resources(&json!({"resource": "https://a", "jwks_uri": "b"})),
        resources(&json!({"resource": "https://a", "metadata_url": "b"})),
        resources(&json!({"resource": "https://a", "additional": 1})),
    ] {
        check(&config);
    }
}

/// Checks that the schema accepts `config` if the parser does.
fn check(config: &Value) {
    let parsed = read(config);
    assert_eq!(valid(config), parsed.is_ok(), "{config}: {parsed:?}");
}

#[test]
fn the_schema_accepts_the_other_forms_that_envoy_accepts() {
    for config in [
        // Valid.
        provider_with(&json!({"audiences": "a", "from_headers": {"name": "x"}})),
        provider_with(&json!({"scope_claims": "a"})),
        provider_with(&json!({"forward": "true", "clear_route_cache": {"value": false}})),
        provider_with(&json!({"clock_skew_seconds": {"value": 2}})),
        provider_with(&json!({"remote_jwks": {
            "http_uri": {"uri": "https://issuer.example/jwks", "cluster": "c"},
            "retry_policy": {
                "num_retries": {"value": 2},
                "retry_on": "5xx,reset",
                "retry_priority": {"name": "a"},
                "retry_host_predicate": [{"name": "b"}],
                "host_selection_retry_max_attempts": "3",
            },
        }, "local_jwks": null})),
        provider_with(&json!({"local_jwks": null, "remote_jwks": {
            "http_uri": {"uri": "https://issuer.example/jwks", "cluster": "c"},
            "headers": {"name": "X-A", "value": "b"},
            "cacheControl": "ignore",
        }})),
        rule(&json!({"match": {"prefix": "/", "case_sensitive": {"value": false}}})),
        rule(&json!({"match": {"prefix": "/", "headers": {"name": "x", "exactMatch": "a"}}})),
        rule(&json!({"match": {"prefix": "/", "headers": [
            {"name": "x", "range_match": {"start": "-1", "end": 5}},
        ], "dynamic_metadata": []}})),
        claim(&json!({"claim_path": "a", "any_of": "b"})),
        // Invalid.
        provider_with(&json!({"audiences": {}})),
        provider_with(&json!({"audiences": [["a"]]})),
        provider_with(&json!({"from_headers": "x"})),
        provider_with(&json!({"forward": "yes"})),
        provider_with(&json!({"forward": {"value": "true"}})),
        provider_with(&json!({"clock_skew_seconds": {"value": -2}})),
        provider_with(&json!({"local_jwks": null, "remote_jwks": {
            "http_uri": {"uri": "https://issuer.example/jwks", "cluster": "c"},
            "headers": [{"name": "x-a"}],
        }})),
        provider_with(&json!({"local_jwks": null, "remote_jwks": {
            "http_uri": {"uri": "https://issuer.example/jwks", "cluster": "c"},
            "authorization": {},
        }})),
        rule(&json!({"match": {"prefix": "/", "headers": [
            {"name": "x", "exact_match": "a", "prefix_match": "a"},
        ]}})),
        rule(&json!({"match": {"prefix": "/", "headers": [
            {"name": "x", "range_match": {"start": "a"}},
        ]}})),
        rule(&json!({"match": {"prefix": "/", "runtime_fraction": {}}})),
    ] {
        check(&config);
    }
}

//! Both spellings of every name.

use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::support::{error, read};

fn client_certificate() -> Value {
    json!({
        "from": "header",
        "header": "x-certificate",
        "format": "pem",
        "trusted_peers": ["spiffe://example/edge"],
    })
}

/// A configuration with every field that has two spellings.
pub(super) fn everything() -> Value {
    json!({
        "providers": {"p": {
            "issuer": "https://issuer.example",
            "audiences": ["api"],
            "subjects": {"prefix": "spiffe://a.example/", "ignore_case": true},
            "require_expiration": true,
            "max_lifetime": "86400s",
            "local_jwks": {"inline_string": key_set()},
            "forward": true,
            "from_headers": [
                {"name": "x-token", "value_prefix": "JWT "},
                {"name": "authorization", "value_prefix": "Bearer "},
            ],
            "from_params": ["jwt"],
            "from_cookies": ["jwt"],
            "forward_payload_header": "x-payload",
            "payload_in_metadata": "payload",
            "payload_metadata_header": "x-metadata",
            "pad_forward_payload_header": true,
            "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
            "clock_skew_seconds": 5,
            "claim_to_headers": [
                {"header_name": "x-a", "claim_name": "a.b"},
                {"header_name": "x-b", "claim_path": [{"key": "a.b"}]},
            ],
            "claims_to_filter_state": [{"claim_name": "sub", "key": "sub"}],
            "clear_route_cache": true,
            "scope_claims": ["scope"],
        }},
        "rules": [
            {
                "match": {
                    "path_separated_prefix": "/a",
                    "case_sensitive": false,
                    "headers": [{
                        "name": "x",
                        "string_match": {"safe_regex": {"google_re2": {}, "regex": "a"}},
                        "invert_match": true,
                    }, {"name": "y", "present_match": true},
                        {"name": "e", "exact_match": "a"},
                        {"name": "f", "prefix_match": "a", "treat_missing_header_as_empty": true},
                        {"name": "g", "suffix_match": "a"},
                        {"name": "h", "contains_match": "a"},
                        {"name": "i", "safe_regex_match": {
                            "regex": "a",
                            "google_re2": {"max_program_size": 100},
                        }},
                        {"name": "j", "range_match": {"start": -1, "end": "5"}},
                    ],
                    "query_parameters": [{"name": "q", "present_match": true}],
                    "dynamic_metadata": [
                        {"filter": "f", "path": [{"key": "a"}], "value": {"present_match": true}},
                        {"filter": "f", "path": [{"key": "a"}], "value": {"bool_match": true}},
                        {"filter": "f", "path": [{"key": "a"}], "invert": true, "value": {
                            "string_match": {"exact": "a"},
                        }},
                    ],
                },
                "requires": {"requires_any": {"requirements": [
                    {"provider_and_audiences": {"provider_name": "p", "audiences": ["b"]}},
                    {"requires_all": {"requirements": [
                        demanding(),
                        {"extract_only_without_validation": {"verification_status_header": "x-v"}},
                    ]}},
                    {"allow_missing": {}},
                    {"allow_missing_or_failed": {}},
                ]}},
            },
            {"match": {"safe_regex": {"regex": "/b"}}, "requirement_name": "r"},
            {"match": {"path": "/c"}, "requires": {"allow": {}}},
        ],
        "requirement_map": {"r": {"provider_name": "p", "claims": [
            {"claim_name": "a", "any_of": ["b"]},
            {"claim_path": ["a"], "exact": "b"},
        ]}},
        "resource_metadata": resource_metadata(),
        "public_urls": ["https://api.example"],
        "dpop": dpop(),
        "client_certificate": client_certificate(),
        "bypass_cors_preflight": true,
        "strip_failure_response": true,
        "stat_prefix": "edge",
        "per_route_requirements": true,
        "unmatched_requests": "allow",
    })
}

/// A requirement with conditions.
fn demanding() -> Value {
    json!({
        "provider_name": "p",
        "acr_values": ["a"],
        "max_authentication_age": "5s",
        "any_scope": ["a"],
        "scopes": ["b"],
    })
}

fn resource_metadata() -> Value {
    json!({
        "resource": "https://api.example/mcp",
        "authorization_servers": ["https://issuer.example"],
        "scopes_supported": ["a"],
        "bearer_methods_supported": ["header"],
        "resource_name": "a",
        "resource_documentation": "https://a.example",
        "resource_policy_uri": "https://a.example",
        "resource_tos_uri": "https://a.example",
        "jwks_uri": "https://a.example",
        "resource_signing_alg_values_supported": ["ES256"],
        "authorization_details_types_supported": ["a"],
        "signed_metadata": "e30.eyJpc3MiOiJhIn0.YQ",
        "additional": {"a": 1},
        "at_root": true,
        "max_age": "60s",
        "require_audience": true,
    })
}

fn dpop() -> Value {
    json!({
        "algorithms": ["ES256"],
        "max_age": "60s",
        "clock_skew": "0s",
        "nonce": "off",
        "nonce_lifetime": "300s",
        "replay_entries": 131_072,
        "upstream": "as_sent",
    })
}

/// `value` with all names in lowerCamelCase.
pub(super) fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let mut words = name.split('_');
                let mut camel = words.next().unwrap().to_owned();
                for word in words {
                    let (first, rest) = word.split_at_checked(1).unwrap();
                    camel.push_str(&first.to_ascii_uppercase());
                    camel.push_str(rest);
                }
                (camel, self::camel(value))
            });
            Value::Object(fields.collect())
        }
        Value::Array(values) => values.iter().map(camel).collect(),
        other => other.clone(),
    }
}

/// Copies of `value`: in each, one field is given in both spellings. With the name of that field.
pub(super) fn twice(value: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let Value::Object(camel_field) = camel(&json!({ name: inner })) else {
                    panic!("an object stays one");
                };
                for (camel_name, camel_value) in camel_field {
                    if camel_name != *name {
                        let mut both = fields.clone();
                        both.insert(camel_name, camel_value);
                        found.push((name.clone(), both.into()));
                    }
                }
                for (changed, inner) in twice(inner) {
                    let mut outer = fields.clone();
                    outer[name] = inner;
                    found.push((changed, outer.into()));
                }
            }
        }
        Value::Array(values) => {
            for (index, inner) in values.iter().enumerate() {
                for (changed, inner) in twice(inner) {
                    let mut outer = values.clone();
                    outer[index] = inner;
                    found.push((changed, outer.into()));
                }
            }
        }
        _ => {}
    }
    found
}

#[test]
fn every_field_has_two_spellings_of_which_one_may_be_given() {
    assert_eq!(error(&everything()), "none");
    assert_eq!(error(&camel(&everything())), "none");
    let twice = twice(&everything());
    assert!(twice.len() > 30, "{}", twice.len());
    for (name, config) in twice {
        let error = error(&config);
        assert!(
            error.ends_with(&format!("{name}: given twice")),
            "{name}: {error}"
        );
    }
}

#[test]
fn the_policy_knows_which_headers_are_set_and_read() {
    let policy = read(&everything()).unwrap();
    assert_eq!(
        policy.own_headers,
        ["x-a", "x-b", "x-metadata", "x-payload", "x-v"]
    );
    for name in [
        "cookie",
        "x",
        "x-token",
        "y",
        "x-v",
        "x_v",
        "e",
        "j",
        "x-certificate",
    ] {
        assert!(policy.reads(name.as_bytes()), "{name}");
    }
    assert!(!policy.reads(b"z"));
    for (name, removed) in [
        ("x-v", true),
        ("x_v", true),
        ("X-Payload", true),
        ("X_pAYLOAD", true),
        ("x-token", false),
        ("x_token", true),
        ("X_TOKEN", true),
        ("cookie", false),
        ("authorization", false),
        ("x", false),
        ("z", false),
    ] {
        assert_eq!(policy.must_remove(name.as_bytes()), removed, "{name}");
    }
}

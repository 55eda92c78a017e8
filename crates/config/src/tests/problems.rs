//! Errors and their paths.

use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::support::{changed, error, valid};

/// Changes the valid configuration at JSON pointers and compares the errors.
fn check(cases: &[(&str, Option<Value>, &str)]) {
    for (pointer, value, expected) in cases {
        assert_eq!(error(&changed(pointer, value.clone())), *expected);
    }
}

#[test]
fn an_error_names_the_path_of_a_provider_or_rule() {
    check(&[
        ("/providers", None, "providers: missing field"),
        (
            "/providers",
            Some(json!({})),
            "providers: must not be empty",
        ),
        (
            "/providers",
            Some(json!([])),
            "providers: must be an object, not an array",
        ),
        (
            "/providers",
            Some(json!({"": valid()["providers"]["cloud"]})),
            "providers: a provider's name must be printable and not empty\n\
             rules[0].requires.provider_name: is not one of the providers \"\"",
        ),
        (
            "/rules",
            Some(json!([{"match": {}}])),
            "rules[0].match: needs one of prefix, path, path_separated_prefix and safe_regex",
        ),
        (
            "/rules",
            Some(json!([{"match": {"prefix": "/", "path": "/"}}])),
            "rules[0].match: needs one of prefix, path, path_separated_prefix and safe_regex",
        ),
        ("/rules", Some(json!([{}])), "rules[0].match: missing field"),
        (
            "/rules",
            Some(json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "clown"}}])),
            "rules[0].requires.provider_name: is not one of the providers \"cloud\"",
        ),
        (
            "/rules",
            Some(json!([{"match": {"prefix": "/"}, "requires": {"allow": {}}}])),
            "none",
        ),
        ("/realm", Some(json!("")), "realm: must not be empty"),
    ]);
}

#[test]
fn an_error_names_the_path_of_a_field_of_a_provider() {
    check(&[
        (
            "/providers/cloud/remote_jwks",
            None,
            "providers.cloud: needs remote_jwks, local_jwks or introspection",
        ),
        (
            "/providers/cloud/local_jwks",
            Some(json!({"inline_string": key_set()})),
            "providers.cloud: has both remote_jwks and local_jwks",
        ),
        (
            "/providers/cloud/clock_skew_seconds",
            Some(json!(-1)),
            "providers.cloud.clock_skew_seconds: is not an integer from 0 to 4294967295",
        ),
        (
            "/providers/cloud/audiences",
            Some(json!(["a", ""])),
            "providers.cloud.audiences[1]: must not be empty",
        ),
        (
            "/providers/cloud/forward",
            Some(json!("yes")),
            "providers.cloud.forward: must be a boolean, not a string",
        ),
        (
            "/providers/cloud/algorithms",
            Some(json!(["RS256", "none"])),
            "providers.cloud.algorithms[1]: is not one of RS256, RS384, RS512, PS256, PS384, \
             PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512",
        ),
        (
            "/providers/cloud/algorithms",
            Some(json!(["rs256"])),
            "providers.cloud.algorithms[0]: is not one of RS256, RS384, RS512, PS256, PS384, \
             PS512, ES256, ES384, ES512, EdDSA, HS256, HS384, HS512",
        ),
        (
            "/providers/cloud/algorithms",
            Some(json!(["HS256"])),
            "providers.cloud.algorithms[0]: HS256 works only with local_jwks",
        ),
        (
            "/providers/cloud/algorithms",
            Some(json!([])),
            "providers.cloud.algorithms: must not be empty",
        ),
        (
            "/providers/cloud/types",
            Some(json!([])),
            "providers.cloud.types: must not be empty",
        ),
        (
            "/providers/cloud/jwt_cache_config",
            Some(json!({"jwt_max_token_size": 0})),
            "providers.cloud.jwt_cache_config.jwt_max_token_size: must be from 1 to 65536",
        ),
        (
            "/providers/cloud/jwt_cache_config",
            Some(json!({"jwt_max_token_size": 65537})),
            "providers.cloud.jwt_cache_config.jwt_max_token_size: must be from 1 to 65536",
        ),
        (
            "/providers/cloud/jwt_cache_config",
            Some(json!({"jwt_cache_size": -1})),
            "providers.cloud.jwt_cache_config.jwt_cache_size: is not an integer from 0 to 4294967295",
        ),
    ]);
}

#[test]
fn an_error_names_the_path_of_a_field_of_a_key_set() {
    let http_uri = "/providers/cloud/remote_jwks/http_uri";
    check(&[
        (
            &format!("{http_uri}/cluster"),
            None,
            "providers.cloud.remote_jwks.http_uri.cluster: missing field",
        ),
        (
            &format!("{http_uri}/cluster"),
            Some(json!("")),
            "providers.cloud.remote_jwks.http_uri.cluster: must not be empty",
        ),
        (
            &format!("{http_uri}/clusters"),
            Some(json!("x")),
            "providers.cloud.remote_jwks.http_uri.clusters: unknown field, expected one of uri, \
             cluster, timeout",
        ),
        (
            &format!("{http_uri}/uri"),
            Some(json!("/jwks")),
            "providers.cloud.remote_jwks.http_uri.uri: is not an http or https URI",
        ),
        (
            &format!("{http_uri}/uri"),
            Some(json!("https://user@issuer.example/")),
            "providers.cloud.remote_jwks.http_uri.uri: must have a host and no user",
        ),
        (
            &format!("{http_uri}/uri"),
            Some(json!("http://a b")),
            "providers.cloud.remote_jwks.http_uri.uri: is not a URI: invalid uri character",
        ),
        (
            &format!("{http_uri}/timeout"),
            Some(json!("0s")),
            "providers.cloud.remote_jwks.http_uri.timeout: must be above zero",
        ),
        (
            &format!("{http_uri}/timeout"),
            Some(json!("7200s")),
            "providers.cloud.remote_jwks.http_uri.timeout: must be from \"0.001s\" to \"3600s\"",
        ),
        (
            "/providers/cloud/remote_jwks/cache_duration",
            Some(json!("5 minutes")),
            "providers.cloud.remote_jwks.cache_duration: is not a duration such as \"5s\" or \
             \"0.5s\"",
        ),
        (
            "/providers/cloud/remote_jwks/cache_duration",
            Some(json!("0.0005s")),
            "providers.cloud.remote_jwks.cache_duration: must be at least \"0.001s\"",
        ),
    ]);
}

#[test]
fn all_values_that_are_wrong_by_themselves_are_reported_at_once() {
    let config = json!({
        "providers": {
            "a": {
                "issuer": "",
                "audience": "x",
                "remote_jwks": {"http_uri": {"uri": "/jwks"}, "cache_duration": "5"},
                "header_in_metadata": "p",
            },
            "b": [],
        },
        "rules": [{"match": {"prefix": 1}}, {}],
        "stat_prefix": "a b",
    });
    let error = error(&config);
    let lines: Vec<&str> = error.lines().collect();
    let [unknown, other @ ..] = lines.as_slice() else {
        panic!("{error}");
    };
    assert!(unknown.starts_with("providers.a.audience: unknown field, expected one of issuer, "));
    assert_eq!(
        other,
        [
            "providers.a.issuer: must not be empty",
            "providers.a.remote_jwks.http_uri.uri: is not an http or https URI",
            "providers.a.remote_jwks.http_uri.cluster: missing field",
            "providers.a.remote_jwks.cache_duration: is not a duration such as \"5s\" or \"0.5s\"",
            "providers.a.header_in_metadata: a wasm filter cannot write dynamic metadata: use \
             claims_to_filter_state",
            "providers.b: must be an object, not an array",
            "rules[0].match.prefix: must be a string, not a number",
            "rules[1].match: missing field",
        ]
    );
}

#[test]
fn all_fields_that_contradict_each_other_are_reported_at_once() {
    let config = json!({
        "providers": {
            "a": {
                "algorithms": ["HS256", "RS256", "none"],
                "types": [],
                "remote_jwks": {
                    "discovery": {"cluster": "c", "timeout": "7200s"},
                    "cache_duration": "10s",
                    "max_stale": "5s",
                    "refetch_cooldown": "0.1s",
                },
                "revocation": {
                    "http_uri": {"uri": "https://a.example", "cluster": "c"},
                    "username": "u",
                },
                "claim_to_headers": [{"header_name": "x"}, {"header_name": "y", "claim_name": "a..b"}],
            },
            "b": {},
        },
        "requirement_map": {"r": {}, "s": {"provider_name": "c"}, "t": {"provider_name": "b"}},
        "rules": [
            {"match": {"prefix": "/"}, "requirement_name": "r"},
            {"match": {}, "requires": {"requires_any": {"requirements": [
                {"provider_name": "d"},
                {"provider_name": "a", "claims": {"claim_name": "a"}},
            ]}}},
        ],
        "resource_metadata": [{"resource": "a"}, {"resource": "https://a.example?b"}],
        "stat_prefix": "a b",
    });
    let unused = "nothing can name this requirement: name it in the requirement_name of a rule, or set \
                  per_route_requirements and name it in the metadata of routes, which takes the place of \
                  PerRouteConfig";
    let error = error(&config);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines,
        [
            "providers.a.algorithms[0]: HS256 works only with local_jwks",
            "providers.a.algorithms[2]: is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, \
             ES384, ES512, EdDSA, HS256, HS384, HS512",
            "providers.a.types: must not be empty",
            "providers.a.issuer: must be an http or https URI without query: discovery reads its metadata",
            "providers.a.remote_jwks.max_stale: must not be shorter than cache_duration",
            "providers.a.remote_jwks.discovery.timeout: must be from \"0.001s\" to \"3600s\"",
            "providers.a.remote_jwks.refetch_cooldown: must be at least \"1s\"",
            "providers.a.revocation: username needs password_environment_variable",
            "providers.a.claim_to_headers[0]: needs one of claim_name and claim_path",
            "providers.a.claim_to_headers[1].claim_name: has an empty part",
            "providers.b: needs remote_jwks, local_jwks or introspection",
            "requirement_map.r: is empty: name what is required, or write {\"allow\": {}} to let every \
             request pass",
            "requirement_map.s.provider_name: is not one of the providers \"a\", \"b\"",
            "rules[1].match: needs one of prefix, path, path_separated_prefix and safe_regex",
            "rules[1].requires.requires_any.requirements[0].provider_name: is not one of the providers \
             \"a\", \"b\"",
            "rules[1].requires.requires_any.requirements[1].claims[0]: needs one of exact, any_of, \
             contains and present",
            &format!("requirement_map.s: {unused}"),
            &format!("requirement_map.t: {unused}"),
            "resource_metadata[0].resource: must begin with https:// or http://",
            "resource_metadata[1].resource: must not have a query or a fragment",
            "stat_prefix: must be visible ASCII characters",
        ]
    );
}

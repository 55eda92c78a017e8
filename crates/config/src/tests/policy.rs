//! Valid configurations and the policy that they stand for, and errors with their place.

use std::time::Duration;

use gate::fetching::{Backoff, DocumentSource, RefreshPolicy, RemoteDocument, Resource, Retries};
use gate::policy::{CacheLimits, Rules};
use gate_fixtures::key_set;
use serde_json::{Value, json};

use super::support::{changed, error, read, remote, valid};

#[test]
fn a_configuration_is_read() {
    assert_eq!(
        *remote(&read(&valid()).unwrap()),
        RemoteDocument {
            cluster: "issuer".to_owned(),
            source: DocumentSource::Uri(Resource {
                authority: "issuer.example:8443".to_owned(),
                path: "/oauth/jwks?tenant=a".to_owned(),
            }),
            authorization: None,
            policy: RefreshPolicy {
                timeout: Duration::from_millis(500),
                cache_duration: Duration::from_secs(300),
                max_stale: Duration::from_secs(86_400),
                refetch_cooldown: Duration::from_secs(10),
                retry: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
            },
            retries: Retries {
                number: 0,
                backoff: Backoff::new(Duration::from_millis(25), Duration::from_millis(250)),
            },
        }
    );
}

#[test]
fn names_may_be_in_lower_camel_case() {
    let config = json!({
        "providers": {"cloud": {
            "remoteJwks": {
                "httpUri": {"uri": "http://issuer.example", "cluster": "issuer"},
                "cacheDuration": {"seconds": 300},
            },
            "clockSkewSeconds": "5",
            "requireExpiration": false,
        }, "local": {"localJwks": {"inlineString": key_set()}}},
        "rules": [{"match": {"path": "/"}, "requires": {"providerName": "cloud"}}],
        "unmatchedRequests": "allow",
        "bypassCorsPreflight": true,
    });
    let config = read(&config).unwrap();
    assert_eq!(config.providers[0].clock_skew, Duration::from_secs(5));
    assert!(!config.providers[0].require_expiration);
    assert!(config.options.bypass_cors_preflight);
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = json!({"providers": {"p": {
        "remote_jwks": {"http_uri": {"uri": "http://issuer.example", "cluster": "c"}},
    }}});
    let jwks = remote(&read(&config).unwrap());
    assert!(matches!(&jwks.source, DocumentSource::Uri(set) if set.path == "/"));
    assert_eq!(jwks.policy.timeout, Duration::from_secs(5));
    assert_eq!(jwks.policy.cache_duration, Duration::from_secs(600));
    let config = read(&config).unwrap();
    let provider = &config.providers[0];
    assert_eq!(provider.clock_skew, Duration::from_secs(60));
    assert!(provider.require_expiration);
    assert!(!provider.forward);
    let cache = CacheLimits {
        tokens: 4096,
        token_bytes: 8192,
    };
    assert_eq!(provider.cache, cache);
    assert_eq!(config.longest_token(), 8192);
    assert!(!config.options.bypass_cors_preflight);
    assert!(!config.introspects());
    assert!(matches!(config.rules, Rules::AnyProvider(_)));
}

#[test]
fn longer_tokens_are_looked_at_where_the_operator_says_so() {
    for (bytes, longest) in [(1, 8192), (8192, 8192), (20_000, 20_000)] {
        let limits = json!({"jwt_cache_size": 0, "jwtMaxTokenSize": bytes});
        let config = changed("/providers/cloud/jwt_cache_config", Some(limits));
        let config = read(&config).unwrap();
        assert_eq!(config.longest_token(), longest);
        assert_eq!(config.providers[0].cache.tokens, 0);
    }
}

#[test]
fn a_null_is_a_field_that_is_not_there() {
    for pointer in [
        "/rules",
        "/realm",
        "/providers/cloud/issuer",
        "/providers/cloud/audiences",
    ] {
        assert_eq!(
            error(&changed(pointer, Some(Value::Null))),
            "none",
            "{pointer}"
        );
    }
}

#[test]
fn problems_are_named_with_their_path() {
    let http_uri = "/providers/cloud/remote_jwks/http_uri";
    for (pointer, value, expected) in [
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
            "providers: a provider's name must be printable and not empty",
        ),
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
            "providers.cloud.algorithms[1]: there is no algorithm \"none\"",
        ),
        (
            "/providers/cloud/algorithms",
            Some(json!(["rs256"])),
            "providers.cloud.algorithms[0]: there is no algorithm \"rs256\"",
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
            "rules[0].requires.provider_name: there is no provider \"clown\"",
        ),
        (
            "/rules",
            Some(json!([{"match": {"prefix": "/"}, "requires": {}}])),
            "none",
        ),
        ("/realm", Some(json!("")), "realm: must not be empty"),
    ] {
        assert_eq!(error(&changed(pointer, value)), expected);
    }
}

//! Introspection endpoints.

use std::time::Duration;

use gate::fetching::Authorization;
use gate::introspection::ClientAuthentication;
use gate::policy::{IntrospectedTokens, IntrospectionEndpoint, KeySource, Policy};
use serde_json::{Value, json};

use crate::parse;

fn build(provider: &Value) -> Result<Policy, String> {
    let config = json!({"providers": {"p": provider}}).to_string();
    let environment = |name: &str| match name {
        "SECRET" => Some("s 3:cret".to_owned()),
        "KEY" => Some(format!("{}\n", gate_fixtures::client_jwk())),
        "RSA" => Some(json!({"kty": "RSA", "kid": "s 3:cret", "d": "AQAB"}).to_string()),
        "PEM" => Some("-----BEGIN PRIVATE KEY-----".to_owned()),
        _ => None,
    };
    parse(config.as_bytes(), &environment).map_err(|error| error.to_string())
}

fn with(change: &Value) -> Value {
    let mut introspection = json!({
        "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
        "client_id": "gate",
        "client_secret_environment_variable": "SECRET",
    });
    for (name, value) in change.as_object().unwrap() {
        introspection[name] = value.clone();
    }
    json!({ "introspection": introspection })
}

fn read(change: &Value) -> IntrospectionEndpoint {
    let config = build(&with(change)).unwrap();
    config.providers[0].introspection.clone().unwrap()
}

#[test]
fn a_provider_with_introspection_needs_no_keys() {
    let config = build(&with(&json!({}))).unwrap();
    assert!(matches!(config.providers[0].keys, KeySource::None));
    assert!(config.introspects());
    let problem = build(&json!({})).unwrap_err();
    assert_eq!(
        problem,
        "providers.p: needs remote_jwks, local_jwks or introspection"
    );
}

#[test]
fn the_fields_have_both_spellings_and_defaults() {
    let default = read(&json!({}));
    assert_eq!(default.tokens, IntrospectedTokens::Opaque);
    assert_eq!(default.timeout, Duration::from_secs(5));
    assert_eq!(default.durations.active, Duration::from_mins(1));
    assert_eq!(default.durations.inactive, Duration::from_secs(10));
    // RFC 6749, section 2.3.1: encoded as a form first.
    let expected = Authorization::basic("gate", "s+3%3Acret");
    assert_eq!(
        default.authentication,
        ClientAuthentication::SecretBasic(expected)
    );
    let shown = format!("{default:?}");
    assert!(
        !shown.contains("3:cret") && !shown.contains("3%3Acret"),
        "{shown}"
    );
    for change in [
        json!({"cache_duration": "1s", "negative_cache_duration": "2s", "for": "all"}),
        json!({"cacheDuration": "1s", "negativeCacheDuration": "2s", "for": "all"}),
    ] {
        let read = read(&change);
        assert_eq!(read.tokens, IntrospectedTokens::All);
        assert_eq!(read.durations.active, Duration::from_secs(1));
        assert_eq!(read.durations.inactive, Duration::from_secs(2));
    }
}

#[test]
fn an_error_names_the_path_of_the_field() {
    for (change, expected) in [
        (json!({"for": "jwt"}), "providers.p.introspection.for"),
        (
            json!({"client_id": ""}),
            "providers.p.introspection.client_id",
        ),
        (
            json!({"client_secret": "x"}),
            "providers.p.introspection.client_secret",
        ),
        (
            json!({"client_secret_environment_variable": "NONE"}),
            "providers.p.introspection.client_secret_environment_variable: there is no such variable",
        ),
        (
            json!({"cache_duration": "0s"}),
            "providers.p.introspection.cache_duration: must be above zero",
        ),
    ] {
        let problem = build(&with(&change)).unwrap_err();
        assert!(problem.starts_with(expected), "{change}: {problem}");
    }
}

#[test]
fn the_operator_chooses_how_the_filter_authenticates_itself() {
    let client_id = || "gate".to_owned();
    let none = Value::Null;
    for (change, expected) in [
        (
            json!({"authentication": "client_secret_basic"}),
            ClientAuthentication::SecretBasic(Authorization::of_client("gate", "s 3:cret")),
        ),
        (
            json!({"authentication": "client_secret_post"}),
            ClientAuthentication::SecretPost {
                client_id: client_id(),
                secret: "s 3:cret".to_owned(),
            },
        ),
        (
            json!({"authentication": "tls_client_auth", "client_secret_environment_variable": none}),
            ClientAuthentication::Tls {
                client_id: client_id(),
            },
        ),
    ] {
        assert_eq!(read(&change).authentication, expected, "{change}");
    }
    let with_key = json!({
        "authentication": "private_key_jwt",
        "client_secret_environment_variable": none,
        "clientKeyEnvironmentVariable": "KEY",
        "audience": "https://issuer.example",
    });
    let ClientAuthentication::PrivateKey { audience, .. } = read(&with_key).authentication else {
        panic!("it has a key");
    };
    assert_eq!(audience, "https://issuer.example");
    // By default the issuer.
    let mut provider = with(&with_key);
    provider["introspection"]["audience"] = none;
    provider["issuer"] = "https://other.example".into();
    let endpoint = build(&provider).unwrap().providers[0].introspection.clone();
    let Some(ClientAuthentication::PrivateKey { audience, .. }) =
        endpoint.map(|endpoint| endpoint.authentication)
    else {
        panic!("it has a key");
    };
    assert_eq!(audience, "https://other.example");
}

#[test]
fn an_error_of_authentication_names_the_path_of_the_field() {
    let with_key = |variable: Value| {
        json!({
            "authentication": "private_key_jwt",
            "client_secret_environment_variable": null,
            "client_key_environment_variable": variable,
            "audience": "a",
        })
    };
    for (change, expected) in [
        (
            json!({"authentication": "none"}),
            "authentication: is not one of \"client_secret_basic\", \"client_secret_post\", \
             \"private_key_jwt\", \"tls_client_auth\"",
        ),
        (
            json!({"client_secret_environment_variable": null}),
            "client_secret_environment_variable: missing field",
        ),
        (
            json!({"authentication": "tls_client_auth"}),
            "client_secret_environment_variable: is not used with this authentication",
        ),
        (
            json!({"client_key_environment_variable": "KEY"}),
            "client_key_environment_variable: is not used with this authentication",
        ),
        (
            json!({"audience": "a"}),
            "audience: is not used with this authentication",
        ),
        (
            with_key(json!(null)),
            "client_key_environment_variable: missing field",
        ),
        (
            with_key(json!("MISSING")),
            "client_key_environment_variable: there is no such variable: the filter sees those that \
             vm_config.environment_variables names",
        ),
        (
            with_key(json!("PEM")),
            "client_key_environment_variable: the variable is not a JWK: a JSON object",
        ),
        (
            with_key(json!("RSA")),
            "client_key_environment_variable: the key is not an EC key on P-256",
        ),
    ] {
        let found = build(&with(&change)).unwrap_err();
        assert_eq!(found, format!("providers.p.introspection.{expected}"));
    }
    let mut change = with_key(json!("KEY"));
    change["audience"] = Value::Null;
    assert_eq!(
        build(&with(&change)).unwrap_err(),
        "providers.p.introspection.audience: missing field: the provider has no issuer to take it from"
    );
    let mut change = with_key(json!("KEY"));
    change["client_secret_environment_variable"] = "SECRET".into();
    assert_eq!(
        build(&with(&change)).unwrap_err(),
        "providers.p.introspection.client_secret_environment_variable: is not used with this authentication"
    );
}

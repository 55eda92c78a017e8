//! Introspection endpoints.

use std::time::Duration;

use gate::fetching::Authorization;
use gate::policy::{IntrospectedTokens, IntrospectionEndpoint, KeySource, Policy};
use serde_json::{Value, json};

use crate::parse;

fn build(provider: &Value) -> Result<Policy, String> {
    let config = json!({"providers": {"p": provider}}).to_string();
    let environment = |name: &str| (name == "SECRET").then(|| "s 3:cret".to_owned());
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
    assert_eq!(default.authorization, expected);
    assert!(!format!("{default:?}").contains("cret"));
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

//! A text of the configuration may be a secret in the wrong place, so no error contains one.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::spellings::everything;
use crate::parse;

const MARKER: &str = "S3CR3T";

/// A valid configuration with every kind of field.
fn complete() -> Value {
    let http_uri = json!({"uri": "https://a.example/b", "cluster": "c", "timeout": "1s"});
    let mut config = everything();
    config["realm"] = "api".into();
    config["providers"]["q"] = json!({
        "issuer": "https://q.example",
        "algorithms": ["RS256"],
        "types": ["jwt"],
        "jwt_cache_config": {"jwt_cache_size": 1, "jwt_max_token_size": 1000},
        "remote_jwks": {
            "http_uri": http_uri,
            "cache_duration": "300s",
            "max_stale": {"seconds": 600},
            "refetch_cooldown": "5s",
            "async_fetch": {"fast_listener": true, "failed_refetch_duration": "1s"},
            "retry_policy": {
                "num_retries": 2,
                "retry_back_off": {"base_interval": "1s", "max_interval": "2s"},
            },
            "authorization": {"username": "u", "password_environment_variable": "V"},
            "headers": [
                {"name": "x-a", "value_environment_variable": "V"},
                {"name": "x-b", "value": "v"},
            ],
            "cache_control": "ignore",
        },
        "revocation": {
            "http_uri": http_uri,
            "refresh_interval": "10s",
            "max_stale": "60s",
            "format": "list",
            "username": "u",
            "password_environment_variable": "V",
            "on_unavailable": "deny",
        },
        "introspection": {
            "http_uri": http_uri,
            "client_id": "i",
            "client_secret_environment_variable": "V",
            "cache_duration": "60s",
            "negative_cache_duration": "10s",
            "for": "all",
            "authentication": "client_secret_post",
        },
    });
    config["providers"]["r"] = json!({
        "issuer": "https://r.example",
        "remote_jwks": {
            "discovery": {"cluster": "c", "timeout": "1s"},
            "authorization": {"token_environment_variable": "V"},
        },
    });
    config
}

/// The JSON pointers of `json` and of all values in it.
fn pointers(json: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match json {
        Value::Object(fields) => {
            let fields = fields.iter();
            fields.map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(values) => {
            let values = values.iter().enumerate();
            values
                .map(|(index, one)| (index.to_string(), one))
                .collect()
        }
        _ => Vec::new(),
    };
    let mut found = vec![String::new()];
    for (name, value) in inner {
        let inside = pointers(value).into_iter();
        found.extend(inside.map(|pointer| format!("/{name}{pointer}")));
    }
    found
}

fn error(config: &Value) -> Option<String> {
    let error = parse(config.to_string().as_bytes(), &|_| Some(MARKER.to_owned()));
    error.err().map(|error| error.to_string())
}

/// Puts `value` at every place of a valid configuration, one after the other. No error may contain the
/// marker.
fn check(value: &Value) -> Result<(), TestCaseError> {
    let complete = complete();
    for pointer in pointers(&complete) {
        let mut config = complete.clone();
        *config.pointer_mut(&pointer).unwrap() = value.clone();
        let error = error(&config).unwrap_or_default();
        prop_assert!(!error.contains(MARKER), "{pointer}: {error}");
    }
    Ok(())
}

#[test]
fn the_complete_configuration_is_valid() {
    assert_eq!(error(&complete()), None);
}

#[test]
fn no_error_contains_a_text_of_the_configuration() {
    for text in [
        MARKER.to_owned(),
        format!(":{MARKER}"),
        format!("{MARKER}("),
        format!("https://{MARKER}@a.example"),
        format!("https://a.example/{MARKER} b"),
        json!({"keys": [{"kty": "oct", "k": MARKER}]}).to_string(),
    ] {
        check(&json!(text)).unwrap();
        check(&json!([text])).unwrap();
        check(&json!({"seconds": text, "exact": text, "keys": [text]})).unwrap();
    }
}

#[test]
fn a_key_set_as_text_in_the_wrong_place_is_not_in_the_error() {
    let text = json!({"keys": [{"kty": "oct", "k": MARKER}]}).to_string();
    let config = json!({"providers": {"p": {"local_jwks": text}}});
    assert_eq!(
        error(&config).unwrap(),
        "providers.p.local_jwks: must be an object, not a string"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn no_error_contains_a_secret(before: String, after: String) {
        check(&json!(format!("{before}{MARKER}{after}")))?;
    }
}

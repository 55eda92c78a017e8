//! Configurations for the tests.

use std::rc::Rc;

use gate::fetching::RemoteDocument;
use gate::policy::{KeySource, Policy};
use gate_fixtures::key_set;
use serde_json::{Value, json};

use crate::{ConfigError, parse_json};

/// Parses a configuration that needs no environment.
pub(super) fn read(config: &Value) -> Result<Policy, ConfigError> {
    parse_json(config.to_string().as_bytes())
}

/// The error of a configuration; `none` if it is valid.
pub(super) fn error(config: &Value) -> String {
    match read(config) {
        Ok(_) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The remote key set of the first provider.
pub(super) fn remote(policy: &Policy) -> Rc<RemoteDocument> {
    match &policy.providers[0].keys {
        KeySource::Remote(remote) => Rc::clone(remote),
        KeySource::Local(_) | KeySource::None => panic!("the keys are not remote"),
    }
}

/// A valid configuration.
pub(super) fn valid() -> Value {
    json!({
        "providers": {
            "cloud": {
                "issuer": "https://issuer.example",
                "audiences": ["https://api.example"],
                "remote_jwks": {
                    "http_uri": {
                        "uri": "https://issuer.example:8443/oauth/jwks?tenant=a",
                        "cluster": "issuer",
                        "timeout": "0.5s",
                    },
                    "cache_duration": "300s",
                },
            },
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}}],
    })
}

/// [`valid`] with another value at a JSON pointer; `None` removes it.
pub(super) fn changed(pointer: &str, value: Option<Value>) -> Value {
    let mut config = valid();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = config.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    config
}

/// A configuration of one provider with `field`.
pub(super) fn provider_with(field: &str, value: &Value) -> Value {
    let mut provider = json!({"local_jwks": {"inline_string": key_set()}});
    provider[field] = value.clone();
    json!({"providers": {"p": provider}})
}

/// A configuration with `requirement` in its map, for a rule that names it.
pub(super) fn requirement(requirement: &Value) -> Value {
    json!({
        "providers": {"p": {"local_jwks": {"inline_string": key_set()}}},
        "requirement_map": {"r": requirement},
        "rules": [{"match": {"prefix": "/"}, "requirement_name": "r"}],
    })
}

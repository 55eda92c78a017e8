//! Parses the operator's configuration into the policy of the gate.
//!
//! The configuration is JSON with the field names of Envoy's `JwtAuthentication` message, in
//! `snake_case` or lowerCamelCase; `docs/configuration.md` is its reference. A type named `...Wire`
//! has the shape of the JSON, and its `build` returns a type of [`gate::policy`].

mod claim_path;
mod conditions;
mod config;
mod deserializer;
mod empty;
mod entries;
mod environment;
mod error;
mod forwarding;
mod header_policy;
mod http_uri;
mod introspection;
mod json;
mod jwks;
mod list;
mod location;
mod matcher;
mod metadata_matcher;
mod pattern;
mod place;
mod protobuf;
mod provider;
mod requirement;
mod resource_metadata;
mod revocation;
mod rule;
mod scalar;
#[cfg(not(target_arch = "wasm32"))]
mod schema;
mod sender_constraint;
mod string_matcher;
mod unsupported;
mod warnings;

#[cfg(test)]
mod tests;

use gate::policy::Policy;
use serde_json::Value;

use config::ConfigWire;

pub use environment::Environment;
pub use error::ConfigError;
#[cfg(not(target_arch = "wasm32"))]
pub use json::UniqueValue;
#[cfg(not(target_arch = "wasm32"))]
pub use schema::schema;

/// Parses a configuration as the host hands it over: JSON, or the binary form of a
/// `google.protobuf.Struct`. Secrets and key sets may come from `environment`.
///
/// # Errors
///
/// The first problem, with its JSON path.
pub fn parse(bytes: &[u8], environment: Environment<'_>) -> Result<Policy, ConfigError> {
    if bytes.is_empty() {
        return Err(ConfigError::new("", "is empty"));
    }
    // The first byte does not tell them apart: a Struct begins with a line feed, and JSON may.
    let json = match json::parse(bytes) {
        Ok(json) => json,
        Err(error) => protobuf::struct_to_json(bytes).ok_or(error)?,
    };
    build(&json, environment)
}

/// Parses a configuration in JSON that needs no environment variables.
///
/// # Errors
///
/// The first problem, with its JSON path.
pub fn parse_json(bytes: &[u8]) -> Result<Policy, ConfigError> {
    build(&json::parse(bytes)?, &|_| None)
}

fn build(json: &Value, environment: Environment<'_>) -> Result<Policy, ConfigError> {
    deserializer::from_value::<ConfigWire>(json)?.build(environment)
}

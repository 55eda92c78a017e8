//! Parses the operator's configuration into the policy of the gate.
//!
//! The configuration is JSON with the field names of Envoy's `JwtAuthentication` message, in
//! `snake_case` or lowerCamelCase; `docs/configuration.md` is its reference. A type named `...Wire`
//! has the shape of the JSON, and its `build` returns a type of [`gate::policy`]. The macros `object!` and
//! `choice!` define such types with their readers and schemas: a new field is a line with its documentation.
//!
//! Readers and builders report a problem to the `Place` that has it and go on, so that all are found.
//! One problem is enough for the whole configuration to be refused.

mod authorization;
mod choice;
mod claim_path;
mod client_authentication;
mod client_certificate;
mod conditions;
mod config;
mod dpop;
mod empty;
mod entries;
mod environment;
mod error;
mod forwarding;
mod from_json;
mod header_policy;
mod http_uri;
mod introspection;
mod issuers;
mod json;
mod jwks;
mod list;
mod location;
mod matcher;
mod metadata_matcher;
mod object;
mod pattern;
mod place;
mod problem;
mod problems;
mod protobuf;
mod provider;
mod providers;
mod public_urls;
mod request_header;
mod requirement;
mod resource_metadata;
mod revocation;
mod rule;
mod scalar;
#[cfg(not(target_arch = "wasm32"))]
mod schema;
mod sender_constraint;
mod spelling;
mod string_matcher;
mod token_profile;
mod user_authentication;
mod warnings;

#[cfg(test)]
mod tests;

use gate::policy::Policy;
use serde_json::Value;

use config::ConfigWire;
use from_json::FromJson;
use place::Place;
use problems::Problems;

pub use environment::Environment;
pub use error::ConfigError;
#[cfg(not(target_arch = "wasm32"))]
pub use json::UniqueValue;
pub use problem::Problem;
#[cfg(not(target_arch = "wasm32"))]
pub use schema::schema;
pub use spelling::camel;

/// Parses a configuration as the host hands it over: JSON, or the binary form of a
/// `google.protobuf.Struct`. Secrets and key sets may come from `environment`.
///
/// # Errors
///
/// The problems, each with its JSON path. Those of references between fields are found only when every
/// value by itself is good.
// Inlined into a package that is built for speed, this package would be too.
#[inline(never)]
pub fn parse(bytes: &[u8], environment: Environment<'_>) -> Result<Policy, ConfigError> {
    if bytes.is_empty() {
        let problem = Problem {
            path: String::new(),
            text: "is empty".to_owned(),
            known_fields: Vec::new(),
        };
        return Err(ConfigError::new(vec![problem]));
    }
    build(&read(bytes)?, environment)
}

/// A configuration that [`parse`] accepts, as JSON in a form that does not depend on the order in which the host
/// hands over its members: the members of a `Struct` are a map, and protobuf may write a map in any order.
#[must_use]
#[inline(never)]
pub fn normalized(bytes: &[u8]) -> String {
    read(bytes).map_or_else(
        |_| String::from_utf8_lossy(bytes).into_owned(),
        |json| json.to_string(),
    )
}

fn read(bytes: &[u8]) -> Result<Value, ConfigError> {
    // The first byte does not tell them apart: a Struct begins with a line feed, and JSON may.
    match json::parse(bytes) {
        Ok(json) => Ok(json),
        Err(error) => protobuf::struct_to_json(bytes).ok_or(error),
    }
}

/// Parses a configuration in JSON that needs no environment variables.
///
/// # Errors
///
/// The problems, each with its JSON path. Those of references between fields are found only when every
/// value by itself is good.
pub fn parse_json(bytes: &[u8]) -> Result<Policy, ConfigError> {
    build(&json::parse(bytes)?, &|_| None)
}

fn build(json: &Value, environment: Environment<'_>) -> Result<Policy, ConfigError> {
    let problems = Problems::default();
    let document = Place::document(&problems);
    let wire = problems.result(ConfigWire::from_json(json, &document))?;
    problems.result(wire.build(&document, environment))
}

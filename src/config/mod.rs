//! What the operator wrote, turned into types that cannot be wrong.
//!
//! The configuration is JSON with the field names of Envoy's `JwtAuthentication` message, in
//! `snake_case` or lowerCamelCase. `docs/configuration.md` is its reference.

mod error;
mod jwks;
mod protobuf;
mod provider;
mod rules;
mod scalar;
mod wire;

#[cfg(test)]
mod tests;

use std::rc::Rc;

use serde::de::IgnoredAny;

pub use error::ConfigError;
pub use jwks::{KeySource, RemoteJwks};
pub use provider::Provider;
pub use rules::{Matcher, Requirement, Rules};

/// Reads an environment variable; `None` where it is not set.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The whole configuration of one filter.
#[derive(Debug)]
pub struct Config {
    /// The issuers whose tokens are known, in the order of the configuration; at least one.
    pub providers: Vec<Rc<Provider>>,
    /// Which request needs what.
    pub rules: Rules,
    /// Whether CORS preflights pass without a token.
    pub bypass_cors_preflight: bool,
    /// The realm of challenges; the request's authority where there is none.
    pub realm: Option<String>,
}

impl Config {
    /// Reads a configuration as the host hands it over: JSON, or the binary form of a
    /// `google.protobuf.Struct`. What it takes from environment variables is read from
    /// `environment`.
    ///
    /// # Errors
    ///
    /// As [`Config::from_json`].
    pub fn from_host(bytes: &[u8], environment: Environment<'_>) -> Result<Self, ConfigError> {
        if bytes.is_empty() {
            return Err(ConfigError::new("", "there is none"));
        }
        // The binary form begins with a line feed, as JSON may; but it is not JSON.
        if serde_json::from_slice::<IgnoredAny>(bytes).is_err()
            && let Some(json) = protobuf::struct_to_json(bytes)
        {
            return wire::read(json)?.build(environment);
        }
        wire::parse(bytes)?.build(environment)
    }

    /// Reads a configuration where there is no environment.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its JSON path.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        wire::parse(json)?.build(&|_| None)
    }

    /// The provider of this name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Rc<Provider>> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}

//! What the operator wrote, turned into types that cannot be wrong.
//!
//! The configuration is JSON with the field names of Envoy's `JwtAuthentication` message, in
//! `snake_case` or lowerCamelCase. `docs/configuration.md` is its reference.

mod accepted;
mod claim;
mod error;
mod forwarding;
mod index;
mod introspection;
mod jwks;
mod located;
mod location;
mod matcher;
mod pattern;
mod protobuf;
mod provider;
mod requirement;
mod revocation;
mod rules;
mod scalar;
#[cfg(not(target_arch = "wasm32"))]
mod schema;
mod text;
mod unique;
mod wire;

#[cfg(test)]
mod native_tests;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use serde_json::Value;

use crate::token::MAX_TOKEN_BYTES;

pub use accepted::Accepted;
pub use claim::{ClaimCondition, ClaimPath, ClaimTerm, Terms};
pub use error::ConfigError;
pub use forwarding::{ClaimTarget, Forwarding};
pub use introspection::{AskedAbout, Introspection};
pub use jwks::KeySource;
pub(crate) use location::BEARER;
pub use location::Location;
pub use matcher::Matcher;
pub use pattern::Pattern;
pub use provider::{CacheLimits, Provider};
pub use requirement::{Extract, Kind, Lenience, Requirement, Tree};
pub use revocation::{OnUnavailable, Revocation};
pub use rules::{Rule, RuleList, Rules};
#[cfg(not(target_arch = "wasm32"))]
pub use schema::schema;
pub use text::TextMatcher;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use unique::Unique;

/// Reads an environment variable; `None` where it is not set.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The whole configuration of one filter.
#[derive(Debug)]
pub struct Config {
    /// The issuers whose tokens are known, in the order of their names; at least one.
    pub providers: Vec<Rc<Provider>>,
    /// Which request needs what.
    pub rules: Rules,
    /// Requirements by their names, for rules and routes.
    pub requirements: Vec<(String, Requirement)>,
    /// Whether a route's metadata may name a requirement.
    pub per_route_requirements: bool,
    /// Whether CORS preflights pass without a token.
    pub bypass_cors_preflight: bool,
    /// Whether refusals say nothing of why.
    pub strip_failure_response: bool,
    /// What metric names have after `bearer_gate.`; may be empty.
    pub stat_prefix: String,
    /// The realm of challenges; the request's authority where there is none.
    pub realm: Option<String>,
    /// The headers that may be set, in lower case and sorted: those of a client never reach the upstream.
    pub own_headers: Vec<String>,
    /// The headers that decisions look at beside `authorization` and pseudo-headers, in lower case
    /// and sorted.
    pub read_headers: Vec<String>,
    /// The members of a payload that decisions or what is passed on look at, beside the registered
    /// claims.
    pub read_claims: Vec<String>,
    totals: Totals,
}

/// What is asked of all providers together for each request, found out once.
#[derive(Debug)]
struct Totals {
    longest_token: usize,
    introspects: bool,
}

impl Totals {
    fn of(providers: &[Rc<Provider>]) -> Self {
        let token_bytes = providers.iter().map(|provider| provider.cache.token_bytes);
        let mut providers = providers.iter();
        Self {
            longest_token: token_bytes.fold(MAX_TOKEN_BYTES, usize::max),
            introspects: providers.any(|provider| provider.introspection.is_some()),
        }
    }
}

impl Config {
    /// Whether anything becomes of the header `name` but to be passed on, if it has no place of its own
    /// in a [`Request`](crate::request::Request).
    #[must_use]
    pub fn reads(&self, name: &[u8]) -> bool {
        let among = |names: &[String]| {
            let found = names.binary_search_by(|other| other.as_bytes().cmp(name));
            found.is_ok()
        };
        among(&self.read_headers) || among(&self.own_headers)
    }

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
        let json = match unique::parse(bytes) {
            Ok(json) => json,
            Err(problem) => protobuf::struct_to_json(bytes).ok_or(problem)?,
        };
        Self::read(&json, environment)
    }

    /// Reads a configuration where there is no environment.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its JSON path.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        Self::read(&unique::parse(json)?, &|_| None)
    }

    fn read(json: &Value, environment: Environment<'_>) -> Result<Self, ConfigError> {
        located::read::<wire::ConfigWire>(json)?.build(environment)
    }

    /// The requirement of this name.
    #[must_use]
    pub fn requirement(&self, name: &[u8]) -> Option<&Requirement> {
        let mut named = self.requirements.iter();
        named
            .find(|(known, _)| known.as_bytes() == name)
            .map(|(_, requirement)| requirement)
    }

    /// The longest token that is looked at, in bytes.
    #[must_use]
    pub const fn longest_token(&self) -> usize {
        self.totals.longest_token
    }

    /// Whether the authorization server of any provider is asked about tokens.
    #[must_use]
    pub const fn introspects(&self) -> bool {
        self.totals.introspects
    }

    /// The provider of this name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Rc<Provider>> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}

//! The introspection endpoint of a provider, and which tokens are sent to it.

use std::time::Duration;

use crate::fetching::Resource;
use crate::introspection::{ClientAuthentication, Durations};

/// An introspection endpoint (RFC 7662).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntrospectionEndpoint {
    /// The Envoy cluster that callouts go to.
    pub cluster: String,
    /// The endpoint.
    pub endpoint: Resource,
    /// How long a response may take.
    pub timeout: Duration,
    /// How the filter authenticates itself.
    pub authentication: ClientAuthentication,
    /// How long responses are cached.
    pub durations: Durations,
    /// Which tokens are introspected.
    pub tokens: IntrospectedTokens,
}

/// Which tokens are introspected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IntrospectedTokens {
    /// Those that are not JWTs, not even malformed ones.
    #[default]
    Opaque,
    /// All, except JWTs that the provider could not accept. A JWT must also verify with the provider's
    /// keys, if it has any.
    All,
}

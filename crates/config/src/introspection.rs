//! Introspection endpoints (RFC 7662).

use std::time::Duration;

use gate::introspection::Durations;
use gate::policy::{IntrospectedTokens, IntrospectionEndpoint};

use super::choice::choice;
use super::client_authentication::{AuthenticationFields, ClientAuthenticationWire};
use super::environment::Environment;
use super::http_uri::{self, HttpUriWire};
use super::object::object;
use super::place::Place;
use super::scalar::{NonEmpty, PositiveDuration};

const DEFAULT_CACHE_DURATION: Duration = Duration::from_mins(1);
const DEFAULT_NEGATIVE_CACHE_DURATION: Duration = Duration::from_secs(10);

object! {
    pub(crate) struct IntrospectionWire("Introspection", "Introspection") {
        /// The endpoint. Its `timeout` limits how long a response may take, and a request may wait for
        /// it.
        http_uri: required HttpUriWire,
        /// The filter's client identifier at the authorization server.
        client_id: required NonEmpty,
        /// How the filter authenticates itself: `"client_secret_basic"` (default), `"client_secret_post"`,
        /// `"private_key_jwt"` or `"tls_client_auth"`.
        authentication: optional ClientAuthenticationWire,
        /// The environment variable of the VM that contains the client secret. Required for the methods that
        /// have one.
        client_secret_environment_variable: optional NonEmpty,
        /// The environment variable of the VM that contains the private key for `"private_key_jwt"`, a JWK with
        /// `kid`: EC on P-256.
        client_key_environment_variable: optional NonEmpty,
        /// `aud` of assertions for `"private_key_jwt"`. Default: the provider's issuer, if it has only one.
        audience: optional NonEmpty,
        /// How long the response is cached that a token is active, but never beyond its `exp`. Default
        /// `"60s"`.
        cache_duration: optional PositiveDuration,
        /// How long the response is cached that a token is not active. Default `"10s"`.
        negative_cache_duration: optional PositiveDuration,
        /// Which tokens are introspected: `"opaque"` (default) or `"all"`.
        tokens = "for": optional TokensWire,
    }
}

choice! {
    /// Which tokens are introspected.
    enum TokensWire("IntrospectedTokens") {
        /// Those that are not JWTs.
        Opaque = "opaque",
        /// All. A JWT must also verify with the provider's keys, if it has any.
        All = "all",
    }
}

impl IntrospectionWire {
    /// Builds the endpoint at this place, of the provider with this issuer.
    pub(crate) fn build(
        self,
        at: &Place<'_>,
        issuer: Option<&str>,
        environment: Environment<'_>,
    ) -> Option<IntrospectionEndpoint> {
        let timeout = http_uri::timeout(&at.field("http_uri"), self.http_uri.timeout);
        let authentication = AuthenticationFields {
            authentication: self.authentication,
            client_id: self.client_id,
            client_secret_environment_variable: self.client_secret_environment_variable,
            client_key_environment_variable: self.client_key_environment_variable,
            audience: self.audience,
        };
        let authentication = authentication.build(at, issuer, environment);
        Some(IntrospectionEndpoint {
            cluster: self.http_uri.cluster.0,
            endpoint: self.http_uri.uri.0,
            timeout: timeout?,
            authentication: authentication?,
            durations: Durations {
                active: PositiveDuration::or(self.cache_duration, DEFAULT_CACHE_DURATION),
                inactive: PositiveDuration::or(
                    self.negative_cache_duration,
                    DEFAULT_NEGATIVE_CACHE_DURATION,
                ),
            },
            tokens: match self.tokens {
                None | Some(TokensWire::Opaque) => IntrospectedTokens::Opaque,
                Some(TokensWire::All) => IntrospectedTokens::All,
            },
        })
    }
}

//! Introspection endpoints (RFC 7662).

use std::time::Duration;

use gate::fetching::Authorization;
use gate::introspection::Durations;
use gate::policy::{IntrospectedTokens, IntrospectionEndpoint};

use super::choice::choice;
use super::environment::{self, Environment};
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
        /// The environment variable of the VM that contains the client secret.
        client_secret_environment_variable: required NonEmpty,
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
    /// Builds the endpoint at this place.
    pub(crate) fn build(
        self,
        at: &Place<'_>,
        environment: Environment<'_>,
    ) -> Option<IntrospectionEndpoint> {
        let timeout = http_uri::timeout(&at.field("http_uri"), self.http_uri.timeout);
        let client_secret = environment::secret(
            &at.field("client_secret_environment_variable"),
            &self.client_secret_environment_variable.0,
            environment,
        );
        Some(IntrospectionEndpoint {
            cluster: self.http_uri.cluster.0,
            endpoint: self.http_uri.uri.0,
            timeout: timeout?,
            authorization: Authorization::of_client(&self.client_id.0, &client_secret?),
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

//! Introspection endpoints (RFC 7662).

use std::time::Duration;

use gate::fetching::Authorization;
use gate::introspection::Durations;
use gate::policy::{IntrospectedTokens, IntrospectionEndpoint};
use serde::Deserialize;

use super::environment::{self, Environment};
use super::error::ConfigError;
use super::http_uri::{self, HttpUriWire};
use super::scalar::{NonEmpty, PositiveDuration};

const DEFAULT_CACHE_DURATION: Duration = Duration::from_mins(1);
const DEFAULT_NEGATIVE_CACHE_DURATION: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Introspection", title = "Introspection")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntrospectionWire {
    /// The endpoint. Its `timeout` limits how long a response may take, and a request may wait for
    /// it.
    #[serde(alias = "httpUri")]
    http_uri: HttpUriWire,
    /// The filter's client identifier at the authorization server.
    #[serde(alias = "clientId")]
    client_id: NonEmpty,
    /// The environment variable of the VM that contains the client secret.
    #[serde(alias = "clientSecretEnvironmentVariable")]
    client_secret_environment_variable: NonEmpty,
    /// How long the response is cached that a token is active, but never beyond its `exp`. Default
    /// `"60s"`.
    #[serde(default, alias = "cacheDuration")]
    cache_duration: Option<PositiveDuration>,
    /// How long the response is cached that a token is not active. Default `"10s"`.
    #[serde(default, alias = "negativeCacheDuration")]
    negative_cache_duration: Option<PositiveDuration>,
    /// Which tokens are introspected: `"opaque"` (default) or `"all"`.
    #[serde(default, rename = "for")]
    tokens: Option<TokensWire>,
}

/// Which tokens are introspected.
#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "IntrospectedTokens")
)]
#[serde(rename_all = "lowercase")]
enum TokensWire {
    /// Those that are not JWTs.
    Opaque,
    /// All. A JWT must also verify with the provider's keys, if it has any.
    All,
}

impl IntrospectionWire {
    pub(crate) fn build(
        self,
        path: &str,
        environment: Environment<'_>,
    ) -> Result<IntrospectionEndpoint, ConfigError> {
        let timeout = http_uri::timeout(&format!("{path}.http_uri"), self.http_uri.timeout)?;
        let client_secret = environment::secret(
            &format!("{path}.client_secret_environment_variable"),
            &self.client_secret_environment_variable.0,
            environment,
        )?;
        Ok(IntrospectionEndpoint {
            cluster: self.http_uri.cluster.0,
            endpoint: self.http_uri.uri.0,
            timeout,
            authorization: Authorization::of_client(&self.client_id.0, &client_secret),
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

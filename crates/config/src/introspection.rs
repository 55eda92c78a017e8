//! Who is asked about a provider's tokens, and about which.

use std::time::Duration;

use serde::Deserialize;

use super::Environment;
use super::error::ConfigError;
use super::jwks::{self, HttpUriWire};
use super::revocation::secret;
use super::scalar::{NonEmpty, PositiveDuration};
use crate::fetching::{Authorization, Resource};
use crate::introspection::Durations;

/// An introspection endpoint (RFC 7662).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// The Envoy cluster that requests go to.
    pub cluster: String,
    /// The endpoint.
    pub endpoint: Resource,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How the filter shows who it is.
    pub authorization: Authorization,
    /// How long answers count.
    pub durations: Durations,
    /// Which tokens are asked about.
    pub tokens: AskedAbout,
}

/// Which tokens are asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AskedAbout {
    /// Those that are not three parts with dots between them.
    #[default]
    Opaque,
    /// All. A JWT must also stand the test of the provider's keys, where it has any.
    All,
}

const DEFAULT_CACHE_DURATION: Duration = Duration::from_secs(60);
const DEFAULT_NEGATIVE_CACHE_DURATION: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Introspection", title = "Introspection")
)]
#[serde(deny_unknown_fields)]
pub(super) struct IntrospectionWire {
    /// The endpoint. Its `timeout` is how long an answer may take, and a request may wait for one.
    #[serde(alias = "httpUri")]
    http_uri: HttpUriWire,
    /// What the filter is called there.
    #[serde(alias = "clientId")]
    client_id: NonEmpty,
    /// The environment variable of the VM that holds the secret.
    #[serde(alias = "clientSecretEnvironmentVariable")]
    client_secret_environment_variable: NonEmpty,
    /// How long it counts that a token is active, but never beyond its `exp`. Default `"60s"`.
    #[serde(default, alias = "cacheDuration")]
    cache_duration: Option<PositiveDuration>,
    /// How long it counts that one is not. Default `"10s"`.
    #[serde(default, alias = "negativeCacheDuration")]
    negative_cache_duration: Option<PositiveDuration>,
    /// Which tokens are asked about: `"opaque"` (default) or `"all"`.
    #[serde(default, rename = "for")]
    tokens: Option<AskedAbout>,
}

pub(super) fn build(
    provider: &str,
    wire: IntrospectionWire,
    environment: Environment<'_>,
) -> Result<Introspection, ConfigError> {
    let path = format!("{provider}.introspection");
    let timeout = jwks::timeout(&format!("{path}.http_uri"), wire.http_uri.timeout)?;
    let or = |given: Option<PositiveDuration>, default| given.map_or(default, |given| given.0);
    let client_secret = secret(
        &format!("{path}.client_secret_environment_variable"),
        &wire.client_secret_environment_variable.0,
        environment,
    )?;
    Ok(Introspection {
        cluster: wire.http_uri.cluster.0,
        endpoint: wire.http_uri.uri.0,
        timeout,
        authorization: Authorization::of_client(&wire.client_id.0, &client_secret),
        durations: Durations {
            active: or(wire.cache_duration, DEFAULT_CACHE_DURATION),
            inactive: or(
                wire.negative_cache_duration,
                DEFAULT_NEGATIVE_CACHE_DURATION,
            ),
        },
        tokens: wire.tokens.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::{Config, KeySource};

    fn build(provider: Value) -> Result<Config, String> {
        let config = json!({ "providers": { "p": provider } }).to_string();
        let environment = |name: &str| (name == "SECRET").then(|| "s 3:cret".to_owned());
        Config::from_host(config.as_bytes(), &environment).map_err(|error| error.to_string())
    }

    fn with(change: Value) -> Value {
        let mut introspection = json!({
            "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
        });
        for (name, value) in change.as_object().unwrap() {
            introspection[name] = value.clone();
        }
        json!({ "introspection": introspection })
    }

    fn read(change: Value) -> Introspection {
        let config = build(with(change)).unwrap();
        config.providers[0].introspection.clone().unwrap()
    }

    #[test]
    fn a_provider_with_introspection_needs_no_keys() {
        let config = build(with(json!({}))).unwrap();
        assert!(matches!(config.providers[0].keys, KeySource::None));
        assert!(config.introspects());
        let problem = build(json!({})).unwrap_err();
        assert_eq!(
            problem,
            "providers.p: needs remote_jwks, local_jwks or introspection"
        );
    }

    #[test]
    fn the_fields_are_read_in_both_spellings() {
        let default = read(json!({}));
        assert_eq!(default.tokens, AskedAbout::Opaque);
        assert_eq!(default.timeout, Duration::from_secs(5));
        assert_eq!(default.durations.active, Duration::from_secs(60));
        assert_eq!(default.durations.inactive, Duration::from_secs(10));
        // RFC 6749, section 2.3.1: encoded as a form first.
        let expected = Authorization::basic("gate", "s+3%3Acret");
        assert_eq!(default.authorization, expected);
        assert!(!format!("{default:?}").contains("cret"));
        for change in [
            json!({"cache_duration": "1s", "negative_cache_duration": "2s", "for": "all"}),
            json!({"cacheDuration": "1s", "negativeCacheDuration": "2s", "for": "all"}),
        ] {
            let read = read(change);
            assert_eq!(read.tokens, AskedAbout::All);
            assert_eq!(read.durations.active, Duration::from_secs(1));
            assert_eq!(read.durations.inactive, Duration::from_secs(2));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_path() {
        for (change, expected) in [
            (json!({"for": "jwt"}), "providers.p.introspection.for"),
            (
                json!({"client_id": ""}),
                "providers.p.introspection.client_id",
            ),
            (
                json!({"client_secret": "x"}),
                "providers.p.introspection.client_secret",
            ),
            (
                json!({"client_secret_environment_variable": "NONE"}),
                "providers.p.introspection.client_secret_environment_variable: there is no such variable",
            ),
            (
                json!({"cache_duration": "0s"}),
                "providers.p.introspection.cache_duration: must be above zero",
            ),
        ] {
            let problem = build(with(change.clone())).unwrap_err();
            assert!(problem.starts_with(expected), "{change}: {problem}");
        }
    }
}

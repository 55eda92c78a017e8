//! A provider: an issuer of tokens, what its tokens must say, and where its keys are.

use std::time::Duration;

use super::Environment;
use super::error::ConfigError;
use super::jwks::{self, KeySource};
use super::scalar::Unsigned;
use super::wire::ProviderWire;

/// An issuer whose tokens are known.
#[derive(Debug)]
pub struct Provider {
    /// Its position among the providers of the configuration.
    pub index: usize,
    /// The name that rules and metrics call it by.
    pub name: String,
    /// What `iss` must be; anything where there is none.
    pub issuer: Option<String>,
    /// What `aud` must contain one of, compared exactly; anything where this is empty.
    pub audiences: Vec<String>,
    /// Where the keys come from.
    pub keys: KeySource,
    /// Whether the upstream gets to see the token.
    pub forward: bool,
    /// How far this clock and the issuer's may differ.
    pub clock_skew: Duration,
    /// Whether tokens without `exp` are refused.
    pub require_expiration: bool,
}

const DEFAULT_CLOCK_SKEW: Unsigned = Unsigned(60);
pub(super) fn build(
    index: usize,
    name: String,
    wire: ProviderWire,
    environment: Environment<'_>,
) -> Result<Provider, ConfigError> {
    let path = format!("providers.{name}");
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(ConfigError::new(
            "providers",
            "a provider's name must be printable and not empty",
        ));
    }
    let issuer = wire.issuer.map(|issuer| issuer.0);
    let keys = jwks::build(
        &path,
        issuer.as_deref(),
        wire.remote_jwks,
        wire.local_jwks,
        environment,
    )?;
    let skew = wire.clock_skew_seconds.unwrap_or(DEFAULT_CLOCK_SKEW).0;
    Ok(Provider {
        index,
        name,
        issuer,
        audiences: wire
            .audiences
            .unwrap_or_default()
            .into_iter()
            .map(|audience| audience.0)
            .collect(),
        keys,
        forward: wire.forward.unwrap_or(false),
        clock_skew: Duration::from_secs(skew.into()),
        require_expiration: wire.require_expiration.unwrap_or(true),
    })
}

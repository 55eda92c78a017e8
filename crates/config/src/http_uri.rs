//! URIs that the filter sends requests to: Envoy's `HttpUri`.

use std::time::Duration;

use serde::Deserialize;

use super::error::ConfigError;
use super::scalar::{HttpUri, NonEmpty, PositiveDuration};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest timeout of a callout. Envoy takes milliseconds in 32 bits; this is far below.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(1);

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "HttpUri", title = "HTTP URI")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpUriWire {
    /// An absolute http or https URI. Its host, path and query go into the request.
    pub(crate) uri: HttpUri,
    /// The Envoy cluster that requests go to.
    pub(crate) cluster: NonEmpty,
    /// How long a response may take, and a request may wait for it. Default `"5s"`, from `"0.001s"`
    /// to `"3600s"`.
    #[serde(default)]
    pub(crate) timeout: Option<PositiveDuration>,
}

/// Builds the timeout of a callout from the field `timeout` of the object at `path`.
pub(crate) fn timeout(
    path: &str,
    given: Option<PositiveDuration>,
) -> Result<Duration, ConfigError> {
    let timeout = PositiveDuration::or(given, DEFAULT_TIMEOUT);
    if !(Duration::from_millis(1)..=LONGEST_TIMEOUT).contains(&timeout) {
        let problem = "must be from \"0.001s\" to \"3600s\"";
        return Err(ConfigError::new(format!("{path}.timeout"), problem));
    }
    Ok(timeout)
}

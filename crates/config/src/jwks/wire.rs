//! The shape of the JSON that says where keys come from.

use serde::Deserialize;

use crate::config::scalar::{Bytes, HttpUri, NonEmpty, PositiveDuration, Refused, Unsigned, Why};

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "RemoteJwks", title = "Remote key set")
)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RemoteJwksWire {
    /// Where the key set is.
    #[serde(default, alias = "httpUri")]
    pub(in crate::config) http_uri: Option<HttpUriWire>,
    /// Where the metadata of the issuer is asked for, which say where the key set is.
    #[serde(default)]
    pub(in crate::config) discovery: Option<DiscoveryWire>,
    /// How long a set is used before it is fetched again. Default `"600s"`, at least `"0.001s"`.
    #[serde(default, alias = "cacheDuration")]
    pub(in crate::config) cache_duration: Option<PositiveDuration>,
    /// How long keys may be used after the last good fetch; not shorter than `cache_duration`.
    /// Default `"86400s"`, or twice `cache_duration` where that is longer.
    #[serde(default, alias = "maxStale")]
    pub(in crate::config) max_stale: Option<PositiveDuration>,
    /// The shortest time between two fetches for keys that are not known. Default `"10s"`, at least
    /// `"1s"`.
    #[serde(default, alias = "refetchCooldown")]
    pub(in crate::config) refetch_cooldown: Option<PositiveDuration>,
    /// How failed fetches are repeated.
    #[serde(default, alias = "asyncFetch")]
    pub(in crate::config) async_fetch: Option<AsyncFetchWire>,
    /// How often one fetch tries again.
    #[serde(default, alias = "retryPolicy")]
    pub(in crate::config) retry_policy: Option<RetryPolicyWire>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "HttpUri", title = "HTTP URI")
)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct HttpUriWire {
    /// An absolute http or https URI: host, path and query go into the request.
    pub(in crate::config) uri: HttpUri,
    /// The Envoy cluster that requests go to.
    pub(in crate::config) cluster: NonEmpty,
    /// How long a fetch may take, and a request may wait for keys. Default `"5s"`, from `"0.001s"`
    /// to `"3600s"`.
    #[serde(default)]
    pub(in crate::config) timeout: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Discovery", title = "Discovery")
)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct DiscoveryWire {
    /// The Envoy cluster that requests go to.
    pub(in crate::config) cluster: NonEmpty,
    /// How long a fetch may take, and a request may wait for keys. Default `"5s"`, from `"0.001s"`
    /// to `"3600s"`.
    #[serde(default)]
    pub(in crate::config) timeout: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "AsyncFetch", title = "Asynchronous fetch")
)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AsyncFetchWire {
    /// Accepted and without effect: the listener never waits for keys.
    #[serde(default, rename = "fast_listener", alias = "fastListener")]
    _fast_listener: Option<bool>,
    /// The longest time until a failed fetch is tried again. Default `"60s"`.
    #[serde(default, alias = "failedRefetchDuration")]
    pub(in crate::config) failed_refetch_duration: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "RetryPolicy", title = "Retry policy")
)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RetryPolicyWire {
    /// How often one fetch tries again. Default 1.
    #[serde(default, alias = "numRetries")]
    pub(in crate::config) num_retries: Option<Unsigned>,
    /// How long it waits in between. Default: `"0.025s"` to `"0.25s"`.
    #[serde(default, alias = "retryBackOff")]
    pub(in crate::config) retry_back_off: Option<RetryBackOffWire>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "RetryBackOff", title = "Retry back-off")
)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RetryBackOffWire {
    /// The first wait.
    #[serde(alias = "baseInterval")]
    pub(in crate::config) base_interval: PositiveDuration,
    /// The longest wait; not shorter than `base_interval`. Default: ten times `base_interval`.
    #[serde(default, alias = "maxInterval")]
    pub(in crate::config) max_interval: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "LocalJwks", title = "Local key set")
)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct LocalJwksWire {
    /// A JWK set as text.
    #[serde(default, alias = "inlineString")]
    pub(in crate::config) inline_string: Option<String>,
    /// A JWK set in base64.
    #[serde(default, alias = "inlineBytes")]
    pub(in crate::config) inline_bytes: Option<Bytes>,
    /// The environment variable that holds a JWK set; `vm_config.environment_variables` must name
    /// it.
    #[serde(default, alias = "environmentVariable")]
    pub(in crate::config) environment_variable: Option<NonEmpty>,
    /// Not supported: a wasm filter has no access to files. Use `inline_string` or
    /// `environment_variable`.
    #[serde(default, rename = "filename")]
    _filename: Refused<NoFile>,
}

struct NoFile;

impl Why for NoFile {
    const WHY: &str = "a wasm filter has no access to files: use inline_string, or \
                       environment_variable with vm_config.environment_variables";
}

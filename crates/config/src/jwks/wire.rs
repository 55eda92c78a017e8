//! The JSON of key sets: Envoy's `RemoteJwks` and `DataSource`.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::http_uri::HttpUriWire;
use crate::scalar::{Bytes, NonEmpty, PositiveDuration, Signed, Unsigned};
use crate::unsupported::{Advice, Unsupported};

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "RemoteJwks", title = "Remote key set")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoteJwksWire {
    /// Where the key set is.
    #[serde(default, alias = "httpUri")]
    pub(crate) http_uri: Option<HttpUriWire>,
    /// Where the issuer's metadata is, which tells where the key set is.
    #[serde(default)]
    pub(crate) discovery: Option<DiscoveryWire>,
    /// How long a key set is used before it is fetched again. Default `"600s"`, at least `"0.001s"`.
    #[serde(default, alias = "cacheDuration")]
    pub(crate) cache_duration: Option<PositiveDuration>,
    /// How long keys may be used after the last successful fetch; not shorter than `cache_duration`.
    /// Default `"86400s"`, or twice `cache_duration` if that is longer.
    #[serde(default, alias = "maxStale")]
    pub(crate) max_stale: Option<PositiveDuration>,
    /// The shortest time between two fetches for unknown keys. Default `"10s"`, at least `"1s"`.
    #[serde(default, alias = "refetchCooldown")]
    pub(crate) refetch_cooldown: Option<PositiveDuration>,
    /// When failed fetches are repeated.
    #[serde(default, alias = "asyncFetch")]
    pub(crate) async_fetch: Option<AsyncFetchWire>,
    /// How often one fetch repeats its request.
    #[serde(default, alias = "retryPolicy")]
    pub(crate) retry_policy: Option<RetryPolicyWire>,
    /// The accepted values of `use`. Default `"sig"`. A key without `use` is always accepted.
    #[serde(default, alias = "keyUses")]
    pub(crate) key_uses: Option<Vec<NonEmpty>>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Discovery", title = "Discovery")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscoveryWire {
    /// The Envoy cluster that requests go to.
    pub(crate) cluster: NonEmpty,
    /// How long a response may take, and a request may wait for keys. Default `"5s"`, from
    /// `"0.001s"` to `"3600s"`.
    #[serde(default)]
    pub(crate) timeout: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "AsyncFetch", title = "Asynchronous fetch")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct AsyncFetchWire {
    /// Accepted and ignored: the listener never waits for keys.
    #[serde(default, rename = "fast_listener", alias = "fastListener")]
    _fast_listener: Option<bool>,
    /// The longest time until a failed fetch is repeated. Default `"60s"`.
    #[serde(default, alias = "failedRefetchDuration")]
    pub(crate) failed_refetch_duration: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "RetryPolicy", title = "Retry policy")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryPolicyWire {
    /// How often one fetch repeats its request. Default 1.
    #[serde(default, alias = "numRetries")]
    pub(crate) num_retries: Option<Unsigned>,
    /// How long it waits before that. Default: from `"0.025s"` to `"0.25s"`.
    #[serde(default, alias = "retryBackOff")]
    pub(crate) retry_back_off: Option<RetryBackOffWire>,
    /// Accepted and ignored: a request without a response or with a status of 500 and above is
    /// repeated, which is Envoy's default.
    #[serde(default, rename = "retry_on", alias = "retryOn")]
    _retry_on: Option<String>,
    /// Accepted and ignored: Envoy's load balancer chooses the host of each request.
    #[serde(default, rename = "retry_priority", alias = "retryPriority")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "serde_json::Value"))]
    _retry_priority: Option<IgnoredAny>,
    /// Accepted and ignored: Envoy's load balancer chooses the host of each request.
    #[serde(default, rename = "retry_host_predicate", alias = "retryHostPredicate")]
    #[cfg_attr(not(target_arch = "wasm32"), schemars(with = "serde_json::Value"))]
    _retry_host_predicate: Option<IgnoredAny>,
    /// Accepted and ignored: Envoy's load balancer chooses the host of each request.
    #[serde(
        default,
        rename = "host_selection_retry_max_attempts",
        alias = "hostSelectionRetryMaxAttempts"
    )]
    _host_selection_retry_max_attempts: Option<Signed>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "RetryBackOff", title = "Retry back-off")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryBackOffWire {
    /// The first delay.
    #[serde(alias = "baseInterval")]
    pub(crate) base_interval: PositiveDuration,
    /// The longest delay; not shorter than `base_interval`. Default: ten times `base_interval`.
    #[serde(default, alias = "maxInterval")]
    pub(crate) max_interval: Option<PositiveDuration>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "LocalJwks", title = "Local key set")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalJwksWire {
    /// A key set as text.
    #[serde(default, alias = "inlineString")]
    pub(crate) inline_string: Option<String>,
    /// A key set in base64.
    #[serde(default, alias = "inlineBytes")]
    pub(crate) inline_bytes: Option<Bytes>,
    /// The environment variable that contains a key set. `vm_config.environment_variables` must name
    /// it.
    #[serde(default, alias = "environmentVariable")]
    pub(crate) environment_variable: Option<NonEmpty>,
    /// The accepted values of `use`. Default `"sig"`. A key without `use` is always accepted.
    #[serde(default, alias = "keyUses")]
    pub(crate) key_uses: Option<Vec<NonEmpty>>,
    /// Not supported: a wasm filter has no access to files. Use `inline_string` or
    /// `environment_variable`.
    #[serde(default, rename = "filename")]
    _filename: Unsupported<NoFile>,
    /// Not supported: a wasm filter has no access to files.
    #[serde(default, rename = "watched_directory", alias = "watchedDirectory")]
    _watched_directory: Unsupported<NoFile>,
}

struct NoFile;

impl Advice for NoFile {
    const TEXT: &str = "a wasm filter has no access to files: use inline_string, or \
                        environment_variable with vm_config.environment_variables";
}

//! The JSON of key sets: Envoy's `RemoteJwks` and `DataSource`.

use serde_json::Value;

use crate::authorization::AuthorizationWire;
use crate::choice::choice;
use crate::http_uri::HttpUriWire;
use crate::object::object;
use crate::request_header::RequestHeaderWire;
use crate::scalar::{Bytes, NonEmpty, PositiveDuration, Signed, Unsigned};

object! {
    pub(crate) struct RemoteJwksWire("RemoteJwks", "Remote key set") {
        /// Where the key set is.
        pub(crate) http_uri: optional HttpUriWire,
        /// The issuer's metadata, which says where the key set is.
        pub(crate) discovery: optional DiscoveryWire,
        /// How long a key set is used before it is fetched again. Default `"600s"`, at least `"0.001s"`.
        pub(crate) cache_duration: optional PositiveDuration,
        /// How long keys may be used after the last successful fetch; not shorter than `cache_duration`.
        /// Default `"86400s"`, or twice `cache_duration` if that is longer.
        pub(crate) max_stale: optional PositiveDuration,
        /// The shortest time between two fetches for unknown keys. Default `"10s"`, at least `"1s"`.
        pub(crate) refetch_cooldown: optional PositiveDuration,
        /// When failed fetches are repeated.
        pub(crate) async_fetch: optional AsyncFetchWire,
        /// How often one fetch repeats its request.
        pub(crate) retry_policy: optional RetryPolicyWire,
        /// The accepted values of `use`. Default `"sig"`. A key without `use` is always accepted.
        pub(crate) key_uses: optional Vec<NonEmpty>,
        /// The credentials for requests for the key set, and for the issuer's metadata. Default none.
        pub(crate) authorization: optional AuthorizationWire,
        /// Further headers of these requests. Default none.
        pub(crate) headers: optional Vec<RequestHeaderWire>,
        /// Whether the `Cache-Control` of a response may shorten `cache_duration`: `"honor"` (default) or
        /// `"ignore"`.
        pub(crate) cache_control: optional CacheControlWire,
    }
}

choice! {
    pub(crate) enum CacheControlWire("CacheControl") {
        Honor = "honor",
        Ignore = "ignore",
    }
}

object! {
    pub(crate) struct DiscoveryWire("Discovery", "Discovery") {
        /// The Envoy cluster that requests go to.
        pub(crate) cluster: required NonEmpty,
        /// How long a response may take, and a request may wait for keys. Default `"5s"`, from
        /// `"0.001s"` to `"3600s"`.
        pub(crate) timeout: optional PositiveDuration,
    }
}

object! {
    pub(crate) struct AsyncFetchWire("AsyncFetch", "Asynchronous fetch") {
        /// The longest time until a failed fetch is repeated. Default `"60s"`.
        pub(crate) failed_refetch_duration: optional PositiveDuration,
    }
    ignored {
        /// Accepted and ignored: the listener never waits for keys.
        fast_listener: optional bool,
    }
}

object! {
    pub(crate) struct RetryPolicyWire("RetryPolicy", "Retry policy") {
        /// How often one fetch repeats its request. Default 1.
        pub(crate) num_retries: optional Unsigned,
        /// How long it waits before that. Default: from `"0.025s"` to `"0.25s"`.
        pub(crate) retry_back_off: optional RetryBackOffWire,
    }
    ignored {
        /// Accepted and ignored: a request without a response or with a status of 500 and above is
        /// repeated, which is Envoy's default.
        retry_on: optional String,
        /// Accepted and ignored: Envoy's load balancer chooses the host of each request.
        retry_priority: optional Value,
        /// Accepted and ignored: Envoy's load balancer chooses the host of each request.
        retry_host_predicate: optional Value,
        /// Accepted and ignored: Envoy's load balancer chooses the host of each request.
        host_selection_retry_max_attempts: optional Signed,
    }
}

object! {
    pub(crate) struct RetryBackOffWire("RetryBackOff", "Retry back-off") {
        /// The first delay.
        pub(crate) base_interval: required PositiveDuration,
        /// The longest delay; not shorter than `base_interval`. Default: ten times `base_interval`.
        pub(crate) max_interval: optional PositiveDuration,
    }
}

object! {
    pub(crate) struct LocalJwksWire("LocalJwks", "Local key set") {
        /// A key set as text.
        pub(crate) inline_string: optional String,
        /// A key set in base64.
        pub(crate) inline_bytes: optional Bytes,
        /// The environment variable that contains a key set. `vm_config.environment_variables` must name
        /// it.
        pub(crate) environment_variable: optional NonEmpty,
        /// The accepted values of `use`. Default `"sig"`. A key without `use` is always accepted.
        pub(crate) key_uses: optional Vec<NonEmpty>,
    }
    unsupported {
        /// Not supported: a wasm filter has no access to files. Use `inline_string` or
        /// `environment_variable`.
        filename: NO_FILE,
        /// Not supported: a wasm filter has no access to files.
        watched_directory: NO_FILE,
    }
}

const NO_FILE: &str = "a wasm filter has no access to files: use inline_string, or \
    environment_variable with vm_config.environment_variables";

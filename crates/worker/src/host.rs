//! What a worker needs from its host.

use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use gate::answer::Answer;
use gate::request::MetadataName;
use gate::time::{Instant, Timestamp};

use crate::own_data::OwnData;

/// The host of a virtual machine: one method for each host call.
///
/// Calls that concern a request apply to the effective context, which the host sets to that of a
/// stream or root when it calls the module, and which [`set_effective_context`] changes.
///
/// [`set_effective_context`]: Host::set_effective_context
pub trait Host: Clone + 'static {
    /// The wall clock. It may be set forwards and backwards. `None` if it cannot be read.
    fn wall_clock(&self) -> Option<Timestamp>;

    /// The monotonic clock, which all virtual machines of the process share. `None` if it cannot be
    /// read.
    fn monotonic_clock(&self) -> Option<Instant>;

    /// An unpredictable number.
    fn random(&self) -> u64;

    /// 32 bytes for a secret key; `None` if the host has no random numbers that are good enough.
    fn random_key(&self) -> Option<[u8; 32]>;

    /// An unpredictable key for hash tables.
    fn hash_state(&self) -> RandomState;

    /// The configuration of the root in effect; empty if there is none.
    fn configuration(&self) -> Vec<u8>;

    /// An environment variable of the virtual machine; `None` if it is not set or not UTF-8.
    fn environment_variable(&self, name: &str) -> Option<String>;

    /// Calls the foreign function `verify_signature`; `None` if it fails or does not exist.
    fn verify_signature(&self, arguments: &[u8]) -> Option<Vec<u8>>;

    /// Calls the tick of the root in effect every `period` from now on.
    fn set_tick_period(&self, period: Duration);

    /// Sends an HTTP request. `None` if the host does not send it: the cluster is unknown or has no
    /// healthy host. Otherwise the response goes to the root in effect.
    fn dispatch(&self, callout: &Callout<'_>) -> Option<CalloutId>;

    /// The headers of the response that is being delivered.
    fn callout_headers(&self) -> Vec<(String, Vec<u8>)>;

    /// The body of that response from the byte `offset` on, at most `length` bytes.
    fn callout_body(&self, offset: usize, length: usize) -> Vec<u8>;

    /// The entry `key` of the data that all virtual machines share, and its version.
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Writes the entry `key`, whatever its version.
    fn set_shared_data(&self, key: &str, value: &[u8]);

    /// Writes the entry `key` if it has this version, and returns whether it had. The entry must
    /// exist: Envoy overwrites a new one in any case.
    fn swap_shared_data(&self, key: &str, value: &[u8], version: u32) -> bool;

    /// The data of this virtual machine, which no other one can read or write. It lives as long as the virtual machine.
    fn own_data(&self) -> Rc<OwnData>;

    /// Whether the host writes log lines of the level `debug`. It may change its mind at any time.
    fn logs_debug(&self) -> bool;

    /// Defines a counter. If it exists already, its value stays.
    fn define_counter(&self, name: &str) -> Option<MetricId>;

    /// Defines a gauge. If it exists already, its value stays.
    fn define_gauge(&self, name: &str) -> Option<MetricId>;

    /// Adds `offset` to a counter, or to a gauge, where it may be negative.
    fn increment_metric(&self, metric: MetricId, offset: i64);

    /// Sets a gauge.
    fn record_metric(&self, gauge: MetricId, value: u64);

    /// Removes a header of the request with all its values.
    fn remove_request_header(&self, name: &str);

    /// Gives a header of the request a single value.
    fn set_request_header(&self, name: &str, value: &[u8]);

    /// Gives a header of the request another value, after those that it has.
    fn add_request_header(&self, name: &str, value: &[u8]);

    /// Writes filter state of the request, which other filters read as `wasm.<key>`.
    fn set_filter_state(&self, key: &str, value: &[u8]);

    /// Lets the host select the route of the request again.
    fn clear_route_cache(&self);

    /// The name of the requirement in the metadata of the request's route.
    fn route_requirement(&self) -> Option<Vec<u8>>;

    /// A value of the request's dynamic metadata, as [`MetadataSource::value`] describes it.
    ///
    /// [`MetadataSource::value`]: gate::request::MetadataSource::value
    fn dynamic_metadata(&self, name: &MetadataName) -> Option<Vec<u8>>;

    /// The SHA-256 of the client's certificate, as [`ConnectionSource::certificate_digest`] describes it.
    ///
    /// [`ConnectionSource::certificate_digest`]: gate::request::ConnectionSource::certificate_digest
    fn certificate_digest(&self) -> Option<Vec<u8>>;

    /// The first URI in the client's certificate, as [`ConnectionSource::certificate_uri`] describes it.
    ///
    /// [`ConnectionSource::certificate_uri`]: gate::request::ConnectionSource::certificate_uri
    fn certificate_uri(&self) -> Option<Vec<u8>>;

    /// Answers the request instead of the upstream.
    fn send_local_response(&self, answer: &Answer);

    /// Lets a paused request continue.
    fn resume_request(&self);

    /// Makes `context` the effective context. Returns whether it still exists.
    fn set_effective_context(&self, context: ContextId) -> bool;
}

/// The identifier of a root or stream. The host counts upwards, so their order is that of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(pub u32);

/// The identifier of a callout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CalloutId(pub u32);

/// The identifier of a defined metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricId(pub u32);

/// An HTTP request to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callout<'c> {
    /// The cluster.
    pub cluster: &'c str,
    /// The headers, pseudo-headers included.
    pub headers: Vec<(&'c str, &'c str)>,
    /// The body, if there is one.
    pub body: Option<&'c [u8]>,
    /// How long the response may take.
    pub timeout: Duration,
}

/// The `user-agent` of callouts.
pub(crate) const USER_AGENT: &str = concat!("bearer-gate/", env!("CARGO_PKG_VERSION"));

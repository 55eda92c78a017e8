//! Envoy as the host of a worker. No other file contains host calls.
//!
//! The calls of `hostcalls` exchange bytes. The SDK's traits have getters that panic on header values
//! that are not UTF-8, and a panic takes the worker out of service.

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::time::Duration;

use gate::answer::Answer;
use gate::request::MetadataName;
use gate::time::{Instant, Timestamp};
use gate_worker::host::{Callout, CalloutId, ContextId, MetricId};
use gate_worker::{Host, OwnData};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, MetricType};

/// Envoy as the host of a worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EnvoyHost;

impl Host for EnvoyHost {
    fn wall_clock(&self) -> Option<Timestamp> {
        clock(REALTIME).map(Timestamp::from_unix)
    }

    fn monotonic_clock(&self) -> Option<Instant> {
        let since_start = clock(MONOTONIC)?;
        Some(Instant::default().plus(since_start))
    }

    fn random(&self) -> u64 {
        // The standard library seeds its hashes with the host's random numbers.
        RandomState::new().hash_one(0)
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok()?;
        Some(key)
    }

    fn hash_state(&self) -> RandomState {
        RandomState::new()
    }

    fn configuration(&self) -> Vec<u8> {
        let configuration = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
        configuration.ok().flatten().unwrap_or_default()
    }

    fn environment_variable(&self, name: &str) -> Option<String> {
        // The host passes only the variables of `vm_config.environment_variables`.
        std::env::var_os(name)?.into_string().ok()
    }

    fn verify_signature(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        let result = hostcalls::call_foreign_function("verify_signature", Some(arguments));
        result.ok().flatten()
    }

    fn set_tick_period(&self, period: Duration) {
        let _ = hostcalls::set_tick_period(period);
    }

    fn dispatch(&self, callout: &Callout<'_>) -> Option<CalloutId> {
        let headers = callout.headers.clone();
        let (cluster, timeout) = (callout.cluster, callout.timeout);
        let id = hostcalls::dispatch_http_call(cluster, headers, callout.body, Vec::new(), timeout);
        id.ok().map(CalloutId)
    }

    fn callout_headers(&self) -> Vec<(String, Vec<u8>)> {
        hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default()
    }

    fn callout_body(&self, offset: usize, length: usize) -> Vec<u8> {
        let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, offset, length);
        body.ok().flatten().unwrap_or_default()
    }

    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        match hostcalls::get_shared_data(key) {
            // The SDK represents an empty value as `None`.
            Ok((value, Some(version))) => Some((value.unwrap_or_default(), version)),
            _ => None,
        }
    }

    fn set_shared_data(&self, key: &str, value: &[u8]) {
        let _ = hostcalls::set_shared_data(key, Some(value), None);
    }

    fn swap_shared_data(&self, key: &str, value: &[u8], version: u32) -> bool {
        hostcalls::set_shared_data(key, Some(value), Some(version)).is_ok()
    }

    fn own_data(&self) -> Rc<OwnData> {
        thread_local! {
            /// Each virtual machine has an instance of the module, and so one of these.
            static OWN_DATA: Rc<OwnData> = Rc::default();
        }
        OWN_DATA.with(Rc::clone)
    }

    fn logs_debug(&self) -> bool {
        log_level().is_some_and(|level| level <= DEBUG)
    }

    fn define_counter(&self, name: &str) -> Option<MetricId> {
        let id = hostcalls::define_metric(MetricType::Counter, name);
        id.ok().map(MetricId)
    }

    fn define_gauge(&self, name: &str) -> Option<MetricId> {
        let id = hostcalls::define_metric(MetricType::Gauge, name);
        id.ok().map(MetricId)
    }

    fn increment_metric(&self, metric: MetricId, offset: i64) {
        let _ = hostcalls::increment_metric(metric.0, offset);
    }

    fn record_metric(&self, gauge: MetricId, value: u64) {
        let _ = hostcalls::record_metric(gauge.0, value);
    }

    fn remove_request_header(&self, name: &str) {
        let _ = hostcalls::remove_map_value(MapType::HttpRequestHeaders, name);
    }

    fn set_request_header(&self, name: &str, value: &[u8]) {
        let _ = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value));
    }

    fn add_request_header(&self, name: &str, value: &[u8]) {
        let _ = hostcalls::add_map_value_bytes(MapType::HttpRequestHeaders, name, value);
    }

    fn set_filter_state(&self, key: &str, value: &[u8]) {
        set_property(key, value);
    }

    fn clear_route_cache(&self) {
        let _ = hostcalls::call_foreign_function("clear_route_cache", None);
    }

    fn route_requirement(&self) -> Option<Vec<u8>> {
        let path = vec![
            "xds",
            "route_metadata",
            "filter_metadata",
            "bearer_gate",
            "requirement_name",
        ];
        let name = hostcalls::get_property(path).ok().flatten();
        name.filter(|name| !name.is_empty())
    }

    fn dynamic_metadata(&self, name: &MetadataName) -> Option<Vec<u8>> {
        let mut path = vec!["metadata", "filter_metadata", &name.filter];
        path.extend(name.path.iter().map(String::as_str));
        // The SDK represents an empty value as `None`.
        hostcalls::get_property(path).ok().flatten()
    }

    fn certificate_digest(&self) -> Option<Vec<u8>> {
        connection_property("sha256_peer_certificate_digest")
    }

    fn certificate_uri(&self) -> Option<Vec<u8>> {
        connection_property("uri_san_peer_certificate")
    }

    fn send_local_response(&self, answer: &Answer) {
        let headers = answer.headers.iter();
        let headers = headers.map(|(name, value)| (*name, &**value)).collect();
        let body = Some(answer.body.as_bytes());
        let _ = hostcalls::send_http_response(answer.status.into(), headers, body);
    }

    fn resume_request(&self) {
        let _ = hostcalls::resume_http_request();
    }

    fn set_effective_context(&self, context: ContextId) -> bool {
        hostcalls::set_effective_context(context.0).is_ok()
    }
}

/// An attribute of the downstream connection. `None` if it is absent or empty.
fn connection_property(name: &str) -> Option<Vec<u8>> {
    let value = hostcalls::get_property(vec!["connection", name]);
    value.ok().flatten().filter(|value| !value.is_empty())
}

/// Writes an object of filter state. A host may refuse that: it has none, or an object of another filter has that name.
///
/// The SDK's call panics in that case.
#[expect(unsafe_code, reason = "the safe call panics if the host refuses")]
fn set_property(key: &str, value: &[u8]) {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn proxy_set_property(
            path: *const u8,
            path_size: usize,
            value: *const u8,
            value_size: usize,
        ) -> u32;
    }
    // SAFETY: the host reads two slices, and keeps neither.
    let _refused =
        unsafe { proxy_set_property(key.as_ptr(), key.len(), value.as_ptr(), value.len()) };
}

/// The clocks of WASI. Envoy implements both, and the second one is the same for all workers.
const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;

/// Reads a clock of WASI; `None` if the host does not let the module read it.
///
/// The SDK's call and that of the standard library panic in that case, and the SDK has no monotonic
/// clock.
#[expect(unsafe_code, reason = "the safe calls panic if the host refuses")]
fn clock(id: u32) -> Option<Duration> {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn clock_time_get(id: u32, precision: u64, nanoseconds: *mut u64) -> u32;
    }
    let mut nanoseconds = 0;
    // SAFETY: the host writes a number to this variable.
    let status = unsafe { clock_time_get(id, 1, &raw mut nanoseconds) };
    (status == 0).then(|| Duration::from_nanos(nanoseconds))
}

/// The log level `debug`. `trace` is 0, and the levels above have greater numbers.
const DEBUG: u32 = 1;

/// The level of the host's log; `None` if the host does not let the module ask.
///
/// The SDK's call panics in that case, and reads the number as an enum that lacks a variant for Envoy's level `off`.
#[expect(unsafe_code, reason = "the safe call panics if the host refuses")]
fn log_level() -> Option<u32> {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn proxy_get_log_level(level: *mut u32) -> u32;
    }
    let mut level = 0;
    // SAFETY: the host writes a number to this variable.
    let status = unsafe { proxy_get_log_level(&raw mut level) };
    (status == 0).then_some(level)
}

/// The headers of the request in the host's format, which [`pairs`](crate::pairs::pairs) reads.
/// Repeated headers are separate pairs. Empty if there is no request.
///
/// The SDK's call would copy every name and value, which is much of the cost of a request with a
/// cached token, and panics on a name that is not UTF-8.
#[expect(
    unsafe_code,
    reason = "the SDK does not return the bytes from the host"
)]
pub(crate) fn request_headers() -> Box<[u8]> {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn proxy_get_header_map_pairs(map: MapType, bytes: *mut *mut u8, size: *mut usize) -> u32;
    }
    let mut bytes = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: the host writes a pointer and a size to these two variables.
    let status = unsafe {
        proxy_get_header_map_pairs(MapType::HttpRequestHeaders, &raw mut bytes, &raw mut size)
    };
    if status != 0 || bytes.is_null() {
        return Box::default();
    }
    let bytes = std::ptr::slice_from_raw_parts_mut(bytes, size);
    // SAFETY: `proxy_on_memory_allocate` of the SDK allocated a boxed slice of exactly this size for the
    // host. The host has written all of its bytes and gives up its ownership.
    unsafe { Box::from_raw(bytes) }
}

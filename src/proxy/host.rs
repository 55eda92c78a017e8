//! Every call of the host, and no other file has one.
//!
//! The calls of `hostcalls` take and give bytes: the getters of the SDK's traits panic on header
//! values that are not UTF-8, and a panic takes the worker out of service.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, MetricType};

use crate::config::Introspection;
use crate::denial::Answer;
use crate::fetching::{Call, Remote};
use crate::time::Timestamp;

/// What a counter or a gauge is called by once it is defined.
#[derive(Clone, Copy, Debug)]
pub(super) struct MetricId(u32);

/// What tells one callout from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CalloutId(pub(super) u32);

/// How the filter calls itself.
const USER_AGENT: &str = concat!("bearer-gate/", env!("CARGO_PKG_VERSION"));

/// The host's clock.
pub(super) fn now() -> Timestamp {
    let now = hostcalls::get_current_time().unwrap_or(UNIX_EPOCH);
    Timestamp::from_unix(now.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A random number; the standard library seeds its hashes from the host's generator.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// A seed for a hash, from the host's generator.
pub(super) fn hash_state() -> RandomState {
    RandomState::new()
}

/// Asks the host whether a signature is good. `None` where it has no answer.
pub(super) fn verify_signature(arguments: &[u8]) -> Option<Vec<u8>> {
    hostcalls::call_foreign_function("verify_signature", Some(arguments))
        .ok()
        .flatten()
}

/// Whether the module is to check every signature itself. A switch for tests and measurements: the
/// host gives its VM no environment but what `vm_config.environment_variables` says.
pub(super) fn wants_module_engine() -> bool {
    std::env::vars_os().any(|(name, value)| name == "BEARER_GATE_ENGINE" && value == "module")
}

/// The configuration of the filter; empty where there is none.
pub(super) fn configuration() -> Vec<u8> {
    let configuration = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    configuration.ok().flatten().unwrap_or_default()
}

/// Calls the tick of this root context, now and then every `period`.
pub(super) fn tick_every(period: Duration) {
    let _ = hostcalls::set_tick_period(period);
}

/// All headers of the request, repeated ones each for itself, as [`pairs`](crate::pairs::pairs)
/// reads them; none where there is no request.
///
/// The SDK would copy every name and every value into memory of its own, which would be much of what
/// the module does for a token that is known, and it panics on a name that is not UTF-8.
#[expect(
    unsafe_code,
    reason = "the SDK does not give out what the host has written"
)]
pub(super) fn request_headers() -> Box<[u8]> {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn proxy_get_header_map_pairs(map: MapType, bytes: *mut *mut u8, size: *mut usize) -> u32;
    }
    let mut bytes = std::ptr::null_mut();
    let mut size = 0;
    // SAFETY: the host writes a pointer and a number, to where there is room for them.
    let status = unsafe {
        proxy_get_header_map_pairs(MapType::HttpRequestHeaders, &raw mut bytes, &raw mut size)
    };
    if status != 0 || bytes.is_null() {
        return Box::default();
    }
    let bytes = std::ptr::slice_from_raw_parts_mut(bytes, size);
    // SAFETY: the host has got these bytes from `proxy_on_memory_allocate` of the SDK, which gives out a
    // boxed slice of just this size, has written all of them, and leaves them to the module.
    unsafe { Box::from_raw(bytes) }
}

/// Takes a header out of the request, with all its values.
pub(super) fn remove_request_header(name: &str) {
    let _ = hostcalls::remove_map_value(MapType::HttpRequestHeaders, name);
}

/// Gives a header of the request this only value.
pub(super) fn set_request_header(name: &str, value: &[u8]) {
    let _ = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value));
}

/// Writes filter state of the request, which others read as `wasm.<key>`.
pub(super) fn set_filter_state(key: &str, value: &[u8]) {
    let _ = hostcalls::set_property(vec![key], Some(value));
}

/// Makes the host choose the request's route anew, by the headers that it has now.
pub(super) fn clear_route_cache() {
    let _ = hostcalls::call_foreign_function("clear_route_cache", None);
}

/// The requirement that the metadata of the request's route names.
pub(super) fn route_requirement() -> Option<Vec<u8>> {
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

/// Answers the request in place of the upstream.
pub(super) fn respond(answer: &Answer) {
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect();
    let _ =
        hostcalls::send_http_response(answer.status.into(), headers, Some(answer.body.as_bytes()));
}

/// Lets a request go on that was paused.
pub(super) fn resume() {
    let _ = hostcalls::resume_http_request();
}

/// Makes the calls that follow be about the context `id`; answers whether there still is one.
pub(super) fn enter(id: u32) -> bool {
    hostcalls::set_effective_context(id).is_ok()
}

/// Sends a GET request for what is fetched to its cluster. `None` where the host will not: there is no such cluster, or
/// no host of it is healthy.
pub(super) fn get(remote: &Remote, call: &Call) -> Option<CalloutId> {
    let mut headers = vec![
        (":method", "GET"),
        (":path", &*call.resource.path),
        (":authority", &*call.resource.authority),
        ("accept", "application/json"),
        ("user-agent", USER_AGENT),
    ];
    if let Some(etag) = &call.if_none_match {
        headers.push(("if-none-match", etag));
    }
    if let Some(authorization) = &remote.authorization {
        headers.push(("authorization", authorization.header()));
    }
    let id =
        hostcalls::dispatch_http_call(&remote.cluster, headers, None, Vec::new(), call.timeout);
    id.ok().map(CalloutId)
}

/// Asks an introspection endpoint about a token. `None` as for [`get`].
pub(super) fn introspect(introspection: &Introspection, token: &str) -> Option<CalloutId> {
    let headers = vec![
        (":method", "POST"),
        (":path", &*introspection.endpoint.path),
        (":authority", &*introspection.endpoint.authority),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("authorization", introspection.authorization.header()),
        ("user-agent", USER_AGENT),
    ];
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", token)
        .append_pair("token_type_hint", "access_token")
        .finish();
    let (cluster, timeout) = (&introspection.cluster, introspection.timeout);
    let body = Some(body.as_bytes());
    let id = hostcalls::dispatch_http_call(cluster, headers, body, Vec::new(), timeout);
    id.ok().map(CalloutId)
}

/// The headers of the answer to a callout.
pub(super) fn callout_headers() -> Vec<(String, Vec<u8>)> {
    hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default()
}

/// The body of the answer to a callout, whose size the host has told.
pub(super) fn callout_body(size: usize) -> Vec<u8> {
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size);
    body.ok().flatten().unwrap_or_default()
}

/// What all workers of the process share under `name`, and the number that a swap needs.
pub(super) fn shared(name: &str) -> Option<(Vec<u8>, u32)> {
    match hostcalls::get_shared_data(name) {
        // An empty value is no pointer at all.
        Ok((value, Some(version))) => Some((value.unwrap_or_default(), version)),
        _ => None,
    }
}

/// Shares `value` under `name`, whatever was there.
pub(super) fn share(name: &str, value: &[u8]) {
    let _ = hostcalls::set_shared_data(name, Some(value), None);
}

/// Shares `value` under `name` in place of what was read as `version`; answers whether that was
/// still there. The name must exist: the host would overwrite an absent one in any case.
pub(super) fn swap_shared(name: &str, value: &[u8], version: u32) -> bool {
    hostcalls::set_shared_data(name, Some(value), Some(version)).is_ok()
}

/// Defines a counter. One that is there already goes on counting.
pub(super) fn define_counter(name: &str) -> Option<MetricId> {
    hostcalls::define_metric(MetricType::Counter, name)
        .ok()
        .map(MetricId)
}

/// Defines a gauge. One that is there already keeps its value.
pub(super) fn define_gauge(name: &str) -> Option<MetricId> {
    hostcalls::define_metric(MetricType::Gauge, name)
        .ok()
        .map(MetricId)
}

/// Adds `count` to a counter, or to a gauge, where it may be negative.
pub(super) fn add(metric: MetricId, count: i64) {
    let _ = hostcalls::increment_metric(metric.0, count);
}

/// Sets a gauge.
pub(super) fn record(gauge: MetricId, value: u64) {
    let _ = hostcalls::record_metric(gauge.0, value);
}

/// An environment variable of the module: the host hands over those that
/// `vm_config.environment_variables` names, and no others. One that is not UTF-8 is not there.
pub(super) fn environment_variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

/// Ends the module's virtual machine on the spot.
#[cfg(feature = "trap-with-turn")]
pub(super) fn trap() -> ! {
    std::process::abort()
}

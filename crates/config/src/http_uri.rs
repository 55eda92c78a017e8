//! URIs that the filter sends requests to: Envoy's `HttpUri`.

use std::time::Duration;

use super::object::object;
use super::place::Place;
use super::scalar::{HttpUri, NonEmpty, PositiveDuration};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest timeout of a callout. Envoy takes milliseconds in 32 bits; this is far below.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(1);

object! {
    pub(crate) struct HttpUriWire("HttpUri", "HTTP URI") {
        /// An absolute http or https URI. Its host, path and query go into the request.
        pub(crate) uri: required HttpUri,
        /// The Envoy cluster that requests go to.
        pub(crate) cluster: required NonEmpty,
        /// How long a response may take, and a request may wait for it. Default `"5s"`, from `"0.001s"`
        /// to `"3600s"`.
        pub(crate) timeout: optional PositiveDuration,
    }
}

/// Builds the timeout of a callout from the field `timeout` of the object at this place.
pub(crate) fn timeout(at: &Place<'_>, given: Option<PositiveDuration>) -> Option<Duration> {
    let timeout = PositiveDuration::or(given, DEFAULT_TIMEOUT);
    if (Duration::from_millis(1)..=LONGEST_TIMEOUT).contains(&timeout) {
        Some(timeout)
    } else {
        let at = at.field("timeout");
        at.refuse("must be from \"0.001s\" to \"3600s\"")
    }
}

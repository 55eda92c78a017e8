//! The stream context of the SDK.

use gate_worker::{Disposition, Stream};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host::{EnvoyHost, request_headers};
use crate::pairs::pairs;

/// The stream context of the SDK. It is dropped when the stream ends.
pub(crate) struct StreamBinding(pub(crate) Stream<EnvoyHost>);

impl HttpContext for StreamBinding {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        action(self.0.headers(pairs(&request_headers())))
    }

    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        action(self.0.rest())
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        action(self.0.rest())
    }
}

impl Context for StreamBinding {}

const fn action(disposition: Disposition) -> Action {
    match disposition {
        Disposition::Continue => Action::Continue,
        Disposition::Replied | Disposition::Paused => Action::Pause,
    }
}

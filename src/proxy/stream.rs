//! The context of one request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::host;
use super::worker::{Course, Worker};
use crate::denial::{Denial, Reason};
use crate::pairs::pairs;
use crate::request::Request;

pub(super) struct Stream {
    id: u32,
    worker: Option<Rc<Worker>>,
    waits: bool,
}

impl Stream {
    pub(super) fn new(id: u32, worker: Option<Rc<Worker>>) -> Self {
        Self {
            id,
            worker,
            waits: false,
        }
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let headers = host::request_headers();
        let Some(worker) = &self.worker else {
            // The host sends no requests before it has configured the filter; if one did, it must
            // not pass.
            let request = Request::from_headers(pairs(&headers));
            let denial = Denial::from(Reason::KeysUnavailable);
            host::respond(&denial.answer(&request.authority, request.grpc));
            return Action::Pause;
        };
        let course = worker.arrived(self.id, &headers);
        self.waits = course == Course::Waits;
        match course {
            Course::GoesOn => Action::Continue,
            Course::Answered | Course::Waits => Action::Pause,
        }
    }

    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.held_back()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.held_back()
    }
}

impl Stream {
    /// What comes of the rest of a request. Envoy holds it back with the headers, unless the plugin
    /// has `allow_on_headers_stop_iteration`: to let a body go on is then to let the request go on.
    fn held_back(&self) -> Action {
        let waits = self.waits
            && self
                .worker
                .as_ref()
                .is_some_and(|worker| worker.holds(self.id));
        if waits || self.worker.is_none() {
            Action::Pause
        } else {
            Action::Continue
        }
    }
}

impl Context for Stream {}

/// The host has done with the request. (`on_done` says so as well, but is not exported: see
/// `scripts/wasm-ld`.)
impl Drop for Stream {
    fn drop(&mut self) {
        if self.waits
            && let Some(worker) = &self.worker
        {
            worker.gone(self.id);
        }
    }
}

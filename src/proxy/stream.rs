//! The context of one request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::host;
use super::worker::{Course, Worker};
use crate::denial::{Denial, Reason};
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
        let request = Request::from_headers(host::request_headers());
        let Some(worker) = &self.worker else {
            // The host sends no requests before it has configured the filter; if one did, it must
            // not pass.
            let denial = Denial::from(Reason::KeysUnavailable);
            host::respond(&denial.answer(&request.authority, request.grpc));
            return Action::Pause;
        };
        let course = worker.arrived(self.id, request);
        self.waits = course == Course::Waits;
        match course {
            Course::GoesOn => Action::Continue,
            Course::Answered | Course::Waits => Action::Pause,
        }
    }
}

impl Context for Stream {
    fn on_done(&mut self) -> bool {
        if self.waits
            && let Some(worker) = &self.worker
        {
            worker.gone(self.id);
        }
        true
    }
}

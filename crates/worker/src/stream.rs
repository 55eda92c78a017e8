//! The context of one request.

use std::rc::Rc;
use std::time::Duration;

use gate::answer::{Answer, ChallengeParameters};
use gate::reason::Reason;
use gate::request::Request;

use crate::host::{ContextId, Host};
use crate::worker::{Disposition, Worker};

/// The context of one request.
pub struct Stream<H: Host> {
    host: H,
    id: ContextId,
    worker: Option<Rc<Worker<H>>>,
    /// Whether the request has waited.
    waited: bool,
}

impl<H: Host> Stream<H> {
    pub(crate) const fn new(host: H, id: ContextId, worker: Option<Rc<Worker<H>>>) -> Self {
        Self {
            host,
            id,
            worker,
            waited: false,
        }
    }

    /// Handles the headers of the request.
    pub fn headers<'h>(
        &mut self,
        headers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> Disposition {
        let Some(worker) = &self.worker else {
            // The host sends no request to a root without a configuration; if it did, the request must
            // not pass.
            let request = Request::from_headers(headers);
            let retry_after = Duration::from_secs(1);
            let reason = Reason::KeysUnavailable { retry_after };
            let parameters = ChallengeParameters {
                realm: &request.authority,
                ..ChallengeParameters::default()
            };
            let answer = Answer::new(&reason, &parameters, request.grpc);
            self.host.send_local_response(&answer);
            return Disposition::Replied;
        };
        let disposition = worker.request(self.id, headers);
        self.waited = disposition == Disposition::Paused;
        disposition
    }

    /// Handles a part of the body, or the trailers. Envoy holds them back with the headers, unless the
    /// plugin has `allow_on_headers_stop_iteration`: then the request would go on with them.
    #[must_use]
    pub fn rest(&self) -> Disposition {
        match &self.worker {
            Some(worker) if !(self.waited && worker.is_waiting(self.id)) => Disposition::Continue,
            _ => Disposition::Paused,
        }
    }
}

/// The host has ended the stream.
impl<H: Host> Drop for Stream<H> {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            if self.waited {
                worker.forget(self.id);
            }
            worker.closed(self.id);
        }
    }
}

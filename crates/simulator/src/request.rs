//! A request, as its client and the upstream see it.

use std::cell::RefCell;
use std::rc::Rc;

use gate::request::MetadataName;

use crate::module::Module;
use crate::request_state::{Outcome, RequestState};

/// A request, as its client and the upstream see it.
pub struct Request {
    pub(crate) module: Rc<Module>,
    pub(crate) id: u32,
    pub(crate) state: Rc<RefCell<RequestState>>,
}

impl Request {
    /// What has become of it so far.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.state.borrow().outcome.clone()
    }

    /// The status: 200 if it was forwarded, also if it was ended later, 0 if it is paused or lost.
    #[must_use]
    pub fn status(&self) -> u16 {
        match &self.state.borrow().outcome {
            Outcome::Forwarded | Outcome::Ended(_) => 200,
            Outcome::Answered(answer) => answer.status,
            Outcome::Paused | Outcome::Lost => 0,
        }
    }

    /// A header of the answer.
    #[must_use]
    pub fn answer_header(&self, name: &str) -> Option<String> {
        let Outcome::Answered(answer) = self.outcome() else {
            return None;
        };
        let mut headers = answer.headers.into_iter();
        let header = headers.find(|(known, _)| *known == name);
        header.map(|(_, value)| value.into_owned())
    }

    /// The values of a header as the upstream receives them.
    #[must_use]
    pub fn header(&self, name: &str) -> Vec<Vec<u8>> {
        let state = self.state.borrow();
        let headers = state.headers.iter();
        let named = headers.filter(|(known, _)| known == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    /// All headers as the upstream receives them.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        self.state.borrow().headers.clone()
    }

    /// The filter state of the request.
    #[must_use]
    pub fn filter_state(&self) -> Vec<(String, Vec<u8>)> {
        self.state.borrow().filter_state.clone()
    }

    /// The names of dynamic metadata that the filter has read, in order.
    #[must_use]
    pub fn metadata_reads(&self) -> Vec<MetadataName> {
        self.state.borrow().metadata_reads.clone()
    }

    /// How often the filter has read a property of the client's certificate.
    #[must_use]
    pub fn certificate_reads(&self) -> usize {
        self.state.borrow().certificate_reads
    }

    /// Whether the route was selected again.
    #[must_use]
    pub fn is_route_cleared(&self) -> bool {
        self.state.borrow().route_cleared
    }

    /// How often the filter changed headers, filter state or route. Envoy selects the route again after
    /// each change of a header, also if the header was not there.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.state.borrow().changes
    }

    /// A part of the body arrives. Returns whether it goes on; with
    /// `allow_on_headers_stop_iteration` the request then goes on with it.
    #[must_use]
    pub fn send_body(&self) -> bool {
        self.module.body(self.id)
    }

    /// Ends the stream: the client disconnects, or the response is complete.
    pub fn end(&self) {
        self.module.delete_stream(self.id);
    }
}

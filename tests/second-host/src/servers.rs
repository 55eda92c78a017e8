//! The servers that callouts reach.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use proxy_wasm_host::abi::v0_2_1::{
    CalloutId, Callouts, ContextId, HttpCall, HttpCallRefusal, HttpCallResponse, Invocation,
};

/// What a server answers to every request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// The servers by the names of their clusters, and the callouts that they have not answered yet.
#[derive(Default)]
pub struct Servers {
    answers: BTreeMap<String, Answer>,
    open: Mutex<VecDeque<(ContextId, CalloutId, Answer)>>,
}

impl Servers {
    /// Servers by the names of their clusters.
    #[must_use]
    pub fn new(answers: BTreeMap<String, Answer>) -> Self {
        Self {
            answers,
            open: Mutex::default(),
        }
    }

    /// The response to the first callout that has none yet, and who made the callout.
    pub(crate) fn next_response(
        &self,
    ) -> Option<(ContextId, CalloutId, HttpCallResponse<'static>)> {
        let (caller, callout, answer) = self.open.lock().unwrap().pop_front()?;
        let status = answer.status.to_string().into_bytes();
        let headers = vec![(b":status"[..].into(), status.into())];
        let response = HttpCallResponse::received(headers).with_body(answer.body.into_bytes());
        Some((caller, callout, response))
    }
}

impl Callouts for Servers {
    fn http_call(
        &self,
        call: Invocation,
        callout: CalloutId,
        request: HttpCall<'_>,
    ) -> Result<(), HttpCallRefusal> {
        let cluster = String::from_utf8_lossy(&request.upstream);
        let answer = self
            .answers
            .get(&*cluster)
            .ok_or(HttpCallRefusal::UnknownUpstream)?;
        let open = (call.context, callout, answer.clone());
        self.open.lock().unwrap().push_back(open);
        Ok(())
    }
}

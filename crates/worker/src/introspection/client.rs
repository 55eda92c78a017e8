//! The client of one provider's introspection endpoint, in one worker.

use std::cell::RefCell;
use std::rc::Rc;

use gate::introspection::{IntrospectionResponse, MAX_ANSWER_BYTES, TokenStatus, read};
use gate::policy::{IntrospectionEndpoint, Provider};
use gate::time::{Instant, Timestamp};
use log::warn;

use super::token_queue::TokenQueue;
use super::token_statuses::{Failed, TokenStatuses};
use crate::counter::Counter;
use crate::host::{Callout, CalloutId, Host, USER_AGENT};
use crate::log_throttle::LogThrottle;
use crate::metrics::Metrics;
use crate::store::Store;

pub(crate) struct IntrospectionClient<H> {
    host: H,
    provider: Rc<Provider>,
    endpoint: IntrospectionEndpoint,
    metrics: Rc<Metrics<H>>,
    /// A lookup changes which entry is evicted next.
    statuses: RefCell<TokenStatuses>,
    queue: TokenQueue,
    running: Vec<Running>,
    failures: LogThrottle<H>,
    /// The tokens with a new status since the last call of `take_settled`.
    settled: Vec<(Rc<str>, TokenStatus)>,
}

/// An introspection request in flight.
struct Running {
    callout: CalloutId,
    token: Rc<str>,
    started_at: Instant,
}

impl<H: Host> IntrospectionClient<H> {
    /// The client of `provider`; `None` if it has no endpoint.
    pub(crate) fn new(
        store: &Store<H>,
        provider: &Rc<Provider>,
        metrics: Rc<Metrics<H>>,
    ) -> Option<Self> {
        let endpoint = provider.introspection.clone()?;
        let host = store.host().clone();
        let state = host.hash_state();
        let cluster = &endpoint.cluster;
        Some(Self {
            failures: LogThrottle::for_server(store.clone(), "introspection", provider, cluster),
            host,
            provider: Rc::clone(provider),
            statuses: RefCell::new(TokenStatuses::new(endpoint.durations, &state)),
            queue: TokenQueue::new(state),
            endpoint,
            metrics,
            running: Vec::new(),
            settled: Vec::new(),
        })
    }

    /// The index of the provider.
    pub(crate) fn provider(&self) -> usize {
        self.provider.index
    }

    /// The status of a token; `Pending` if it is not known.
    pub(crate) fn status(&self, token: &str, now: Instant) -> TokenStatus {
        let status = self.statuses.borrow_mut().find(token, now);
        status.unwrap_or(TokenStatus::Pending)
    }

    /// Requests the introspection of a token, whose status is `Pending`. The next tick sends it.
    pub(crate) fn request(&mut self, token: &Rc<str>) {
        self.queue.push(token);
    }

    /// Takes back the request for the introspection of a token, unless it has been sent.
    pub(crate) fn withdraw(&mut self, token: &str) {
        self.queue.withdraw(token);
    }

    /// The tokens with a new status since the last call. The requests that wait for it use it even if
    /// it must not be stored.
    pub(crate) fn take_settled(&mut self) -> Vec<(Rc<str>, TokenStatus)> {
        std::mem::take(&mut self.settled)
    }

    /// Whether a tick could send a request.
    pub(crate) fn has_next(&self) -> bool {
        self.queue.has_next()
    }

    /// Whether any token waits for a response.
    pub(crate) fn is_busy(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Sends what is to be sent, and gives up requests that the host should have ended.
    pub(crate) fn tick(&mut self, now: Instant) {
        let patience = self.endpoint.timeout.saturating_mul(2);
        let is_lost = |running: &mut Running| now >= running.started_at.plus(patience);
        let lost: Vec<Running> = self.running.extract_if(.., is_lost).collect();
        for Running { token, .. } in lost {
            self.settle(&token, Err("there was no answer".to_owned()), now);
        }
        while let Some(token) = self.queue.take_next() {
            match self.send(&token) {
                Ok(callout) => self.running.push(Running {
                    callout,
                    token,
                    started_at: now,
                }),
                Err(problem) => self.settle(&token, Err(problem.to_owned()), now),
            }
        }
    }

    fn send(&self, token: &str) -> Result<CalloutId, &'static str> {
        let endpoint = &self.endpoint;
        let (date, random) = (self.host.wall_clock(), || self.host.random());
        let credentials = endpoint.authentication.credentials(date, random)?;
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "access_token")
            .extend_pairs(&credentials.parameters)
            .finish();
        let mut headers = vec![
            (":method", "POST"),
            (":path", &*endpoint.endpoint.path),
            (":authority", &*endpoint.endpoint.authority),
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("user-agent", USER_AGENT),
        ];
        let authorization = credentials.authorization;
        headers.extend(authorization.map(|value| ("authorization", value)));
        let callout = self.host.dispatch(&Callout {
            cluster: &endpoint.cluster,
            headers,
            body: Some(body.as_bytes()),
            timeout: endpoint.timeout,
        });
        callout.ok_or("the cluster is unknown or has no healthy host")
    }

    /// Handles the response to `callout`, if this client sent it.
    pub(crate) fn received(
        &mut self,
        callout: CalloutId,
        has_headers: bool,
        size: usize,
        now: Instant,
    ) {
        let is_this = |running: &mut Running| running.callout == callout;
        let Some(running) = self.running.extract_if(.., is_this).next() else {
            return;
        };
        let Running {
            token, started_at, ..
        } = running;
        // A response after the timeout has waited for a thread that did not run.
        let in_time = now <= started_at.plus(self.endpoint.timeout);
        let response = self.response(has_headers && in_time, size);
        self.settle(&token, response, now);
    }

    /// The response that is being delivered.
    fn response(
        &self,
        has_headers: bool,
        size: usize,
    ) -> Result<Option<IntrospectionResponse>, String> {
        if !has_headers {
            return Err("there was no answer in time".to_owned());
        }
        let headers = self.host.callout_headers();
        let status = headers.iter().find(|(name, _)| name == ":status");
        let status = status
            .map(|(_, value)| value.as_slice())
            .unwrap_or_default();
        if status != b"200" {
            return Err(format!("the status is {}", status.escape_ascii()));
        }
        if size > MAX_ANSWER_BYTES {
            return Err(format!("the answer has more than {MAX_ANSWER_BYTES} bytes"));
        }
        read(&self.host.callout_body(0, size)).map_err(str::to_owned)
    }

    fn settle(
        &mut self,
        token: &Rc<str>,
        response: Result<Option<IntrospectionResponse>, String>,
        now: Instant,
    ) {
        let index = self.provider.index;
        let response = response.map_err(|problem| {
            self.metrics.count(Counter::IntrospectionFailure(index));
            if let Some(suppressed) = self.failures.admit(now) {
                let name = &self.provider.name;
                warn!("bearer-gate: provider {name}: introspection failed: {problem}{suppressed}");
            }
            Failed
        });
        if response.is_ok() {
            self.metrics.count(Counter::IntrospectionSuccess(index));
        }
        self.queue.remove(token);
        // Without a date the response is used as if its token did not expire before. Each decision
        // compares the expiry again.
        let date = self.host.wall_clock().unwrap_or(Timestamp::EPOCH);
        let mut statuses = self.statuses.borrow_mut();
        let status = statuses.insert(token, response, now, date);
        drop(statuses);
        self.settled.push((Rc::clone(token), status));
    }
}

//! A document that is fetched for one provider, in one worker: adopted from what the workers share, and
//! fetched when it is this worker's turn.

use std::rc::Rc;
use std::time::Duration;

use gate::fetching::{
    Authorization, Availability, DocumentVersion, Fetch, FetchAction, FetchEvent, FetchNeed,
    FetchResponse, FetchResult, FetchState, FetchStep, Publication, RemoteDocument, SharedDocument,
};
use gate::policy::Provider;
use gate::time::Timestamp;
use gate::verify::Engine;
use log::{debug, info, warn};

use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::host::{Callout, CalloutId, Host, USER_AGENT};
use crate::metrics::Metrics;
use crate::shared_state::SharedState;
use crate::skipped_keys;

pub(crate) struct Source<T: Publication, H> {
    host: H,
    provider: Rc<Provider>,
    remote: Rc<RemoteDocument>,
    format: T::Format,
    shared: SharedState<H>,
    engine: Rc<Engine>,
    metrics: Rc<Metrics<H>>,
    /// The shared state when it was last read.
    state: FetchState,
    current: Option<Current<T>>,
    /// The version that could not be parsed, so that this is not tried again.
    refused: Option<u64>,
    need: FetchNeed,
    running: Option<Running<T>>,
    /// Whether requests that wait for this document may be decidable now.
    changed: bool,
}

/// The document in use.
struct Current<T> {
    version: DocumentVersion,
    value: Rc<T>,
}

/// A fetch by this worker.
struct Running<T: Publication> {
    fetch: Fetch<T>,
    started_at: Timestamp,
    /// The request in flight; `None` before it is sent.
    callout: Option<CalloutId>,
}

impl<T: Publication, H: Host> Source<T, H> {
    pub(crate) fn new(
        host: H,
        provider: Rc<Provider>,
        remote: Rc<RemoteDocument>,
        format: T::Format,
        engine: Rc<Engine>,
        metrics: Rc<Metrics<H>>,
    ) -> Self {
        let shared = SharedState::new::<T>(host.clone(), &remote, &format);
        shared.create();
        Self {
            host,
            provider,
            remote,
            format,
            shared,
            engine,
            metrics,
            state: FetchState::default(),
            current: None,
            refused: None,
            need: FetchNeed::default(),
            running: None,
            changed: false,
        }
    }

    /// The index of the provider.
    pub(crate) fn provider(&self) -> usize {
        self.provider.index
    }

    /// Whether requests that wait for this document may be decidable since the last call.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Whether the next tick should come soon: the document is missing but on its way, or a request
    /// is to be sent.
    pub(crate) fn is_busy(&self, now: Timestamp) -> bool {
        let unsent = |running: &Running<T>| running.callout.is_none();
        self.running.as_ref().is_some_and(unsent)
            || matches!(self.availability(now), Availability::Pending)
    }

    /// The document as decisions see it.
    pub(crate) fn availability(&self, now: Timestamp) -> Availability<T> {
        let policy = &self.remote.policy;
        match &self.current {
            Some(Current { version, value }) if !version.is_stale(policy, now) => {
                Availability::Ready {
                    value: Rc::clone(value),
                    newer_possible: self.state.may_bring_newer(policy, now),
                }
            }
            _ => match self.state.retry_after(policy, now) {
                None => Availability::Pending,
                Some(retry_after) => Availability::Unavailable { retry_after },
            },
        }
    }

    /// Notes that requests wait for a key that the current set does not have.
    pub(crate) fn request_newer(&mut self) {
        self.need.newer = true;
    }

    /// Adopts what other workers fetched, and fetches if that is due and no other worker does.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        self.look(now);
        let timeout = self.remote.policy.timeout;
        let vanished = |running: &Running<T>| running.has_vanished(timeout, now);
        if self.running.as_ref().is_some_and(vanished) {
            self.running = None;
        }
        if self.running.is_none() {
            self.start(now);
        }
        self.send(now);
    }

    /// Takes the turn to fetch if there is reason to.
    fn start(&mut self, now: Timestamp) {
        let event = FetchEvent::Checked(self.need);
        let (_, action) = self.state.after(event, &self.remote.policy, now, 0);
        if action == FetchAction::Nothing {
            // Requests that still wait at the end of the running fetch ask again.
            self.need.newer = false;
            return;
        }
        // If another worker was faster, its fetch shows in the state at the next tick.
        let FetchAction::Fetch { holder } = self.shared.advance(event, now) else {
            return;
        };
        #[cfg(bearer_gate_trap_with_turn)]
        if crate::log_once::is_first(&self.host, "trap") {
            std::process::abort();
        }
        self.need.newer = false;
        let known = self.shared_document();
        self.running = Some(Running {
            fetch: Fetch::new(holder, &self.remote, &self.format, known, now),
            started_at: now,
            callout: None,
        });
        self.see(self.shared.state());
    }

    /// The shared document, if it is the version that the state names.
    fn shared_document(&self) -> Option<SharedDocument> {
        let version = self.state.version()?;
        let document = self.shared.document();
        document.filter(|document| document.id == version.id)
    }

    /// Sends the next request of the fetch, if it is time.
    fn send(&mut self, now: Timestamp) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.callout.is_some() {
            return;
        }
        let Some(request) = running.fetch.request(now) else {
            return;
        };
        let mut headers = vec![
            (":method", "GET"),
            (":path", &*request.resource.path),
            (":authority", &*request.resource.authority),
            ("accept", "application/json"),
            ("user-agent", USER_AGENT),
        ];
        let etag = request.if_none_match.as_deref();
        headers.extend(etag.map(|etag| ("if-none-match", etag)));
        let authorization = self.remote.authorization.as_ref();
        let authorization = authorization.map(Authorization::header);
        headers.extend(authorization.map(|value| ("authorization", value)));
        running.callout = self.host.dispatch(&Callout {
            cluster: &self.remote.cluster,
            headers,
            body: None,
            timeout: request.timeout,
        });
        if running.callout.is_none() {
            let step = running.fetch.not_sent(now, self.host.random());
            self.go_on(step, now);
        }
    }

    /// Handles the response to `callout`, if a fetch of this source sent it. `size` is that of the
    /// body; without headers there is no response.
    pub(crate) fn received(
        &mut self,
        callout: CalloutId,
        has_headers: bool,
        size: usize,
        now: Timestamp,
    ) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.callout != Some(callout) {
            return;
        }
        running.callout = None;
        let headers = if has_headers {
            self.host.callout_headers()
        } else {
            Vec::new()
        };
        let response = FetchResponse {
            headers: &headers,
            size,
            body: &|| self.host.callout_body(size),
        };
        let step = running.fetch.received(&response, now, self.host.random());
        self.go_on(step, now);
    }

    /// Ends the fetch if it is done. The next request is sent by the next tick, because a callout
    /// belongs to the effective context, and in a tick that is the root.
    fn go_on(&mut self, step: FetchStep<T>, now: Timestamp) {
        let FetchStep::Done(result) = step else {
            return;
        };
        let Some(Running { fetch, .. }) = self.running.take() else {
            return;
        };
        let (holder, index) = (fetch.id(), self.provider.index);
        let (name, kind) = (&self.provider.name, T::KIND);
        let counter = match &result {
            FetchResult::Failed(_) => Counter::FetchFailure(kind, index),
            _ => Counter::FetchSuccess(kind, index),
        };
        self.metrics.count(counter);
        match result {
            FetchResult::Changed {
                document,
                value,
                fresh_for,
            } => {
                let event = FetchEvent::Changed { holder, fresh_for };
                let shared = self.shared.put(document)
                    && self.shared.advance(event, now) == FetchAction::Use;
                if shared {
                    let count = value.count(&self.engine);
                    info!("bearer-gate: provider {name}: a new {kind}, {count} usable entries");
                    let skipped = value.skipped(&self.engine);
                    skipped_keys::report(&self.provider, &skipped, &self.metrics);
                    let fetched_at = now;
                    let id = holder;
                    self.adopt(DocumentVersion { id, fetched_at }, value);
                } else {
                    debug!("bearer-gate: provider {name}: the new {kind} could not be shared");
                    // Most likely another worker has taken the turn; if not, it ends here.
                    self.shared.advance(FetchEvent::Failed { holder }, now);
                }
            }
            FetchResult::Unchanged { id, fresh_for } => {
                let event = FetchEvent::Unchanged {
                    holder,
                    id,
                    fresh_for,
                };
                self.shared.advance(event, now);
            }
            FetchResult::Failed(failed) => {
                let problem = &failed.problem;
                skipped_keys::count(&self.provider, failed.skipped, &self.metrics);
                warn!("bearer-gate: provider {name}: fetching the {kind} failed: {problem}");
                self.shared.advance(FetchEvent::Failed { holder }, now);
            }
        }
        self.look(now);
        self.changed = true;
    }

    /// Reads the shared state, adopts a new document and drops one that is too old.
    fn look(&mut self, now: Timestamp) {
        self.see(self.shared.state());
        let (index, kind) = (self.provider.index, T::KIND);
        if let Some(version) = self.state.version()
            && !version.is_stale(&self.remote.policy, now)
        {
            match &mut self.current {
                Some(current) if current.version.id == version.id => {
                    self.need.lost = false;
                    if current.version != version {
                        current.version = version;
                        record_fetched_at(&self.metrics, Gauge::FetchedAt(kind, index), version);
                    }
                }
                _ if self.refused == Some(version.id) => {}
                _ => self.adopt_shared(version),
            }
        }
        let policy = &self.remote.policy;
        let is_stale = |current: &mut Current<T>| current.version.is_stale(policy, now);
        if let Some(current) = self.current.take_if(is_stale) {
            warn!(
                "bearer-gate: provider {}: the {kind} is too old to be used, {} seconds",
                self.provider.name,
                now.since(current.version.fetched_at).as_secs()
            );
            self.metrics.record(Gauge::Count(kind, index), 0);
            self.changed = true;
        }
    }

    fn see(&mut self, state: FetchState) {
        self.changed |= state.has_advanced_since(&self.state);
        self.state = state;
    }

    /// Adopts the shared document if it is this version. It may be another one, because a worker
    /// writes the document first and the state after it.
    fn adopt_shared(&mut self, version: DocumentVersion) {
        let document = self.shared_document();
        self.need.lost = document.is_none();
        let Some(document) = document else {
            return;
        };
        match T::parse(&document.body, &self.format) {
            Ok(value) => self.adopt(version, value),
            Err(problem) => {
                self.refused = Some(version.id);
                warn!(
                    "bearer-gate: provider {}: the shared {} is refused: {problem}",
                    self.provider.name,
                    T::KIND
                );
            }
        }
    }

    fn adopt(&mut self, version: DocumentVersion, value: T) {
        let (index, kind) = (self.provider.index, T::KIND);
        let count = u64::try_from(value.count(&self.engine)).unwrap_or(u64::MAX);
        self.metrics.record(Gauge::Count(kind, index), count);
        record_fetched_at(&self.metrics, Gauge::FetchedAt(kind, index), version);
        self.need.lost = false;
        let value = Rc::new(value);
        self.current = Some(Current { version, value });
        self.changed = true;
    }

    /// Gives up the running fetch, so that another worker can start one at once. The host cancels the
    /// request of a root that is removed and does not say so.
    pub(crate) fn abandon(&mut self) {
        if let Some(running) = self.running.take() {
            let holder = running.fetch.id();
            let now = self.host.now();
            self.shared.advance(FetchEvent::Abandoned { holder }, now);
        }
    }
}

impl<T: Publication> Running<T> {
    /// Whether the fetch has lasted so long that its response cannot come any more, or the clock was
    /// set back, so that its deadlines are wrong.
    fn has_vanished(&self, timeout: Duration, now: Timestamp) -> bool {
        now >= self.fetch.deadline().plus(timeout) || self.started_at.is_ahead_of(now)
    }
}

fn record_fetched_at<H: Host>(metrics: &Metrics<H>, gauge: Gauge, version: DocumentVersion) {
    let fetched_at = version.fetched_at.since(Timestamp::EPOCH).as_secs();
    metrics.record(gauge, fetched_at);
}

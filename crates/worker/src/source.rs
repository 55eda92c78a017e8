//! A document that is fetched for one provider, in one worker: adopted from what the workers share, and
//! fetched when it is this worker's turn.

mod adoption;

use std::rc::Rc;
use std::time::Duration;

use gate::fetching::{
    Authorization, Availability, DocumentVersion, Fetch, FetchAction, FetchEvent, FetchNeed,
    FetchResponse, FetchResult, FetchState, FetchStep, Known, Publication, RemoteDocument,
    ResponseBody,
};
use gate::policy::Provider;
use gate::time::Instant;
use gate::verify::Engine;
use log::{debug, info, warn};

use crate::counter::Counter;
use crate::host::{Callout, CalloutId, Host, USER_AGENT};
use crate::log_throttle::LogThrottle;
use crate::metrics::Metrics;
use crate::shared_state::SharedState;
use crate::skipped_keys;
use crate::store::Store;

pub(crate) struct Source<T: Publication, H> {
    host: H,
    provider: Rc<Provider>,
    remote: Rc<RemoteDocument>,
    format: T::Format,
    shared: SharedState<H>,
    /// Whether this source counts as a user of the shared document.
    joined: bool,
    engine: Rc<Engine>,
    metrics: Rc<Metrics<H>>,
    throttles: Throttles<H>,
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

/// The throttles of each kind of problem.
struct Throttles<H> {
    failed: LogThrottle<H>,
    refused: LogThrottle<H>,
    too_old: LogThrottle<H>,
    skipped: LogThrottle<H>,
}

/// The document in use.
struct Current<T> {
    version: DocumentVersion,
    value: Rc<T>,
}

/// A fetch by this worker.
struct Running<T: Publication> {
    fetch: Fetch<T>,
    /// The request in flight; `None` before it is sent.
    callout: Option<CalloutId>,
}

impl<T: Publication, H: Host> Source<T, H> {
    pub(crate) fn new(
        store: &Store<H>,
        provider: Rc<Provider>,
        remote: Rc<RemoteDocument>,
        format: T::Format,
        engine: Rc<Engine>,
        metrics: Rc<Metrics<H>>,
        now: Instant,
    ) -> Self {
        let shared = SharedState::new::<T>(store.clone(), &remote, &format);
        shared.reserve(now);
        let throttle = |problem: &str| {
            let kind = format!("{} {problem}", T::KIND);
            LogThrottle::for_server(store.clone(), &kind, &provider, &remote.cluster)
        };
        Self {
            throttles: Throttles {
                failed: throttle("failed"),
                refused: throttle("refused"),
                too_old: throttle("too old"),
                skipped: throttle("skipped"),
            },
            host: store.host().clone(),
            provider,
            remote,
            format,
            shared,
            joined: false,
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
    pub(crate) fn is_busy(&self, now: Instant) -> bool {
        let unsent = |running: &Running<T>| running.callout.is_none();
        self.running.as_ref().is_some_and(unsent)
            || matches!(self.availability(now), Availability::Pending)
    }

    /// The document as decisions see it.
    pub(crate) fn availability(&self, now: Instant) -> Availability<T> {
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

    /// Notes that no request waits for such a key any more.
    pub(crate) fn withdraw_newer(&mut self) {
        self.need.newer = false;
    }

    /// Adopts what other workers fetched, and fetches if that is due and no other worker does.
    pub(crate) fn tick(&mut self, now: Instant) {
        // The virtual machine in which the host only checks a configuration does not tick.
        if !self.joined {
            self.joined = self.shared.join(now);
        }
        self.look(now);
        self.give_up_vanished(now);
        if self.running.is_none() {
            self.start(now);
        }
        self.send(now);
    }

    /// Gives up a fetch whose turn has lapsed.
    fn give_up_vanished(&mut self, now: Instant) {
        let timeout = self.remote.policy.timeout;
        let vanished = |running: &mut Running<T>| running.has_vanished(timeout, now);
        self.running.take_if(vanished);
    }

    /// Takes the turn to fetch if there is reason to.
    fn start(&mut self, now: Instant) {
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
        if crate::log_once::is_new(self.shared.store(), "trap", "trap") {
            std::process::abort();
        }
        self.need.newer = false;
        let known = self.known();
        self.running = Some(Running {
            fetch: Fetch::new(holder, &self.remote, &self.format, known, now),
            callout: None,
        });
        self.see(self.shared.state());
    }

    /// The shared document, if it is the current one.
    fn known(&self) -> Option<Known<T>> {
        let current = self.current.as_ref()?;
        let document = self.shared.first_part()?;
        (document.id == current.version.id).then(|| Known {
            id: document.id,
            validator: document.validator,
            value: Rc::clone(&current.value),
        })
    }

    /// Sends the next request of the fetch, if it is time.
    fn send(&mut self, now: Instant) {
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
            ("accept", request.accept),
            ("user-agent", USER_AGENT),
        ];
        let etag = request.if_none_match.as_deref();
        headers.extend(etag.map(|etag| ("if-none-match", etag)));
        let authorization = self.remote.authorization.as_ref();
        let authorization = authorization.map(Authorization::header);
        headers.extend(authorization.map(|value| ("authorization", value)));
        let further = self.remote.headers.iter();
        headers.extend(further.map(|header| (&*header.name, &*header.value)));
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
        now: Instant,
    ) {
        self.give_up_vanished(now);
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
            body: ResponseBody {
                size,
                read: &|offset, length| self.host.callout_body(offset, length),
            },
        };
        let step = running.fetch.received(&response, now, self.host.random());
        self.go_on(step, now);
    }

    /// Ends the fetch if it is done. The next request is sent by the next tick, because a callout
    /// belongs to the effective context, and in a tick that is the root.
    fn go_on(&mut self, step: FetchStep, now: Instant) {
        let FetchStep::Done(result) = step else {
            return;
        };
        let running = self.running.take();
        // The fetch has ended, and with it its hold on the known document.
        let Some(holder) = running.map(|running| running.fetch.id()) else {
            return;
        };
        let index = self.provider.index;
        let (name, kind) = (&self.provider.name, T::KIND);
        let counter = match &result {
            FetchResult::Failed(_) => Counter::FetchFailure(kind, index),
            _ => Counter::FetchSuccess(kind, index),
        };
        self.metrics.count(counter);
        match result {
            FetchResult::Changed {
                document,
                fresh_for,
            } => {
                let event = FetchEvent::Changed { holder, fresh_for };
                let shared = self.shared.put(document, holder)
                    && self.shared.advance(event, now) == FetchAction::Use;
                if shared {
                    self.look(now);
                    self.report_new(holder, now);
                } else {
                    debug!("bearer-gate: provider {name}: the new {kind} could not be shared");
                    // Most likely another worker has taken the turn; if not, it ends here.
                    self.shared.advance(FetchEvent::Failed { holder }, now);
                }
            }
            FetchResult::Unchanged {
                id,
                revalidated,
                fresh_for,
            } => {
                // Whether that succeeds makes no difference now: the old tag is not wrong, only useless.
                if let Some(document) = revalidated {
                    self.shared.put(document, holder);
                }
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
                if let Some(suppressed) = self.throttles.failed.admit(now) {
                    warn!(
                        "bearer-gate: provider {name}: fetching the {kind} failed: \
                         {problem}{suppressed}"
                    );
                }
                self.shared.advance(FetchEvent::Failed { holder }, now);
            }
        }
        self.look(now);
        self.changed = true;
    }

    /// Logs and counts what is noteworthy about the document that the fetch `id` has brought.
    fn report_new(&self, id: u64, now: Instant) {
        let adopted = self.current.as_ref();
        let Some(current) = adopted.filter(|current| current.version.id == id) else {
            return;
        };
        let (name, kind) = (&self.provider.name, T::KIND);
        let count = current.value.count(&self.engine);
        info!("bearer-gate: provider {name}: a new {kind}, {count} usable entries");
        let skipped = current.value.skipped(&self.engine);
        skipped_keys::count(&self.provider, skipped.len(), &self.metrics);
        if !skipped.is_empty()
            && let Some(suppressed) = self.throttles.skipped.admit(now)
        {
            skipped_keys::log(&self.provider, &skipped, suppressed);
        }
    }

    /// Leaves the shared document because the configuration is removed. A running fetch is given up, so
    /// that another worker can start one at once: the host cancels its request and does not say so.
    pub(crate) fn leave(&mut self, now: Instant) {
        if let Some(running) = self.running.take() {
            let holder = running.fetch.id();
            self.shared.advance(FetchEvent::Abandoned { holder }, now);
        }
        if std::mem::take(&mut self.joined) {
            self.shared.leave(now);
        }
    }
}

impl<T: Publication> Running<T> {
    /// Whether the fetch has lasted so long that its response cannot come any more.
    fn has_vanished(&self, timeout: Duration, now: Instant) -> bool {
        now >= self.fetch.deadline().plus(timeout)
    }
}

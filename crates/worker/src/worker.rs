//! One policy at work in one worker: its documents, its waiting requests, its metrics.
//!
//! No `RefCell` is borrowed while the host is asked to resume or to answer a request.

mod enforcement;

use std::cell::RefCell;
use std::rc::Rc;

use gate::admission::ENDED_STATE;
use gate::answer::Answer;
use gate::decision::{Decided, Decision, Dependency, Refusal, Wait};
use gate::policy::{KeySource, Policy, Requirement, StreamEnd};
use gate::request::{Connection, ConnectionSource, DynamicMetadata, MetadataSource, Request};
use gate::resource_metadata;
use gate::time::Instant;
use gate::verify::Engine;

use crate::change::Change;
use crate::clock::Clock;
use crate::connection_reader::ConnectionReader;
use crate::counter::Counter;
use crate::decider::Decider;
use crate::host::{CalloutId, ContextId, Host};
use crate::metadata_reader::MetadataReader;
use crate::metrics::Metrics;
use crate::open_streams::OpenStreams;
use crate::pace::{Pace, Pacer};
use crate::signature_engine;
use crate::skipped_keys;
use crate::sources::{Sources, Turn};
use crate::store::Store;
use crate::waiting_room::{Waiter, WaitingRoom};

/// The largest number of waiting requests that are resumed or answered in one host call, and of streams that are ended.
///
/// The host resumes and answers requests at the end of the call, one after the other. An answer ends
/// its stream, which the host reports by another call into the module, and it goes on with the next
/// answer at the end of that one. So the answers nest on one stack, with all other filters and loggers,
/// and a virtual machine that overflows its stack is lost. Without any other filter 500 answers were
/// too many; up to 1024 requests may wait.
const MAX_SETTLED_PER_CALL: usize = 16;

/// One policy at work in one worker.
pub struct Worker<H: Host> {
    host: H,
    clock: Clock<H>,
    policy: Policy,
    /// Reads dynamic metadata; `None` if no rule depends on them.
    metadata: Option<Rc<dyn MetadataSource>>,
    connection: Rc<dyn ConnectionSource>,
    metrics: Rc<Metrics<H>>,
    engine: Rc<Engine>,
    decider: Decider<H>,
    sources: RefCell<Sources<H>>,
    room: RefCell<WaitingRoom<Request<'static>>>,
    /// The streams that end with their tokens; `None` if none does.
    streams: Option<RefCell<OpenStreams>>,
    pacer: Pacer<H>,
}

/// What happens to a stream now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The request goes to the upstream.
    Continue,
    /// The request has been answered.
    Replied,
    /// The request waits.
    Paused,
}

impl<H: Host> Worker<H> {
    /// Starts a worker for `policy`, whose text is `configuration`. The first tick sends the first fetch, because
    /// this also runs in a virtual machine that is discarded.
    #[must_use]
    pub fn new(host: H, policy: Policy, configuration: &[u8]) -> Self {
        let store = Store::new(host.clone(), policy.options.share);
        let engine = Rc::new(signature_engine::choose(&store));
        let metrics = Rc::new(Metrics::new(host.clone(), &policy));
        for provider in &policy.providers {
            if let KeySource::Local(keys) = &provider.keys {
                skipped_keys::report_local(&store, provider, keys, &engine, &metrics);
            }
        }
        let metadata = policy.reads_dynamic_metadata().then(|| {
            let reader: Rc<dyn MetadataSource> = Rc::new(MetadataReader(host.clone()));
            reader
        });
        let clock = Clock::new(host.clone());
        let now = clock.now();
        let sources = Sources::new(&store, &policy, &engine, &metrics, now);
        let decider = Decider::new(&store, &policy, configuration, &engine, &metrics);
        Self {
            engine,
            decider,
            sources: RefCell::new(sources),
            room: RefCell::new(WaitingRoom::new(policy.awaited_providers())),
            streams: (policy.options.stream_end == StreamEnd::WithToken).then(RefCell::default),
            pacer: Pacer::start(host.clone()),
            clock,
            metadata,
            connection: Rc::new(ConnectionReader(host.clone())),
            metrics,
            policy,
            host,
        }
    }

    /// Decides the request of the stream `stream`, whose context is in effect, and carries the
    /// decision out.
    pub fn request<'h>(
        &self,
        stream: ContextId,
        headers: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> Disposition {
        let now = self.clock.now();
        let mut request = Request::from_some(headers, |name| self.policy.reads(name));
        if let Some(answer) = resource_metadata::answer(&self.policy, &request) {
            self.metrics.count(Counter::Metadata);
            self.host.send_local_response(&answer);
            return Disposition::Replied;
        }
        // Whatever the decision is, the upstream must not take headers of the client for the gate's.
        let names = match self.policy.remove_client_headers(&mut request) {
            Ok(names) => names,
            Err(reason) => return self.refuse(Refusal::before_rules(&reason), &request),
        };
        for name in &names {
            self.host.remove_request_header(name);
        }
        if let Some(reason) = self.policy.forged_header(&names) {
            return self.refuse(Refusal::before_rules(&reason), &request);
        }
        if self.policy.options.per_route_requirements {
            request.requirement_name = self.host.route_requirement();
        }
        if let Some(source) = &self.metadata {
            request.dynamic_metadata = DynamicMetadata::new(Rc::clone(source));
        }
        request.connection = Connection::new(Rc::clone(&self.connection));
        let turn = Turn {
            now,
            can_wait: true,
            statuses: &[],
        };
        let decided = self.decide(&request, turn);
        let Decision::Wait(wait) = decided.decision else {
            return self.carry_out(decided, stream, &request);
        };
        let waiter = Waiter {
            request: request.into_owned(),
            arrived: now,
            deadline: now,
            on: Vec::new(),
            statuses: Vec::new(),
        };
        let disposition = self.wait(stream, waiter, wait, decided.requirement);
        self.metrics.set_waiting(self.room.borrow().len());
        self.set_pace(now);
        disposition
    }

    /// Whether the request of `stream` waits.
    #[must_use]
    pub fn is_waiting(&self, stream: ContextId) -> bool {
        self.room.borrow().contains(stream)
    }

    /// Forgets the request of a stream that has ended. What only this request waits for is not
    /// requested.
    pub fn forget(&self, stream: ContextId) {
        let removed = self.room.borrow_mut().remove(stream);
        if let Some(waiter) = removed {
            self.withdraw(&waiter.on);
        }
        self.metrics.set_waiting(self.room.borrow().len());
    }

    /// Watches a stream no longer, because it has ended.
    pub fn closed(&self, stream: ContextId) {
        if let Some(streams) = &self.streams {
            streams.borrow_mut().remove(stream);
        }
    }

    /// Does what is due, in the context of `root`.
    pub fn tick(&self, root: ContextId) {
        let now = self.clock.now();
        self.sources.borrow_mut().tick(now);
        self.settle(root, now);
    }

    /// Handles the response to `callout`, in the context of `root`.
    pub fn received(&self, root: ContextId, callout: CalloutId, has_headers: bool, size: usize) {
        let now = self.clock.now();
        let mut sources = self.sources.borrow_mut();
        sources.received(callout, has_headers, size, now);
        drop(sources);
        self.settle(root, now);
    }

    /// Decides waiting requests: those that wait for what has changed, those whose time is up, and
    /// those that could not be settled in an earlier call.
    fn settle(&self, root: ContextId, now: Instant) {
        let changes = self.sources.borrow_mut().take_changes();
        let mut waiting = self.room.borrow_mut();
        for change in &changes {
            waiting.call(change);
        }
        waiting.call_overdue(now);
        drop(waiting);
        self.settle_called(root, now);
        self.end_streams(root, now, &changes);
        self.metrics.set_waiting(self.room.borrow().len());
        self.metrics.flush();
        self.set_pace(now);
    }

    /// Decides called requests until enough of them are settled.
    ///
    /// After this has changed the effective context nothing may be dispatched: a callout belongs to
    /// the context in effect.
    fn settle_called(&self, root: ContextId, now: Instant) {
        let mut count: usize = 0;
        while count < MAX_SETTLED_PER_CALL {
            let called = self.room.borrow_mut().take_called();
            let Some((stream, waiter)) = called else {
                break;
            };
            let mut on = waiter.on.clone();
            on.retain(|dependency| !waiter.has_status(dependency));
            if self.host.set_effective_context(stream)
                && self.settle_one(stream, waiter, now) != Disposition::Paused
            {
                count = count.saturating_add(1);
            }
            self.withdraw(&on);
        }
        self.host.set_effective_context(root);
    }

    /// Ends streams whose tokens have expired, or are no longer good after `changes`.
    ///
    /// The response of the upstream has usually begun. Then the host can only reset the stream, and that is what it does
    /// with a local response. Its call `proxy_close_stream` would do so at once, and call back into the module from
    /// within this call.
    fn end_streams(&self, root: ContextId, now: Instant, changes: &[Change]) {
        let Some(streams) = &self.streams else {
            return;
        };
        self.find_ending(&mut streams.borrow_mut(), now, changes);
        for _ in 0..MAX_SETTLED_PER_CALL {
            let ending = streams.borrow_mut().take_ending();
            let Some(ending) = ending else {
                break;
            };
            if !self.host.set_effective_context(ending.stream) {
                continue;
            }
            let kind = ending.reason.kind();
            self.metrics.count(Counter::Ended(kind));
            let refusal = Refusal {
                reason: &ending.reason,
                requirement: None,
                provider: Some(ending.provider),
            };
            self.log_refusal("end", refusal, &ending.request);
            self.host
                .set_filter_state(ENDED_STATE, kind.metric().as_bytes());
            let nonce = self.nonce();
            let (reason, request) = (&ending.reason, &ending.request);
            let answer = Answer::refusal(reason, &self.policy, request, None, nonce);
            self.host.send_local_response(&answer);
        }
        self.host.set_effective_context(root);
        self.metrics.set_streams(streams.borrow().len());
    }

    /// Finds the streams that must end.
    fn find_ending(&self, streams: &mut OpenStreams, now: Instant, changes: &[Change]) {
        if let Some(date) = self.clock.date(now) {
            streams.expire(date);
        }
        let sources = self.sources.borrow();
        let turn = Turn {
            now,
            can_wait: true,
            statuses: &[],
        };
        for change in changes {
            if let Change::Document(
                Dependency::Keys(provider) | Dependency::Revocations(provider),
            ) = change
            {
                streams.check(*provider, &sources.resources(turn), &self.engine);
            }
        }
    }

    fn decide(&self, request: &Request<'_>, turn: Turn<'_>) -> Decided<'_> {
        let date = self.clock.date(turn.now);
        self.decider
            .decide(&self.policy, request, &self.sources.borrow(), turn, date)
    }

    fn settle_one(
        &self,
        stream: ContextId,
        waiter: Waiter<Request<'static>>,
        now: Instant,
    ) -> Disposition {
        let turn = Turn {
            now,
            can_wait: !waiter.is_overdue(now),
            statuses: &waiter.statuses,
        };
        let decided = self.decide(&waiter.request, turn);
        let disposition = match decided.decision {
            Decision::Wait(wait) => self.wait(stream, waiter, wait, decided.requirement),
            _ => self.carry_out(decided, stream, &waiter.request),
        };
        if disposition == Disposition::Continue {
            self.host.resume_request();
        }
        disposition
    }

    /// Lets a request wait, by `requirement`, or refuses it if the room is full.
    fn wait(
        &self,
        stream: ContextId,
        waiter: Waiter<Request<'static>>,
        wait: Wait,
        requirement: Option<&Requirement>,
    ) -> Disposition {
        let waiter = Waiter {
            deadline: waiter.arrived.plus(wait.timeout),
            on: wait.on,
            ..waiter
        };
        let admitted = self.room.borrow_mut().admit(stream, waiter);
        match admitted {
            Ok(on) => {
                let mut sources = self.sources.borrow_mut();
                for dependency in &on {
                    sources.request(dependency);
                }
                Disposition::Paused
            }
            Err(refused) => {
                let refusal = Refusal {
                    reason: &wait.unavailable,
                    requirement,
                    provider: None,
                };
                self.refuse(refusal, &refused.request)
            }
        }
    }

    /// Takes back the requests for those of `dependencies` that no request waits for any more.
    fn withdraw(&self, dependencies: &[Dependency]) {
        let (room, mut sources) = (self.room.borrow(), self.sources.borrow_mut());
        for dependency in dependencies {
            if !room.is_awaited(dependency) {
                sources.withdraw(dependency);
            }
        }
    }

    /// Lets the next tick come as soon as it is needed.
    fn set_pace(&self, now: Instant) {
        let (room, sources) = (self.room.borrow(), self.sources.borrow());
        let streams = self.streams.as_ref();
        let must_end = streams.is_some_and(|streams| streams.borrow().has_ending());
        self.pacer
            .set(if room.has_called() || sources.is_urgent() || must_end {
                Pace::Urgent
            } else if !room.is_empty() || sources.is_busy(now) {
                Pace::Busy
            } else {
                Pace::Idle
            });
    }
}

/// The host removes a root without another call, and cancels its callouts without a response. Documents
/// that no other root uses are removed from shared data. A fetch is given up, so that the other workers
/// need not wait until the turn lapses, and what was counted is not lost.
impl<H: Host> Drop for Worker<H> {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.sources.get_mut().leave(now);
        self.metrics.set_waiting(0);
        self.metrics.set_streams(0);
        self.metrics.flush();
    }
}

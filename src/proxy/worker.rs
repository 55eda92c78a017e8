//! One configuration at work in one worker: its key sets, its waiting requests, its counters.
//!
//! No `RefCell` is borrowed while the host is asked to resume or to answer a request: whoever waits
//! is taken out of the room first.

use std::cell::{Cell, RefCell};

use std::rc::Rc;
use std::time::Duration;

use log::{info, warn};

use super::host::{self, CalloutId};
use super::meters::Meters;
use super::share::is_new;
use super::source::report_skipped;
use super::sources::Sources;
use crate::admission::{Admission, HeaderChange};
use crate::config::{Config, KeySource, Provider};
use crate::denial::{Denial, Reason};
use crate::fetching::Published;
use crate::gate::{Decision, Means, Verdict, gate};
use crate::keys::KeySet;
use crate::metrics::{Counter, Gauge, Series, Tally};
use crate::pairs::pairs;
use crate::request::Request;
use crate::time::Timestamp;
use crate::token_cache::TokenCache;
use crate::verify::Engine;
use crate::waiting_room::{Waiter, WaitingRoom};

/// Between two ticks while something is waited for.
const BRISK: Duration = Duration::from_millis(10);

/// Before the next tick where a request waits for what only a tick can do: to send a callout, or to
/// settle it after others.
const EAGER: Duration = Duration::from_millis(1);

/// Between two ticks otherwise: a set that another worker has fetched is in use no later than this.
const CALM: Duration = Duration::from_millis(500);

/// How many requests that have waited go on, or are answered, in one call of the host.
///
/// The host does what it is asked to do here after the call, one thing after the other. But to answer
/// a request is to end its stream; the host says so by another call, and goes on with the next answer
/// at the end of that one. So the answers nest, each with whatever other filters and loggers there are,
/// on one stack, and a VM that finds no room on its stack is lost. Without any other filter 500 were
/// too many, where 1024 may wait.
const SETTLED_AT_ONCE: usize = 16;

/// What a client is told who waited in vain, or for whom there was no room.
const COME_BACK_IN: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    config: Config,
    meters: Meters,
    engine: Rc<Engine>,
    tokens: RefCell<TokenCache>,
    tally: Tally,
    sources: RefCell<Sources>,
    room: RefCell<WaitingRoom<Request<'static>>>,
    pace: Cell<Duration>,
}

/// A request that waits, which needs its headers no longer.
type Waiting = Waiter<Request<'static>>;

/// What becomes of a request for now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// It goes on to the upstream.
    GoesOn,
    /// It has been answered.
    Answered,
    /// It waits.
    Waits,
}

impl Worker {
    pub(super) fn new(config: Config) -> Self {
        let engine = Rc::new(engine());
        let meters = Meters::define(&config);
        for provider in &config.providers {
            if let KeySource::Local(keys) = &provider.keys {
                report_local(provider, keys, &engine, &meters);
            }
        }
        let sources = Sources::of(&config, &engine);
        // The first fetch is dispatched by the first tick: `on_configure` also runs in a VM that is
        // thrown away.
        host::tick_every(BRISK);
        let cached = config
            .providers
            .iter()
            .map(|provider| provider.cache.tokens);
        let capacity = cached.fold(0, usize::saturating_add);
        Self {
            engine,
            tokens: RefCell::new(TokenCache::new(capacity, host::hash_state())),
            tally: Tally::default(),
            meters,
            config,
            sources: RefCell::new(sources),
            room: RefCell::default(),
            pace: Cell::new(BRISK),
        }
    }

    /// Decides the request of the stream `id`, whose context is the effective one and which has these
    /// headers, as the host has written them, and does what follows from that.
    pub(super) fn arrived(&self, id: u32, headers: &[u8]) -> Course {
        let now = host::now();
        let mut request = Request::from_some(pairs(headers), |name| self.config.reads(name));
        // Whatever becomes of the request, the upstream must not take the client's for ours.
        for name in request.forget_headers(&self.config.own_headers) {
            host::remove_request_header(name);
        }
        if self.config.per_route_requirements {
            request.requirement_name = host::route_requirement();
        }
        match self.decide(&request, now, false) {
            Decision::Wait(wait) => {
                let waiter = Waiter {
                    request: request.into_owned(),
                    arrived: now,
                    deadline: now.plus(wait.at_most),
                };
                let course = self.wait(id, waiter, wait.otherwise);
                self.report_waiting();
                self.keep_pace(true);
                course
            }
            Decision::Settled(verdict) => self.carry_out(verdict, &request),
        }
    }

    /// Whether the request of the stream `id` waits.
    pub(super) fn holds(&self, id: u32) -> bool {
        self.room.borrow().holds(id)
    }

    /// Forgets the request of the stream `id`.
    pub(super) fn gone(&self, id: u32) {
        self.room.borrow_mut().forget(id);
        self.report_waiting();
    }

    /// Decides who waits, by what there is, since nothing will be fetched here any more. Answers
    /// whether there are more than could be settled now.
    pub(super) fn wind_up(&self, root: u32) -> bool {
        self.room.borrow_mut().call_all();
        self.settle_called(root, host::now(), true);
        self.report();
        !self.room.borrow().is_empty()
    }

    /// Lets the next tick come soon.
    pub(super) fn hurry(&self) {
        self.set_pace(EAGER);
    }

    /// Does what is due: fetching key sets and settling requests that wait. `root` is the context
    /// that this runs in.
    pub(super) fn tick(&self, root: u32) {
        let now = host::now();
        self.sources.borrow_mut().tick(now, &self.meters);
        self.settle(root, now);
        self.report();
    }

    /// Hands over what has been counted.
    fn report(&self) {
        for (counter, count) in self.tally.take() {
            self.meters.count_several(counter, count);
        }
    }

    /// Takes the answer to a callout.
    pub(super) fn answered(&self, root: u32, callout: CalloutId, has_headers: bool, size: usize) {
        let now = host::now();
        let mut sources = self.sources.borrow_mut();
        sources.answered(callout, has_headers, size, now, &self.meters);
        drop(sources);
        self.settle(root, now);
    }

    /// Decides requests that wait: all where there is news, otherwise those whose time is up; and the
    /// rest of those who could not be settled before.
    fn settle(&self, root: u32, now: Timestamp) {
        let mut sources = self.sources.borrow_mut();
        let (news, busy) = (sources.take_news(), sources.is_busy(now));
        drop(sources);
        if news {
            self.room.borrow_mut().call_all();
        } else {
            self.room.borrow_mut().call_overdue(now);
        }
        self.settle_called(root, now, false);
        self.keep_pace(busy);
    }

    /// Decides requests that have been called, until enough of them are settled. None that is `last`
    /// waits any longer.
    ///
    /// Nothing that must belong to the root context may be dispatched after this has entered the
    /// context of a stream.
    fn settle_called(&self, root: u32, now: Timestamp, last: bool) {
        let mut settled: usize = 0;
        while settled < SETTLED_AT_ONCE {
            let called = self.room.borrow_mut().take_called();
            let Some((id, waiter)) = called else {
                break;
            };
            if host::enter(id) && self.settle_one(id, waiter, now, last) != Course::Waits {
                settled = settled.saturating_add(1);
            }
        }
        host::enter(root);
        self.report_waiting();
    }

    fn settle_one(&self, id: u32, mut waiter: Waiting, now: Timestamp, last: bool) -> Course {
        let overdue = last || waiter.deadline <= now;
        let course = match self.decide(&waiter.request, now, overdue) {
            // What it waits for now may be something else than before.
            Decision::Wait(wait) => {
                waiter.deadline = waiter.arrived.plus(wait.at_most);
                self.wait(id, waiter, wait.otherwise)
            }
            Decision::Settled(verdict) => self.carry_out(verdict, &waiter.request),
        };
        if course == Course::GoesOn {
            host::resume();
        }
        course
    }

    /// Lets a request wait, or puts it off for the reason `otherwise` where there is no room.
    fn wait(&self, id: u32, waiter: Waiting, otherwise: Reason) -> Course {
        let admitted = self.room.borrow_mut().admit(id, waiter);
        match admitted {
            Ok(()) => Course::Waits,
            Err(refused) => {
                let denial = Denial {
                    retry_after: Some(COME_BACK_IN),
                    ..otherwise.into()
                };
                self.carry_out(Verdict::Deny(denial), &refused.request)
            }
        }
    }

    /// Decides a request. What is still on its way is not to be had for one that is `overdue`.
    fn decide(&self, request: &Request, now: Timestamp, overdue: bool) -> Decision {
        let decision = {
            let sources = self.sources.borrow();
            let remote = |provider: &Provider| {
                let keys = sources.keys(provider, now);
                if overdue {
                    keys.at_once(COME_BACK_IN)
                } else {
                    keys
                }
            };
            let lists = |provider: &Provider| {
                let list = sources.list(provider, now);
                if overdue {
                    list.at_once(COME_BACK_IN)
                } else {
                    list
                }
            };
            let standing = |provider: &Provider, token: &str| {
                let standing = sources.standing(provider, token, now);
                if overdue {
                    standing.at_once()
                } else {
                    standing
                }
            };
            let means = Means {
                remote: &remote,
                lists: &lists,
                introspection: &standing,
                engine: &self.engine,
                tokens: &self.tokens,
                tally: &self.tally,
            };
            gate(&self.config, request, means, now)
        };
        // A request that waits although a set was there waits for a newer one. Of several sets it
        // may be any that was asked for: one fetch too many, once in a cooldown, costs little.
        let waits = matches!(decision, Decision::Wait(_));
        self.sources.borrow_mut().decided(waits);
        decision
    }

    /// Does what follows from a verdict, in the context of the request's stream.
    fn carry_out(&self, verdict: Verdict, request: &Request) -> Course {
        match verdict {
            Verdict::Pass => {
                self.tally.count(Counter::Bypassed);
                Course::GoesOn
            }
            Verdict::Admit(admission) => {
                self.tally.count(if admission.verified {
                    Counter::Allowed
                } else {
                    Counter::Bypassed
                });
                admit(&admission);
                Course::GoesOn
            }
            Verdict::Deny(denial) => {
                self.tally.count(Counter::Denied(denial.reason));
                let realm = self.config.realm.as_ref().map(String::as_bytes);
                let answer = denial.answer(realm.unwrap_or(&request.authority), request.grpc);
                host::respond(&if self.config.strip_failure_response {
                    answer.stripped()
                } else {
                    answer
                });
                Course::Answered
            }
        }
    }

    fn report_waiting(&self) {
        self.meters.waiting(self.room.borrow().count());
    }

    /// Lets the next tick come as soon as what is waited for needs it.
    fn keep_pace(&self, busy: bool) {
        let room = self.room.borrow();
        let eager = room.has_called() || self.sources.borrow().is_eager();
        self.set_pace(match (eager, busy || !room.is_empty()) {
            (true, _) => EAGER,
            (false, true) => BRISK,
            (false, false) => CALM,
        });
    }

    fn set_pace(&self, pace: Duration) {
        if self.pace.replace(pace) != pace {
            host::tick_every(pace);
        }
    }
}

/// What has been counted since the last tick is not lost.
impl Drop for Worker {
    fn drop(&mut self) {
        self.report();
    }
}

/// Says once which keys of the configuration cannot be used.
fn report_local(provider: &Provider, keys: &KeySet, engine: &Engine, meters: &Meters) {
    let count = u64::try_from(Published::count(keys, engine)).unwrap_or(u64::MAX);
    meters.record(Gauge::Count(Series::Keys, provider.index), count);
    let skipped = Published::skipped(keys, engine);
    let what = || serde_json::json!([provider.name, skipped]).to_string();
    if !skipped.is_empty() && is_new(&what()) {
        report_skipped(provider, &skipped, meters);
    }
}

/// Changes the request as its admission says, in the context of its stream.
fn admit(admission: &Admission) {
    for change in &admission.headers {
        match change {
            HeaderChange::Remove(name) => host::remove_request_header(name),
            HeaderChange::Set(name, value) => host::set_request_header(name, value),
        }
    }
    for (key, value) in &admission.filter_state {
        host::set_filter_state(key, value);
    }
    if admission.clear_route_cache {
        host::clear_route_cache();
    }
}

/// The engine of a worker: the host's, as far as it proves itself. Said once which that is.
fn engine() -> Engine {
    let module_only = host::wants_module_engine();
    let engine = if module_only {
        Engine::software()
    } else {
        Engine::probe(Box::new(host::verify_signature))
    };
    let what = format!(
        "{engine}{}",
        if module_only {
            ", as BEARER_GATE_ENGINE says"
        } else {
            ""
        }
    );
    if is_new(&what) {
        if engine.of_host().is_empty() && !module_only {
            warn!("bearer-gate: {what}, more slowly");
        } else {
            info!("bearer-gate: {what}");
        }
    }
    engine
}

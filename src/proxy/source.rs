//! What is fetched for one provider, in one worker: adopted from what the workers share, and fetched when
//! it is this worker's turn.

use std::cell::Cell;
use std::rc::Rc;

use log::{debug, info, warn};

use super::host::{self, CalloutId};
use super::meters::Meters;
use super::share::Share;
use crate::config::Provider;
use crate::fetching::{
    Action, Answer, Document, Event, Fetch, Need, Next, Outcome, Progress, Published, Remote,
    SharedSet, Supply,
};
use crate::metrics::{Counter, Gauge};
use crate::time::Timestamp;
use crate::verify::Engine;

pub(super) struct Source<T: Published> {
    provider: Rc<Provider>,
    remote: Rc<Remote>,
    format: T::Format,
    share: Share,
    engine: Rc<Engine>,
    /// The shared progress as it was seen last.
    progress: Progress,
    held: Option<Held<T>>,
    /// What could not be adopted, lest it be tried for ever.
    refused: Option<u64>,
    /// What this worker needs beyond what is due anyway.
    need: Need,
    /// Whether a decision has heard that there may be more.
    asked: Cell<bool>,
    /// The fetch that this worker has under way.
    running: Option<Running<T>>,
    /// Whether something has happened that may decide requests that wait.
    news: bool,
}

/// What is in use.
struct Held<T> {
    set: SharedSet,
    what: Rc<T>,
}

struct Running<T: Published> {
    fetch: Fetch<T>,
    /// The request that is under way; none before it is sent.
    callout: Option<CalloutId>,
}

impl<T: Published> Source<T> {
    pub(super) fn new(
        provider: Rc<Provider>,
        remote: Rc<Remote>,
        format: T::Format,
        engine: Rc<Engine>,
    ) -> Self {
        let share = Share::of::<T>(&remote, &format);
        share.prepare();
        Self {
            provider,
            remote,
            format,
            share,
            engine,
            progress: Progress::default(),
            held: None,
            refused: None,
            need: Need::default(),
            asked: Cell::new(false),
            running: None,
            news: false,
        }
    }

    /// Whether something has happened, since this was asked last, that may decide requests that wait.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Whether the next tick should come soon: something is missing but on its way, or a request of a
    /// fetch is to be sent.
    pub(super) fn is_busy(&self, now: Timestamp) -> bool {
        let unsent = |running: &Running<T>| running.callout.is_none();
        self.running.as_ref().is_some_and(unsent) || matches!(self.supply(now), Supply::Pending)
    }

    /// The same for a decision that may wait for more than there is. Whether it does is said by
    /// [`Source::decided`].
    pub(super) fn ask(&self, now: Timestamp) -> Supply<T> {
        let supply = self.supply(now);
        if let Supply::Ready { may_grow: true, .. } = supply {
            self.asked.set(true);
        }
        supply
    }

    /// What a decision gets to see.
    pub(super) fn supply(&self, now: Timestamp) -> Supply<T> {
        let policy = &self.remote.policy;
        match &self.held {
            Some(Held { set, what }) if !set.is_stale(policy, now) => Supply::Ready {
                what: Rc::clone(what),
                may_grow: self.progress.may_bring_newer(policy, now),
            },
            _ => match self.progress.retry_after(policy, now) {
                None => Supply::Pending,
                Some(retry_after) => Supply::Unavailable { retry_after },
            },
        }
    }

    /// Takes note of how a decision came out that may have seen this.
    pub(super) fn decided(&mut self, waits: bool) {
        self.need.newer |= self.asked.take() && waits;
    }

    /// Adopts what others have fetched, and fetches if that is due and nobody is at it.
    pub(super) fn tick(&mut self, now: Timestamp, meters: &Meters) {
        self.look(now, meters);
        let vanished =
            |running: &Running<T>| now >= running.fetch.deadline().plus(self.remote.policy.timeout);
        if self.running.as_ref().is_some_and(vanished) {
            self.running = None;
        }
        if self.running.is_none() {
            self.begin(now);
        }
        self.send(now, meters);
    }

    /// Takes the turn to fetch, if there is one to take.
    fn begin(&mut self, now: Timestamp) {
        let event = Event::Looked(self.need);
        // Whoever still waits after what happens now will ask again.
        self.need.newer = false;
        let policy = &self.remote.policy;
        let (_, action) = self.progress.after(event, policy, now, 0);
        if action == Action::Nothing {
            return;
        }
        let Action::Fetch { holder } = self.share.advance(event, now) else {
            return;
        };
        #[cfg(feature = "trap-with-turn")]
        if super::share::is_new("trap") {
            host::trap();
        }
        let (origin, retries) = (&self.remote.origin, self.remote.retries);
        let known = self.known();
        let fetch = Fetch::begin(
            holder,
            origin,
            &self.format,
            retries,
            policy.timeout,
            known,
            now,
        );
        self.running = Some(Running {
            fetch,
            callout: None,
        });
        self.see(self.share.progress());
    }

    /// The document that the progress speaks of.
    fn known(&self) -> Option<Document> {
        let set = self.progress.set()?;
        self.share.document().filter(|known| known.id == set.id)
    }

    /// Sends the next request of the fetch, if it is time.
    fn send(&mut self, now: Timestamp, meters: &Meters) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.callout.is_some() {
            return;
        }
        let Some(call) = running.fetch.call(now) else {
            return;
        };
        running.callout = host::get(&self.remote, &call);
        if running.callout.is_none() {
            let next = running.fetch.refused(now, host::random());
            self.go_on(next, now, meters);
        }
    }

    /// Takes the answer to `callout`, if that is of a fetch of this source. `size` is that of the
    /// body; an answer without headers is none.
    pub(super) fn answered(
        &mut self,
        callout: CalloutId,
        has_headers: bool,
        size: usize,
        now: Timestamp,
        meters: &Meters,
    ) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.callout != Some(callout) {
            return;
        }
        running.callout = None;
        let headers = if has_headers {
            host::callout_headers()
        } else {
            Vec::new()
        };
        let answer = Answer {
            headers: &headers,
            size,
            body: &|| host::callout_body(size),
        };
        let next = running.fetch.answered(&answer, now, host::random());
        self.go_on(next, now, meters);
    }

    /// The next request is sent by the next tick: a callout belongs to the context that is in effect
    /// when it is dispatched, and in a tick that is the root context.
    fn go_on(&mut self, next: Next<T>, now: Timestamp, meters: &Meters) {
        let Next::Ended(outcome) = next else {
            return;
        };
        let Some(Running { fetch, .. }) = self.running.take() else {
            return;
        };
        let (holder, index) = (fetch.id(), self.provider.index);
        let name = &self.provider.name;
        match outcome {
            Outcome::Changed {
                document,
                what,
                fresh_for,
            } => {
                meters.count(Counter::FetchSuccess(T::SERIES, index));
                let event = Event::Changed { holder, fresh_for };
                if self.share.put(document) && self.share.advance(event, now) == Action::Keep {
                    let (kind, count) = (T::NAME, what.count(&self.engine));
                    info!("bearer-gate: provider {name}: a new {kind}, {count} usable entries");
                    report_skipped(&self.provider, &what.skipped(&self.engine), meters);
                    let fetched_at = now;
                    let set = SharedSet {
                        id: holder,
                        fetched_at,
                    };
                    self.hold(set, what, meters);
                } else {
                    let kind = T::NAME;
                    debug!("bearer-gate: provider {name}: the new {kind} could not be shared");
                    // The turn is most likely another worker's by now; if not, it ends here.
                    self.share.advance(Event::Failed { holder }, now);
                }
            }
            Outcome::Unchanged { id, fresh_for } => {
                meters.count(Counter::FetchSuccess(T::SERIES, index));
                let event = Event::Unchanged {
                    holder,
                    id,
                    fresh_for,
                };
                self.share.advance(event, now);
            }
            Outcome::Failed(problem) => {
                meters.count(Counter::FetchFailure(T::SERIES, index));
                let kind = T::NAME;
                warn!("bearer-gate: provider {name}: fetching the {kind} failed: {problem}");
                self.share.advance(Event::Failed { holder }, now);
            }
        }
        self.look(now, meters);
        // Also where nothing is new: a request that waited for this fetch is to be decided.
        self.news = true;
    }

    /// Looks how far the fetching has got, adopts what is new and drops what is too old.
    fn look(&mut self, now: Timestamp, meters: &Meters) {
        self.see(self.share.progress());
        let index = self.provider.index;
        if let Some(set) = self.progress.set()
            && !set.is_stale(&self.remote.policy, now)
        {
            match &mut self.held {
                Some(held) if held.set.id == set.id => {
                    self.need.lost = false;
                    if held.set != set {
                        held.set = set;
                        let fetched_at = set.fetched_at.since(Timestamp::EPOCH).as_secs();
                        meters.record(Gauge::FetchedAt(T::SERIES, index), fetched_at);
                    }
                }
                _ if self.refused == Some(set.id) => {}
                _ => self.adopt(set, meters),
            }
        }
        let policy = &self.remote.policy;
        if let Some(held) = self.held.take_if(|held| held.set.is_stale(policy, now)) {
            warn!(
                "bearer-gate: provider {}: the {} is too old to be used, {} seconds",
                self.provider.name,
                T::NAME,
                now.since(held.set.fetched_at).as_secs()
            );
            meters.record(Gauge::Count(T::SERIES, index), 0);
            self.news = true;
        }
    }

    fn see(&mut self, progress: Progress) {
        if progress != self.progress {
            self.progress = progress;
            self.news = true;
        }
    }

    /// Takes `set` into use, if the document that is shared is that set. It may be another one: a
    /// worker shares the document first and the progress then.
    fn adopt(&mut self, set: SharedSet, meters: &Meters) {
        let document = self.share.document().filter(|known| known.id == set.id);
        self.need.lost = document.is_none();
        let Some(document) = document else {
            return;
        };
        match T::parse(&document.body, &self.format) {
            Ok(what) => self.hold(set, what, meters),
            Err(problem) => {
                self.refused = Some(set.id);
                warn!(
                    "bearer-gate: provider {}: the shared {} is refused: {problem}",
                    self.provider.name,
                    T::NAME
                );
            }
        }
    }

    fn hold(&mut self, set: SharedSet, what: T, meters: &Meters) {
        let index = self.provider.index;
        let count = u64::try_from(what.count(&self.engine)).unwrap_or(u64::MAX);
        let fetched_at = set.fetched_at.since(Timestamp::EPOCH).as_secs();
        meters.record(Gauge::Count(T::SERIES, index), count);
        meters.record(Gauge::FetchedAt(T::SERIES, index), fetched_at);
        self.need.lost = false;
        let what = Rc::new(what);
        self.held = Some(Held { set, what });
        self.news = true;
    }
}

/// Counts the keys of a new set that cannot be used, and says which they are.
pub(super) fn report_skipped(provider: &Provider, keys: &[(usize, &str)], meters: &Meters) {
    meters.count_several(Counter::SkippedKeys(provider.index), keys.len());
    for (index, problem) in keys.iter().take(MOST_LOGGED) {
        warn!(
            "bearer-gate: provider {}: keys[{index}] is skipped: {problem}",
            provider.name
        );
    }
    let more = keys.len().saturating_sub(MOST_LOGGED);
    if more > 0 {
        warn!(
            "bearer-gate: provider {}: {more} more keys are skipped",
            provider.name
        );
    }
}

/// How many skipped keys of a set are logged one by one.
const MOST_LOGGED: usize = 16;

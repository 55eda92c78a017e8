//! When something is fetched, and by whom: a pure state machine.
//!
//! All workers of a process share one [`Progress`] for each source. Whatever happens to a
//! worker is an [`Event`]; [`Progress::after`] says what becomes of the progress and what the worker
//! has to do. The worker writes the new progress in place of the one that it read, and acts only if
//! the host let it: of several workers that find a fetch due, one takes the turn.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backoff::Backoff;
use crate::time::{Timestamp, whole_millis};

/// How long a set is used at least, whatever its server says of it.
const SHORTEST_FRESHNESS: Duration = Duration::from_secs(10);

/// The longest turn that is believed: twice the longest timeout that can be configured.
const LONGEST_TURN: Duration = Duration::from_secs(7200);

/// What one configuration wants of a source. Several may share a source and want different things:
/// each worker goes by its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a fetch may take, and a request may wait for one.
    pub timeout: Duration,
    /// How long a set is used before it is fetched again.
    pub cache_duration: Duration,
    /// How long after its last good fetch a set is used at all.
    pub max_stale: Duration,
    /// The shortest time between two fetches for keys that a set does not have.
    pub refetch_cooldown: Duration,
    /// How soon a failed fetch is tried again.
    pub retry: Backoff,
}

/// How far the fetching of one document has got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The set that is shared; `None` where there is none yet.
    set: Option<SharedSet>,
    /// When the next fetch is due.
    due_at: Timestamp,
    /// How many fetches have failed since one succeeded.
    failures: u32,
    /// When a fetch was begun last for a key that the set does not have.
    refetched_at: Option<Timestamp>,
    /// Who is fetching.
    turn: Option<Turn>,
}

/// A set that has been fetched and shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedSet {
    /// The number of the fetch that brought it, and of the [`Document`](super::Document) it is in.
    pub id: u64,
    /// When the server last said that this is the set.
    pub fetched_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    /// A random number that the holder knows itself by.
    holder: u64,
    /// When the turn was taken.
    since: Timestamp,
    /// When the turn ends although nobody ended it: its holder has vanished.
    until: Timestamp,
    /// Whether the fetch was not due, but is for a key that the set does not have.
    ahead: bool,
}

/// What happens to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It looks whether there is something to do.
    Looked(Need),
    /// Its fetch, the one with this number, has brought a usable set. `fresh_for` is what the server
    /// says of how long it will stay the same.
    Changed {
        /// The number of the fetch.
        holder: u64,
        /// What `Cache-Control` says.
        fresh_for: Option<Duration>,
    },
    /// Its fetch has brought the set `id` once more.
    Unchanged {
        /// The number of the fetch.
        holder: u64,
        /// The set.
        id: u64,
        /// What `Cache-Control` says.
        fresh_for: Option<Duration>,
    },
    /// Its fetch has brought nothing.
    Failed {
        /// The number of the fetch.
        holder: u64,
    },
}

/// What a worker needs beyond what is due anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Requests wait for a key that the set does not have.
    pub newer: bool,
    /// The document that the progress speaks of is not there.
    pub lost: bool,
}

/// What a worker has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// It is its turn to fetch, under this number.
    Fetch {
        /// The number that it tells by, when the fetch has ended, that the turn was its own.
        holder: u64,
    },
    /// What its fetch has brought counts, for it and for the others.
    Keep,
}

impl Progress {
    /// What becomes of the progress, and what the worker has to do that `event` happens to. `random`
    /// is a number that nobody can foresee.
    #[must_use]
    pub fn after(
        &self,
        event: Event,
        policy: &Policy,
        now: Timestamp,
        random: u64,
    ) -> (Self, Action) {
        match event {
            Event::Looked(need) => self.looked(need, policy, now, random),
            Event::Changed { holder, fresh_for } if self.is_turn_of(holder) => {
                let set = SharedSet {
                    id: holder,
                    fetched_at: now,
                };
                (self.fetched(set, fresh_for, policy, random), Action::Keep)
            }
            Event::Unchanged {
                holder,
                id,
                fresh_for,
            } if self.is_turn_of(holder) && self.set.is_some_and(|set| set.id == id) => {
                let fetched_at = now;
                let set = SharedSet { id, fetched_at };
                (self.fetched(set, fresh_for, policy, random), Action::Keep)
            }
            // An unchanged set that is not the one that is shared is of no use.
            Event::Failed { holder } | Event::Unchanged { holder, .. }
                if self.is_turn_of(holder) =>
            {
                (self.failed(policy, now, random), Action::Nothing)
            }
            // The turn has passed to somebody else, whose outcome counts.
            Event::Changed { .. } | Event::Unchanged { .. } | Event::Failed { .. } => {
                (self.clone(), Action::Nothing)
            }
        }
    }

    fn looked(&self, need: Need, policy: &Policy, now: Timestamp, holder: u64) -> (Self, Action) {
        let due = self.is_due(need.lost, policy, now);
        let refetch = need.newer && self.set.is_some() && self.is_cool(policy, now);
        if self.is_held(now) || !(due || refetch) {
            return (self.clone(), Action::Nothing);
        }
        let turn = Turn {
            holder,
            since: now,
            until: now.plus(policy.timeout.saturating_mul(2)),
            ahead: !due,
        };
        let next = Self {
            turn: Some(turn),
            refetched_at: if refetch {
                Some(now)
            } else {
                self.refetched_at
            },
            ..self.clone()
        };
        (next, Action::Fetch { holder })
    }

    /// The next fetch is due ahead of the end of the set's time, by up to a tenth of it, so that
    /// processes that started together do not ask together for ever.
    fn fetched(
        &self,
        set: SharedSet,
        fresh_for: Option<Duration>,
        policy: &Policy,
        random: u64,
    ) -> Self {
        let lifetime = fresh_for.map_or(policy.cache_duration, |fresh_for| {
            fresh_for.max(SHORTEST_FRESHNESS).min(policy.cache_duration)
        });
        let tenth = whole_millis(lifetime).saturating_div(10);
        let ahead = Duration::from_millis(random.checked_rem(tenth.saturating_add(1)).unwrap_or(0));
        Self {
            set: Some(set),
            due_at: set.fetched_at.plus(lifetime.saturating_sub(ahead)),
            failures: 0,
            refetched_at: self.refetched_at,
            turn: None,
        }
    }

    /// A fetch that was not due leaves all as it was: what strangers ask for must not make the
    /// server be asked more often than once in a cooldown.
    fn failed(&self, policy: &Policy, now: Timestamp, random: u64) -> Self {
        let ahead = self.turn.is_some_and(|turn| turn.ahead);
        let next = Self {
            turn: None,
            ..self.clone()
        };
        if ahead {
            return next;
        }
        Self {
            due_at: now.plus(policy.retry.delay(self.failures, random)),
            failures: self.failures.saturating_add(1),
            ..next
        }
    }

    /// Whether a set has to be fetched. Another configuration may have set a later date than this
    /// one wants.
    fn is_due(&self, lost: bool, policy: &Policy, now: Timestamp) -> bool {
        let clock_was_set_back = match self.set {
            Some(set) if self.failures == 0 => is_ahead(set.fetched_at, now),
            _ => self.due_at > now.plus(policy.retry.longest()),
        };
        let too_old = |set: SharedSet| now.since(set.fetched_at) >= policy.cache_duration;
        let too_old = self.failures == 0 && self.set.is_some_and(too_old);
        let lost = self.failures == 0 && lost;
        now >= self.due_at || too_old || lost || clock_was_set_back
    }

    fn is_held(&self, now: Timestamp) -> bool {
        self.turn.is_some_and(|turn| {
            now < turn.until
                && !is_ahead(turn.since, now)
                && turn.until.since(turn.since) <= LONGEST_TURN
        })
    }

    /// Whether a fetch may be begun for a key that the set does not have.
    fn is_cool(&self, policy: &Policy, now: Timestamp) -> bool {
        self.refetched_at.is_none_or(|refetched_at| {
            now.since(refetched_at) >= policy.refetch_cooldown || is_ahead(refetched_at, now)
        })
    }

    /// Whether the fetch with this number still holds the turn. One that has lasted too long holds
    /// it until somebody takes it.
    #[must_use]
    pub fn is_turn_of(&self, holder: u64) -> bool {
        self.turn.is_some_and(|turn| turn.holder == holder)
    }

    /// The set that is shared.
    #[must_use]
    pub const fn set(&self) -> Option<SharedSet> {
        self.set
    }

    /// Whether a key that the set does not have is worth waiting for: a fetch is under way, or may
    /// be begun for it.
    #[must_use]
    pub fn may_bring_newer(&self, policy: &Policy, now: Timestamp) -> bool {
        self.is_held(now) || self.is_cool(policy, now)
    }

    /// How long it takes until there may be a set, where there is none: `None` while a fetch is
    /// under way or due within the time that a request may wait.
    #[must_use]
    pub fn retry_after(&self, policy: &Policy, now: Timestamp) -> Option<Duration> {
        let wait = self.due_at.since(now);
        let hopeless = !self.is_held(now) && wait >= policy.timeout;
        hopeless.then_some(wait.min(policy.retry.longest()))
    }
}

impl SharedSet {
    /// Whether the set is too old to be used.
    #[must_use]
    pub fn is_stale(&self, policy: &Policy, now: Timestamp) -> bool {
        now.since(self.fetched_at) >= policy.max_stale
    }
}

/// Whether `time`, which was once the present, is in the future: the clock has been set back. The
/// clocks of two workers may differ by the time that either takes for a tick.
fn is_ahead(time: Timestamp, now: Timestamp) -> bool {
    time > now.plus(Duration::from_secs(1))
}

#[cfg(test)]
mod tests;

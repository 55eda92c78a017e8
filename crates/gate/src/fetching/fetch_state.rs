//! When a document is fetched, and by which worker: a pure state machine.
//!
//! All workers of a process share one [`FetchState`] for each document. [`FetchState::after`] takes what
//! happened to a worker and returns the new state and what the worker has to do. The worker replaces
//! the state that it read by the new one and acts only if the host let it: of several workers that find
//! a fetch due, one takes the turn.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::refresh_policy::RefreshPolicy;
use crate::time::{Instant, whole_millis};

/// The shortest time for which a document is used, whatever its server says.
const SHORTEST_FRESHNESS: Duration = Duration::from_mins(1);

/// How long a document is kept for a new user: the time in which it is expected to join.
const RESERVATION: Duration = Duration::from_secs(10);

/// The longest credible turn: twice the longest timeout that can be configured.
const LONGEST_TURN: Duration = Duration::from_hours(2);

/// The shared state of fetching one document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchState {
    /// The shared document, if there is one.
    version: Option<DocumentVersion>,
    /// When the next fetch is due.
    due_at: Instant,
    /// The number of failures since the last success.
    failures: u32,
    /// When the last fetch for an unknown key was started.
    refetched_at: Option<Instant>,
    /// The running fetch.
    turn: Option<Turn>,
    /// The number of users: configurations, counted once in each worker.
    users: u32,
    /// Until when another user may be about to join; in the past if one has joined since.
    reserved_until: Instant,
}

/// A version of a shared document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentVersion {
    /// The number of the fetch that brought it.
    pub id: u64,
    /// When the server last said that it is current.
    pub fetched_at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    /// The random number of the fetch.
    holder: u64,
    /// When the fetch was started.
    since: Instant,
    /// When the turn lapses: its worker has vanished.
    until: Instant,
    /// Whether the fetch was not due, but was started for an unknown key.
    ahead: bool,
}

/// What happened to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchEvent {
    /// It checks whether it has to fetch.
    Checked(FetchNeed),
    /// Its fetch brought a new document.
    Changed {
        /// The number of the fetch.
        holder: u64,
        /// The freshness lifetime of the response.
        fresh_for: Option<Duration>,
    },
    /// Its fetch brought the document `id` again.
    Unchanged {
        /// The number of the fetch.
        holder: u64,
        /// The number of the fetch that brought the document first.
        id: u64,
        /// The freshness lifetime of the response.
        fresh_for: Option<Duration>,
    },
    /// Its fetch failed.
    Failed {
        /// The number of the fetch.
        holder: u64,
    },
    /// It has a new configuration with this document, and joins if the host really uses it.
    Reserved,
    /// It begins to use the document for a configuration.
    Joined,
    /// It uses the document no more for a configuration, because that is removed.
    Left,
    /// It gives its fetch up without a result, because its configuration is removed.
    Abandoned {
        /// The number of the fetch.
        holder: u64,
    },
}

/// What a worker needs besides fetches that are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchNeed {
    /// Requests wait for a key that the set does not have.
    pub newer: bool,
    /// The document that the state names is not there.
    pub lost: bool,
}

/// What a worker has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchAction {
    /// Nothing.
    Nothing,
    /// Fetch.
    Fetch {
        /// The number of the fetch, which the events that end it must name.
        holder: u64,
    },
    /// Use the result of its fetch.
    Use,
    /// Empty the shared document, because nobody uses it.
    Discard,
}

impl FetchState {
    /// The state after `event`, and what the worker has to do. `random` must be unpredictable: it
    /// becomes the number of a fetch.
    #[must_use]
    pub fn after(
        &self,
        event: FetchEvent,
        policy: &RefreshPolicy,
        now: Instant,
        random: u64,
    ) -> (Self, FetchAction) {
        match event {
            FetchEvent::Checked(need) => self.checked(need, policy, now, random),
            FetchEvent::Changed { holder, fresh_for } if self.is_turn_of(holder) => {
                let version = DocumentVersion {
                    id: holder,
                    fetched_at: now,
                };
                let next = self.fetched(version, fresh_for, policy, random);
                (next, FetchAction::Use)
            }
            FetchEvent::Unchanged {
                holder,
                id,
                fresh_for,
            } if self.is_turn_of(holder)
                && self.version.is_some_and(|version| version.id == id) =>
            {
                let fetched_at = now;
                let version = DocumentVersion { id, fetched_at };
                let next = self.fetched(version, fresh_for, policy, random);
                (next, FetchAction::Use)
            }
            // That another document than the shared one is unchanged is of no use.
            FetchEvent::Failed { holder } | FetchEvent::Unchanged { holder, .. }
                if self.is_turn_of(holder) =>
            {
                (self.failed(policy, now, random), FetchAction::Nothing)
            }
            FetchEvent::Abandoned { holder } if self.is_turn_of(holder) => {
                (self.abandoned(), FetchAction::Nothing)
            }
            FetchEvent::Reserved => {
                let reserved_until = now.plus(RESERVATION);
                let next = Self {
                    reserved_until,
                    ..self.clone()
                };
                (next, FetchAction::Nothing)
            }
            FetchEvent::Joined => {
                // A user keeps the document from now on.
                let next = Self {
                    users: self.users.saturating_add(1),
                    reserved_until: Instant::default(),
                    ..self.clone()
                };
                (next, FetchAction::Nothing)
            }
            FetchEvent::Left => self.left(now),
            // Another worker has taken the turn, and its result counts.
            FetchEvent::Changed { .. }
            | FetchEvent::Unchanged { .. }
            | FetchEvent::Failed { .. }
            | FetchEvent::Abandoned { .. } => (self.clone(), FetchAction::Nothing),
        }
    }

    fn checked(
        &self,
        need: FetchNeed,
        policy: &RefreshPolicy,
        now: Instant,
        holder: u64,
    ) -> (Self, FetchAction) {
        let due = self.is_due(need.lost, policy, now);
        let refetch = need.newer && self.version.is_some() && self.is_cool(policy, now);
        if self.is_held(now) || !(due || refetch) {
            return (self.clone(), FetchAction::Nothing);
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
        (next, FetchAction::Fetch { holder })
    }

    /// The next fetch is due before the lifetime ends, by up to a tenth of it, so that processes that
    /// started together do not fetch at the same times forever.
    fn fetched(
        &self,
        version: DocumentVersion,
        fresh_for: Option<Duration>,
        policy: &RefreshPolicy,
        random: u64,
    ) -> Self {
        let fresh_for = fresh_for.filter(|_| policy.honors_cache_control);
        let lifetime = fresh_for.map_or(policy.cache_duration, |fresh_for| {
            fresh_for.max(SHORTEST_FRESHNESS).min(policy.cache_duration)
        });
        let tenth = whole_millis(lifetime).saturating_div(10);
        let ahead = Duration::from_millis(random.checked_rem(tenth.saturating_add(1)).unwrap_or(0));
        Self {
            version: Some(version),
            due_at: version.fetched_at.plus(lifetime.saturating_sub(ahead)),
            failures: 0,
            turn: None,
            ..self.clone()
        }
    }

    /// A failed fetch that was not due changes nothing else: unknown keys must not cause more than one
    /// fetch in a cooldown.
    fn failed(&self, policy: &RefreshPolicy, now: Instant, random: u64) -> Self {
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

    /// The state after a fetch that was given up: another worker may start it at once, also within the
    /// cooldown that it began.
    fn abandoned(&self) -> Self {
        let started_at = self.turn.map(|turn| turn.since);
        let refetched_at = self.refetched_at.filter(|at| Some(*at) != started_at);
        Self {
            turn: None,
            refetched_at,
            ..self.clone()
        }
    }

    /// The state after a user has left. The last one takes the document away, unless another user is about
    /// to join: a configuration that replaces this one.
    fn left(&self, now: Instant) -> (Self, FetchAction) {
        let users = self.users.saturating_sub(1);
        let is_reserved = now < self.reserved_until && self.reserved_until <= now.plus(RESERVATION);
        if users == 0 && !is_reserved {
            return (Self::default(), FetchAction::Discard);
        }
        let next = Self {
            users,
            ..self.clone()
        };
        (next, FetchAction::Nothing)
    }

    /// Whether a fetch is due. Another configuration may have set a later date than this one wants.
    fn is_due(&self, lost: bool, policy: &RefreshPolicy, now: Instant) -> bool {
        // Every plugin with this `vm_id` can write the state.
        let is_forged = match self.version {
            Some(version) if self.failures == 0 => version.fetched_at.is_ahead_of(now),
            _ => self.due_at > now.plus(policy.retry.longest()),
        };
        let too_old =
            |version: DocumentVersion| now.since(version.fetched_at) >= policy.cache_duration;
        let too_old = self.failures == 0 && self.version.is_some_and(too_old);
        let lost = self.failures == 0 && lost;
        now >= self.due_at || too_old || lost || is_forged
    }

    fn is_held(&self, now: Instant) -> bool {
        self.turn.is_some_and(|turn| {
            now < turn.until
                && !turn.since.is_ahead_of(now)
                && turn.until.since(turn.since) <= LONGEST_TURN
        })
    }

    /// Whether a fetch may be started for an unknown key.
    fn is_cool(&self, policy: &RefreshPolicy, now: Instant) -> bool {
        self.refetched_at.is_none_or(|refetched_at| {
            now.since(refetched_at) >= policy.refetch_cooldown || refetched_at.is_ahead_of(now)
        })
    }

    /// Whether the fetch with this number holds the turn. A lapsed turn is held until another worker
    /// takes it.
    #[must_use]
    pub fn is_turn_of(&self, holder: u64) -> bool {
        self.turn.is_some_and(|turn| turn.holder == holder)
    }

    /// The shared document.
    #[must_use]
    pub const fn version(&self) -> Option<DocumentVersion> {
        self.version
    }

    /// Whether anything but the start of a fetch happened since the state was `earlier`. Only that can
    /// decide a request that waits.
    #[must_use]
    pub fn has_advanced_since(&self, earlier: &Self) -> bool {
        let ended = earlier.turn.is_some() && self.turn != earlier.turn;
        // A refetch that started and ended in between.
        let refetched = self.turn.is_none() && self.refetched_at != earlier.refetched_at;
        ended
            || refetched
            || (self.version, self.due_at, self.failures)
                != (earlier.version, earlier.due_at, earlier.failures)
    }

    /// Whether an unknown key is worth waiting for: a fetch is running, or may be started.
    #[must_use]
    pub fn may_bring_newer(&self, policy: &RefreshPolicy, now: Instant) -> bool {
        self.is_held(now) || self.is_cool(policy, now)
    }

    /// When there may be a document, if there is none: `None` while a fetch is running or due within
    /// the time that a request may wait.
    #[must_use]
    pub fn retry_after(&self, policy: &RefreshPolicy, now: Instant) -> Option<Duration> {
        let wait = self.due_at.since(now);
        let hopeless = !self.is_held(now) && wait >= policy.timeout;
        hopeless.then_some(wait.min(policy.retry.longest()))
    }
}

impl DocumentVersion {
    /// Whether the document is too old to be used.
    #[must_use]
    pub fn is_stale(&self, policy: &RefreshPolicy, now: Instant) -> bool {
        now.since(self.fetched_at) >= policy.max_stale
    }
}

#[cfg(test)]
mod tests;

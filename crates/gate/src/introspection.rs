//! Token introspection (RFC 7662): asking the authorization server about a token.
//!
//! [`Introspector`] is the state of one worker for one provider: cached answers, tokens that are being
//! asked about, and tokens that wait for their turn. It does no I/O. Its owner sends a request for
//! each token that [`Introspector::take_next`] returns, and passes the result to
//! [`Introspector::settle`].

mod answer;
mod cache;

use std::collections::{HashSet, VecDeque};
use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use self::cache::Cache;
use crate::time::Timestamp;

pub use self::answer::{IntrospectionResponse, MAX_ANSWER_BYTES, read};

/// The status of a token.
#[derive(Clone, Debug)]
pub enum TokenStatus {
    /// The token is active.
    Active(Rc<IntrospectionResponse>),
    /// The token is not active: it is unknown, expired or revoked.
    Inactive,
    /// The authorization server has not answered yet.
    Pending,
    /// The status cannot be determined now.
    Unavailable {
        /// When a client should try again.
        retry_after: Duration,
    },
}

/// How long answers are cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// For an active token, but never longer than until its `exp`.
    pub active: Duration,
    /// For a token that is not active.
    pub inactive: Duration,
}

/// How long a token is not asked about again after a failure.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// The largest number of unanswered tokens per worker.
const MAX_UNANSWERED: usize = 1024;

/// The largest number of tokens that a worker asks about at the same time.
const MAX_IN_FLIGHT: usize = 128;

/// Limits of each of the two caches. Active tokens are cached separately, so that a flood of invalid
/// tokens cannot displace them.
const MAX_CACHED: usize = 4096;
const MAX_ACTIVE_BYTES: usize = 8 * 1024 * 1024;
const MAX_INACTIVE_BYTES: usize = 2 * 1024 * 1024;

/// What one worker knows about the tokens of one provider.
#[derive(Debug)]
pub struct Introspector {
    durations: Durations,
    active: Cache<Rc<IntrospectionResponse>>,
    /// Inactive tokens, and tokens for which introspection failed.
    inactive: Cache<NotActive>,
    /// Tokens that are queued or in flight.
    unanswered: HashSet<Rc<str>, RandomState>,
    /// Tokens that are not in flight yet.
    queue: VecDeque<Rc<str>>,
}

#[derive(Clone, Copy, Debug)]
enum NotActive {
    Inactive,
    Failed,
}

impl Introspector {
    /// An introspector without any answers. `state` is the key of its hash tables.
    #[must_use]
    pub fn new(durations: Durations, state: &RandomState) -> Self {
        Self {
            durations,
            active: Cache::new(MAX_CACHED, MAX_ACTIVE_BYTES, state.clone()),
            inactive: Cache::new(MAX_CACHED, MAX_INACTIVE_BYTES, state.clone()),
            unanswered: HashSet::with_hasher(state.clone()),
            queue: VecDeque::new(),
        }
    }

    /// The status of `token`. If it is not cached, the token is queued for introspection.
    pub fn ask(&mut self, token: &str, now: Timestamp) -> TokenStatus {
        if let Some(active) = self.active.find(token, now) {
            return TokenStatus::Active(active);
        }
        match self.inactive.find(token, now) {
            Some(NotActive::Inactive) => return TokenStatus::Inactive,
            Some(NotActive::Failed) => return UNAVAILABLE,
            None => {}
        }
        if self.unanswered.contains(token) {
            return TokenStatus::Pending;
        }
        if self.unanswered.len() >= MAX_UNANSWERED {
            return UNAVAILABLE;
        }
        let token: Rc<str> = token.into();
        self.unanswered.insert(Rc::clone(&token));
        self.queue.push_back(token);
        TokenStatus::Pending
    }

    /// The next token to ask about now, if any. It counts as in flight until it is settled.
    pub fn take_next(&mut self) -> Option<Rc<str>> {
        if self.has_next() {
            self.queue.pop_front()
        } else {
            None
        }
    }

    /// Whether [`Introspector::take_next`] would return a token.
    #[must_use]
    pub fn has_next(&self) -> bool {
        let in_flight = self.unanswered.len().saturating_sub(self.queue.len());
        in_flight < MAX_IN_FLIGHT && !self.queue.is_empty()
    }

    /// Whether any token is queued or in flight.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.unanswered.is_empty()
    }

    /// Stores the answer about `token`: `Ok(None)` if it is not active.
    pub fn settle(
        &mut self,
        token: &str,
        answer: Result<Option<IntrospectionResponse>, Failed>,
        now: Timestamp,
    ) {
        self.unanswered.remove(token);
        // Waiting requests are decided at this time and must find the answer, whatever the durations.
        let earliest_end = now.plus(Duration::from_millis(1));
        match answer {
            Ok(Some(active)) => {
                let expires_at = active.claims.expires_at.unwrap_or(Timestamp::END);
                let end = now.plus(self.durations.active).min(expires_at);
                let bytes = active.heap_bytes();
                self.active
                    .insert(token, Rc::new(active), bytes, end.max(earliest_end), now);
            }
            Ok(None) => {
                let end = now.plus(self.durations.inactive).max(earliest_end);
                self.inactive
                    .insert(token, NotActive::Inactive, 0, end, now);
            }
            Err(Failed) => {
                let end = now.plus(FAILED_FOR);
                self.inactive.insert(token, NotActive::Failed, 0, end, now);
            }
        }
    }
}

/// Introspection has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

const UNAVAILABLE: TokenStatus = TokenStatus::Unavailable {
    retry_after: FAILED_FOR,
};

impl TokenStatus {
    /// The status for a request that cannot wait: `Pending` becomes `Unavailable`.
    #[must_use]
    pub fn at_once(self) -> Self {
        match self {
            Self::Pending => UNAVAILABLE,
            status => status,
        }
    }
}

#[cfg(test)]
mod tests;

//! What an authorization server says of tokens that only it can read (RFC 7662).
//!
//! [`Introspector`] is what one worker knows of one provider's tokens: what it was told, what it is
//! asking and what it is yet to ask. It does no I/O: whoever holds it sends what [`Introspector::take_next`]
//! gives out, and hands what comes of that to [`Introspector::settle`].

mod answer;
mod cache;

use std::collections::VecDeque;
use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use hashbrown::HashSet;

pub use answer::{IntrospectionResponse, MAX_ANSWER_BYTES, read};
use cache::Cache;

use crate::time::Timestamp;

/// What is known of a token.
#[derive(Clone, Debug)]
pub enum TokenStatus {
    /// It is active.
    Active(Rc<IntrospectionResponse>),
    /// It is not: it never was, has expired or has been revoked.
    Inactive,
    /// That is being asked.
    Pending,
    /// That cannot be found out.
    Unavailable {
        /// When it is worth asking again.
        retry_after: Duration,
    },
}

/// How long what was said of a token counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// That it is active; never longer than until its `exp`.
    pub active: Duration,
    /// That it is not.
    pub inactive: Duration,
}

/// How long a token is not asked about again after that has failed.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// The most tokens that a worker waits to be told of, and the most that it asks about at once.
const MOST_WANTED: usize = 1024;
const MOST_ASKED: usize = 128;

/// The most tokens that are remembered, active and other ones apart: a flood of invented tokens must
/// not displace what is known of good ones.
const MOST_REMEMBERED: usize = 4096;
const MOST_ACTIVE_BYTES: usize = 8 * 1024 * 1024;
const MOST_OTHER_BYTES: usize = 2 * 1024 * 1024;

/// What one worker knows of the tokens of one provider.
#[derive(Debug)]
pub struct Introspector {
    durations: Durations,
    active: Cache<Rc<IntrospectionResponse>>,
    /// Inactive tokens, and those that nothing could be found out about.
    others: Cache<Other>,
    /// Tokens that are asked about or will be.
    wanted: HashSet<Rc<str>>,
    queue: VecDeque<Rc<str>>,
}

#[derive(Clone, Copy, Debug)]
enum Other {
    Inactive,
    Failed,
}

impl Introspector {
    /// One that knows nothing, whose hash is seeded by `state`.
    #[must_use]
    pub fn new(durations: Durations, state: &RandomState) -> Self {
        Self {
            durations,
            active: Cache::new(MOST_REMEMBERED, MOST_ACTIVE_BYTES, state.clone()),
            others: Cache::new(MOST_REMEMBERED, MOST_OTHER_BYTES, state.clone()),
            wanted: HashSet::new(),
            queue: VecDeque::new(),
        }
    }

    /// What is known of `token`; it will be asked about if that is nothing.
    pub fn ask(&mut self, token: &str, now: Timestamp) -> TokenStatus {
        if let Some(active) = self.active.find(token, now) {
            return TokenStatus::Active(active);
        }
        match self.others.find(token, now) {
            Some(Other::Inactive) => return TokenStatus::Inactive,
            Some(Other::Failed) => return UNAVAILABLE,
            None => {}
        }
        if self.wanted.contains(token) {
            return TokenStatus::Pending;
        }
        if self.wanted.len() >= MOST_WANTED {
            return UNAVAILABLE;
        }
        let token: Rc<str> = token.into();
        self.wanted.insert(Rc::clone(&token));
        self.queue.push_back(token);
        TokenStatus::Pending
    }

    /// The next token to ask about, if one is to be asked about now.
    pub fn take_next(&mut self) -> Option<Rc<str>> {
        let asked = self.wanted.len().saturating_sub(self.queue.len());
        (asked < MOST_ASKED)
            .then(|| self.queue.pop_front())
            .flatten()
    }

    /// Whether [`Introspector::take_next`] has something.
    #[must_use]
    pub fn has_next(&self) -> bool {
        let asked = self.wanted.len().saturating_sub(self.queue.len());
        asked < MOST_ASKED && !self.queue.is_empty()
    }

    /// Whether it is being told anything, or will be.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Takes note of what was said of `token`: that it is active, that it is not, or nothing.
    pub fn settle(
        &mut self,
        token: &str,
        said: Result<Option<IntrospectionResponse>, Failed>,
        now: Timestamp,
    ) {
        self.wanted.remove(token);
        // Whoever has waited for this gets to see it, however soon it is worth nothing.
        let shortest = now.plus(Duration::from_millis(1));
        match said {
            Ok(Some(active)) => {
                let expires_at = active.claims.expires_at.unwrap_or(Timestamp::END);
                let dies_at = now.plus(self.durations.active).min(expires_at);
                let bytes = active.heap_bytes();
                self.active
                    .insert(token, Rc::new(active), bytes, dies_at.max(shortest), now);
            }
            Ok(None) => {
                let dies_at = now.plus(self.durations.inactive).max(shortest);
                self.others.insert(token, Other::Inactive, 0, dies_at, now);
            }
            Err(Failed) => {
                let dies_at = now.plus(FAILED_FOR);
                self.others.insert(token, Other::Failed, 0, dies_at, now);
            }
        }
    }
}

/// Nothing could be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

const UNAVAILABLE: TokenStatus = TokenStatus::Unavailable {
    retry_after: FAILED_FOR,
};

impl TokenStatus {
    /// The same for whoever cannot wait any longer.
    #[must_use]
    pub fn at_once(self) -> Self {
        match self {
            Self::Pending => UNAVAILABLE,
            known => known,
        }
    }
}

#[cfg(test)]
mod tests;

//! What is counted, and under which names.

use std::cell::RefCell;

use crate::reason::ReasonKind;

/// What is fetched that metrics tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Series {
    /// Key sets.
    Keys,
    /// Lists of revoked tokens.
    Revocation,
}

impl Series {
    /// What its metrics have in their names, and what the gauge is called of how much there is.
    #[must_use]
    pub const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Keys => ("jwks", "keys"),
            Self::Revocation => ("revocation", "entries"),
        }
    }
}

/// A counter. Envoy shows it with `wasmcustom.` before its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Requests that were let through for their token.
    Allowed,
    /// Requests that needed no token.
    Bypassed,
    /// Requests that were refused for this reason.
    Denied(ReasonKind),
    /// Tokens whose signature the host found good.
    VerifiedByHost,
    /// Those that the module itself found good.
    VerifiedBySoftware,
    /// Tokens that were known to be good.
    CacheHit,
    /// Tokens that were not.
    CacheMiss,
    /// Fetches for the provider with this index that succeeded.
    FetchSuccess(Series, usize),
    /// Those that failed.
    FetchFailure(Series, usize),
    /// Keys of the provider with this index that could not be used, each once for every set.
    SkippedKeys(usize),
    /// Tokens of the provider with this index that its authorization server was asked about and
    /// answered for.
    IntrospectionSuccess(usize),
    /// Those that it did not answer for.
    IntrospectionFailure(usize),
}

/// A gauge. Envoy shows it with `wasmcustom.` before its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gauge {
    /// Requests that wait now, of all workers.
    Waiting,
    /// How much there is in what was fetched for the provider with this index: usable keys, or
    /// revoked tokens, clients and subjects.
    Count(Series, usize),
    /// When it was fetched last, in seconds since the Unix epoch.
    FetchedAt(Series, usize),
}

/// Counts that are handed to the host now and then: a call of it for each would cost every request.
#[derive(Debug, Default)]
pub struct Tally(RefCell<Vec<(Counter, usize)>>);

impl Tally {
    /// Adds one to `counter`.
    pub fn count(&self, counter: Counter) {
        let mut counts = self.0.borrow_mut();
        match counts.iter_mut().find(|(known, _)| *known == counter) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => counts.push((counter, 1)),
        }
    }

    /// Takes out what has been counted.
    #[must_use]
    pub fn take(&self) -> Vec<(Counter, usize)> {
        self.0.take()
    }
}

//! When a document is fetched and how long it is used.

use std::time::Duration;

use super::backoff::Backoff;

/// When a document is fetched and how long it is used. Several configurations may share a document and
/// have different policies: each worker follows its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// How long a fetch may take, and a request may wait for one.
    pub timeout: Duration,
    /// How long a document is used before it is fetched again.
    pub cache_duration: Duration,
    /// How long a document is used after its last successful fetch.
    pub max_stale: Duration,
    /// The shortest time between two fetches for keys that a set does not have.
    pub refetch_cooldown: Duration,
    /// The delay before a failed fetch is repeated.
    pub retry: Backoff,
    /// Whether the lifetime that the server gives a response shortens `cache_duration`.
    pub honors_cache_control: bool,
}

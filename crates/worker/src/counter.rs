//! What is counted.

use gate::fetching::DocumentKind;
use gate::reason::ReasonKind;

/// A counter. Providers are named by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Requests that were let through with a valid token.
    Allowed,
    /// Requests that were let through without one.
    Bypassed,
    /// Requests for metadata, and preflights for them, that were answered.
    Metadata,
    /// Requests that were refused for this reason.
    Denied(ReasonKind),
    /// Signatures that the host found good.
    VerifiedByHost,
    /// Signatures that the module found good.
    VerifiedBySoftware,
    /// Tokens that the cache knew.
    CacheHit,
    /// Tokens that the cache did not know.
    CacheMiss,
    /// Successful fetches.
    FetchSuccess(DocumentKind, usize),
    /// Failed fetches.
    FetchFailure(DocumentKind, usize),
    /// Unusable keys, counted once for each key set.
    SkippedKeys(usize),
    /// Introspection requests with a usable response.
    IntrospectionSuccess(usize),
    /// Introspection requests without one.
    IntrospectionFailure(usize),
}

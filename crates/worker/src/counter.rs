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
    /// Requests that would have been refused for this reason, if refusals were not only reported.
    WouldDeny(ReasonKind),
    /// Streams that were ended for this reason after they had been admitted.
    Ended(ReasonKind),
    /// Signatures that the host found good.
    VerifiedByHost,
    /// Signatures that the module found good.
    VerifiedBySoftware,
    /// Tokens that the cache knew.
    CacheHit,
    /// Tokens that the cache did not know.
    CacheMiss,
    /// Proofs whose signature the host found good.
    ProofVerifiedByHost,
    /// Proofs whose signature the module found good.
    ProofVerifiedBySoftware,
    /// Proofs whose key was known.
    ProofKeyHit,
    /// Proofs whose key was not known.
    ProofKeyMiss,
    /// Attempts to note a used proof that another worker got ahead of.
    ProofContended,
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

//! What is measured.

use gate::fetching::DocumentKind;

/// A gauge. Providers are named by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gauge {
    /// Requests that wait now, in all workers.
    Waiting,
    /// Streams that end with their tokens and are open now, in all workers.
    Streams,
    /// The number of usable keys, or of revoked tokens, clients and subjects.
    Count(DocumentKind, usize),
    /// The time of the last successful fetch, in seconds since the Unix epoch.
    FetchedAt(DocumentKind, usize),
}

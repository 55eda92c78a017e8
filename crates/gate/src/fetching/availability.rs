//! Whether a fetched document is available.

use std::rc::Rc;
use std::time::Duration;

/// Whether a fetched document is available.
#[derive(Debug)]
pub enum Availability<T> {
    /// It is.
    Ready {
        /// The document.
        value: Rc<T>,
        /// Whether a newer one may arrive soon: a fetch is running, or may be started.
        newer_possible: bool,
    },
    /// It is not, but a fetch is running or about to start.
    Pending,
    /// It is not, and will not be soon.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

impl<T> Clone for Availability<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Ready {
                value,
                newer_possible,
            } => Self::Ready {
                value: Rc::clone(value),
                newer_possible: *newer_possible,
            },
            Self::Pending => Self::Pending,
            Self::Unavailable { retry_after } => Self::Unavailable {
                retry_after: *retry_after,
            },
        }
    }
}

impl<T> Availability<T> {
    /// The same for a request that cannot wait any longer: a pending document is unavailable until
    /// `retry_after`, and no newer one is expected.
    #[must_use]
    pub fn without_waiting(self, retry_after: Duration) -> Self {
        match self {
            Self::Ready { value, .. } => Self::Ready {
                value,
                newer_possible: false,
            },
            Self::Pending => Self::Unavailable { retry_after },
            unavailable @ Self::Unavailable { .. } => unavailable,
        }
    }
}

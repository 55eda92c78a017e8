//! What can be fetched, and whether it is at hand.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::metrics::Series;
use crate::verify::Engine;

/// What a server publishes for everybody to fetch.
pub trait Published: fmt::Debug + Sized {
    /// How it is written down, where there are several ways.
    type Format: Clone + fmt::Debug + fmt::Display;

    /// What the log calls it.
    const NAME: &'static str;

    /// Which metrics tell of it.
    const SERIES: Series;

    /// The longest document that is read, in bytes.
    const MAX_BYTES: usize;

    /// Reads a document.
    ///
    /// # Errors
    ///
    /// What makes it unusable, in words for the log.
    fn parse(document: &[u8], format: &Self::Format) -> Result<Self, String>;

    /// How much there is in it that can be used with this engine.
    fn count(&self, engine: &Engine) -> usize;

    /// What in it cannot be used with this engine: its position, and why.
    fn skipped(&self, _engine: &Engine) -> Vec<(usize, &'static str)> {
        Vec::new()
    }
}

/// Whether something that is fetched is at hand.
#[derive(Debug)]
pub enum Supply<T> {
    /// It is there.
    Ready {
        /// What was fetched.
        what: Rc<T>,
        /// Whether what is not in it is worth waiting for: it is being fetched anew, or may be.
        may_grow: bool,
    },
    /// It is not there but on its way, and is worth waiting for.
    Pending,
    /// It is not there and will not be soon.
    Unavailable {
        /// When it is worth asking again.
        retry_after: Duration,
    },
}

impl<T> Clone for Supply<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Ready { what, may_grow } => Self::Ready {
                what: Rc::clone(what),
                may_grow: *may_grow,
            },
            Self::Pending => Self::Pending,
            Self::Unavailable { retry_after } => Self::Unavailable {
                retry_after: *retry_after,
            },
        }
    }
}

impl<T> Supply<T> {
    /// What is there, if it is.
    #[must_use]
    pub fn ready(self) -> Option<Rc<T>> {
        match self {
            Self::Ready { what, .. } => Some(what),
            Self::Pending | Self::Unavailable { .. } => None,
        }
    }

    /// The same for whoever cannot wait any longer: what is still on its way counts as not to be had
    /// before `retry_after`.
    #[must_use]
    pub fn at_once(self, retry_after: Duration) -> Self {
        match self {
            Self::Ready { what, .. } => Self::Ready {
                what,
                may_grow: false,
            },
            Self::Pending => Self::Unavailable { retry_after },
            unavailable @ Self::Unavailable { .. } => unavailable,
        }
    }
}

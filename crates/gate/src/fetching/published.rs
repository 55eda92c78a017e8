//! The kinds of documents that servers publish.

use std::fmt;

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

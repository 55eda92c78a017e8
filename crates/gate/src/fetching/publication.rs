//! The kinds of documents that servers publish.

use std::fmt;

use crate::verify::Engine;

/// A kind of document, in the log and in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// Key sets.
    KeySet,
    /// Revocation lists.
    RevocationList,
}

impl fmt::Display for DocumentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeySet => "key set",
            Self::RevocationList => "revocation list",
        })
    }
}

/// Why a document is unusable, or could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The reason, for the log.
    pub problem: String,
    /// The number of its entries that were skipped.
    pub skipped: usize,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl From<String> for Unusable {
    fn from(problem: String) -> Self {
        Self {
            problem,
            skipped: 0,
        }
    }
}

/// A document that a server publishes.
pub trait Publication: fmt::Debug + Sized {
    /// The format of the document, if there are several, and what parsing it takes.
    type Format: Clone + fmt::Debug + fmt::Display;

    /// The kind.
    const KIND: DocumentKind;

    /// The value of `Accept` in requests for the document. Strict servers answer 406 if their media type
    /// is missing.
    const ACCEPT: &'static str;

    /// The largest accepted document, in bytes.
    const MAX_BYTES: usize;

    /// Parses a document.
    ///
    /// # Errors
    ///
    /// Why it is unusable, for the log.
    fn parse(document: &[u8], format: &Self::Format) -> Result<Self, Unusable>;

    /// The number of entries that are usable with this engine.
    fn count(&self, engine: &Engine) -> usize;

    /// The entries that are unusable with this engine: index and problem.
    fn skipped(&self, _engine: &Engine) -> Vec<(usize, &'static str)> {
        Vec::new()
    }
}

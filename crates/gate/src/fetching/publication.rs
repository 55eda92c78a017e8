//! The kinds of documents that servers publish.

use std::fmt;

use super::response_body::ResponseBody;
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

impl From<&str> for Unusable {
    fn from(problem: &str) -> Self {
        problem.to_owned().into()
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

    /// The number of parts in which the workers share a document. Each is an entry of shared data, which a
    /// worker copies as a whole.
    const PARTS: usize = 1;

    /// Reads a document from the body of a response, and returns the [`PARTS`](Self::PARTS) in which the workers
    /// share it. `known` is what they share now. The parts are the same if the document is.
    ///
    /// # Errors
    ///
    /// Why the document is unusable, for the log.
    fn to_shared(
        body: &ResponseBody<'_>,
        format: &Self::Format,
        known: Option<&Self>,
    ) -> Result<Vec<Vec<u8>>, Unusable>;

    /// Reads the parts in which the workers share a document.
    ///
    /// # Errors
    ///
    /// Why they are unusable, for the log. Every plugin with this `vm_id` can write shared data.
    fn from_shared(parts: Vec<Vec<u8>>, format: &Self::Format) -> Result<Self, Unusable>;

    /// Whether these are the parts in which the workers share this document.
    fn is_shared_as(&self, parts: &[Vec<u8>]) -> bool;

    /// The number of entries that are usable with this engine.
    fn count(&self, engine: &Engine) -> usize;

    /// The entries that are unusable with this engine: index and problem.
    fn skipped(&self, _engine: &Engine) -> Vec<(usize, &'static str)> {
        Vec::new()
    }
}

//! Key sets as publications.

use std::fmt;

use super::publication::{DocumentKind, Publication, Unusable};
use crate::keys::{KeySet, MAX_SET_BYTES};
use crate::verify::Engine;

/// The format of key sets. There is only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySetFormat;

impl fmt::Display for KeySetFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("jwks")
    }
}

impl Publication for KeySet {
    type Format = KeySetFormat;

    const KIND: DocumentKind = DocumentKind::KeySet;
    const MAX_BYTES: usize = MAX_SET_BYTES;

    fn parse(document: &[u8], _: &KeySetFormat) -> Result<Self, Unusable> {
        Self::parse(document).map_err(|problem| Unusable {
            problem: problem.to_string(),
            skipped: problem.skipped(),
        })
    }

    fn count(&self, engine: &Engine) -> usize {
        self.count_usable(engine)
    }

    fn skipped(&self, engine: &Engine) -> Vec<(usize, &'static str)> {
        let mut skipped = self.skipped().to_vec();
        skipped.extend(self.unusable(engine));
        skipped.sort_unstable();
        skipped
    }
}

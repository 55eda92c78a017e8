//! Key sets as publications.

use std::fmt;

use super::publication::{DocumentKind, Publication, Unusable};
use super::response_body::ResponseBody;
use crate::keys::{KeySet, KeyUses, MAX_SET_BYTES, Provenance};
use crate::verify::Engine;

/// How key sets are read. Providers that accept different values of `use` do not share their fetches,
/// because a document without any usable key is a failed fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySetFormat {
    /// The accepted values of `use`.
    pub uses: KeyUses,
}

impl fmt::Display for KeySetFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "jwks{}", self.uses)
    }
}

fn parse(document: &[u8], format: &KeySetFormat) -> Result<KeySet, Unusable> {
    KeySet::parse_from(document, Provenance::Server, &format.uses).map_err(|problem| Unusable {
        problem: problem.to_string(),
        skipped: problem.skipped(),
    })
}

impl Publication for KeySet {
    type Format = KeySetFormat;

    const KIND: DocumentKind = DocumentKind::KeySet;
    // RFC 7517, section 8.5.2. Most servers use the general type.
    const ACCEPT: &'static str = "application/jwk-set+json, application/json";
    const MAX_BYTES: usize = MAX_SET_BYTES;

    fn to_shared(
        body: &ResponseBody<'_>,
        format: &KeySetFormat,
        _known: Option<&Self>,
    ) -> Result<Vec<Vec<u8>>, Unusable> {
        let document = body.bytes();
        parse(&document, format)?;
        Ok(vec![document])
    }

    fn from_shared(parts: Vec<Vec<u8>>, format: &KeySetFormat) -> Result<Self, Unusable> {
        let document = parts.first().map_or(&[][..], Vec::as_slice);
        parse(document, format)
    }

    fn is_shared_as(&self, parts: &[Vec<u8>]) -> bool {
        parts == [self.document()]
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

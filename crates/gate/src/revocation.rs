//! Lists of revoked tokens that a server publishes.
//!
//! A list may have a million entries, so it is stored as sorted arrays with 16 bytes per entry, and
//! the workers share these arrays and not the document. A name is stored as 80 bits of a keyed hash. If
//! two names had the same hash, a token that is not listed would be refused; a listed token is never
//! admitted. With a secret key and a million entries, one lookup in 10^18 hits such a collision.

mod document;
mod list_reader;
mod names;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

pub use self::list_reader::{ListFormat, ListReader};
use self::names::{HashKey, Kind, Names};
use crate::fetching::{DocumentKind, Publication, ResponseBody, Unusable, body_part};
use crate::time::Timestamp;
use crate::token::{Signed, Token};
use crate::verify::{Algorithm, Engine, twin};

/// The largest accepted list, in bytes. A million entries of 36 characters take 39 MB.
pub const MAX_LIST_BYTES: usize = 64 * 1024 * 1024;

/// The claims by which a list can name a token. A cached token must include them.
pub const NAMING_CLAIMS: [&str; 4] = ["jti", "client_id", "azp", "sub"];

/// A list of revoked tokens, clients and subjects.
#[derive(Debug)]
pub struct RevocationList {
    names: Names,
}

impl Publication for RevocationList {
    type Format = ListReader;

    const KIND: DocumentKind = DocumentKind::RevocationList;
    const ACCEPT: &'static str = "application/json";
    const MAX_BYTES: usize = MAX_LIST_BYTES;
    const PARTS: usize = names::PARTS;

    fn to_shared(
        body: &ResponseBody<'_>,
        reader: &ListReader,
        known: Option<&Self>,
    ) -> Result<Vec<Vec<u8>>, Unusable> {
        // With the same key the same names have the same hashes.
        let key = known.map_or_else(|| HashKey::new(&reader.state), |list| list.names.key());
        Ok(document::parse(body, reader, key)?.into_parts())
    }

    fn from_shared(parts: Vec<Vec<u8>>, _reader: &ListReader) -> Result<Self, Unusable> {
        let names = Names::from_parts(parts).ok_or("it is not a table of names")?;
        Ok(Self { names })
    }

    fn is_shared_as(&self, parts: &[Vec<u8>]) -> bool {
        self.names.parts() == parts
    }

    fn count(&self, _: &Engine) -> usize {
        self.count()
    }
}

impl RevocationList {
    /// Parses a document.
    ///
    /// # Errors
    ///
    /// Why it is unusable, for the log.
    pub fn parse(document: &[u8], reader: &ListReader) -> Result<Self, Unusable> {
        let body = ResponseBody {
            size: document.len(),
            read: &|offset, length| body_part(document, offset, length),
        };
        let names = document::parse(&body, reader, HashKey::new(&reader.state))?;
        Ok(Self { names })
    }

    /// The number of entries.
    #[must_use]
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// Whether `token`, whose text is `text`, is revoked: by its `jti`, by its client or subject if it
    /// was issued before the listed time, or by its signature if it has no `jti`.
    #[must_use]
    pub fn revokes(&self, token: &Token, text: &str) -> bool {
        self.revokes_claims(&token.payload, token.claims.issued_at)
            || (!token.payload.contains_key("jti") && self.lists_signature(token.algorithm, text))
    }

    /// Whether a token is revoked by its `jti`, client or subject. A token without `iat` counts as
    /// issued at the epoch.
    #[must_use]
    pub fn revokes_claims(
        &self,
        payload: &Map<String, Value>,
        issued_at: Option<Timestamp>,
    ) -> bool {
        let issued_at = issued_at.unwrap_or(Timestamp::EPOCH);
        let kinds = [Kind::Token, Kind::Client, Kind::Client, Kind::Subject];
        NAMING_CLAIMS.iter().zip(kinds).any(|(claim, kind)| {
            let is_listed = |name: &str| self.is_listed(kind, name, issued_at);
            payload
                .get(*claim)
                .is_some_and(|claim| any_name(claim, &is_listed))
        })
    }

    /// Whether the signature of a token is listed. Anyone can turn an ECDSA signature into a second
    /// valid one, so both count.
    fn lists_signature(&self, algorithm: Algorithm, text: &str) -> bool {
        let Some((_, signature)) = text.rsplit_once('.') else {
            return false;
        };
        let is_listed = |name: &str| self.is_listed(Kind::Token, name, Timestamp::EPOCH);
        is_listed(signature)
            || Signed::of(text)
                .and_then(|signed| twin(algorithm, &signed.signature))
                .is_some_and(|twin| is_listed(&URL_SAFE_NO_PAD.encode(twin)))
    }

    /// Whether `name` is listed with a time after `issued_at`. The end of time is after every time,
    /// even a saturated `iat`.
    fn is_listed(&self, kind: Kind, name: &str, issued_at: Timestamp) -> bool {
        self.names
            .revoked_before(kind, name)
            .is_some_and(|time| issued_at < time || time == Timestamp::END)
    }
}

/// Whether `is_listed` holds for any name in a claim. Some issuers write a client's identifier as a number,
/// and several clients as an array; none of them may escape the list.
fn any_name(claim: &Value, is_listed: &dyn Fn(&str) -> bool) -> bool {
    match claim {
        Value::String(name) => is_listed(name),
        Value::Number(number) => is_listed(&number.to_string()),
        Value::Array(names) => names.iter().any(|name| any_name(name, is_listed)),
        Value::Null | Value::Bool(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests;

//! Which tokens have been revoked before they expire: a list that a server publishes.
//!
//! A list may have a million entries, so it is kept as a sorted array of fixed size per entry: a
//! name is kept as 128 bits of a keyed hash. Two names that hash alike would revoke a token that is
//! not listed, and never let one pass that is; with a key that nobody knows, that happens to one
//! lookup in 10^32 of a list of a million.

mod document;
mod names;

use std::fmt;
use std::hash::RandomState;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use self::names::{Kind, Names};
use crate::fetching::Published;
use crate::metrics::Series;
use crate::time::Timestamp;
use crate::token::{Signed, Token};
use crate::verify::{Algorithm, Engine, twin};

/// The largest list that is read, in bytes. A million entries of 36 characters take 39 MB.
pub const MAX_LIST_BYTES: usize = 64 * 1024 * 1024;

/// The claims that a list may name a token by; whoever keeps a token must keep these.
pub const NAMING_CLAIMS: [&str; 4] = ["jti", "client_id", "azp", "sub"];

/// How a list is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// An object of `tokens`, `clients` and `subjects`; times in seconds.
    List,
    /// What WSO2 API Manager answers to `GET /internal/data/v1/revokedjwt`, in either of its shapes;
    /// times in milliseconds.
    Wso2,
}

/// What it takes to read a list.
#[derive(Clone, Debug)]
pub struct ListReader {
    /// How it is written down.
    pub format: ListFormat,
    /// The key of the hash of names.
    pub state: RandomState,
}

impl fmt::Display for ListReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.format {
            ListFormat::List => "list",
            ListFormat::Wso2 => "wso2",
        })
    }
}

/// A list of what has been revoked.
#[derive(Debug)]
pub struct RevocationList {
    names: Names,
}

impl Published for RevocationList {
    type Format = ListReader;

    const NAME: &'static str = "revocation list";
    const SERIES: Series = Series::Revocation;
    const MAX_BYTES: usize = MAX_LIST_BYTES;

    fn parse(document: &[u8], reader: &ListReader) -> Result<Self, String> {
        let names = document::read(document, reader)?;
        Ok(Self { names })
    }

    fn count(&self, _: &Engine) -> usize {
        self.count()
    }
}

impl RevocationList {
    /// How many entries it has.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.names.len()
    }

    /// Whether `token`, whose text is `text`, has been revoked: itself, or with all that its client
    /// or its subject was given before some time.
    #[must_use]
    pub fn revokes(&self, token: &Token, text: &str) -> bool {
        self.revokes_claims(&token.payload, token.claims.issued_at)
            || (!token.payload.contains_key("jti") && self.lists_signature(token.algorithm, text))
    }

    /// Whether a token with these claims has been revoked, as far as they tell.
    #[must_use]
    pub fn revokes_claims(
        &self,
        payload: &Map<String, Value>,
        issued_at: Option<Timestamp>,
    ) -> bool {
        let issued_at = issued_at.unwrap_or(Timestamp::EPOCH);
        let kinds = [Kind::Token, Kind::Client, Kind::Client, Kind::Subject];
        NAMING_CLAIMS.iter().zip(kinds).any(|(claim, kind)| {
            let name = payload.get(*claim).and_then(Value::as_str);
            name.is_some_and(|name| self.is_before(kind, name, issued_at))
        })
    }

    /// Whether a token without `jti` is listed by its signature. Of a signature of ECDSA everybody
    /// can make a second one that is as good: that one counts as the same.
    fn lists_signature(&self, algorithm: Algorithm, text: &str) -> bool {
        let Some((_, signature)) = text.rsplit_once('.') else {
            return false;
        };
        let listed = |name: &str| self.is_before(Kind::Token, name, Timestamp::EPOCH);
        listed(signature)
            || Signed::of(text)
                .and_then(|signed| twin(algorithm, &signed.signature))
                .is_some_and(|twin| listed(&URL_SAFE_NO_PAD.encode(twin)))
    }

    fn is_before(&self, kind: Kind, name: &str, issued_at: Timestamp) -> bool {
        self.names
            .date_of(kind, name)
            .is_some_and(|date| issued_at < date)
    }
}

#[cfg(test)]
mod tests;

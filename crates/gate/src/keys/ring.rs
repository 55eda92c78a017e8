//! A key set (RFC 7517, section 5), and which of its keys may have signed a token.

use std::fmt;

use serde_json::Value;

use super::certificate;
use super::jwk::{Key, KeyProblem, Provenance};
use super::key_uses::KeyUses;
use crate::json;
use crate::pem;
use crate::verify::{Algorithm, Engine};

/// The largest accepted key set, in bytes.
pub const MAX_SET_BYTES: usize = 1024 * 1024;

/// The largest number of keys tried for one token.
const MAX_CANDIDATES: usize = 8;

/// The usable keys of one issuer.
#[derive(Debug)]
pub struct KeySet {
    /// The text that was parsed.
    document: Box<[u8]>,
    keys: Vec<Key>,
    /// The index of each key in the document.
    indices: Vec<usize>,
    skipped: Vec<(usize, KeyProblem)>,
}

/// The largest number of keys whose problems the text of a [`KeySetProblem`] lists.
const MAX_LISTED: usize = 16;

/// Why a document is not a usable key set, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetProblem {
    /// The document is not a key set.
    Document(&'static str),
    /// None of the keys is usable: index in the document, and reason.
    Keys(Vec<(usize, KeyProblem)>),
}

impl KeySetProblem {
    /// The number of keys that are unusable.
    #[must_use]
    pub const fn skipped(&self) -> usize {
        match self {
            Self::Document(_) => 0,
            Self::Keys(problems) => problems.len(),
        }
    }
}

impl fmt::Display for KeySetProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems = match self {
            Self::Document(problem) => return f.write_str(problem),
            Self::Keys(problems) => problems,
        };
        f.write_str("the key set has no usable key")?;
        let mut separator = ": ";
        for (index, problem) in problems.iter().take(MAX_LISTED) {
            write!(f, "{separator}keys[{index}]: {problem}")?;
            separator = "; ";
        }
        match problems.len().saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for KeySetProblem {}

const NO_KEYS: KeySetProblem = KeySetProblem::Document("the key set has no array named keys");

/// Parses a map from `kid` to certificate, in the order of the `kid`s. An object without any
/// certificate is no such map.
fn from_certificates(document: &[u8]) -> Result<Vec<Result<Key, KeyProblem>>, KeySetProblem> {
    let members = json::parse_members_leniently(document, |_| true).ok_or(NO_KEYS)?;
    let is_certificate =
        |value: &Value| value.as_str().is_some_and(|text| text.contains(pem::BEGIN));
    if !members.values().any(is_certificate) {
        return Err(NO_KEYS);
    }
    let members = members.iter();
    let keys = members.map(|(kid, value)| match value {
        Value::String(pem) => certificate::key(kid, pem),
        _ => Err("it is not an X.509 certificate in PEM"),
    });
    Ok(keys.collect())
}

impl KeySet {
    /// Parses a key set that a server has sent, with the default for `use`: a JWK set, or a map from
    /// `kid` to X.509 certificate in PEM. Keys that cannot be used, secrets among them, are skipped
    /// and do not affect the others.
    ///
    /// # Errors
    ///
    /// Why the whole document is unusable; for example, because none of its keys is usable.
    pub fn parse(document: &[u8]) -> Result<Self, KeySetProblem> {
        Self::parse_from(document, Provenance::Server, &KeyUses::default())
    }

    /// Parses a key set from the configuration, which may contain secrets for HMAC.
    ///
    /// # Errors
    ///
    /// As [`KeySet::parse`].
    pub fn parse_local(document: &[u8]) -> Result<Self, KeySetProblem> {
        Self::parse_from(document, Provenance::Configuration, &KeyUses::default())
    }

    /// Parses a key set from `origin`. Of a JWK set, only keys whose `use` is among `uses` are used.
    ///
    /// # Errors
    ///
    /// As [`KeySet::parse`].
    pub fn parse_from(
        document: &[u8],
        origin: Provenance,
        uses: &KeyUses,
    ) -> Result<Self, KeySetProblem> {
        if document.len() > MAX_SET_BYTES {
            return Err(KeySetProblem::Document("the key set is larger than 1 MiB"));
        }
        // In a key with a repeated name the last one counts (RFC 7517, section 4), so that one such
        // key does not make the others unusable.
        let members = json::parse_members_leniently(document, |name| name == "keys")
            .ok_or(KeySetProblem::Document("the key set is not a JSON object"))?;
        let parsed: Vec<Result<Key, KeyProblem>> = match members.get("keys") {
            Some(Value::Array(jwks)) => {
                let jwks = jwks.iter();
                jwks.map(|jwk| Key::from_jwk(jwk, origin, uses)).collect()
            }
            Some(_) => return Err(NO_KEYS),
            None => from_certificates(document)?,
        };
        let (mut keys, mut indices, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for (index, key) in parsed.into_iter().enumerate() {
            match key {
                Ok(key) => {
                    keys.push(key);
                    indices.push(index);
                }
                Err(problem) => skipped.push((index, problem)),
            }
        }
        if keys.is_empty() {
            return Err(KeySetProblem::Keys(skipped));
        }
        Ok(Self {
            document: document.into(),
            keys,
            indices,
            skipped,
        })
    }

    /// The text that was parsed.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// The number of keys that are usable with this engine.
    #[must_use]
    pub fn count_usable(&self, engine: &Engine) -> usize {
        self.keys.iter().filter(|key| key.is_usable(engine)).count()
    }

    /// The number of keys that were not skipped; at least one.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.keys.len()
    }

    /// The `kid` of each key that was not skipped, in the order of the document.
    pub fn kids(&self) -> impl Iterator<Item = Option<&str>> {
        self.keys.iter().map(|key| key.kid.as_deref())
    }

    /// The keys that were skipped: index in the document, and reason.
    #[must_use]
    pub fn skipped(&self) -> &[(usize, KeyProblem)] {
        &self.skipped
    }

    /// The keys that were not skipped but that `engine` cannot use with any algorithm, so that it
    /// refuses all tokens signed with them: index in the document, and reason.
    pub fn unusable(&self, engine: &Engine) -> impl Iterator<Item = (usize, KeyProblem)> {
        let keys = self.keys.iter().zip(&self.indices);
        let unusable = keys.filter(|(key, _)| !key.is_usable(engine));
        unusable.map(|(_, index)| {
            let problem = "it has more than 4096 bits or an exponent other than 65537, and the host \
                           does not verify its algorithm";
            (*index, problem)
        })
    }

    /// The keys that may have signed a token with this `alg` and `kid` and that `engine` can use, at
    /// most 8. These are
    ///
    /// - the keys with this `kid`, which need not be unique (RFC 7517, section 4.5);
    /// - if there are none, the keys without a `kid`;
    /// - all keys if the token has no `kid`.
    pub fn candidates<'s>(
        &'s self,
        algorithm: Algorithm,
        kid: Option<&'s str>,
        engine: &'s Engine,
    ) -> impl Iterator<Item = &'s Key> {
        let is_for = move |key: &&Key| key.is_for(algorithm, engine);
        let mut fitting = self.keys.iter().filter(is_for);
        let named = kid.is_some() && fitting.any(|key| key.kid.as_deref() == kid);
        self.keys
            .iter()
            .filter(is_for)
            .filter(move |key| match kid {
                Some(_) if named => key.kid.as_deref() == kid,
                // The key that the token names may be listed without its `kid`.
                Some(_) => key.kid.is_none(),
                None => true,
            })
            .take(MAX_CANDIDATES)
    }
}

#[cfg(test)]
mod tests;

//! The keys of recent proofs. All proofs of a client have the same header, so it is parsed once.

use std::fmt;
use std::rc::Rc;

use lru::LruCache;

use super::proof_key::ProofKey;

/// The largest number of keys: clients that one worker serves at the same time.
const MAX_KEYS: usize = 1024;

/// The limit on the size of all entries, in bytes. Headers with keys for ECDSA take a few hundred bytes, so
/// only headers with RSA keys reach it.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The overhead of an entry in bytes: the node of the list, the key and its share of the hash table.
const ENTRY_BYTES: usize = 1024;

/// How much memory the key takes in comparison with its encoding: an RSA key comes with numbers that were
/// computed from its modulus.
const BYTES_OF_KEY: usize = 6;

/// The keys of recent proofs by the encoded header, which is compared in full.
///
/// Only keys whose proof had a good signature are inserted, so that bad proofs displace nothing.
pub struct ProofKeys {
    entries: LruCache<Box<str>, Rc<ProofKey>>,
    bytes: usize,
}

impl Default for ProofKeys {
    fn default() -> Self {
        Self {
            entries: LruCache::unbounded(),
            bytes: 0,
        }
    }
}

impl ProofKeys {
    /// The key in this encoded header.
    pub fn find(&mut self, header: &str) -> Option<Rc<ProofKey>> {
        self.entries.get(header).map(Rc::clone)
    }

    /// Remembers the key in this encoded header.
    pub fn insert(&mut self, header: &str, key: &Rc<ProofKey>) {
        let replaced = self.entries.put(header.into(), Rc::clone(key));
        if replaced.is_none() {
            self.bytes = self.bytes.saturating_add(entry_bytes(header, key));
        }
        while self.entries.len() > MAX_KEYS || self.bytes > MAX_BYTES {
            let Some((header, key)) = self.entries.pop_lru() else {
                return;
            };
            self.bytes = self.bytes.saturating_sub(entry_bytes(&header, &key));
        }
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn entry_bytes(header: &str, key: &ProofKey) -> usize {
    let material = key.public.material().len();
    let material = material.saturating_mul(BYTES_OF_KEY);
    ENTRY_BYTES
        .saturating_add(header.len())
        .saturating_add(material)
}

impl fmt::Debug for ProofKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKeys")
            .field("len", &self.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{Algorithm, Engine, Hash};
    use gate_fixtures::{ec_jwk, rsa_jwk};

    fn key(jwk: &serde_json::Value, algorithm: Algorithm) -> Rc<ProofKey> {
        Rc::new(ProofKey::parse(Some(jwk), algorithm, &Engine::software()).unwrap())
    }

    #[test]
    fn the_least_recently_used_key_is_forgotten_first() {
        let key = key(&ec_jwk(), Algorithm::Es(Hash::Sha256));
        let mut keys = ProofKeys::default();
        assert!(keys.is_empty());
        for at in 0..MAX_KEYS {
            keys.insert(&at.to_string(), &key);
        }
        assert!(keys.find("0").is_some());
        let bytes = keys.bytes;
        keys.insert("5", &key);
        assert_eq!((keys.len(), keys.bytes), (MAX_KEYS, bytes));
        keys.insert("more", &key);
        assert_eq!(keys.len(), MAX_KEYS);
        assert!(keys.find("0").is_some());
        assert!(keys.find("1").is_none());
        assert!(keys.find("more").is_some());
    }

    #[test]
    fn an_entry_may_take_all_the_bytes_there_are() {
        let key = key(&ec_jwk(), Algorithm::Es(Hash::Sha256));
        let material = key.public.material().len();
        let mut keys = ProofKeys::default();
        let longest = MAX_BYTES - ENTRY_BYTES - material * BYTES_OF_KEY;
        keys.insert(&"x".repeat(longest), &key);
        assert_eq!((keys.len(), keys.bytes), (1, MAX_BYTES));
        assert!(!keys.is_empty());
        assert_eq!(
            format!("{keys:?}"),
            format!("ProofKeys {{ len: 1, bytes: {MAX_BYTES}, .. }}")
        );
        keys.insert(&"y".repeat(longest + 1), &key);
        assert_eq!((keys.len(), keys.bytes), (0, 0));
    }

    #[test]
    fn the_size_of_all_entries_is_bounded() {
        let key = key(&rsa_jwk(), Algorithm::Rs(Hash::Sha256));
        let mut keys = ProofKeys::default();
        let long = "x".repeat(4000);
        for at in 0..5000 {
            keys.insert(&format!("{long}{at}"), &key);
            assert!(keys.bytes <= MAX_BYTES);
        }
        assert!(keys.len() > 400, "{}", keys.len());
        assert!(keys.find(&format!("{long}4999")).is_some());
    }
}

//! A set of keys (RFC 7517, section 5) and which of them may have signed a token.

use std::fmt;

use serde_json::Value;

use super::jwk::{Key, KeyProblem, Provenance};
use crate::fetching::Published;
use crate::json;
use crate::metrics::Series;
use crate::verify::{Algorithm, Engine};

/// The largest key set that is read, in bytes.
pub const MAX_SET_BYTES: usize = 1024 * 1024;

/// How many keys are tried for one token at most.
const MAX_CANDIDATES: usize = 8;

/// The usable keys of one issuer.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    /// Where each of them is in the document.
    places: Vec<usize>,
    skipped: Vec<(usize, KeyProblem)>,
}

/// Why a document is not a usable key set, in words for the log.
pub type KeySetProblem = &'static str;

/// The one way in which key sets are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFormat;

impl fmt::Display for NoFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("jwks")
    }
}

impl Published for KeySet {
    type Format = NoFormat;

    const NAME: &'static str = "key set";
    const SERIES: Series = Series::Keys;
    const MAX_BYTES: usize = MAX_SET_BYTES;

    fn parse(document: &[u8], _: &NoFormat) -> Result<Self, String> {
        Self::parse(document).map_err(str::to_owned)
    }

    fn count(&self, engine: &Engine) -> usize {
        self.count().saturating_sub(self.beyond(engine).count())
    }

    fn skipped(&self, engine: &Engine) -> Vec<(usize, KeyProblem)> {
        let mut skipped = self.skipped.clone();
        skipped.extend(self.beyond(engine));
        skipped.sort_unstable();
        skipped
    }
}

impl KeySet {
    /// Reads a JWK set that a server has sent. Keys that cannot be used are skipped and never cost
    /// the others; secrets are among these.
    ///
    /// # Errors
    ///
    /// What makes the whole document unusable; having no usable key does.
    pub fn parse(document: &[u8]) -> Result<Self, KeySetProblem> {
        Self::parse_from(document, Provenance::Server)
    }

    /// Reads a JWK set of the configuration, which may hold secrets for HMAC.
    ///
    /// # Errors
    ///
    /// As [`KeySet::parse`].
    pub fn parse_local(document: &[u8]) -> Result<Self, KeySetProblem> {
        Self::parse_from(document, Provenance::Configuration)
    }

    fn parse_from(document: &[u8], origin: Provenance) -> Result<Self, KeySetProblem> {
        if document.len() > MAX_SET_BYTES {
            return Err("the key set is larger than 1 MiB");
        }
        // In a key with a repeated name the last one counts (RFC 7517, section 4), so that one such
        // key does not make the others unusable.
        let members = json::parse_members_leniently(document, |name| name == "keys")
            .ok_or("the key set is not a JSON object")?;
        let Some(Value::Array(jwks)) = members.get("keys") else {
            return Err("the key set has no array named keys");
        };
        let (mut keys, mut places, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for (index, jwk) in jwks.iter().enumerate() {
            match Key::from_jwk(jwk, origin) {
                Ok(key) => {
                    keys.push(key);
                    places.push(index);
                }
                Err(problem) => skipped.push((index, problem)),
            }
        }
        if keys.is_empty() {
            return Err("the key set has no usable key");
        }
        Ok(Self {
            keys,
            places,
            skipped,
        })
    }

    /// How many keys were not skipped; at least one.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.keys.len()
    }

    /// The keys that were skipped: index in the document, and why.
    #[must_use]
    pub fn skipped(&self) -> &[(usize, KeyProblem)] {
        &self.skipped
    }

    /// The keys among the others that `engine` does not take, so that none of their tokens is
    /// admitted: index in the document, and why.
    pub fn beyond(&self, engine: &Engine) -> impl Iterator<Item = (usize, KeyProblem)> {
        let keys = self.keys.iter().zip(&self.places);
        let beyond = keys.filter(|(key, _)| key.is_beyond(engine));
        beyond.map(|(_, place)| {
            let problem = "it has more than 4096 bits or an exponent other than 65537, and is left to \
                           the host, which does not check its algorithm";
            (*place, problem)
        })
    }

    /// The keys that may have signed a token with this `alg` and `kid`, as far as `engine` can tell:
    /// those of that name, of which there may be several, since a name need not be unique (RFC 7517,
    /// section 4.5); where there is none, or the token names none, those that fit otherwise. At most
    /// 8.
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
                // A key without a name may be the one that the token names.
                Some(_) => key.kid.is_none(),
                None => true,
            })
            .take(MAX_CANDIDATES)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{ec_jwk, rsa_jwk};
    use crate::verify::Hash;

    const RS256: Algorithm = Algorithm::Rs(Hash::Sha256);
    const ES256: Algorithm = Algorithm::Es(Hash::Sha256);

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn named(mut jwk: Value, kid: &str) -> Value {
        jwk["kid"] = kid.into();
        jwk
    }

    fn unnamed(mut jwk: Value) -> Value {
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    }

    fn kids(set: &KeySet, algorithm: Algorithm, kid: Option<&str>) -> Vec<String> {
        let engine = Engine::software();
        let candidates = set.candidates(algorithm, kid, &engine);
        candidates
            .map(|key| key.kid.clone().unwrap_or("none".to_owned()))
            .collect()
    }

    #[test]
    fn a_bad_key_does_not_cost_the_others() {
        let set = set(&[json!({"kty": "oct", "k": "AQAB"}), rsa_jwk(), json!(null)]);
        assert_eq!(set.count(), 1);
        assert_eq!(
            set.skipped(),
            [
                (0, "it is a secret that a server tells everybody"),
                (2, "it is not an object")
            ]
        );
    }

    #[test]
    fn a_key_that_only_a_host_could_use_is_beyond_the_module() {
        let mut large = rsa_jwk();
        large["e"] = "Aw".into();
        let mut bound = large.clone();
        bound["alg"] = "PS256".into();
        let set = set(&[json!(null), large, rsa_jwk(), ec_jwk(), bound]);
        let beyond = |engine: &Engine| -> Vec<usize> {
            set.beyond(engine).map(|(index, _)| index).collect()
        };
        assert_eq!(beyond(&Engine::software()), [1, 4]);
        let host = Engine::probe(Box::new(crate::fixtures::host));
        // PSS is never the host's.
        assert_eq!(beyond(&host), [4]);
        assert_eq!(set.count(), 4);
    }

    #[test]
    fn a_name_that_a_key_has_twice_does_not_cost_the_others() {
        let twice = ec_jwk().to_string().replacen('{', r#"{"kty":"RSA","#, 1);
        for other in [&twice, r#"{"a":{"b":1,"b":2}}"#] {
            let document = format!(r#"{{"more":{other},"keys":[{other},{}]}}"#, rsa_jwk());
            let set = KeySet::parse(document.as_bytes()).unwrap();
            assert_eq!(set.candidates(RS256, None, &Engine::software()).count(), 1);
            let of_twice = set.candidates(ES256, None, &Engine::software()).count();
            assert_eq!(of_twice, usize::from(*other == *twice));
        }
    }

    #[test]
    fn a_document_without_usable_keys_is_refused() {
        for (document, problem) in [
            (String::new(), "the key set is not a JSON object"),
            ("<html>".to_owned(), "the key set is not a JSON object"),
            ("[]".to_owned(), "the key set is not a JSON object"),
            ("{}".to_owned(), "the key set has no array named keys"),
            (
                r#"{"keys":null}"#.to_owned(),
                "the key set has no array named keys",
            ),
            (
                r#"{"keys":{}}"#.to_owned(),
                "the key set has no array named keys",
            ),
            (r#"{"keys":[]}"#.to_owned(), "the key set has no usable key"),
            (
                r#"{"keys":[1]}"#.to_owned(),
                "the key set has no usable key",
            ),
            (
                r#"{"keys":[],"keys":[]}"#.to_owned(),
                "the key set is not a JSON object",
            ),
            ("[".repeat(100_000), "the key set is not a JSON object"),
            (
                " ".repeat(MAX_SET_BYTES + 1),
                "the key set is larger than 1 MiB",
            ),
        ] {
            assert_eq!(KeySet::parse(document.as_bytes()).err(), Some(problem));
        }
    }

    #[test]
    fn keys_are_found_by_name_and_algorithm() {
        let set = set(&[
            named(rsa_jwk(), "a"),
            named(rsa_jwk(), "b"),
            named(ec_jwk(), "a"),
        ]);
        assert_eq!(kids(&set, RS256, Some("a")), ["a"]);
        assert_eq!(kids(&set, ES256, Some("a")), ["a"]);
        assert_eq!(kids(&set, ES256, Some("b")), [""; 0]);
        assert_eq!(kids(&set, RS256, Some("")), [""; 0]);
        assert_eq!(kids(&set, RS256, None), ["a", "b"]);
    }

    #[test]
    fn keys_that_share_a_name_and_an_algorithm_are_all_tried_up_to_a_bound() {
        let twins = set(&[named(rsa_jwk(), "a"), named(rsa_jwk(), "a")]);
        assert_eq!(kids(&twins, RS256, Some("a")), ["a", "a"]);
        let many = set(&vec![named(rsa_jwk(), "a"); 20]);
        assert_eq!(kids(&many, RS256, Some("a")).len(), MAX_CANDIDATES);
    }

    #[test]
    fn a_key_without_a_name_may_be_any_that_is_not_there() {
        let set = set(&[named(rsa_jwk(), "a"), unnamed(rsa_jwk())]);
        assert_eq!(kids(&set, RS256, Some("a")), ["a"]);
        assert_eq!(kids(&set, RS256, Some("b")), ["none"]);
    }

    #[test]
    fn a_token_without_a_kid_costs_a_bounded_number_of_tries() {
        let set = set(&vec![unnamed(rsa_jwk()); 20]);
        assert_eq!(
            set.candidates(RS256, None, &Engine::software()).count(),
            MAX_CANDIDATES
        );
    }
}

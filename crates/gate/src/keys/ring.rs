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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verify::Hash;
    use gate_fixtures::{ec_jwk, rsa_jwk};

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
    fn a_bad_key_does_not_affect_the_others() {
        let set = set(&[json!({"kty": "oct", "k": "AQAB"}), rsa_jwk(), json!(null)]);
        assert_eq!(set.count(), 1);
        assert_eq!(
            set.skipped(),
            [
                (0, "it is a secret in a published key set"),
                (2, "it is not an object")
            ]
        );
    }

    #[test]
    fn the_kids_are_those_of_the_keys_that_count() {
        let skipped = named(json!({"kty": "oct", "k": "AQAB"}), "skipped");
        let set = set(&[named(rsa_jwk(), "a"), skipped, unnamed(rsa_jwk())]);
        assert!(set.kids().eq([Some("a"), None]));
    }

    #[test]
    fn a_key_that_needs_the_host_is_unusable_if_the_host_does_not_verify_its_algorithm() {
        let mut large = rsa_jwk();
        large["e"] = "Aw".into();
        let mut bound = large.clone();
        bound["alg"] = "PS256".into();
        let set = set(&[json!(null), large, rsa_jwk(), ec_jwk(), bound]);
        let unusable = |engine: &Engine| -> Vec<usize> {
            set.unusable(engine).map(|(index, _)| index).collect()
        };
        assert_eq!(unusable(&Engine::software()), [1, 4]);
        assert_eq!(set.count_usable(&Engine::software()), 2);
        let host = Engine::probe(Box::new(gate_fixtures::host));
        // The host does not support PSS.
        assert_eq!(unusable(&host), [4]);
        assert_eq!(set.count_usable(&host), 3);
        assert_eq!(set.count(), 4);
    }

    #[test]
    fn a_repeated_name_in_a_key_does_not_affect_the_other_keys() {
        let twice = ec_jwk().to_string().replacen('{', r#"{"kty":"RSA","#, 1);
        for other in [&twice, r#"{"a":{"b":1,"b":2}}"#] {
            let document = format!(r#"{{"more":{other},"keys":[{other},{}]}}"#, rsa_jwk());
            let set = KeySet::parse(document.as_bytes()).unwrap();
            assert_eq!(set.candidates(RS256, None, &Engine::software()).count(), 1);
            let of_twice = set.candidates(ES256, None, &Engine::software()).count();
            assert_eq!(of_twice, usize::from(*other == *twice));
        }
    }

    /// A self-signed certificate of an Ed25519 key.
    fn certificate() -> String {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let params = rcgen::CertificateParams::default();
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_map_of_certificates_is_a_key_set() {
        let map = json!({"b": certificate(), "a": "no certificate", "c": 1, "d": certificate()});
        for parse in [KeySet::parse, KeySet::parse_local] {
            let set = parse(map.to_string().as_bytes()).unwrap();
            assert_eq!(kids(&set, Algorithm::EdDsa, Some("b")), ["b"]);
            assert_eq!(kids(&set, Algorithm::EdDsa, None), ["b", "d"]);
            assert_eq!(kids(&set, Algorithm::EdDsa, Some("a")), [""; 0]);
            let problem = "it is not an X.509 certificate in PEM";
            assert_eq!(set.skipped(), [(0, problem), (2, problem)]);
        }
    }

    #[test]
    fn a_member_named_keys_makes_a_document_no_map_of_certificates() {
        let refused = |document: &str| KeySet::parse(document.as_bytes()).unwrap_err().to_string();
        let no_keys = "the key set has no array named keys";
        let beside = |keys: Value| {
            let map = json!({"a": certificate(), "keys": keys});
            refused(&map.to_string())
        };
        assert_eq!(beside(certificate().into()), no_keys);
        assert_eq!(beside(json!([])), "the key set has no usable key");
        let text = json!({"a": "-----BEGIN PUBLIC KEY-----"}).to_string();
        assert_eq!(refused(&text), no_keys);
        let text = json!({"a": "-----BEGIN CERTIFICATE-----"}).to_string();
        let problem =
            "the key set has no usable key: keys[0]: it is not an X.509 certificate in PEM";
        assert_eq!(refused(&text), problem);
    }

    #[test]
    fn only_keys_with_an_accepted_use_are_used() {
        let with_use = |value: &str| {
            let mut jwk = named(rsa_jwk(), value);
            jwk["use"] = value.into();
            jwk
        };
        let keys = ["sig", "jwt-svid", "enc"].map(with_use);
        let keys = [&keys[..], &[named(rsa_jwk(), "none")]].concat();
        let document = json!({ "keys": keys }).to_string();
        for (uses, expected) in [
            (&["sig"][..], &["sig", "none"][..]),
            (&["jwt-svid"], &["jwt-svid", "none"]),
            (&["jwt-svid", "sig"], &["sig", "jwt-svid", "none"]),
        ] {
            let uses = KeyUses::new(uses.iter().map(|value| (*value).to_owned()).collect());
            for origin in [Provenance::Server, Provenance::Configuration] {
                let set = KeySet::parse_from(document.as_bytes(), origin, &uses).unwrap();
                assert_eq!(kids(&set, RS256, None), expected);
            }
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
                r#"{"keys":[1,{"kty":"RSA","use":"enc"},{}]}"#.to_owned(),
                "the key set has no usable key: keys[0]: it is not an object; keys[1]: `use` is not one of key_uses; \
                 keys[2]: `kty` is missing",
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
            let found = KeySet::parse(document.as_bytes()).unwrap_err();
            assert_eq!(found.to_string(), problem);
        }
    }

    #[test]
    fn a_document_may_have_a_mebibyte() {
        let mut document = json!({ "keys": [rsa_jwk()] }).to_string();
        document.push_str(&" ".repeat(1024 * 1024 - document.len()));
        assert!(KeySet::parse(document.as_bytes()).is_ok());
        document.push(' ');
        assert!(KeySet::parse(document.as_bytes()).is_err());
    }

    #[test]
    fn the_reasons_of_many_unusable_keys_are_counted_and_not_all_listed() {
        let document = json!({ "keys": vec![json!({}); 20] }).to_string();
        let problem = KeySet::parse(document.as_bytes()).unwrap_err();
        assert_eq!(problem.skipped(), 20);
        let text = problem.to_string();
        assert_eq!(text.matches("`kty` is missing").count(), 16);
        assert!(text.ends_with("; and 4 more"), "{text}");
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
    fn keys_with_the_same_name_and_algorithm_are_all_tried_up_to_a_limit() {
        let twins = set(&[named(rsa_jwk(), "a"), named(rsa_jwk(), "a")]);
        assert_eq!(kids(&twins, RS256, Some("a")), ["a", "a"]);
        let many = set(&vec![named(rsa_jwk(), "a"); 20]);
        assert_eq!(kids(&many, RS256, Some("a")).len(), MAX_CANDIDATES);
    }

    #[test]
    fn a_key_without_a_name_is_tried_if_no_key_has_the_name() {
        let set = set(&[named(rsa_jwk(), "a"), unnamed(rsa_jwk())]);
        assert_eq!(kids(&set, RS256, Some("a")), ["a"]);
        assert_eq!(kids(&set, RS256, Some("b")), ["none"]);
    }

    #[test]
    fn the_number_of_keys_tried_for_a_token_without_kid_is_bounded() {
        let set = set(&vec![unnamed(rsa_jwk()); 20]);
        assert_eq!(
            set.candidates(RS256, None, &Engine::software()).count(),
            MAX_CANDIDATES
        );
    }
}

//! A DPoP proof: a JWT that the client signs for one request (RFC 9449, section 4.2).

use std::rc::Rc;

use serde_json::{Map, Value};

use super::proof_key::{KeyFlaw, ProofKey};
use super::proof_keys::ProofKeys;
use crate::json;
use crate::time::Timestamp;
use crate::token::{Parts, decode_part};
use crate::verify::{Algorithm, By, Engine};

/// The header of proofs (RFC 9449, section 4.1).
pub const PROOF_HEADER: &str = "dpop";

/// The longest proof, in bytes. One with an RSA key of 4096 bits takes about 1,800.
pub const MAX_PROOF_BYTES: usize = 4096;

/// The longest `jti`, in bytes. RFC 9449 asks for 96 random bits; nothing sensible is longer than this.
const MAX_JTI_BYTES: usize = 512;

/// A well-formed proof. Neither its signature nor its claims have been checked.
#[derive(Debug)]
pub struct Proof<'p> {
    /// The key that it says it is signed with.
    pub key: Rc<ProofKey>,
    /// What it says.
    pub claims: ProofClaims,
    parts: Parts<'p>,
    signature: Vec<u8>,
    /// Whether the key was known before.
    known: bool,
}

/// The claims of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofClaims {
    /// `jti`: the identifier of the proof among those of its key.
    pub jti: String,
    /// `htm`: the method of the request.
    pub method: String,
    /// `htu`: the URI of the request.
    pub uri: String,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `ath`: the hash of the access token, in base64url.
    pub token_hash: String,
    /// `nonce`: the server's nonce.
    pub nonce: Option<String>,
    /// `exp`, which RFC 9449 does not ask for.
    pub expires_at: Option<Timestamp>,
    /// `nbf`, which RFC 9449 does not ask for.
    pub not_before: Option<Timestamp>,
}

/// Why a text is not a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofError {
    /// It is malformed.
    Malformed(&'static str),
    /// Its algorithm is unknown or not accepted.
    Algorithm(Option<Algorithm>),
    /// Its key is not acceptable.
    Key(KeyFlaw),
}

use ProofError::Malformed;

impl<'p> Proof<'p> {
    /// Parses a proof that may be signed with `algorithms`, with a key that `engine` supports.
    ///
    /// # Errors
    ///
    /// Why `text` is not a proof: first its form, then the header, the key, and the types of the claims.
    pub fn parse(
        text: &'p [u8],
        algorithms: &[Algorithm],
        engine: &Engine,
        known: &mut ProofKeys,
    ) -> Result<Self, ProofError> {
        if text.len() > MAX_PROOF_BYTES {
            return Err(Malformed("it is too long"));
        }
        let text = str::from_utf8(text).map_err(|_| Malformed("it is not ASCII"))?;
        let parts = Parts::parse(text).ok_or(Malformed("it does not have three parts"))?;
        let decode = |part| decode_part(part).ok_or(Malformed("a part is not canonical base64url"));
        let header = decode(parts.header)?;
        let payload = decode(parts.payload)?;
        let signature = decode(parts.signature)?;
        let payload = json::parse_object(&payload).ok_or(Malformed(
            "the payload is not a JSON object of unique names",
        ))?;
        let (key, known) = match known.find(parts.header) {
            Some(key) if algorithms.contains(&key.algorithm) => (key, true),
            _ => (Rc::new(read_key(&header, algorithms, engine)?), false),
        };
        Ok(Self {
            key,
            claims: ProofClaims::from_object(payload)?,
            parts,
            signature,
            known,
        })
    }

    /// Verifies the signature. If it is good, the key is remembered in `known`. Returns who verified it, or
    /// `None` if it is invalid.
    #[must_use]
    pub fn verify(&self, engine: &Engine, known: &mut ProofKeys) -> Option<By> {
        let key = &self.key;
        let message = self.parts.input.as_bytes();
        let by = engine.verify(&key.public, key.algorithm, message, &self.signature)?;
        if !self.known {
            known.insert(self.parts.header, key);
        }
        Some(by)
    }

    /// Whether the key was known before.
    #[must_use]
    pub const fn has_known_key(&self) -> bool {
        self.known
    }
}

/// The key in a header (RFC 9449, section 4.2). Other parameters, such as `kid` and `x5c`, are ignored.
fn read_key(
    header: &[u8],
    algorithms: &[Algorithm],
    engine: &Engine,
) -> Result<ProofKey, ProofError> {
    let header = json::parse_object(header)
        .ok_or(Malformed("the header is not a JSON object of unique names"))?;
    if header.get("typ").is_none_or(|typ| typ != "dpop+jwt") {
        return Err(Malformed("`typ` is not dpop+jwt"));
    }
    if ["crit", "b64", "zip"]
        .iter()
        .any(|name| header.contains_key(*name))
    {
        return Err(Malformed("the header demands an extension"));
    }
    let algorithm = header.get("alg").and_then(Value::as_str);
    let algorithm = algorithm.and_then(Algorithm::from_name);
    let accepted = algorithm.filter(|one| algorithms.contains(one));
    let accepted = accepted.ok_or(ProofError::Algorithm(algorithm))?;
    ProofKey::parse(header.get("jwk"), accepted, engine).map_err(ProofError::Key)
}

impl ProofClaims {
    fn from_object(mut payload: Map<String, Value>) -> Result<Self, ProofError> {
        let mut text = |name: &str, problem| match payload.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Malformed(problem)),
        };
        let jti = text("jti", "`jti` is not a string")?;
        let method = text("htm", "`htm` is not a string")?;
        let uri = text("htu", "`htu` is not a string")?;
        let token_hash = text("ath", "`ath` is not a string")?;
        if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
            return Err(Malformed("`jti` is empty or too long"));
        }
        let date = |name: &str, problem| match payload.get(name) {
            None => Ok(None),
            Some(Value::Number(date)) => Ok(Some(Timestamp::from_numeric_date(date))),
            Some(_) => Err(Malformed(problem)),
        };
        let issued_at = date("iat", "`iat` is not a number")?;
        let expires_at = date("exp", "`exp` is not a number")?;
        let not_before = date("nbf", "`nbf` is not a number")?;
        let nonce = match payload.remove("nonce") {
            None => None,
            Some(Value::String(nonce)) => Some(nonce),
            Some(_) => return Err(Malformed("`nonce` is not a string")),
        };
        Ok(Self {
            jti,
            method,
            uri,
            issued_at: issued_at.ok_or(Malformed("`iat` is not a number"))?,
            token_hash,
            nonce,
            expires_at,
            not_before,
        })
    }
}

#[cfg(test)]
mod tests;

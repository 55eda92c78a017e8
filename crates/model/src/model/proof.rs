//! Proofs of possession of a key (RFC 9449): `docs/configuration.md`, "DPoP".

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::date::millis;
use super::digest::sha256;
use super::fields::Fields;
use super::nonce::Nonces;
use super::proof_key;
use super::reason::Reason;
use super::strict_json;
use super::surroundings::Surroundings;
use super::target_uri;
use super::token::canonical;

/// The accepted algorithms, unless the configuration names some.
const ALGORITHMS: [&str; 10] = [
    "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA",
];

/// The longest proof, in bytes.
const LONGEST: usize = 4096;

/// A proof that fits its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) thumbprint: String,
    pub(crate) jti: String,
    /// The first second since the epoch in which it is not accepted any more.
    pub(crate) until: i128,
    /// The nonce that the client should use from now on.
    pub(crate) next_nonce: Option<String>,
}

/// The accepted algorithms. `Ed25519` is given as `EdDSA`.
pub(super) fn algorithms(dpop: Fields<'_>) -> Vec<&str> {
    let mut named: Vec<&str> = Vec::new();
    for alg in dpop.texts("algorithms") {
        if !named.contains(&canonical(alg)) {
            named.push(canonical(alg));
        }
    }
    if named.is_empty() {
        ALGORITHMS.to_vec()
    } else {
        named
    }
}

/// Checks the proof that comes with `token`, which is bound to the key with this thumbprint.
pub(super) fn check(
    dpop: Fields<'_>,
    token: &str,
    thumbprint: &str,
    surroundings: &Surroundings<'_>,
) -> Result<Proof, Reason> {
    let Surroundings { view, now, .. } = *surroundings;
    let text = match view.values("dpop")[..] {
        [] | [""] => return Err(Reason::ProofMissing),
        [text] if !text.contains(',') => text,
        _ => return Err(Reason::SeveralProofs),
    };
    let malformed = Reason::ProofMalformed;
    let parts: Vec<&str> = text.split('.').collect();
    let [first, second, third] = parts[..] else {
        return Err(malformed);
    };
    let decoded = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok();
        bytes.filter(|bytes| !bytes.is_empty()).ok_or(malformed)
    };
    if text.len() > LONGEST {
        return Err(malformed);
    }
    let header = strict_json::object(&decoded(first)?).ok_or(malformed)?;
    let payload = strict_json::object(&decoded(second)?).ok_or(malformed)?;
    let signature = decoded(third)?;

    let demands = ["crit", "b64", "zip"];
    if header.get("typ").is_none_or(|typ| typ != "dpop+jwt")
        || demands.iter().any(|name| header.contains_key(*name))
    {
        return Err(malformed);
    }
    let alg = header.get("alg").and_then(Value::as_str).map(canonical);
    let alg = alg.filter(|alg| algorithms(dpop).contains(alg));
    let alg = alg.ok_or(Reason::ProofAlgorithm)?;
    let key = proof_key::read(header.get("jwk"), alg);
    let (key, own_thumbprint) = key.ok_or(Reason::ProofKey)?;

    check_types(&payload)?;
    let claim = |name: &str| payload.get(name).and_then(Value::as_str);
    if claim("htm") != Some(view.first(":method")) {
        return Err(Reason::ProofMethod);
    }
    let uri = claim("htu").and_then(target_uri::normal);
    let configuration = Fields(&surroundings.world.configuration);
    let meant = target_uri::of_request(configuration, view);
    if uri.is_none_or(|uri| !meant.contains(&uri)) {
        return Err(Reason::ProofUri);
    }
    if claim("ath") != Some(&sha256(token.as_bytes())) {
        return Err(Reason::ProofToken);
    }
    if own_thumbprint != thumbprint {
        return Err(Reason::ProofBinding);
    }
    let nonces = Nonces::new(surroundings.world);
    let (last, next_nonce) = check_time(dpop, nonces.as_ref(), &payload, now)?;
    if !key.verifies(alg, format!("{first}.{second}").as_bytes(), &signature) {
        return Err(Reason::ProofSignature);
    }
    Ok(Proof {
        thumbprint: own_thumbprint,
        jti: claim("jti").unwrap_or_default().to_owned(),
        until: (last + 1000).div_euclid(1000),
        next_nonce,
    })
}

fn check_types(payload: &Map<String, Value>) -> Result<(), Reason> {
    let is_text = |name: &str| payload.get(name).is_some_and(Value::is_string);
    let is_optional = |name: &str, fits: fn(&Value) -> bool| payload.get(name).is_none_or(fits);
    let jti = payload.get("jti").and_then(Value::as_str);
    let fits = ["htm", "htu", "ath"].into_iter().all(is_text)
        && jti.is_some_and(|jti| (1..=512).contains(&jti.len()))
        && payload.get("iat").is_some_and(Value::is_number)
        && is_optional("nonce", Value::is_string)
        && is_optional("exp", Value::is_number)
        && is_optional("nbf", Value::is_number);
    if fits {
        Ok(())
    } else {
        Err(Reason::ProofMalformed)
    }
}

/// Checks that a proof is fresh. Returns the last moment at which it is, and the nonce to use from now on.
fn check_time(
    dpop: Fields<'_>,
    nonces: Option<&Nonces>,
    payload: &Map<String, Value>,
    now: i128,
) -> Result<(i128, Option<String>), Reason> {
    let time = |name: &str| payload.get(name).and_then(Value::as_f64).map(millis);
    let skew = dpop.millis("clock_skew").unwrap_or(60_000);
    let age = dpop.millis("max_age").unwrap_or(60_000);
    let iat = time("iat").unwrap_or_default();
    let is_recent = now - age - skew <= iat && iat <= now + skew;
    let by_date = (iat + age + skew, None);
    let nonce = payload.get("nonce").and_then(Value::as_str);
    let fresh = match (nonces, nonce) {
        (None, _) if is_recent => by_date,
        (None, _) => return Err(Reason::ProofTime),
        (Some(_), None) if is_recent && dpop.text("nonce") == Some("fallback") => by_date,
        (Some(_), None) => return Err(Reason::ProofNonce),
        (Some(nonces), Some(nonce)) => {
            let made = nonces.made(nonce, now).ok_or(Reason::ProofNonce)?;
            let next = nonces.is_old(made, now).then(|| nonces.issue(now));
            (nonces.end(made), next)
        }
    };
    let is_over = time("exp").is_some_and(|exp| exp + skew <= now);
    let is_to_come = time("nbf").is_some_and(|nbf| nbf > now + skew);
    if is_over || is_to_come {
        return Err(Reason::ProofTime);
    }
    Ok(fresh)
}

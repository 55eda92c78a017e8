//! Why a proof of possession is refused, with the facts.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::dpop::{PROOF_HEADER, Proof, ProofError, ProofKeys, TargetUri};
use gate::policy::{DpopPolicy, Policy};
use gate::reason::Reason;
use gate::request::Request;
use gate::time::Timestamp;
use gate::verify::Algorithm;

use crate::engine;
use crate::wording;

/// The facts behind `reason`, which is about the proof in `request`; `cnf` is that of the token. `None` if there
/// are none. The proof itself is not shown.
pub(crate) fn explain(
    reason: &Reason,
    policy: &Policy,
    request: &Request<'_>,
    cnf: &str,
    now: Timestamp,
) -> Option<String> {
    let dpop = policy.options.dpop.as_ref()?;
    if *reason == Reason::ProofMissing {
        return Some("the request has no header dpop (--dpop adds one)".to_owned());
    }
    let text = request.header(PROOF_HEADER).next()?;
    let known = RefCell::<ProofKeys>::default();
    let proof = Proof::parse(
        text,
        &dpop.algorithms,
        &engine::envoy(),
        &mut known.borrow_mut(),
    );
    let proof = match proof {
        Ok(proof) => proof,
        Err(error) => return Some(describe(error, dpop)),
    };
    let claims = &proof.claims;
    Some(match reason {
        Reason::ProofMethod => {
            let method = String::from_utf8_lossy(&request.method);
            format!("htm: {:?}, the method is {method:?}", claims.method)
        }
        Reason::ProofUri => {
            let targets = policy.options.public_urls.targets(request);
            let targets: Vec<String> = targets.iter().map(TargetUri::to_text).collect();
            let htu = &claims.uri;
            format!("htu: {htu:?}, expected {}", targets.join(" or "))
        }
        Reason::ProofToken => "ath is not the hash of this token".to_owned(),
        Reason::ProofBinding => {
            let thumbprint = URL_SAFE_NO_PAD.encode(proof.key.thumbprint);
            format!("cnf: {cnf}; the thumbprint of the proof's key: {thumbprint:?}")
        }
        Reason::ProofNonce => match &claims.nonce {
            None => format!("nonce: {}", wording::MISSING),
            Some(_) => "nonce: not one of this configuration, or too old".to_owned(),
        },
        Reason::ProofTime => {
            let age = humantime::format_duration(dpop.max_age);
            let skew = humantime::format_duration(dpop.clock_skew);
            let (iat, now) = (wording::date(claims.issued_at), wording::date(now));
            format!("iat: {iat}; now: {now}; max_age: {age}, clock_skew: {skew}")
        }
        Reason::ProofSignature => "the key in the proof does not verify it".to_owned(),
        _ => return None,
    })
}

/// Why a text is no proof.
fn describe(error: ProofError, dpop: &DpopPolicy) -> String {
    match error {
        ProofError::Malformed(problem) | ProofError::Key(problem) => problem.to_owned(),
        ProofError::Algorithm(algorithm) => {
            let alg = algorithm.map_or("unknown", Algorithm::name);
            format!("alg: {alg}, accepted: {}", dpop.algorithm_names())
        }
    }
}

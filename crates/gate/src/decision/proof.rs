//! Whether a request proves possession of the key that its token is bound to (RFC 9449, section 4.3).

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::context::{Context, Counts};
use crate::confirmation::Digest;
use crate::dpop::{
    AcceptedProof, PROOF_HEADER, Proof, ProofClaims, ProofError, TargetUri, UsedProof,
};
use crate::policy::{DpopPolicy, NonceUse, Policy};
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;
use crate::verify::By;

/// What a proof must fit.
#[derive(Clone, Copy)]
pub(super) struct Expected<'e> {
    pub(super) dpop: &'e DpopPolicy,
    pub(super) policy: &'e Policy,
    pub(super) request: &'e Request<'e>,
    /// SHA-256 of the token as it was sent.
    pub(super) token_hash: Digest,
    /// The thumbprint of the key that the token is bound to.
    pub(super) thumbprint: Digest,
    pub(super) now: Timestamp,
}

/// Checks the proof of a request.
///
/// # Errors
///
/// The first of these that applies: [`Reason::ProofMissing`], [`Reason::SeveralProofs`],
/// [`Reason::ProofMalformed`], [`Reason::ProofAlgorithm`], [`Reason::ProofKey`], [`Reason::ProofMethod`],
/// [`Reason::ProofUri`], [`Reason::ProofToken`], [`Reason::ProofBinding`], [`Reason::ProofNonce`],
/// [`Reason::ProofTime`], [`Reason::ProofSignature`].
pub(super) fn check(
    expected: Expected<'_>,
    context: &Context<'_>,
    counts: &Cell<Counts>,
) -> Result<AcceptedProof, Reason> {
    let text = header(expected.request)?;
    let algorithms = &expected.dpop.algorithms;
    let mut known = context.proof_keys.borrow_mut();
    let proof = Proof::parse(text, algorithms, context.engine, &mut known).map_err(reason)?;
    Counts::add(counts, |counts| {
        if proof.has_known_key() {
            &mut counts.proof_key_hits
        } else {
            &mut counts.proof_key_misses
        }
    });
    let last = check_claims(&proof, expected)?;
    let by = proof.verify(context.engine, &mut known);
    let by = by.ok_or(Reason::ProofSignature)?;
    Counts::add(counts, |counts| match by {
        By::Host => &mut counts.proofs_by_host,
        By::Software => &mut counts.proofs_by_software,
    });
    let used = UsedProof::new(&proof.key.thumbprint, &proof.claims.jti, last.time);
    Ok(AcceptedProof {
        used: (expected.dpop.replay_entries > 0).then_some(used),
        next_nonce: last.next_nonce,
    })
}

/// The text of the proof.
fn header<'r>(request: &'r Request<'_>) -> Result<&'r [u8], Reason> {
    let mut values = request.header(PROOF_HEADER);
    match (values.next(), values.next()) {
        (None | Some([]), None) => Err(Reason::ProofMissing),
        // The host joins some repeated headers with a comma.
        (Some(value), None) if !value.contains(&b',') => Ok(value),
        _ => Err(Reason::SeveralProofs),
    }
}

fn reason(error: ProofError) -> Reason {
    match error {
        ProofError::Malformed(_) => Reason::ProofMalformed,
        ProofError::Algorithm(_) => Reason::ProofAlgorithm,
        ProofError::Key(_) => Reason::ProofKey,
    }
}

/// Checks everything but the signature. Returns until when the proof can be accepted.
fn check_claims(proof: &Proof<'_>, expected: Expected<'_>) -> Result<Last, Reason> {
    let claims = &proof.claims;
    if claims.method.as_bytes() != &*expected.request.method {
        return Err(Reason::ProofMethod);
    }
    let uri = TargetUri::parse(claims.uri.as_bytes()).ok_or(Reason::ProofUri)?;
    let public_urls = &expected.policy.options.public_urls;
    if !public_urls.targets(expected.request).contains(&uri) {
        return Err(Reason::ProofUri);
    }
    if claims.token_hash != URL_SAFE_NO_PAD.encode(expected.token_hash) {
        return Err(Reason::ProofToken);
    }
    if proof.key.thumbprint != expected.thumbprint {
        return Err(Reason::ProofBinding);
    }
    check_time(claims, expected.dpop, expected.now)
}

/// Until when a proof can be accepted.
struct Last {
    /// The last moment at which it can be.
    time: Timestamp,
    /// The nonce that the client should use from now on.
    next_nonce: Option<String>,
}

/// Checks that a proof is fresh, by its nonce or by its date.
fn check_time(claims: &ProofClaims, dpop: &DpopPolicy, now: Timestamp) -> Result<Last, Reason> {
    let skew = dpop.clock_skew;
    let end = claims.issued_at.plus(dpop.max_age).plus(skew);
    let is_recent = now <= end && claims.issued_at <= now.plus(skew);
    let last = match (dpop.nonce, &claims.nonce) {
        (NonceUse::Off, _) if !is_recent => return Err(Reason::ProofTime),
        (NonceUse::Required, None) => return Err(Reason::ProofNonce),
        (NonceUse::Fallback, None) if !is_recent => return Err(Reason::ProofNonce),
        (NonceUse::Off, _) | (NonceUse::Fallback, None) => Last {
            time: end,
            next_nonce: None,
        },
        (NonceUse::Fallback | NonceUse::Required, Some(nonce)) => {
            let nonces = dpop.nonces().ok_or(Reason::ProofNonce)?;
            let made = nonces.check(nonce, now).ok_or(Reason::ProofNonce)?;
            let is_aging = nonces.is_aging(made, now);
            Last {
                time: made.plus(nonces.lifetime),
                next_nonce: is_aging.then(|| nonces.issue(now)),
            }
        }
    };
    let is_over = claims.expires_at.is_some_and(|exp| exp.plus(skew) <= now);
    let is_to_come = claims.not_before.is_some_and(|nbf| nbf > now.plus(skew));
    if is_over || is_to_come {
        return Err(Reason::ProofTime);
    }
    Ok(last)
}

//! Whether a request shows the sender that its token is bound to: `docs/configuration.md`, "Bound tokens".

use serde_json::{Map, Value};

use super::credential::{Credential, Scheme};
use super::digest;
use super::fields::Fields;
use super::proof::{self, Proof};
use super::reason::Reason;
use super::surroundings::Surroundings;

/// The members of `cnf` that name something that can be proven, and the other ones do not count.
const KNOWN: [&str; 2] = ["x5t#S256", "jkt"];

/// Whether a provider takes tokens that come with a proof.
pub(super) fn takes_dpop(configuration: Fields<'_>, provider: Fields<'_>) -> bool {
    configuration.has("dpop") || provider.text("sender_constraint") == Some("ignore")
}

/// Refuses a token that must be bound and is not, or that is bound to something that the request does not show. Returns
/// the proof that was needed.
pub(super) fn check(
    provider: Fields<'_>,
    payload: &Map<String, Value>,
    answer: Option<&Map<String, Value>>,
    credential: &Credential,
    surroundings: &Surroundings<'_>,
) -> Result<Option<Proof>, Reason> {
    let constraint = provider.text("sender_constraint").unwrap_or("when_present");
    if constraint == "ignore" {
        return Ok(None);
    }
    let has_scheme = credential.scheme == Scheme::Dpop;
    let sources = [Some(payload), answer];
    let mut claims = Vec::new();
    for claim in sources
        .into_iter()
        .flatten()
        .filter_map(|source| source.get("cnf"))
    {
        claims.push(known(claim)?);
    }
    let Some(first) = claims.first() else {
        return if constraint == "when_present" && !has_scheme {
            Ok(None)
        } else {
            Err(Reason::Unbound)
        };
    };
    if claims.iter().any(|claim| claim != first) {
        return Err(Reason::SenderConstraint);
    }
    let [digest, thumbprint] = first;
    let [certificate, key] = first.each_ref().map(Option::is_some);
    let lacks = match constraint {
        "certificate" => !certificate,
        "dpop" => !key,
        _ => false,
    };
    if !certificate && !key {
        return Err(Reason::SenderConstraint);
    }
    if lacks || (has_scheme && !key) {
        return Err(Reason::Unbound);
    }
    match (digest, surroundings.certificate) {
        (Some(_), Err(reason)) => return Err(*reason),
        (Some(digest), Ok(shown)) if digest != shown => return Err(Reason::CertificateMismatch),
        _ => {}
    }
    let Some(thumbprint) = thumbprint else {
        return Ok(None);
    };
    let dpop = Fields(&surroundings.world.configuration).object("dpop");
    let dpop = dpop.ok_or(Reason::SenderConstraint)?;
    if !has_scheme {
        return Err(Reason::Downgrade);
    }
    proof::check(dpop, &credential.text, thumbprint, surroundings).map(Some)
}

/// The digests of the known members, without the two bits that the last character has too many.
fn known(claim: &Value) -> Result<[Option<String>; 2], Reason> {
    let members = claim.as_object().ok_or(Reason::ClaimType)?;
    let mut digests = [None, None];
    for (found, name) in digests.iter_mut().zip(KNOWN) {
        if let Some(value) = members.get(name) {
            let value = value.as_str().and_then(digest::canonical);
            *found = Some(value.ok_or(Reason::ClaimType)?);
        }
    }
    Ok(digests)
}

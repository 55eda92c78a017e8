//! Whether a request shows the sender that its token is bound to: `docs/configuration.md`, "Bound tokens".

use serde_json::{Map, Value};

use super::fields::Fields;
use super::reason::Reason;

/// The members of `cnf` that name something that can be proven, and the other ones do not count.
const KNOWN: [&str; 2] = ["x5t#S256", "jkt"];

/// Refuses a token that must be bound and is not, or that is bound to something that the request does not show.
pub(super) fn check(
    provider: Fields<'_>,
    payload: &Map<String, Value>,
    answer: Option<&Map<String, Value>>,
    shown: Option<&str>,
) -> Result<(), Reason> {
    let constraint = provider.text("sender_constraint").unwrap_or("when_present");
    if constraint == "ignore" {
        return Ok(());
    }
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
        return if constraint == "when_present" {
            Ok(())
        } else {
            Err(Reason::Unbound)
        };
    };
    if claims.iter().any(|claim| claim != first) {
        return Err(Reason::SenderConstraint);
    }
    let [digest, _] = first;
    let [certificate, key] = first.each_ref().map(Option::is_some);
    let lacks = match constraint {
        "certificate" => !certificate,
        "dpop" => !key,
        _ => false,
    };
    if lacks && (certificate || key) {
        return Err(Reason::Unbound);
    }
    match (digest, shown) {
        (Some(_), None) => Err(Reason::CertificateMissing),
        (Some(digest), Some(shown)) if *digest != shown => Err(Reason::CertificateMismatch),
        (Some(_), Some(_)) if !key => Ok(()),
        _ => Err(Reason::SenderConstraint),
    }
}

/// The digests of the known members, without the two bits that the last character has too many.
fn known(claim: &Value) -> Result<[Option<String>; 2], Reason> {
    let members = claim.as_object().ok_or(Reason::ClaimType)?;
    let mut digests = [None, None];
    for (digest, name) in digests.iter_mut().zip(KNOWN) {
        if let Some(value) = members.get(name) {
            let text = value.as_str().filter(|text| is_digest(text));
            *digest = Some(without_unused_bits(text.ok_or(Reason::ClaimType)?));
        }
    }
    Ok(digests)
}

fn is_digest(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn without_unused_bits(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(last) = text.pop() {
        let value = ALPHABET.iter().position(|byte| char::from(*byte) == last);
        let value = value.map_or(0, |value| value / 4 * 4);
        text.extend(ALPHABET.get(value).map(|byte| char::from(*byte)));
    }
    text
}

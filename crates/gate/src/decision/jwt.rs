//! Whether a provider accepts a JWT: header, claims, key, signature, revocation.

use std::cell::Cell;
use std::rc::Rc;

use super::context::{Context, Counts};
use super::introspected;
use super::presented_token::PresentedJwt;
use super::requirement::{AcceptedJwt, Payload};
use super::revoked;
use super::unfulfilled::Unfulfilled;
use super::wait::{Dependency, RETRY_AFTER, Wait};
use crate::dpop::sha256;
use crate::fetching::Availability;
use crate::introspection::contradiction;
use crate::keys::KeySet;
use crate::policy::{AudienceCondition, IntrospectedTokens, KeySource, Provider};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::token::{Signed, Token};
use crate::token_cache::Verified;
use crate::verify::By;

/// Checks that `provider` accepts a JWT. Returns what the JWT says or, if it is introspected, what the
/// response says, and what was accepted.
///
/// # Errors
///
/// Why it does not, or not yet.
pub(super) fn check(
    provider: &Provider,
    jwt: &PresentedJwt<'_>,
    audience: &AudienceCondition<'_>,
    context: &Context<'_>,
    counts: &Cell<Counts>,
    now: Timestamp,
) -> Result<(Payload, AcceptedJwt), Unfulfilled> {
    let token = &jwt.token;
    let introspection = provider.introspection.as_ref();
    let introspection = introspection.filter(|one| one.tokens == IntrospectedTokens::All);
    let key = match (&provider.keys, introspection) {
        (KeySource::None, Some(_)) => {
            check_before_introspection(provider, token, audience, now)?;
            None
        }
        _ => Some(check_by_keys(
            provider, jwt, audience, context, counts, now,
        )?),
    };
    revoked::check(provider, context, |list| list.revokes(token, jwt.text))?;
    let payload = match introspection {
        // What the token says may have changed since it was issued, so the response counts.
        Some(endpoint) => {
            let text = jwt.text;
            let response = introspected::check(provider, endpoint, text, audience, context, now)?;
            if let Some(claim) = contradiction(&token.claims, &token.payload, &response) {
                return Err(Reason::Contradiction { claim }.into());
            }
            if provider
                .issuers
                .differ_in(&token.payload, &response.payload)
            {
                return Err(Reason::Contradiction { claim: "iss" }.into());
            }
            Payload::Introspected(response)
        }
        None => Payload::Jwt(Rc::clone(token)),
    };
    let accepted = AcceptedJwt {
        token: Rc::clone(token),
        key,
    };
    Ok((payload, accepted))
}

/// Checks what rules a token out although only the authorization server can say whether its signature
/// is good: a token of another issuer is no business of this one.
fn check_before_introspection(
    provider: &Provider,
    token: &Token,
    audience: &AudienceCondition<'_>,
    now: Timestamp,
) -> Result<(), Unfulfilled> {
    provider.header_policy.check_type(token)?;
    provider.check_present_claims(&token.claims, &token.payload, now)?;
    if !token.claims.audiences.is_empty() {
        audience.check(&token.claims)?;
    }
    Ok(())
}

/// Checks header, claims and signature. Returns the material of the key that verified it.
fn check_by_keys(
    provider: &Provider,
    jwt: &PresentedJwt<'_>,
    audience: &AudienceCondition<'_>,
    context: &Context<'_>,
    counts: &Cell<Counts>,
    now: Timestamp,
) -> Result<Rc<[u8]>, Unfulfilled> {
    let token = &jwt.token;
    provider.header_policy.check(token)?;
    provider.check_claims(&token.claims, &token.payload, now)?;
    audience.check(&token.claims)?;
    let (keys, newer) = keys(provider, jwt, context)?;
    match (
        check_signature(provider, &keys, jwt, context, counts, now),
        newer,
    ) {
        (Err(Reason::UnknownKey { .. }), Some(wait)) => Err(wait.into()),
        (result, _) => Ok(result?),
    }
}

/// The keys of `provider`, and the wait for newer ones if they may come.
fn keys(
    provider: &Provider,
    jwt: &PresentedJwt<'_>,
    context: &Context<'_>,
) -> Result<(Rc<KeySet>, Option<Wait>), Unfulfilled> {
    let remote = match &provider.keys {
        KeySource::Local(keys) => return Ok((Rc::clone(keys), None)),
        KeySource::None => return Err(unknown_key(jwt).into()),
        KeySource::Remote(remote) => remote,
    };
    let unavailable = |retry_after| Reason::KeysUnavailable { retry_after };
    let wait = |on| Wait::new(on, remote.policy.timeout, unavailable(RETRY_AFTER));
    match context.resources.keys(provider) {
        Availability::Ready {
            value,
            newer_possible,
        } => {
            let newer = newer_possible.then(|| wait(Dependency::NewerKeys(provider.index)));
            Ok((value, newer))
        }
        Availability::Pending => Err(wait(Dependency::Keys(provider.index)).into()),
        Availability::Unavailable { retry_after } => Err(unavailable(retry_after).into()),
    }
}

/// Verifies the signature, unless it is known to be that of one of `keys`. Returns the material of the key.
fn check_signature(
    provider: &Provider,
    keys: &KeySet,
    jwt: &PresentedJwt<'_>,
    context: &Context<'_>,
    counts: &Cell<Counts>,
    now: Timestamp,
) -> Result<Rc<[u8]>, Reason> {
    let token = &jwt.token;
    let (algorithm, kid) = (token.algorithm, token.kid.as_deref());
    let candidates = || keys.candidates(algorithm, kid, context.engine);
    let cached = jwt.is_cached_by(provider);
    let count = |select: fn(&mut Counts) -> &mut u32| Counts::add(counts, select);
    if cached
        && let Some(known) = &jwt.known_key
        && candidates().any(|key| key.public.is(known))
    {
        count(|counts| &mut counts.cache_hits);
        return Ok(Rc::clone(known));
    }
    let mut untried = candidates().peekable();
    if untried.peek().is_none() {
        return Err(unknown_key(jwt));
    }
    if cached {
        count(|counts| &mut counts.cache_misses);
    }
    let parsed = match jwt.signed {
        Some(_) => None,
        None => Signed::of(jwt.text),
    };
    let signed = jwt.signed.as_ref().or(parsed.as_ref());
    let Signed { input, signature } = signed.ok_or(Reason::MalformedToken)?;
    let verified = untried.find_map(|key| {
        let engine = context.engine;
        let by = engine.verify(&key.public, algorithm, input.as_bytes(), signature)?;
        Some((key, by))
    });
    let Some((key, by)) = verified else {
        let kid = token.kid.clone();
        return Err(Reason::Signature { kid });
    };
    match by {
        By::Host => count(|counts| &mut counts.verified_by_host),
        By::Software => count(|counts| &mut counts.verified_by_software),
    }
    if cached {
        let verified = Verified {
            token: Rc::clone(token),
            key: Rc::clone(key.public.material()),
            hash: token
                .claims
                .is_bound_to_key()
                .then(|| sha256(jwt.text.as_bytes())),
        };
        // A token that never expires stays until it is evicted.
        let expires = provider.expiration(&token.claims);
        let mut tokens = context.tokens.borrow_mut();
        tokens.insert(jwt.text, verified, expires, now);
    }
    Ok(Rc::clone(key.public.material()))
}

fn unknown_key(jwt: &PresentedJwt<'_>) -> Reason {
    Reason::UnknownKey {
        kid: jwt.token.kid.clone(),
        alg: jwt.token.algorithm.name(),
    }
}

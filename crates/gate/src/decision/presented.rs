//! One token that a request carries, and what a provider says of it: known from the cache or parsed,
//! its header, its claims, its key and its signature.

use std::rc::Rc;
use std::time::Duration;

use super::introspected::introspected;
use super::{Means, RemoteKeys, RemoteList};
use crate::policy::{IntrospectedTokens, KeySource, OnUnavailable, Policy, Provider};
use crate::denial::{Denial, Reason};
use crate::keys::KeySet;
use crate::metrics::Counter;
use super::requirement::{Opinion, Wait};
use crate::revocation::RevocationList;
use crate::time::Timestamp;
use crate::token::{Signed, Token};
use crate::token_cache::Verified;
use crate::verify::By;

/// A token that a request carries.
pub(super) struct Presented<'r> {
    text: &'r str,
    /// What it says.
    pub(super) token: Rc<Token>,
    /// What is to be verified, where the token had to be parsed.
    signed: Option<Signed<'r>>,
    /// The material of the key whose signature it is known to bear.
    known: Option<Rc<[u8]>>,
}

impl<'r> Presented<'r> {
    /// Finds out what a token says, as far as `config` is interested: it is known, or is parsed.
    pub(super) fn find_out(
        text: &'r str,
        config: &Policy,
        means: Means<'_>,
        now: Timestamp,
    ) -> Result<Self, Reason> {
        if let Some(Verified { token, key }) = means.tokens.borrow_mut().find(text, now) {
            return Ok(Self {
                text,
                token,
                signed: None,
                known: Some(key),
            });
        }
        let (token, signed) = Token::parse_some(text, config.longest_token(), &config.read_claims)?;
        Ok(Self {
            text,
            token: Rc::new(token),
            signed: Some(signed),
            known: None,
        })
    }

    /// Whether `provider` remembers such a token.
    pub(super) fn may_be_known_to(&self, provider: &Provider) -> bool {
        provider.cache.tokens > 0 && self.text.len() <= provider.cache.token_bytes
    }
}

/// What `provider` says of a token.
pub(super) fn accepted_by(
    provider: &Provider,
    presented: &Presented<'_>,
    means: Means<'_>,
    now: Timestamp,
) -> Opinion {
    let token = &presented.token;
    let header = provider.header_policy.check(token);
    if let Err(reason) = header.and_then(|()| provider.check_claims(&token.claims, now)) {
        return reason.into();
    }
    let (keys, newer) = match &provider.keys {
        KeySource::Local(keys) => (Rc::clone(keys), None),
        KeySource::None => return Reason::UnknownKey.into(),
        KeySource::Remote(jwks) => match (means.remote)(provider) {
            RemoteKeys::Ready { what, may_grow } => (what, may_grow.then_some(jwks.policy.timeout)),
            RemoteKeys::Pending => {
                return wait_for_keys(jwks.policy.timeout);
            }
            RemoteKeys::Unavailable { retry_after } => {
                let reason = Reason::KeysUnavailable;
                return Denial {
                    retry_after: Some(retry_after),
                    ..reason.into()
                }
                .into();
            }
        },
    };
    let verified = verified(provider, &keys, presented, means, now);
    match (verified, newer) {
        (Ok(()), _) => {}
        (Err(Reason::UnknownKey), Some(at_most)) => return wait_for_keys(at_most),
        (Err(reason), _) => return reason.into(),
    }
    let revokes = |list: &RevocationList| list.revokes(token, presented.text);
    if let Some(objection) = revoked(provider, revokes, means) {
        return objection;
    }
    if let Some(introspection) = &provider.introspection
        && introspection.tokens == IntrospectedTokens::All
        && let Err(objection) = introspected(provider, introspection, presented.text, means, now)
    {
        return objection;
    }
    // Accepting a bound token from whoever holds it would undo the binding.
    match unbound(token) {
        Ok(()) => Opinion::Accepted,
        Err(reason) => reason.into(),
    }
}

const fn wait_for_keys(at_most: Duration) -> Opinion {
    Opinion::Wait(Wait {
        at_most,
        otherwise: Reason::KeysUnavailable,
    })
}

/// What the provider's revocation list has against a token, which `revokes` finds out; also, that
/// there is no list.
pub(super) fn revoked(
    provider: &Provider,
    revokes: impl FnOnce(&RevocationList) -> bool,
    means: Means<'_>,
) -> Option<Opinion> {
    let revocation = provider.revocation.as_ref()?;
    match (means.lists)(provider) {
        RemoteList::Ready { what: list, .. } => revokes(&list).then(|| Reason::Revoked.into()),
        RemoteList::Pending => Some(Opinion::Wait(Wait {
            at_most: revocation.remote.policy.timeout,
            otherwise: Reason::RevocationUnavailable,
        })),
        RemoteList::Unavailable { .. } if revocation.on_unavailable == OnUnavailable::Allow => None,
        RemoteList::Unavailable { retry_after } => {
            let reason = Reason::RevocationUnavailable;
            let denial = Denial {
                retry_after: Some(retry_after),
                ..reason.into()
            };
            Some(denial.into())
        }
    }
}

/// Checks the signature, unless it is known to be that of one of `keys`.
fn verified(
    provider: &Provider,
    keys: &KeySet,
    presented: &Presented<'_>,
    means: Means<'_>,
    now: Timestamp,
) -> Result<(), Reason> {
    let token = &presented.token;
    let candidates = || keys.candidates(token.algorithm, token.kid.as_deref(), means.engine);
    let caches = presented.may_be_known_to(provider);
    if caches
        && let Some(known) = &presented.known
        && candidates().any(|key| key.public.is(known))
    {
        means.tally.count(Counter::CacheHit);
        return Ok(());
    }
    let mut untried = candidates();
    let mut key = untried.next().ok_or(Reason::UnknownKey)?;
    if caches {
        means.tally.count(Counter::CacheMiss);
    }
    let reparsed = match presented.signed {
        Some(_) => None,
        None => Signed::of(presented.text),
    };
    let signed = presented.signed.as_ref().or(reparsed.as_ref());
    let Signed { input, signature } = signed.ok_or(Reason::MalformedToken)?;
    let by = loop {
        let public = &key.public;
        let engine = means.engine;
        if let Some(by) = engine.verify(public, token.algorithm, input.as_bytes(), signature) {
            break by;
        }
        key = untried.next().ok_or(Reason::Signature)?;
    };
    means.tally.count(match by {
        By::Host => Counter::VerifiedByHost,
        By::Software => Counter::VerifiedBySoftware,
    });
    if caches {
        let verified = Verified {
            token: Rc::clone(token),
            key: Rc::clone(key.public.material()),
        };
        // Nobody accepts the token after this; one without an end lasts until it is displaced.
        let dies_at = provider.expiration(&token.claims);
        let mut tokens = means.tokens.borrow_mut();
        tokens.insert(presented.text, verified, dies_at, now);
    }
    Ok(())
}

/// Checks that whoever holds the token may use it.
fn unbound(token: &Token) -> Result<(), Reason> {
    if token.claims.sender_constrained {
        return Err(Reason::SenderConstraint);
    }
    Ok(())
}

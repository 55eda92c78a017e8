//! The decision: may this request pass?
//!
//! [`gate`] takes the facts of a request, the time and the keys that are at hand, and does no I/O.
//! A request that has just arrived and one that has waited for keys are decided by the same call.
//! The steps are ordered by what they cost, so that a flood of bad tokens costs little.

use std::rc::Rc;
use std::time::Duration;

use crate::config::{Config, KeySource, Provider};
use crate::credential;
use crate::denial::{Denial, Reason};
use crate::keys::KeySet;
use crate::policy::{self, Need};
use crate::request::Request;
use crate::time::Timestamp;
use crate::token::Token;

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is decided.
    Settled(Verdict),
    /// It cannot be decided before a key set has been fetched, for the first time or, where the
    /// token names a key that is not there, once more.
    Wait {
        /// How long it may wait at most.
        at_most: Duration,
    },
}

/// What has been decided of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It needs no token and passes as it is.
    Pass,
    /// Its token is good.
    Admit {
        /// Whether the upstream gets to see the token.
        forward: bool,
    },
    /// It is refused.
    Deny(Denial),
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        Self::Settled(verdict)
    }
}

impl From<Denial> for Decision {
    fn from(denial: Denial) -> Self {
        Self::Settled(Verdict::Deny(denial))
    }
}

impl From<Reason> for Decision {
    fn from(reason: Reason) -> Self {
        Denial::from(reason).into()
    }
}

/// The state of a key set that is fetched.
#[derive(Clone, Debug)]
pub enum RemoteKeys {
    /// It is there.
    Ready {
        /// The set.
        keys: Rc<KeySet>,
        /// Whether a key that is not in it is worth waiting for: it is being fetched anew, or may
        /// be.
        may_grow: bool,
    },
    /// It is not there but on its way, and is worth waiting for.
    Pending,
    /// It is not there and will not be soon.
    Unavailable {
        /// When it is worth asking again.
        retry_after: Duration,
    },
}

/// Decides `request` at the time `now`. `remote` tells the state of a provider's fetched key set.
#[must_use]
pub fn gate(
    config: &Config,
    request: &Request,
    remote: impl Fn(&Provider) -> RemoteKeys,
    now: Timestamp,
) -> Decision {
    if config.bypass_cors_preflight && request.is_cors_preflight() {
        return Verdict::Pass.into();
    }
    let providers = match policy::need(config, request.path()) {
        Need::Nothing => return Verdict::Pass.into(),
        Need::TokenOf(providers) => providers,
        Need::Impossible => return Reason::Missing.into(),
    };
    match credential::locate(request).and_then(Token::parse) {
        Ok(token) => any_of(providers, &token, remote, now),
        Err(reason) => reason.into(),
    }
}

/// Admits a token that one of `providers` accepts. Of several refusals the one counts that was
/// found last, since that provider is the one that the token was most likely meant for.
fn any_of(
    providers: &[Rc<Provider>],
    token: &Token<'_>,
    remote: impl Fn(&Provider) -> RemoteKeys,
    now: Timestamp,
) -> Decision {
    let (mut wait, mut denial) = (None, None);
    for provider in providers {
        match accepted_by(provider, token, &remote, now) {
            Decision::Wait { at_most } => wait = wait.max(Some(at_most)),
            Decision::Settled(Verdict::Deny(refusal)) => denial = denial.max(Some(refusal)),
            admitted @ Decision::Settled(_) => return admitted,
        }
    }
    match wait {
        Some(at_most) => Decision::Wait { at_most },
        None => denial.unwrap_or_else(|| Reason::Missing.into()).into(),
    }
}

fn accepted_by(
    provider: &Provider,
    token: &Token<'_>,
    remote: impl Fn(&Provider) -> RemoteKeys,
    now: Timestamp,
) -> Decision {
    if let Err(reason) = token.claims.check(provider, now) {
        return reason.into();
    }
    let (keys, newer) = match &provider.keys {
        KeySource::Local(keys) => (Rc::clone(keys), None),
        KeySource::Remote(jwks) => match remote(provider) {
            RemoteKeys::Ready { keys, may_grow } => (keys, may_grow.then_some(jwks.policy.timeout)),
            RemoteKeys::Pending => {
                return Decision::Wait {
                    at_most: jwks.policy.timeout,
                };
            }
            RemoteKeys::Unavailable { retry_after } => {
                let reason = Reason::KeysUnavailable;
                return Denial {
                    reason,
                    retry_after: Some(retry_after),
                }
                .into();
            }
        },
    };
    match (verified(&keys, token), newer) {
        (Ok(()), _) => Verdict::Admit {
            forward: provider.forward,
        }
        .into(),
        (Err(Reason::UnknownKey), Some(at_most)) => Decision::Wait { at_most },
        (Err(reason), _) => reason.into(),
    }
}

/// Checks the signature, and what may only be believed once that is good.
fn verified(keys: &KeySet, token: &Token<'_>) -> Result<(), Reason> {
    let mut candidates = keys
        .candidates(token.algorithm, token.kid.as_deref())
        .peekable();
    if candidates.peek().is_none() {
        return Err(Reason::UnknownKey);
    }
    let message = token.signing_input.as_bytes();
    if !candidates.any(|key| key.public.verify(message, &token.signature)) {
        return Err(Reason::Signature);
    }
    // Accepting a bound token from whoever holds it would undo the binding.
    if token.claims.sender_constrained {
        return Err(Reason::SenderConstraint);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

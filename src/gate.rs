//! The decision: may this request pass?
//!
//! [`gate`] takes the facts of a request, the time and the keys that are at hand, and does no I/O.
//! A request that has just arrived and one that has waited for keys are decided by the same call.
//! The steps are ordered by what they cost, so that a flood of bad tokens costs little.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::admission::{Admission, HeaderChange, Passed};
use crate::config::{Config, Extract, KeySource, Provider, Requirement};
use crate::credential::{self, Credential};
use crate::denial::{Denial, Reason};
use crate::keys::KeySet;
use crate::policy::{self, Finding, Grants, Opinion, Tokens};
use crate::request::Request;
use crate::time::Timestamp;
use crate::token::Token;

/// What is to be done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It needs no token and passes as it is.
    Pass,
    /// It passes with what its token says, or without a token that has done its work.
    Admit(Admission),
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
    let requirements = match policy::requirements(config, request) {
        Ok(requirements) => requirements,
        Err(reason) => return reason.into(),
    };
    for requirement in requirements {
        let decision = judge(requirement, request, &remote, now);
        if !decision.passes_unverified() || !policy::is_ambiguous(request.path()) {
            return decision;
        }
    }
    if policy::allows_unmatched(config) && !policy::is_ambiguous(request.path()) {
        Verdict::Pass.into()
    } else {
        Reason::Missing.into()
    }
}

impl Decision {
    /// Whether the request passes without a token that is good.
    const fn passes_unverified(&self) -> bool {
        match self {
            Self::Settled(Verdict::Pass) => true,
            Self::Settled(Verdict::Admit(admission)) => !admission.verified,
            Self::Settled(Verdict::Deny(_)) | Self::Wait { .. } => false,
        }
    }
}

/// Decides by one requirement.
fn judge(
    requirement: &Requirement,
    request: &Request,
    remote: impl Fn(&Provider) -> RemoteKeys,
    now: Timestamp,
) -> Decision {
    if requirement.locations.is_empty() {
        return Verdict::Pass.into();
    }
    let credentials = match credential::locate(request, &requirement.locations) {
        Ok(several) if several.len() > 1 && !requirement.takes_several => {
            Err(Reason::SeveralTokens)
        }
        credentials => credentials,
    };
    let hearing = Hearing {
        bearers: match &credentials {
            Ok(credentials) => Ok(credentials.iter().map(Bearer::parse).collect()),
            Err(reason) => Err(*reason),
        },
        remote,
        now,
    };
    match policy::find(&requirement.tree, &hearing) {
        Finding::Wait { at_most } => Decision::Wait { at_most },
        Finding::Refused(denial) => denial.into(),
        Finding::Fulfilled(grants) => match hearing.unheard(&grants) {
            Some(denial) => denial.into(),
            None => hearing.admit(request, &grants).into(),
        },
    }
}

/// A token that a request carries.
struct Bearer<'r> {
    credential: &'r Credential<'r>,
    token: Result<Token<'r>, Reason>,
}

/// The tokens of a request, and what it takes to judge them.
struct Hearing<'r, R> {
    bearers: Result<Vec<Bearer<'r>>, Reason>,
    remote: R,
    now: Timestamp,
}

impl<R: Fn(&Provider) -> RemoteKeys> Tokens for Hearing<'_, R> {
    fn opinion(&self, provider: &Provider) -> Opinion {
        match self.bearer(provider).map(|bearer| &bearer.token) {
            Ok(Ok(token)) => accepted_by(provider, token, &self.remote, self.now),
            Ok(Err(reason)) => (*reason).into(),
            Err(reason) => reason.into(),
        }
    }

    fn payload(&self, provider: &Provider) -> Option<&Map<String, Value>> {
        let token = self.bearer(provider).ok()?.token.as_ref().ok()?;
        Some(&token.payload)
    }
}

impl<'r, R: Fn(&Provider) -> RemoteKeys> Hearing<'r, R> {
    /// The token at the places where those of `provider` may be.
    fn bearer(&self, provider: &Provider) -> Result<&Bearer<'r>, Reason> {
        let bearers = self.bearers.as_ref().map_err(|reason| *reason)?;
        let listed = |bearer: &&Bearer| provider.locations.contains(&bearer.credential.location);
        let mut listed = bearers.iter().filter(listed);
        match (listed.next(), listed.next()) {
            (Some(bearer), None) => Ok(bearer),
            (None, _) => Err(Reason::Missing),
            (Some(_), Some(_)) => Err(Reason::SeveralTokens),
        }
    }

    /// Why the request may not pass although its requirement is fulfilled: it carries a token that
    /// had no part in that, and the API behind might take it for one that had.
    fn unheard(&self, grants: &Grants<'_>) -> Option<Denial> {
        let bearers = self.bearers.as_ref().ok()?;
        let heard = |bearer: &Bearer| {
            let mut providers = grants.providers.iter();
            providers.any(|provider| provider.locations.contains(&bearer.credential.location))
        };
        let all_heard = grants.lenient || bearers.iter().all(heard);
        (!all_heard).then(|| Reason::SeveralTokens.into())
    }

    fn admit(&self, request: &Request, grants: &Grants<'_>) -> Verdict {
        let verified = !grants.providers.is_empty();
        let accepted = grants.providers.iter().filter_map(|provider| {
            let bearer = self.bearer(provider).ok()?;
            bearer.passed_by(provider)
        });
        let mut admission = Admission::new(verified, request, accepted);
        if let (false, Some(extract)) = (verified, grants.extract) {
            admission = self.extract(request, extract);
        }
        if !verified && admission == Admission::default() {
            return Verdict::Pass;
        }
        Verdict::Admit(admission)
    }

    /// Passes on the claims of a token that nobody verified, and says so.
    fn extract(&self, request: &Request, extract: &Extract) -> Admission {
        let bearers = self.bearers.as_deref().unwrap_or_default();
        let passed: Vec<Passed<'_>> = bearers
            .iter()
            .filter_map(|bearer| {
                let issuer = &bearer.token.as_ref().ok()?.claims.issuer;
                let listed = |provider: &&Rc<Provider>| {
                    provider.locations.contains(&bearer.credential.location)
                };
                let listed = || extract.providers.iter().filter(listed);
                let named =
                    listed().find(|known| known.issuer.is_some() && known.issuer == *issuer);
                let provider = named.or_else(|| listed().find(|known| known.issuer.is_none()))?;
                bearer.passed_by(provider)
            })
            .collect();
        let found = !passed.is_empty();
        let mut admission = Admission::new(false, request, passed);
        if let (true, Some(name)) = (found, &extract.status_header) {
            let change = HeaderChange::Set(name.clone(), b"false".to_vec());
            admission.headers.push(change);
        }
        admission
    }
}

impl<'r> Bearer<'r> {
    fn parse(credential: &'r Credential<'r>) -> Self {
        Self {
            token: Token::parse(&credential.text),
            credential,
        }
    }

    fn passed_by<'p>(&'p self, provider: &'p Provider) -> Option<Passed<'p>> {
        Some(Passed {
            credential: self.credential,
            payload: &self.token.as_ref().ok()?.payload,
            provider,
        })
    }
}

fn accepted_by(
    provider: &Provider,
    token: &Token<'_>,
    remote: impl Fn(&Provider) -> RemoteKeys,
    now: Timestamp,
) -> Opinion {
    if let Err(reason) = token.claims.check(provider, now) {
        return reason.into();
    }
    let (keys, newer) = match &provider.keys {
        KeySource::Local(keys) => (Rc::clone(keys), None),
        KeySource::Remote(jwks) => match remote(provider) {
            RemoteKeys::Ready { keys, may_grow } => (keys, may_grow.then_some(jwks.policy.timeout)),
            RemoteKeys::Pending => {
                return Opinion::Wait {
                    at_most: jwks.policy.timeout,
                };
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
    match (verified(&keys, token), newer) {
        (Ok(()), _) => Opinion::Accepted,
        (Err(Reason::UnknownKey), Some(at_most)) => Opinion::Wait { at_most },
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
mod requirement_tests;
#[cfg(test)]
mod tests;

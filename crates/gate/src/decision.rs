//! The decision: may this request pass?
//!
//! [`gate`] takes the facts of a request, the time and the keys that are at hand, and does no I/O.
//! A request that has just arrived and one that has waited for keys are decided by the same call.
//! The steps are ordered by what they cost, so that a flood of bad tokens costs little.

mod familiar;
mod introspected;
mod presented;
mod requirement;

pub use self::requirement::{Finding, Grants, Opinion, Tokens, Wait, find as find_requirement};

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use serde_json::{Map, Value};

use self::introspected::{introspected, is_asked_about};
use self::presented::{Presented, accepted_by};
use self::requirement::find;
use crate::admission::{Admission, HeaderChange, Passed};
use crate::policy::{Extract, Policy, Provider, Requirement, is_ambiguous};
use crate::credential::{self, Credential};
use crate::denial::{Denial, Reason};
use crate::fetching::Supply;
use crate::introspection::{Introspected, Standing};
use crate::keys::KeySet;
use crate::metrics::Tally;
use crate::request::Request;
use crate::revocation::RevocationList;
use crate::time::Timestamp;
use crate::token_cache::TokenCache;
use crate::verify::Engine;

/// What is to be done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is decided.
    Settled(Verdict),
    /// It cannot be decided before something has been fetched.
    Wait(Wait),
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
pub type RemoteKeys = Supply<KeySet>;

/// The state of a list of revoked tokens.
pub type RemoteList = Supply<RevocationList>;

/// What a decision draws on besides the configuration and the request.
#[derive(Clone, Copy)]
pub struct Means<'w> {
    /// The state of a provider's fetched key set.
    pub remote: &'w dyn Fn(&Provider) -> RemoteKeys,
    /// The state of a provider's list of revoked tokens.
    pub lists: &'w dyn Fn(&Provider) -> RemoteList,
    /// What is known of a token that a provider's authorization server is asked about.
    pub introspection: &'w dyn Fn(&Provider, &str) -> Standing,
    /// What checks signatures.
    pub engine: &'w Engine,
    /// The tokens that have been verified already.
    pub tokens: &'w RefCell<TokenCache>,
    /// Where it is counted how a token was verified.
    pub tally: &'w Tally,
}

/// Decides `request` at the time `now`.
#[must_use]
pub fn gate(config: &Policy, request: &Request, means: Means<'_>, now: Timestamp) -> Decision {
    if config.options.bypass_cors_preflight && request.is_cors_preflight() {
        return Verdict::Pass.into();
    }
    let decided = config.first_decision(request, |requirement| {
        let decision = judge(config, requirement, request, means, now);
        decision.stands(request).then_some(decision)
    });
    match decided {
        Ok(Some(decision)) => decision,
        Ok(None) if config.allows_unmatched() && !is_ambiguous(request.path()) => {
            Verdict::Pass.into()
        }
        Ok(None) => Reason::Missing.into(),
        Err(reason) => reason.into(),
    }
}

impl Decision {
    /// Whether it stands, and no further requirement is looked at: nothing passes without a token
    /// that is good on the strength of a path that the upstream may take for another one.
    #[must_use]
    pub fn stands(&self, request: &Request) -> bool {
        !self.passes_unverified() || !is_ambiguous(request.path())
    }

    /// Whether the request passes without a token that is good.
    const fn passes_unverified(&self) -> bool {
        match self {
            Self::Settled(Verdict::Pass) => true,
            Self::Settled(Verdict::Admit(admission)) => !admission.verified,
            Self::Settled(Verdict::Deny(_)) | Self::Wait(_) => false,
        }
    }
}

/// Decides by one requirement.
// Inlined into the search for rules it would be prepared for a second one, which hardly ever comes.
#[inline(never)]
#[must_use]
pub fn judge(
    config: &Policy,
    requirement: &Requirement,
    request: &Request,
    means: Means<'_>,
    now: Timestamp,
) -> Decision {
    if requirement.locations.is_empty() {
        return Verdict::Pass.into();
    }
    if let Some(admission) = familiar::admitted(requirement, request, means, now) {
        return Verdict::Admit(admission).into();
    }
    let credentials = credentials(requirement, request);
    let bearer = |credential| Bearer::find_out(credential, config, means, now);
    let answers = if config.introspects() {
        config.providers.iter().map(|_| OnceCell::new()).collect()
    } else {
        Vec::new()
    };
    let hearing = Hearing {
        answers,
        bearers: match &credentials {
            Ok(credentials) => Ok(credentials.iter().map(bearer).collect()),
            Err(reason) => Err(*reason),
        },
        asked: Cell::new(0),
        longest: config.longest_token(),
        means,
        now,
    };
    match find(&requirement.root, &hearing) {
        Finding::Wait(wait) => Decision::Wait(wait),
        Finding::Refused(denial) => denial.into(),
        Finding::Fulfilled(grants) => {
            if let Some(denial) = hearing.unheard(&grants) {
                return denial.into();
            }
            hearing.remember(requirement, &grants);
            hearing.admit(request, &grants).into()
        }
    }
}

/// The tokens of a request that a requirement takes.
fn credentials<'r>(
    requirement: &Requirement,
    request: &'r Request,
) -> Result<Vec<Credential<'r>>, Reason> {
    let location = requirement.bearer.as_ref();
    if let Some(sole) = location.and_then(|location| credential::locate_sole(request, location)) {
        return Ok(vec![sole]);
    }
    let credentials = credential::locate(request, &requirement.locations)?;
    if credentials.len() > 1 && !requirement.takes_several {
        return Err(Reason::SeveralTokens);
    }
    Ok(credentials)
}

/// A token that a request carries.
struct Bearer<'r> {
    credential: &'r Credential<'r>,
    presented: Result<Presented<'r>, Reason>,
}

/// The tokens of a request, and what it takes to judge them.
struct Hearing<'r, 'm> {
    bearers: Result<Vec<Bearer<'r>>, Reason>,
    /// What the authorization server of a provider says of the token that the provider is to
    /// judge, by the index of the provider.
    answers: Vec<OnceCell<Rc<Introspected>>>,
    /// How often a provider has been asked for its opinion.
    asked: Cell<usize>,
    /// The longest token that is looked at, in bytes.
    longest: usize,
    means: Means<'m>,
    now: Timestamp,
}

impl Tokens for Hearing<'_, '_> {
    fn opinion(&self, provider: &Provider) -> Opinion {
        self.asked.update(|asked| asked.saturating_add(1));
        let opinion = self.ask(provider);
        debug_assert!(
            self.refused_at_most(provider).is_none_or(|most| {
                let reason = |denial: &Denial| (denial.reason <= most).then_some(denial.reason);
                matches!(&opinion, Opinion::Refused(denial)
                    if reason(denial).is_some_and(|reason| *denial == reason.into()))
            }),
            "{opinion:?} of {provider:?}"
        );
        opinion
    }

    fn refused_at_most(&self, provider: &Provider) -> Option<Reason> {
        if provider.introspection.is_some() {
            return None;
        }
        let bearers = match &self.bearers {
            Ok(bearers) => bearers.as_slice(),
            Err(reason) => return Some(*reason),
        };
        match bearers {
            [] => Some(Reason::Missing),
            [bearer] => match &bearer.presented {
                Ok(Presented { token, .. }) => {
                    let foreign =
                        provider.issuer.is_some() && provider.issuer != token.claims.issuer;
                    foreign.then_some(Reason::Issuer)
                }
                // At another place it is none for this provider.
                Err(reason) => Some((*reason).max(Reason::Missing)),
            },
            _ => None,
        }
    }

    fn payload(&self, provider: &Provider) -> Option<&Map<String, Value>> {
        let answer = self.answers.get(provider.index).and_then(OnceCell::get);
        match answer {
            Some(answer) => Some(&answer.payload),
            None => self.bearer(provider).ok()?.payload(),
        }
    }
}

impl<'r> Hearing<'r, '_> {
    /// What `provider` says of the token that is for it.
    fn ask(&self, provider: &Provider) -> Opinion {
        let bearer = match self.bearer(provider) {
            Ok(bearer) => bearer,
            Err(reason) => return reason.into(),
        };
        if let Some(introspection) = &provider.introspection
            && is_asked_about(provider, introspection, bearer.text())
        {
            if bearer.text().len() > self.longest {
                return Reason::TooLarge.into();
            }
            let said = introspected(provider, introspection, bearer.text(), self.means, self.now);
            return said.map_or_else(
                |objection| objection,
                |answer| {
                    if let Some(cell) = self.answers.get(provider.index) {
                        let _ = cell.set(answer);
                    }
                    Opinion::Accepted
                },
            );
        }
        match &bearer.presented {
            Ok(presented) => accepted_by(provider, presented, self.means, self.now),
            Err(reason) => (*reason).into(),
        }
    }

    /// The token at the places where those of `provider` may be.
    // Asked several times for each request, it is less to come upon in one piece.
    #[inline(never)]
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
            Some(Passed {
                credential: self.bearer(provider).ok()?.credential,
                payload: self.payload(provider)?,
                provider,
            })
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

    /// Passes on the claims of a token that nobody verified, and says so: also of one whose claims
    /// are not passed on, since the API behind may read it where it is.
    #[cold]
    fn extract(&self, request: &Request, extract: &Extract) -> Admission {
        let bearers = self.bearers.as_deref().unwrap_or_default();
        let passed: Vec<Passed<'_>> = bearers
            .iter()
            .filter_map(|bearer| {
                let issuer = &bearer.presented.as_ref().ok()?.token.claims.issuer;
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
        let found = !self.bearers.as_ref().is_ok_and(Vec::is_empty);
        let mut admission = Admission::new(false, request, passed);
        if let (true, Some(name)) = (found, &extract.status_header) {
            let change = HeaderChange::Set(name.clone(), b"false".to_vec());
            admission.headers.push(change);
        }
        admission
    }
}

impl<'r> Bearer<'r> {
    fn find_out(
        credential: &'r Credential<'r>,
        config: &Policy,
        means: Means<'_>,
        now: Timestamp,
    ) -> Self {
        Self {
            presented: Presented::find_out(&credential.text, config, means, now),
            credential,
        }
    }

    fn text(&self) -> &str {
        &self.credential.text
    }

    fn payload(&self) -> Option<&Map<String, Value>> {
        Some(&self.presented.as_ref().ok()?.token.payload)
    }

    fn passed_by<'p>(&'p self, provider: &'p Provider) -> Option<Passed<'p>> {
        Some(Passed {
            credential: self.credential,
            payload: self.payload()?,
            provider,
        })
    }
}

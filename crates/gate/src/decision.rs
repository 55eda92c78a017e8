//! The decision: may this request pass?
//!
//! [`decide`] takes the facts of a request, the policy, what has been fetched and the time. It does no
//! I/O, and everything that follows from it is in its result. A request that has just arrived and one
//! that has waited are decided by the same call. The steps are ordered by cost, so that a flood of bad
//! tokens costs little.

mod context;
mod evaluation;
mod introspected;
mod judges;
mod jwt;
mod presented_token;
mod proof;
mod refusal;
mod requirement;
mod revoked;
mod sender;
mod standing;
mod unfulfilled;
mod wait;

use std::cell::Cell;
use std::rc::Rc;

pub use context::{Context, Counts, Resources};
pub use refusal::Refusal;
pub use requirement::{
    AcceptedJwt, AcceptedToken, Fulfilment, Payload, ProviderResult, RequirementResult, evaluate,
};
pub use sender::check_sender;
pub use standing::StandingToken;
pub use unfulfilled::Unfulfilled;
pub use wait::{Dependency, RETRY_AFTER, Wait};

use crate::admission::Admission;
use crate::policy::{Policy, Provider, Requirement, is_ambiguous};
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;
use evaluation::Evaluation;
use judges::Judges;

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It needs no token and passes unchanged.
    Pass,
    /// It passes with these changes.
    Admit(Admission),
    /// It is refused.
    Deny(Reason),
    /// It cannot be decided before something has been fetched.
    Wait(Wait),
}

/// A decision, and what it took.
#[derive(Clone, Debug)]
pub struct Decided<'p> {
    /// The decision.
    pub decision: Decision,
    /// The requirement that decided, which the challenge is about; `None` if none applied, or if it needs no token.
    pub requirement: Option<&'p Requirement>,
    /// The index of the provider that a refusal comes from; `None` if no provider was asked.
    pub provider: Option<usize>,
    /// The tokens that the stream must end with; none if it goes on whatever becomes of them.
    pub standing: Vec<StandingToken>,
    /// What was counted on the way.
    pub counts: Counts,
}

impl From<Reason> for Decided<'_> {
    /// A refusal before any requirement was applied.
    fn from(reason: Reason) -> Self {
        Self {
            decision: Decision::Deny(reason),
            requirement: None,
            provider: None,
            standing: Vec::new(),
            counts: Counts::default(),
        }
    }
}

impl From<Reason> for Decision {
    fn from(reason: Reason) -> Self {
        Self::Deny(reason)
    }
}

impl From<Unfulfilled> for Decision {
    fn from(unfulfilled: Unfulfilled) -> Self {
        match unfulfilled {
            Unfulfilled::Refused(reason) => Self::Deny(reason),
            Unfulfilled::Wait(wait) => Self::Wait(wait),
        }
    }
}

/// Decides `request` at the time `now`.
///
/// ```
/// use std::cell::RefCell;
/// use std::hash::RandomState;
///
/// use gate::decision::{Context, Decision, Resources, decide};
/// use gate::fetching::Availability;
/// use gate::introspection::TokenStatus;
/// use gate::keys::KeySet;
/// use gate::policy::Provider;
/// use gate::reason::Reason;
/// use gate::request::Request;
/// use gate::revocation::RevocationList;
/// use gate::time::Timestamp;
/// use gate::token_cache::TokenCache;
/// use gate::verify::Engine;
///
/// /// Nothing has been fetched yet.
/// struct Nothing;
///
/// impl Resources for Nothing {
///     fn keys(&self, _: &Provider) -> Availability<KeySet> {
///         Availability::Pending
///     }
///
///     fn revocations(&self, _: &Provider) -> Availability<RevocationList> {
///         Availability::Pending
///     }
///
///     fn introspection(&self, _: &Provider, _: &str) -> TokenStatus {
///         TokenStatus::Pending
///     }
/// }
///
/// let policy = gate_config::parse_json(br#"{
///     "providers": {"cloud": {
///         "issuer": "https://issuer.example",
///         "remote_jwks": {"http_uri": {"uri": "https://issuer.example/jwks", "cluster": "issuer"}}
///     }}
/// }"#)?;
/// let request = Request {
///     target: b"/orders".into(),
///     ..Request::default()
/// };
/// let context = Context {
///     resources: &Nothing,
///     engine: &Engine::software(),
///     tokens: &RefCell::new(TokenCache::new(4096, RandomState::new())),
///     proof_keys: &RefCell::default(),
/// };
/// let decided = decide(&policy, &request, &context, Timestamp::from_unix_secs(0));
/// assert_eq!(decided.decision, Decision::Deny(Reason::Missing));
/// # Ok::<(), gate_config::ConfigError>(())
/// ```
#[must_use]
pub fn decide<'p>(
    policy: &'p Policy,
    request: &Request,
    context: &Context<'_>,
    now: Timestamp,
) -> Decided<'p> {
    let counts = Cell::default();
    let Judgment {
        decision,
        requirement,
        provider,
        standing,
    } = by_rules(policy, request, context, &counts, now);
    Decided {
        decision,
        requirement,
        provider,
        standing,
        counts: counts.get(),
    }
}

/// Decides `request` by one requirement, whatever the rules say.
#[must_use]
pub fn decide_by(
    requirement: &Requirement,
    policy: &Policy,
    request: &Request,
    context: &Context<'_>,
    now: Timestamp,
) -> Decision {
    by_requirement(requirement, policy, request, context, &Cell::default(), now).decision
}

/// A decision, and where it comes from.
struct Judgment<'p> {
    decision: Decision,
    requirement: Option<&'p Requirement>,
    provider: Option<usize>,
    standing: Vec<StandingToken>,
}

impl From<Decision> for Judgment<'_> {
    /// A decision without any requirement.
    fn from(decision: Decision) -> Self {
        Self {
            decision,
            requirement: None,
            provider: None,
            standing: Vec::new(),
        }
    }
}

fn by_rules<'p>(
    policy: &'p Policy,
    request: &Request,
    context: &Context<'_>,
    counts: &Cell<Counts>,
    now: Timestamp,
) -> Judgment<'p> {
    if policy.options.bypass_cors_preflight && request.is_cors_preflight() {
        return Decision::Pass.into();
    }
    let decided = policy.first_decision(request, |requirement| {
        let judgment = by_requirement(requirement, policy, request, context, counts, now);
        let is_final = judgment.decision.is_final_for(request, requirement, policy);
        is_final.then_some(judgment)
    });
    match decided {
        Ok(Some(judgment)) => judgment,
        Ok(None) if policy.allows_unmatched() && !is_ambiguous(request.path()) => {
            Decision::Pass.into()
        }
        Ok(None) => Decision::from(Reason::NoRule).into(),
        Err(reason) => Decision::from(reason).into(),
    }
}

fn by_requirement<'r>(
    requirement: &'r Requirement,
    policy: &Policy,
    request: &Request,
    context: &Context<'_>,
    counts: &Cell<Counts>,
    now: Timestamp,
) -> Judgment<'r> {
    if requirement.locations.is_empty() {
        return Decision::Pass.into();
    }
    let judges = Judges::default();
    let found = evaluation::credentials(requirement, policy, request);
    let evaluation = Evaluation::new(&found, policy, request, context, counts, now);
    let provider_result = |provider: &Rc<Provider>| {
        let result = evaluation.provider_result(provider);
        judges.note(provider, &result);
        result
    };
    let fulfilled = evaluate(&requirement.root, &provider_result, now);
    let standing = match &fulfilled {
        Ok(fulfilment) if policy.ends_streams(requirement) => evaluation.standing(fulfilment),
        Ok(_) | Err(_) => Vec::new(),
    };
    let decision = match fulfilled.and_then(|fulfilment| evaluation.admit(&fulfilment)) {
        Ok(Some(admission)) => Decision::Admit(admission),
        Ok(None) => Decision::Pass,
        Err(unfulfilled) => unfulfilled.into(),
    };
    let provider = match &decision {
        Decision::Deny(reason) => judges.author(reason.kind()),
        _ => None,
    };
    Judgment {
        decision,
        requirement: Some(requirement),
        provider,
        standing,
    }
}

impl Decision {
    /// Whether the decision by `requirement` stands, so that no further requirement is examined: nothing passes
    /// without a valid token on the strength of a path that the upstream may take for another one.
    #[must_use]
    pub fn is_final_for(
        &self,
        request: &Request,
        requirement: &Requirement,
        policy: &Policy,
    ) -> bool {
        let is_only_reported = || matches!(self, Self::Deny(_)) && policy.is_reported(requirement);
        let may_pass = self.passes_unverified() || is_only_reported();
        !may_pass || !is_ambiguous(request.path())
    }

    /// Whether the request passes without a valid token.
    const fn passes_unverified(&self) -> bool {
        match self {
            Self::Pass => true,
            Self::Admit(admission) => !admission.verified,
            Self::Deny(_) | Self::Wait(_) => false,
        }
    }
}

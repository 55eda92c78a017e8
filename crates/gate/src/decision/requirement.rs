//! Whether a request fulfils a requirement, given which providers accept its tokens.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::unfulfilled::Unfulfilled;
use super::wait::Wait;
use crate::dpop::AcceptedProof;
use crate::introspection::IntrospectionResponse;
use crate::policy::{
    Extract, Fallback, Provider, RequirementKind, RequirementNode, UserAuthentication,
};
use crate::reason::{Reason, ReasonKind};
use crate::time::Timestamp;
use crate::token::Token;

/// A token that a provider accepts.
#[derive(Clone, Debug)]
pub struct AcceptedToken {
    /// The provider.
    pub provider: Rc<Provider>,
    /// The position of the token among the credentials of the request.
    pub credential: usize,
    /// What the token says.
    pub payload: Payload,
    /// The JWT that it is; `None` if it is opaque.
    pub jwt: Option<AcceptedJwt>,
    /// The proof that the sender has the key that the token is bound to.
    pub proof: Option<AcceptedProof>,
}

/// A JWT that a provider accepts.
#[derive(Clone, Debug)]
pub struct AcceptedJwt {
    /// The token.
    pub token: Rc<Token>,
    /// The material of the key that verified it; `None` if only an authorization server vouches for it.
    pub key: Option<Rc<[u8]>>,
}

/// What an accepted token says.
#[derive(Clone, Debug)]
pub enum Payload {
    /// The payload of a JWT.
    Jwt(Rc<Token>),
    /// The introspection response, about an opaque token or a JWT.
    Introspected(Rc<IntrospectionResponse>),
}

impl Payload {
    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        match self {
            Self::Jwt(token) => &token.payload,
            Self::Introspected(response) => &response.payload,
        }
    }
}

/// How a request fulfils a requirement.
#[derive(Debug, Default)]
pub struct Fulfilment<'n> {
    /// The accepted tokens; none if the request passes without one.
    pub accepted: Vec<AcceptedToken>,
    /// How the claims of an unverified token are forwarded.
    pub extract: Option<&'n Extract>,
    /// Whether the request passes whatever tokens it carries.
    pub lenient: bool,
}

/// Whether a provider accepts its token in the request.
pub type ProviderResult = Result<AcceptedToken, Unfulfilled>;

/// Whether a request fulfils a requirement.
pub type RequirementResult<'n> = Result<Fulfilment<'n>, Unfulfilled>;

/// Evaluates the requirement `node` at the time `now`. `provider_result` says whether a provider accepts
/// its token.
///
/// # Errors
///
/// Why the request does not fulfil the requirement, or not yet.
pub fn evaluate<'n>(
    node: &'n RequirementNode,
    provider_result: &dyn Fn(&Rc<Provider>) -> ProviderResult,
    now: Timestamp,
) -> RequirementResult<'n> {
    match evaluate_node(node, provider_result, now) {
        Err(Unfulfilled::Refused(Reason::Scope { required })) => {
            let required = node.completed_scope(&required);
            Err(Reason::Scope { required }.into())
        }
        Err(Unfulfilled::Refused(Reason::UserAuthentication {
            acr_values,
            max_age,
        })) => {
            let lacking = UserAuthentication {
                acr_values,
                max_age,
            };
            let demand = node.completed_authentication(lacking);
            Err(Reason::from(demand).into())
        }
        other => other,
    }
}

fn evaluate_node<'n>(
    node: &'n RequirementNode,
    provider_result: &dyn Fn(&Rc<Provider>) -> ProviderResult,
    now: Timestamp,
) -> RequirementResult<'n> {
    let fulfilment = match &node.kind {
        RequirementKind::Nothing => Fulfilment::default(),
        RequirementKind::Provider(provider) => Fulfilment {
            accepted: vec![provider_result(provider)?],
            ..Fulfilment::default()
        },
        RequirementKind::Any(nodes, fallback) => any(nodes, *fallback, provider_result, now)?,
        RequirementKind::All(nodes) => all(nodes, provider_result, now)?,
        RequirementKind::ExtractOnly(extract) => Fulfilment {
            extract: Some(extract),
            lenient: true,
            ..Fulfilment::default()
        },
    };
    for AcceptedToken {
        provider, payload, ..
    } in &fulfilment.accepted
    {
        let conditions = &node.conditions;
        conditions.check(provider, payload.claims(), now)?;
    }
    Ok(fulfilment)
}

/// An accepted token is better than one that may be accepted later, and both are better than passing
/// without one. Of several refusals the one that was found latest counts: the token was most likely
/// meant for that provider.
fn any<'n>(
    nodes: &'n [RequirementNode],
    fallback: Fallback,
    provider_result: &dyn Fn(&Rc<Provider>) -> ProviderResult,
    now: Timestamp,
) -> RequirementResult<'n> {
    let mut wait: Option<Wait> = None;
    let mut without_token: Option<Fulfilment<'n>> = None;
    let mut refusal = Reason::Missing;
    for node in nodes {
        match evaluate(node, provider_result, now) {
            Ok(fulfilment) if fulfilment.accepted.is_empty() => {
                without_token = without_token.or(Some(fulfilment));
            }
            Ok(fulfilment) => return Ok(fulfilment),
            Err(Unfulfilled::Wait(other)) => Wait::add(&mut wait, other),
            Err(Unfulfilled::Refused(other)) if other.kind() > refusal.kind() => refusal = other,
            Err(Unfulfilled::Refused(_)) => {}
        }
    }
    if let Some(wait) = wait {
        return Err(wait.into());
    }
    let missing = refusal.kind() <= ReasonKind::Missing;
    // A request that may pass without a token does not pass with a token that is refused.
    if let Some(fulfilment) = without_token
        && (fulfilment.lenient || missing)
    {
        return Ok(fulfilment);
    }
    match fallback {
        Fallback::AllowMissing if missing => Ok(Fulfilment::default()),
        Fallback::AllowMissingOrFailed => Ok(Fulfilment {
            lenient: true,
            ..Fulfilment::default()
        }),
        Fallback::None | Fallback::AllowMissing => Err(refusal.into()),
    }
}

/// The first refusal decides, even if other parts have to wait.
fn all<'n>(
    nodes: &'n [RequirementNode],
    provider_result: &dyn Fn(&Rc<Provider>) -> ProviderResult,
    now: Timestamp,
) -> RequirementResult<'n> {
    let mut wait: Option<Wait> = None;
    let mut all = Fulfilment::default();
    for node in nodes {
        match evaluate(node, provider_result, now) {
            Ok(fulfilment) => {
                all.accepted.extend(fulfilment.accepted);
                all.extract = all.extract.or(fulfilment.extract);
                all.lenient |= fulfilment.lenient;
            }
            Err(Unfulfilled::Wait(other)) => Wait::add(&mut wait, other),
            Err(refused) => return Err(refused),
        }
    }
    match wait {
        Some(wait) => Err(wait.into()),
        None => Ok(all),
    }
}

//! The evaluation of one requirement for one request.

use std::cell::Cell;
use std::rc::Rc;

use super::context::{Context, Counts};
use super::introspected;
use super::jwt;
use super::presented_token::PresentedToken;
use super::requirement::{AcceptedToken, Fulfilment, Payload, ProviderResult};
use super::sender::Sender;
use super::standing::StandingToken;
use super::unfulfilled::Unfulfilled;
use crate::admission::{Admission, ForwardedToken, HeaderChange};
use crate::credential::{self, Credential, Scheme};
use crate::policy::{AudienceCondition, Extract, Policy, Provider, Requirement};
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;

/// The evaluation of one requirement for one request.
pub(super) struct Evaluation<'r, 'c> {
    tokens: Result<Vec<PresentedToken<'r>>, Reason>,
    audience: AudienceCondition<'c>,
    policy: &'c Policy,
    request: &'c Request<'c>,
    context: &'c Context<'c>,
    counts: &'c Cell<Counts>,
    now: Timestamp,
}

/// The credentials of `request` for `requirement`.
pub(super) fn credentials<'r>(
    requirement: &Requirement,
    policy: &Policy,
    request: &'r Request,
) -> Result<Vec<Credential<'r>>, Reason> {
    let takes_dpop = requirement
        .providers
        .iter()
        .any(|one| policy.takes_dpop(one));
    let credentials = credential::locate(request, &requirement.locations, takes_dpop)?;
    if credentials.len() > 1 && !requirement.takes_several {
        return Err(Reason::SeveralTokens);
    }
    Ok(credentials)
}

impl<'r, 'c> Evaluation<'r, 'c> {
    pub(super) fn new(
        credentials: &'r Result<Vec<Credential<'r>>, Reason>,
        policy: &'c Policy,
        request: &'c Request<'c>,
        context: &'c Context<'c>,
        counts: &'c Cell<Counts>,
        now: Timestamp,
    ) -> Self {
        let tokens = match credentials {
            Ok(credentials) => Ok(credentials
                .iter()
                .map(|credential| PresentedToken::new(credential, policy, context, now))
                .collect()),
            Err(reason) => Err(reason.clone()),
        };
        Self {
            tokens,
            audience: policy.resources.audience_condition(request),
            policy,
            request,
            context,
            counts,
            now,
        }
    }

    /// Whether `provider` accepts its token in the request.
    pub(super) fn provider_result(&self, provider: &Rc<Provider>) -> ProviderResult {
        let (index, token) = self.token_for(provider)?;
        let (payload, jwt) = match &provider.introspection {
            Some(endpoint) if token.is_opaque() => {
                let text = token.text();
                let (audience, context) = (&self.audience, self.context);
                let response =
                    introspected::check(provider, endpoint, text, audience, context, self.now)?;
                (Payload::Introspected(response), None)
            }
            _ => {
                let jwt = token.jwt.as_ref().map_err(Reason::clone)?;
                let (audience, context) = (&self.audience, self.context);
                let (payload, accepted) =
                    jwt::check(provider, jwt, audience, context, self.counts, self.now)?;
                (payload, Some(accepted))
            }
        };
        let response = match &payload {
            Payload::Introspected(response) => response.claims.confirmation,
            Payload::Jwt(_) => None,
        };
        let sender = Sender {
            policy: self.policy,
            request: self.request,
            context: self.context,
            counts: self.counts,
            now: self.now,
        };
        let proof = sender.check(provider, token, response)?;
        Ok(AcceptedToken {
            provider: Rc::clone(provider),
            credential: index,
            payload,
            jwt,
            proof,
        })
    }

    /// The token at one of the locations of `provider`, and its index.
    fn token_for(&self, provider: &Provider) -> Result<(usize, &PresentedToken<'r>), Reason> {
        let tokens = self.tokens.as_ref().map_err(Reason::clone)?;
        let mut tokens = tokens.iter().enumerate();
        let takes_dpop = self.policy.takes_dpop(provider);
        let is_taken =
            |token: &PresentedToken<'_>| takes_dpop || token.credential.scheme == Scheme::Bearer;
        let mut next = || tokens.find(|(_, token)| is_for(token, provider) && is_taken(token));
        match (next(), next()) {
            (Some(token), None) => Ok(token),
            (None, _) => Err(Reason::Missing),
            (Some(_), Some(_)) => Err(Reason::SeveralTokens),
        }
    }

    /// The changes for a request that fulfils its requirement; `None` if it passes unchanged.
    ///
    /// # Errors
    ///
    /// [`Reason::SeveralTokens`] if the request carries a token that had no part in that: the API could
    /// take it for one that had. [`Reason::PayloadTooLarge`] as [`Admission::new`] says.
    pub(super) fn admit(
        &self,
        fulfilment: &Fulfilment<'_>,
    ) -> Result<Option<Admission>, Unfulfilled> {
        let tokens = self.tokens.as_deref().unwrap_or_default();
        let had_part = |token: &PresentedToken<'_>| {
            let mut accepted = fulfilment.accepted.iter();
            accepted.any(|one| is_for(token, &one.provider))
        };
        if !fulfilment.lenient && !tokens.iter().all(had_part) {
            return Err(Reason::SeveralTokens.into());
        }
        let verified = !fulfilment.accepted.is_empty();
        let admission = match fulfilment.extract {
            Some(extract) if !verified => self.extract(extract)?,
            _ => {
                let forwarded = fulfilment.accepted.iter().filter_map(|accepted| {
                    Some(ForwardedToken {
                        credential: tokens.get(accepted.credential)?.credential,
                        payload: accepted.payload.claims(),
                        introspected: matches!(accepted.payload, Payload::Introspected(_)),
                        provider: &accepted.provider,
                        proof: accepted.proof.as_ref(),
                    })
                });
                Admission::new(verified, self.policy, self.request, forwarded)?
            }
        };
        let unchanged = !verified && admission == Admission::default();
        Ok((!unchanged).then_some(admission))
    }

    /// What a stream stands on whose request fulfils its requirement.
    pub(super) fn standing(&self, fulfilment: &Fulfilment<'_>) -> Vec<StandingToken> {
        let tokens = self.tokens.as_deref().unwrap_or_default();
        let accepted = fulfilment.accepted.iter();
        accepted
            .filter_map(|accepted| {
                let token = tokens.get(accepted.credential)?;
                Some(StandingToken::new(accepted, token.text()))
            })
            .collect()
    }

    /// Forwards the claims of unverified tokens and marks them as unverified. The mark is also set if
    /// no claims are forwarded, since the API may read the token itself.
    fn extract(&self, extract: &Extract) -> Result<Admission, Reason> {
        let tokens = self.tokens.as_deref().unwrap_or_default();
        let forwarded = tokens.iter().filter_map(|token| {
            let jwt = token.jwt.as_ref().ok()?;
            let (claims, payload) = (&jwt.token.claims, &jwt.token.payload);
            let providers = || extract.providers.iter().filter(|one| is_for(token, one));
            let named = providers().find(|one| one.issuers.are_named_by(claims, payload));
            Some(ForwardedToken {
                credential: token.credential,
                payload,
                introspected: false,
                provider: named.or_else(|| providers().find(|one| one.issuers.are_any()))?,
                proof: None,
            })
        });
        let mut admission = Admission::new(false, self.policy, self.request, forwarded)?;
        let none = self.tokens.as_ref().is_ok_and(Vec::is_empty);
        if let (false, Some(name)) = (none, &extract.status_header) {
            let change = HeaderChange::Set(name.clone(), b"false".to_vec());
            admission.headers.push(change);
        }
        Ok(admission)
    }
}

/// Whether a token is at one of the locations of `provider`.
fn is_for(token: &PresentedToken<'_>, provider: &Provider) -> bool {
    provider.locations.contains(&token.credential.location)
}

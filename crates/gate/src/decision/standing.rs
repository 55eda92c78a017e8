//! What an admitted stream stands on: the tokens that were accepted for it, which must stay good.

use std::fmt;
use std::rc::Rc;

use super::context::Resources;
use super::requirement::{AcceptedToken, Payload};
use crate::claims::Claims;
use crate::fetching::Availability;
use crate::introspection::IntrospectionResponse;
use crate::policy::{KeySource, Provider};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::token::Token;
use crate::verify::Engine;

/// A token that was accepted for a stream, as far as it can lose its validity while the stream is open.
#[derive(Clone)]
pub struct StandingToken {
    provider: Rc<Provider>,
    jwt: Option<StandingJwt>,
    response: Option<Rc<IntrospectionResponse>>,
}

/// A JWT that was accepted.
#[derive(Clone)]
struct StandingJwt {
    token: Rc<Token>,
    /// The material of the key that verified it; `None` if an authorization server vouches for it.
    key: Option<Rc<[u8]>>,
    /// Its text, by which a revocation list may name it; `None` if there is no list.
    text: Option<Box<str>>,
}

impl StandingToken {
    /// What remains of `accepted`, whose text is `text`.
    pub(super) fn new(accepted: &AcceptedToken, text: &str) -> Self {
        let provider = Rc::clone(&accepted.provider);
        let jwt = accepted.jwt.as_ref().map(|accepted| StandingJwt {
            token: Rc::clone(&accepted.token),
            key: accepted.key.clone(),
            text: provider.revocation.as_ref().map(|_| text.into()),
        });
        let response = match &accepted.payload {
            Payload::Introspected(response) => Some(Rc::clone(response)),
            Payload::Jwt(_) => None,
        };
        Self {
            provider,
            jwt,
            response,
        }
    }

    /// The index of the provider that accepted it.
    #[must_use]
    pub fn provider(&self) -> usize {
        self.provider.index
    }

    /// When it expires, clock skew included; [`Timestamp::END`] if it never does.
    #[must_use]
    pub fn expiration(&self) -> Timestamp {
        let all = self.all_claims();
        let all = all.map(|claims| self.provider.expiration(claims));
        all.min().unwrap_or(Timestamp::END)
    }

    /// Why it has expired at `now`.
    ///
    /// # Errors
    ///
    /// [`Reason::Expired`].
    pub fn check_time(&self, now: Timestamp) -> Result<(), Reason> {
        let mut all = self.all_claims();
        let expired = all.find(|claims| self.provider.expiration(claims) <= now);
        match expired.and_then(|claims| claims.expires_at) {
            Some(exp) => Err(Reason::Expired { exp, now }),
            None => Ok(()),
        }
    }

    /// Whether its key is still there and no list revokes it. An outage changes nothing: only what a server says
    /// counts.
    ///
    /// # Errors
    ///
    /// [`Reason::UnknownKey`] or [`Reason::Revoked`].
    pub fn check_documents(
        &self,
        resources: &dyn Resources,
        engine: &Engine,
    ) -> Result<(), Reason> {
        let provider = &*self.provider;
        if let Some(StandingJwt {
            token,
            key: Some(key),
            ..
        }) = &self.jwt
            && matches!(provider.keys, KeySource::Remote(_))
            && let Availability::Ready { value: keys, .. } = resources.keys(provider)
            && !keys
                .candidates(token.algorithm, token.kid.as_deref(), engine)
                .any(|one| one.public.is(key))
        {
            return Err(Reason::UnknownKey {
                kid: token.kid.clone(),
                alg: token.algorithm.name(),
            });
        }
        if provider.revocation.is_some()
            && let Availability::Ready { value: list, .. } = resources.revocations(provider)
        {
            let by_jwt = self.jwt.as_ref().is_some_and(|jwt| {
                let text = jwt.text.as_deref().unwrap_or_default();
                list.revokes(&jwt.token, text)
            });
            let by_response = self.response.as_ref().is_some_and(|response| {
                list.revokes_claims(&response.payload, response.claims.issued_at)
            });
            if by_jwt || by_response {
                return Err(Reason::Revoked);
            }
        }
        Ok(())
    }

    /// The claims of the token itself and those of the response about it.
    fn all_claims(&self) -> impl Iterator<Item = &Claims> {
        let jwt = self.jwt.as_ref().map(|jwt| &jwt.token.claims);
        let response = self.response.as_ref().map(|response| &response.claims);
        jwt.into_iter().chain(response)
    }
}

impl fmt::Debug for StandingToken {
    // Neither a token nor its claims belong into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandingToken")
            .field("provider", &self.provider.name)
            .field("expiration", &self.expiration())
            .finish_non_exhaustive()
    }
}

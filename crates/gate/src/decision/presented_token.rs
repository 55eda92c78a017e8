//! A token of a request.

use std::rc::Rc;

use super::context::Context;
use crate::confirmation::Digest;
use crate::credential::Credential;
use crate::dpop::sha256;
use crate::policy::{Policy, Provider};
use crate::reason::Reason;
use crate::time::Timestamp;
use crate::token::{Signed, Token, resembles_jwt};
use crate::token_cache::Verified;

/// A token of a request, and what is in it.
pub(super) struct PresentedToken<'r> {
    /// The token in the request.
    pub(super) credential: &'r Credential<'r>,
    /// The JWT that it is, or why it is none.
    pub(super) jwt: Result<PresentedJwt<'r>, Reason>,
}

/// A JWT of a request.
pub(super) struct PresentedJwt<'r> {
    /// Its text.
    pub(super) text: &'r str,
    /// What it says.
    pub(super) token: Rc<Token>,
    /// What its signature covers; `None` if the cache knew the token.
    pub(super) signed: Option<Signed<'r>>,
    /// The material of the key that verified it, if the cache knew the token.
    pub(super) known_key: Option<Rc<[u8]>>,
    /// SHA-256 of its text, if the cache knew it.
    known_hash: Option<Digest>,
}

impl<'r> PresentedToken<'r> {
    /// Looks up the token, or parses it.
    pub(super) fn new(
        credential: &'r Credential<'r>,
        policy: &Policy,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Self {
        Self {
            jwt: PresentedJwt::new(&credential.text, policy, context, now),
            credential,
        }
    }

    pub(super) fn text(&self) -> &'r str {
        &self.credential.text
    }

    /// SHA-256 of its text.
    pub(super) fn hash(&self) -> Digest {
        let known = self.jwt.as_ref().ok().and_then(|jwt| jwt.known_hash);
        known.unwrap_or_else(|| sha256(self.text().as_bytes()))
    }

    /// Whether it is no JWT, not even a malformed one, so that only an authorization server can say
    /// what it means.
    pub(super) fn is_opaque(&self) -> bool {
        match self.jwt {
            Ok(_) | Err(Reason::TooLarge { .. }) => false,
            Err(_) => !resembles_jwt(self.text()),
        }
    }
}

impl<'r> PresentedJwt<'r> {
    fn new(
        text: &'r str,
        policy: &Policy,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Result<Self, Reason> {
        if let Some(Verified { token, key, hash }) = context.tokens.borrow_mut().find(text, now) {
            return Ok(Self {
                text,
                token,
                signed: None,
                known_key: Some(key),
                known_hash: hash,
            });
        }
        let (token, signed) = Token::parse_some(text, policy.longest_token(), &policy.read_claims)?;
        Ok(Self {
            text,
            token: Rc::new(token),
            signed: Some(signed),
            known_key: None,
            known_hash: None,
        })
    }

    /// Whether `provider` caches such a token.
    pub(super) fn is_cached_by(&self, provider: &Provider) -> bool {
        provider.cache.tokens > 0 && self.text.len() <= provider.cache.token_bytes
    }
}

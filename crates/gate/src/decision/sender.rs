//! Whether the sender of a request is the one that its token is bound to.

use std::cell::Cell;

use super::context::{Context, Counts};
use super::presented_token::PresentedToken;
use super::proof::{self, Expected};
use crate::binding::CertificateDigest;
use crate::claims::Claims;
use crate::confirmation::{Confirmation, MalformedConfirmation};
use crate::credential::{Credential, Scheme};
use crate::dpop::AcceptedProof;
use crate::policy::{Policy, Provider, SenderConstraint};
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;

/// A `cnf`, if there is one.
type Claimed = Option<Result<Confirmation, MalformedConfirmation>>;

/// Checks only that the sender of `request` has proven what the token `credential` is bound to, as `provider` asks for.
/// `response` has the claims of the introspection response about the token, if there is one.
///
/// # Errors
///
/// As a decision that gets as far as this check.
pub fn check_sender(
    provider: &Provider,
    (credential, response): (&Credential<'_>, Option<&Claims>),
    policy: &Policy,
    request: &Request<'_>,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<(), Reason> {
    let sender = Sender {
        policy,
        request,
        context,
        counts: &Cell::default(),
        now,
    };
    let token = PresentedToken::new(credential, policy, context, now);
    let response = response.and_then(|claims| claims.confirmation);
    sender.check(provider, &token, response).map(|_| ())
}

/// What the request is judged by.
#[derive(Clone, Copy)]
pub(super) struct Sender<'e> {
    pub(super) policy: &'e Policy,
    pub(super) request: &'e Request<'e>,
    pub(super) context: &'e Context<'e>,
    pub(super) counts: &'e Cell<Counts>,
    pub(super) now: Timestamp,
}

impl Sender<'_> {
    /// Checks that the sender has proven whatever its token is bound to, according to the token itself and to
    /// what the authorization server says about it in `response`, as `provider` asks for. Returns the proof
    /// that the sender has the token's key.
    ///
    /// # Errors
    ///
    /// [`Reason::ClaimType`] for a malformed `cnf`; [`Reason::Unbound`] if the token is bound to nothing, or
    /// not to what the provider or the scheme asks for; [`Reason::Downgrade`] if it is bound to a key and came
    /// as a bearer token; [`Reason::SenderConstraint`] if it is bound to something that cannot be proven; and
    /// the reasons of certificates and proofs.
    pub(super) fn check(
        self,
        provider: &Provider,
        token: &PresentedToken<'_>,
        response: Claimed,
    ) -> Result<Option<AcceptedProof>, Reason> {
        let constraint = provider.sender_constraint;
        if constraint == SenderConstraint::Ignore {
            return Ok(None);
        }
        let scheme = token.credential.scheme;
        let of_token = token.jwt.as_ref().ok();
        let of_token = of_token.and_then(|jwt| jwt.token.claims.confirmation);
        let Some(confirmation) = confirmation(of_token, response)? else {
            return match (constraint, scheme) {
                (SenderConstraint::WhenPresent, Scheme::Bearer) => Ok(None),
                _ => Err(Reason::Unbound),
            };
        };
        if !confirmation.is_known() {
            return Err(Reason::SenderConstraint);
        }
        let lacks = match constraint {
            SenderConstraint::Certificate => confirmation.certificate.is_none(),
            SenderConstraint::Dpop => confirmation.key.is_none(),
            _ => false,
        };
        if lacks || (scheme == Scheme::Dpop && confirmation.key.is_none()) {
            return Err(Reason::Unbound);
        }
        if let Some(digest) = confirmation.certificate {
            let source = &self.policy.options.client_certificate;
            if source.digest(self.request)? != CertificateDigest(digest) {
                return Err(Reason::CertificateMismatch);
            }
        }
        let Some(thumbprint) = confirmation.key else {
            return Ok(None);
        };
        let dpop = self.policy.options.dpop.as_ref();
        let dpop = dpop.ok_or(Reason::SenderConstraint)?;
        if scheme == Scheme::Bearer {
            return Err(Reason::Downgrade);
        }
        let expected = Expected {
            dpop,
            policy: self.policy,
            request: self.request,
            token_hash: token.hash(),
            thumbprint,
            now: self.now,
        };
        proof::check(expected, self.context, self.counts).map(Some)
    }
}

/// What a token is bound to. If both the token and the response say so, they must agree.
fn confirmation(token: Claimed, response: Claimed) -> Result<Option<Confirmation>, Reason> {
    let parsed = |claim: Claimed| claim.transpose().map_err(|_| Reason::ClaimType);
    match (parsed(token)?, parsed(response)?) {
        (Some(token), Some(response)) if token != response => Err(Reason::SenderConstraint),
        (token, response) => Ok(token.or(response)),
    }
}

//! The registered claims of a token (RFC 7519, section 4.1) against a provider and a time.

use serde_json::{Map, Value};

use super::provider::Provider;
use crate::claims::Claims;
use crate::reason::Reason;
use crate::time::Timestamp;

impl Provider {
    /// Checks the claims that need no key: issuer, audience, subject and times. The provider's clock
    /// skew applies to the times. The `payload` has the claims that placeholders of issuers stand for.
    ///
    /// # Errors
    ///
    /// The first of these that applies: [`Reason::Issuer`], [`Reason::Audience`],
    /// [`Reason::Subject`], [`Reason::NoExpiration`], [`Reason::Expired`],
    /// [`Reason::NotYetValid`], [`Reason::IssuedInFuture`], [`Reason::Lifetime`]. If the provider has a
    /// profile, also [`Reason::ClaimMissing`] for a claim that the profile demands, at its turn, and
    /// [`Reason::ClaimType`].
    pub fn check_claims(
        &self,
        claims: &Claims,
        payload: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Reason> {
        self.check_present("iss", claims.issuer.is_some())?;
        self.check_issuer(claims, payload)?;
        self.check_present("aud", !claims.audiences.is_empty())?;
        self.check_audience(claims)?;
        self.check_present("sub", claims.subject.is_some())?;
        self.check_subject(claims)?;
        if let Some(profile) = self.profile {
            profile.check(claims, payload)?;
        }
        if self.require_expiration && claims.expires_at.is_none() {
            return Err(Reason::NoExpiration);
        }
        self.check_times(claims, now)?;
        self.check_lifetime(claims)
    }

    /// Checks the claims that a token has, before its introspection is requested. What a token does
    /// not say, the response may; but a profile is about the token itself.
    ///
    /// # Errors
    ///
    /// As [`Provider::check_claims`], except [`Reason::NoExpiration`].
    pub fn check_present_claims(
        &self,
        claims: &Claims,
        payload: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Reason> {
        if self.profile.is_some() {
            return self.check_claims(claims, payload, now);
        }
        if claims.issuer.is_some() {
            self.check_issuer(claims, payload)?;
        }
        if !claims.audiences.is_empty() {
            self.check_audience(claims)?;
        }
        if claims.subject.is_some() {
            self.check_subject(claims)?;
        }
        self.check_times(claims, now)?;
        if claims.issued_at.is_some() && claims.expires_at.is_some() {
            self.check_lifetime(claims)?;
        }
        Ok(())
    }

    /// Checks the claims of an introspection response (RFC 7662, section 2.2). The issuer itself
    /// sends it, so it need not name the issuer. It is requested again and again, so it need not say
    /// when the token expires. Profiles of JWTs are not about it.
    ///
    /// # Errors
    ///
    /// As [`Provider::check_claims`].
    pub fn check_introspected_claims(
        &self,
        claims: &Claims,
        payload: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Reason> {
        if claims.issuer.is_some() {
            self.check_issuer(claims, payload)?;
        }
        self.check_audience(claims)?;
        self.check_subject(claims)?;
        self.check_times(claims, now)?;
        self.check_lifetime(claims)
    }

    /// The time at which a token with these claims expires for this provider, clock skew included;
    /// [`Timestamp::END`] if it never does.
    #[must_use]
    pub fn expiration(&self, claims: &Claims) -> Timestamp {
        claims
            .expires_at
            .map_or(Timestamp::END, |at| at.plus(self.clock_skew))
    }

    /// Checks that a claim `is_there` if the profile demands it.
    fn check_present(&self, claim: &'static str, is_there: bool) -> Result<(), Reason> {
        if self.profile.is_some() && !is_there {
            return Err(Reason::ClaimMissing { claim });
        }
        Ok(())
    }

    fn check_issuer(&self, claims: &Claims, payload: &Map<String, Value>) -> Result<(), Reason> {
        if self.issuers.are_any() || self.issuers.are_named_by(claims, payload) {
            return Ok(());
        }
        let iss = claims.issuer.clone();
        Err(Reason::Issuer { iss })
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), Reason> {
        let accepted = |audience: &String| self.audiences.contains(audience);
        if !self.audiences.is_empty() && !claims.audiences.iter().any(accepted) {
            let aud = claims.audiences.clone();
            return Err(Reason::Audience { aud });
        }
        Ok(())
    }

    fn check_subject(&self, claims: &Claims) -> Result<(), Reason> {
        let Some(subjects) = &self.subjects else {
            return Ok(());
        };
        let subject = claims.subject.as_deref();
        if subject.is_some_and(|subject| subjects.matches(subject.as_bytes()) == Ok(true)) {
            return Ok(());
        }
        Err(Reason::Subject)
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), Reason> {
        let latest = now.plus(self.clock_skew);
        // RFC 7519, section 4.1.4: not accepted on or after this time.
        if let Some(exp) = claims.expires_at
            && now >= self.expiration(claims)
        {
            return Err(Reason::Expired { exp, now });
        }
        if let Some(nbf) = claims.not_before.filter(|nbf| *nbf > latest) {
            return Err(Reason::NotYetValid { nbf, now });
        }
        if let Some(iat) = claims.issued_at.filter(|iat| *iat > latest) {
            return Err(Reason::IssuedInFuture { iat, now });
        }
        Ok(())
    }

    fn check_lifetime(&self, claims: &Claims) -> Result<(), Reason> {
        let Some(limit) = self.max_lifetime else {
            return Ok(());
        };
        match (claims.issued_at, claims.expires_at) {
            (Some(iat), Some(exp)) if exp.since(iat) <= limit => Ok(()),
            (iat, exp) => Err(Reason::Lifetime { iat, exp, limit }),
        }
    }
}

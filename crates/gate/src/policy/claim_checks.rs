//! The registered claims of a token (RFC 7519, section 4.1) against a provider and a time.

use super::provider::Provider;
use crate::claims::Claims;
use crate::reason::Reason;
use crate::time::Timestamp;

impl Provider {
    /// Checks the claims that need no key: issuer, audience, subject and times. The provider's clock
    /// skew applies to the times.
    ///
    /// # Errors
    ///
    /// The first of these that applies: [`Reason::Issuer`], [`Reason::Audience`],
    /// [`Reason::Subject`], [`Reason::NoExpiration`], [`Reason::Expired`],
    /// [`Reason::NotYetValid`], [`Reason::IssuedInFuture`], [`Reason::Lifetime`].
    pub fn check_claims(&self, claims: &Claims, now: Timestamp) -> Result<(), Reason> {
        if self.issuer.is_some() && self.issuer != claims.issuer {
            return Err(issuer(claims));
        }
        self.check_audience_subject_times(claims, self.require_expiration, now)
    }

    /// Checks the claims of an introspection response (RFC 7662, section 2.2). The issuer itself
    /// sends it, so it need not name the issuer. It is requested again and again, so it need not say
    /// when the token expires.
    ///
    /// # Errors
    ///
    /// As [`Provider::check_claims`].
    pub fn check_introspected_claims(&self, claims: &Claims, now: Timestamp) -> Result<(), Reason> {
        if claims.issuer.is_some() && self.issuer.is_some() && self.issuer != claims.issuer {
            return Err(issuer(claims));
        }
        self.check_audience_subject_times(claims, false, now)
    }

    /// The time at which a token with these claims expires for this provider, clock skew included;
    /// [`Timestamp::END`] if it never does.
    #[must_use]
    pub fn expiration(&self, claims: &Claims) -> Timestamp {
        claims
            .expires_at
            .map_or(Timestamp::END, |at| at.plus(self.clock_skew))
    }

    fn check_audience_subject_times(
        &self,
        claims: &Claims,
        require_expiration: bool,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let accepted = |audience: &String| self.audiences.contains(audience);
        if !self.audiences.is_empty() && !claims.audiences.iter().any(accepted) {
            let aud = claims.audiences.clone();
            return Err(Reason::Audience { aud });
        }
        if let Some(subjects) = &self.subjects {
            let subject = claims.subject.as_deref();
            let matches = |subject: &str| subjects.matches(subject.as_bytes()) == Ok(true);
            if !subject.is_some_and(matches) {
                return Err(Reason::Subject);
            }
        }
        let latest = now.plus(self.clock_skew);
        match claims.expires_at {
            None if require_expiration => return Err(Reason::NoExpiration),
            // RFC 7519, section 4.1.4: not accepted on or after this time.
            Some(exp) if now >= self.expiration(claims) => {
                return Err(Reason::Expired { exp, now });
            }
            _ => {}
        }
        if let Some(nbf) = claims.not_before.filter(|nbf| *nbf > latest) {
            return Err(Reason::NotYetValid { nbf, now });
        }
        if let Some(iat) = claims.issued_at.filter(|iat| *iat > latest) {
            return Err(Reason::IssuedInFuture { iat, now });
        }
        if let Some(limit) = self.max_lifetime {
            match (claims.issued_at, claims.expires_at) {
                (Some(iat), Some(exp)) if exp.since(iat) <= limit => {}
                (iat, exp) => return Err(Reason::Lifetime { iat, exp, limit }),
            }
        }
        Ok(())
    }
}

fn issuer(claims: &Claims) -> Reason {
    let iss = claims.issuer.clone();
    Reason::Issuer { iss }
}

//! The registered claims of a token (RFC 7519, section 4.1).

use serde_json::{Map, Value};

use crate::json::Plain;
use crate::reason::Reason;
use crate::time::Timestamp;

/// The claims of a token that a decision looks at. Each has the JSON type that RFC 7519 gives it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `iss`.
    pub issuer: Option<String>,
    /// `aud`, a single audience as a list of one; empty where there is none.
    pub audiences: Vec<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `exp`.
    pub expires_at: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// Whether there is a `cnf`: the token is bound to a key of its sender (RFC 7800).
    pub sender_constrained: bool,
}

/// A registered claim that a decision looks at, by its name (RFC 7519, section 4.1; RFC 7800).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Issuer.
    Iss,
    /// Subject.
    Sub,
    /// Audience.
    Aud,
    /// Expiration time.
    Exp,
    /// Not before.
    Nbf,
    /// Issued at.
    Iat,
    /// JWT ID.
    Jti,
    /// Confirmation.
    Cnf,
}

impl Registered {
    /// The claim of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "iss" => Self::Iss,
            "sub" => Self::Sub,
            "aud" => Self::Aud,
            "exp" => Self::Exp,
            "nbf" => Self::Nbf,
            "iat" => Self::Iat,
            "jti" => Self::Jti,
            "cnf" => Self::Cnf,
            _ => return None,
        })
    }
}

impl Claims {
    /// Reads the claims of a payload.
    ///
    /// # Errors
    ///
    /// [`Reason::ClaimType`] where a registered claim has a value of another JSON type than RFC 7519
    /// gives it.
    pub fn from_object(object: &Map<String, Value>) -> Result<Self, Reason> {
        let mut claims = Self::default();
        for (name, value) in object {
            if let Some(claim) = Registered::named(name) {
                claims.set(claim, value.into())?;
            }
        }
        Ok(claims)
    }

    /// Sets one of the registered claims.
    ///
    /// # Errors
    ///
    /// As [`Claims::from_object`].
    pub fn set(&mut self, claim: Registered, value: Plain<'_>) -> Result<(), Reason> {
        match (claim, value) {
            (Registered::Iss, Plain::Text(issuer)) => self.issuer = Some(issuer.into()),
            (Registered::Sub, Plain::Text(subject)) => self.subject = Some(subject.into()),
            (Registered::Aud, Plain::Text(audience)) => self.audiences = vec![audience.into()],
            (Registered::Aud, Plain::Texts(audiences)) => self.audiences = audiences,
            (Registered::Exp, Plain::Number(date)) => {
                self.expires_at = Some(Timestamp::from_numeric_date(&date));
            }
            (Registered::Nbf, Plain::Number(date)) => {
                self.not_before = Some(Timestamp::from_numeric_date(&date));
            }
            (Registered::Iat, Plain::Number(date)) => {
                self.issued_at = Some(Timestamp::from_numeric_date(&date));
            }
            (Registered::Jti, Plain::Text(_)) => {}
            (Registered::Cnf, _) => self.sender_constrained = true,
            _ => return Err(Reason::ClaimType),
        }
        Ok(())
    }

    /// Bytes that the claims take up beside themselves.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let texts = self.audiences.iter().chain(&self.issuer);
        let vector = self
            .audiences
            .capacity()
            .saturating_mul(size_of::<String>());
        texts.fold(vector, |sum, text| sum.saturating_add(text.capacity()))
    }
}

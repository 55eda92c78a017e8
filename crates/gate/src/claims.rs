//! The registered claims of a token (RFC 7519, section 4.1).

use serde_json::{Map, Value};

use crate::confirmation::{Confirmation, MalformedConfirmation};
use crate::reason::Reason;
use crate::time::Timestamp;

/// The registered claims that a decision reads. Each but `cnf` has the JSON type that RFC 7519 gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `iss`.
    pub issuer: Option<String>,
    /// `aud`; a single audience is a list of one, an absent claim an empty list.
    pub audiences: Vec<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// `exp`.
    pub expires_at: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `cnf`: what the token is bound to. Only a provider that checks this refuses a malformed one.
    pub confirmation: Option<Result<Confirmation, MalformedConfirmation>>,
}

impl Claims {
    /// The names of the claims that [`Claims::from_object`] reads.
    pub const NAMES: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf"];

    /// Reads the claims of a payload.
    ///
    /// # Errors
    ///
    /// [`Reason::ClaimType`] if a registered claim does not have the JSON type that RFC 7519 gives it.
    pub fn from_object(payload: &Map<String, Value>) -> Result<Self, Reason> {
        let text = |name: &str| match payload.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Reason::ClaimType),
        };
        let date = |name: &str| match payload.get(name) {
            None => Ok(None),
            Some(Value::Number(date)) => Ok(Some(Timestamp::from_numeric_date(date))),
            Some(_) => Err(Reason::ClaimType),
        };
        text("jti")?;
        Ok(Self {
            issuer: text("iss")?,
            audiences: audiences(payload.get("aud"))?,
            subject: text("sub")?,
            expires_at: date("exp")?,
            not_before: date("nbf")?,
            issued_at: date("iat")?,
            confirmation: payload.get("cnf").map(Confirmation::from_claim),
        })
    }

    /// Whether the token is bound to a key, which a proof must be signed with (RFC 9449, section 6.1).
    #[must_use]
    pub fn is_bound_to_key(&self) -> bool {
        matches!(&self.confirmation, Some(Ok(confirmation)) if confirmation.key.is_some())
    }

    /// The heap size of the claims in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let texts = self.audiences.iter().chain(&self.issuer);
        let texts = texts.chain(&self.subject).map(String::capacity);
        let list = self.audiences.capacity();
        let list = list.saturating_mul(size_of::<String>());
        texts.fold(list, usize::saturating_add)
    }
}

/// The audiences of an `aud` claim: a string or an array of strings.
fn audiences(aud: Option<&Value>) -> Result<Vec<String>, Reason> {
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(Reason::ClaimType);
    match aud {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => values.iter().map(text).collect(),
        Some(value) => Ok(vec![text(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_bound_to_a_key_if_its_confirmation_names_one() {
        let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        for (payload, expected) in [
            (json!({"cnf": {"jkt": thumbprint}}), true),
            (json!({"cnf": {"x5t#S256": thumbprint}}), false),
            (json!({"cnf": 1}), false),
            (json!({}), false),
        ] {
            let claims = Claims::from_object(payload.as_object().unwrap()).unwrap();
            assert_eq!(claims.is_bound_to_key(), expected, "{payload}");
        }
    }
}

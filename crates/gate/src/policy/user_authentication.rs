//! What a requirement asks of the authentication of the user (RFC 9470).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::reason::Reason;
use crate::time::Timestamp;

/// What a requirement asks of the authentication of the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserAuthentication {
    /// The authentication context classes of which `acr` must be one, the preferred one first; empty if any will do.
    pub acr_values: Vec<String>,
    /// The longest time since `auth_time`; `None` if any will do.
    pub max_age: Option<Duration>,
}

impl UserAuthentication {
    /// The members of a payload that [`UserAuthentication::check`] reads.
    pub const CLAIMS: [&str; 2] = ["acr", "auth_time"];

    /// Whether it asks for nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.acr_values.is_empty() && self.max_age.is_none()
    }

    /// Checks a token with this payload at the time `now`. The clocks may differ by `skew`.
    ///
    /// # Errors
    ///
    /// [`Reason::UserAuthentication`], or [`Reason::ClaimType`] if a claim that is asked for has the wrong JSON type.
    pub fn check(
        &self,
        payload: &Map<String, Value>,
        skew: Duration,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let has_class = self.acr_values.is_empty()
            || match payload.get("acr") {
                None => false,
                Some(Value::String(class)) => self.acr_values.contains(class),
                Some(_) => return Err(Reason::ClaimType),
            };
        let is_recent = match (self.max_age, payload.get("auth_time")) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(max_age), Some(Value::Number(date))) => {
                let authenticated = Timestamp::from_numeric_date(date);
                let longest = max_age.saturating_add(skew);
                authenticated <= now.plus(skew) && now.since(authenticated) <= longest
            }
            (Some(_), Some(_)) => return Err(Reason::ClaimType),
        };
        if has_class && is_recent {
            return Ok(());
        }
        Err(self.clone().into())
    }

    /// What a token must meet that must meet this and `other`. Classes that have none in common are of different tokens:
    /// then those of this one remain.
    #[must_use]
    pub(super) fn and(mut self, other: &Self) -> Self {
        let is_common = |class: &String| other.acr_values.contains(class);
        if self.acr_values.is_empty() {
            self.acr_values.clone_from(&other.acr_values);
        } else if self.acr_values.iter().any(is_common) {
            self.acr_values.retain(is_common);
        }
        self.max_age = match (self.max_age, other.max_age) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self
    }
}

impl From<UserAuthentication> for Reason {
    fn from(demand: UserAuthentication) -> Self {
        Self::UserAuthentication {
            acr_values: demand.acr_values,
            max_age: demand.max_age,
        }
    }
}

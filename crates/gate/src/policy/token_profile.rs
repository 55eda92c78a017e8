//! Profiles of access tokens.

use serde_json::{Map, Value};

use crate::claims::Claims;
use crate::reason::Reason;

/// A profile that says what an access token must contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenProfile {
    /// The JWT profile of RFC 9068.
    Rfc9068,
}

impl TokenProfile {
    /// The members of a payload that [`TokenProfile::check`] reads, besides the registered claims.
    pub const CLAIMS: [&str; 5] = ["jti", "client_id", "auth_time", "acr", "amr"];

    /// The values of `typ` that tokens may have (RFC 9068, section 2.1), without `application/`.
    pub const TYPES: [&str; 1] = ["at+jwt"];

    /// Checks that the claims of RFC 9068, section 2.2, are there besides `iss`, `aud` and `sub`, and that they and
    /// those of section 2.2.1 have the right JSON types.
    ///
    /// # Errors
    ///
    /// [`Reason::ClaimMissing`] or [`Reason::ClaimType`].
    pub(super) fn check(self, claims: &Claims, payload: &Map<String, Value>) -> Result<(), Reason> {
        let Self::Rfc9068 = self;
        let required = [
            ("exp", claims.expires_at.is_some()),
            ("client_id", payload.contains_key("client_id")),
            ("iat", claims.issued_at.is_some()),
            ("jti", payload.contains_key("jti")),
        ];
        if let Some((claim, _)) = required.into_iter().find(|(_, is_there)| !is_there) {
            return Err(Reason::ClaimMissing { claim });
        }
        let fits = payload.iter().all(|(name, value)| match name.as_str() {
            "client_id" | "acr" => value.is_string(),
            "auth_time" => value.is_number(),
            "amr" => {
                let list = value.as_array();
                list.is_some_and(|list| list.iter().all(Value::is_string))
            }
            _ => true,
        });
        if fits { Ok(()) } else { Err(Reason::ClaimType) }
    }
}

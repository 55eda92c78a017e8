//! The profile of RFC 9068: `docs/configuration.md`, "Profile".

use serde_json::{Map, Value};

use super::fields::Fields;
use super::reason::Reason;

/// The claims that a token must have, in the order in which they are asked for.
const REQUIRED: [&str; 7] = ["iss", "aud", "sub", "exp", "client_id", "iat", "jti"];

pub(super) fn applies(provider: Fields<'_>) -> bool {
    provider.text("profile") == Some("rfc9068")
}

/// Refuses a token for the lack of a claim that the profile demands.
pub(super) fn check_present(claims: &Map<String, Value>, claim: &str) -> Result<(), Reason> {
    match claims.get(claim) {
        None => Err(Reason::ClaimMissing),
        Some(Value::Array(none)) if claim == "aud" && none.is_empty() => Err(Reason::ClaimMissing),
        Some(_) => Ok(()),
    }
}

/// Checks all claims of the profile.
pub(super) fn check(claims: &Map<String, Value>) -> Result<(), Reason> {
    for claim in REQUIRED {
        check_present(claims, claim)?;
    }
    for (name, value) in claims {
        let fits = match name.as_str() {
            "client_id" | "acr" => value.is_string(),
            "auth_time" => value.is_number(),
            "amr" => value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string)),
            _ => true,
        };
        if !fits {
            return Err(Reason::ClaimType);
        }
    }
    Ok(())
}

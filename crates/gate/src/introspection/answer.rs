//! The answer of an introspection endpoint (RFC 7662, section 2.2).

use serde_json::{Map, Value};

use crate::claims::Claims;
use crate::json;

/// The longest answer that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What is said of an active token.
#[derive(Debug)]
pub struct IntrospectionResponse {
    /// The registered claims.
    pub claims: Claims,
    /// The whole answer.
    pub payload: Map<String, Value>,
    /// Whether it is an access token, as far as the answer tells: a refresh token may be active too.
    pub is_access_token: bool,
}

impl IntrospectionResponse {
    /// Bytes that the answer takes up beside itself.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let payload = json::heap_bytes(&self.payload);
        self.claims
            .heap_bytes()
            .saturating_add(payload)
            .saturating_add(size_of::<Self>())
    }
}

/// Reads the body of an answer: what is said of an active token, or `None` for one that is not
/// active, of which nothing else is looked at.
///
/// # Errors
///
/// Why it is no answer, in words for the log.
pub fn read(body: &[u8]) -> Result<Option<IntrospectionResponse>, &'static str> {
    let payload = json::parse_object(body).ok_or("the answer is not a JSON object")?;
    match payload.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Ok(None),
        Some(_) => return Err("`active` is not a boolean"),
        None => return Err("the answer has no `active`"),
    }
    let claims = Claims::from_object(&payload)
        .map_err(|_| "a registered member of the answer has a value of the wrong type")?;
    if payload.get("scope").is_some_and(|scope| !scope.is_string()) {
        return Err("`scope` is not a string");
    }
    let is_access_token = is_one_of(
        payload.get("token_type"),
        &["bearer", "access_token", "dpop"],
    ) && is_one_of(payload.get("token_use"), &["access_token", "access"]);
    Ok(Some(IntrospectionResponse {
        claims,
        payload,
        is_access_token,
    }))
}

/// Whether a member says one of these, or nothing.
fn is_one_of(member: Option<&Value>, accepted: &[&str]) -> bool {
    match member {
        None | Some(Value::Null) => true,
        Some(Value::String(said)) => accepted.iter().any(|one| said.eq_ignore_ascii_case(one)),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_boolean_true_is_active() {
        for (body, expected) in [
            (r#"{"active": true}"#, Ok(true)),
            (r#"{"active": false}"#, Ok(false)),
            (r#"{"active": false, "exp": "never"}"#, Ok(false)),
            (r#"{"active": "true"}"#, Err("`active` is not a boolean")),
            (r#"{"active": 1}"#, Err("`active` is not a boolean")),
            (r#"{"active": null}"#, Err("`active` is not a boolean")),
            ("{}", Err("the answer has no `active`")),
            ("[true]", Err("the answer is not a JSON object")),
            ("", Err("the answer is not a JSON object")),
            (
                r#"{"active": false, "active": true}"#,
                Err("the answer is not a JSON object"),
            ),
            (
                r#"{"active": true, "realm_access": {"roles": [], "roles": ["admin"]}}"#,
                Err("the answer is not a JSON object"),
            ),
            (
                r#"{"active": true, "exp": "1700000000"}"#,
                Err("a registered member of the answer has a value of the wrong type"),
            ),
            (
                r#"{"active": true, "aud": [1]}"#,
                Err("a registered member of the answer has a value of the wrong type"),
            ),
            (
                r#"{"active": true, "scope": ["a"]}"#,
                Err("`scope` is not a string"),
            ),
        ] {
            let read = read(body.as_bytes()).map(|answer| answer.is_some());
            assert_eq!(read, expected, "{body}");
        }
    }

    #[test]
    fn a_refresh_token_is_told_from_an_access_token_where_the_answer_says_so() {
        for (members, expected) in [
            ("", true),
            (r#", "token_type": "Bearer""#, true),
            (r#", "token_type": "access_token""#, true),
            (r#", "token_type": "refresh_token""#, false),
            (
                r#", "token_type": "Bearer", "token_use": "refresh_token""#,
                false,
            ),
            (r#", "token_use": "access_token""#, true),
            (r#", "token_type": 1"#, false),
        ] {
            let body = format!("{{\"active\": true{members}}}");
            let answer = read(body.as_bytes()).unwrap().unwrap();
            assert_eq!(answer.is_access_token, expected, "{members}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}

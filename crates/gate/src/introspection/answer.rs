//! The answer of an introspection endpoint (RFC 7662, section 2.2).

use serde_json::{Map, Value};

use crate::claims::Claims;
use crate::json;

/// The largest accepted answer, in bytes.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The answer about an active token.
#[derive(Debug)]
pub struct IntrospectionResponse {
    /// The registered claims.
    pub claims: Claims,
    /// The whole answer.
    pub payload: Map<String, Value>,
    /// Whether the answer allows that this is an access token. Refresh tokens can be active too.
    pub is_access_token: bool,
}

impl IntrospectionResponse {
    /// Memory that the answer takes in bytes, approximately.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.claims.heap_bytes())
            .saturating_add(json::heap_bytes(&self.payload))
    }
}

/// Parses the body of an answer. `None` if the token is not active; then all other members are
/// ignored.
///
/// # Errors
///
/// Why the body is not a valid answer, for the log.
pub fn read(body: &[u8]) -> Result<Option<IntrospectionResponse>, &'static str> {
    let payload = json::parse_object(body).ok_or("the answer is not a JSON object")?;
    match payload.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Ok(None),
        Some(_) => return Err("`active` is not a boolean"),
        None => return Err("the answer has no `active`"),
    }
    let payload = lenient(payload);
    let claims = Claims::from_object(&payload)
        .map_err(|_| "a registered member of the answer has a value of the wrong type")?;
    let is_list = |scope: &Value| {
        scope
            .as_array()
            .is_some_and(|all| all.iter().all(Value::is_string))
    };
    let is_scope = |scope: &Value| scope.is_string() || is_list(scope);
    if payload.get("scope").is_some_and(|scope| !is_scope(scope)) {
        return Err("`scope` is neither a string nor a list of strings");
    }
    let token_type = payload.get("token_type");
    let is_bound = claims.confirmation.is_some() && is_one_of(token_type, &["dpop"]);
    let is_access_token = (is_bound || is_one_of(token_type, &ACCESS_TOKEN_TYPES))
        && is_one_of(payload.get("token_use"), &["access_token", "access"]);
    Ok(Some(IntrospectionResponse {
        claims,
        payload,
        is_access_token,
    }))
}

/// The values of `token_type` of tokens that a client may present as they are: bearer tokens (RFC 6750), and
/// the token types of RFC 8693, section 3, and of some servers. A token of another type, such as `DPoP`,
/// needs a proof, which can be checked only if `cnf` says for which key.
const ACCESS_TOKEN_TYPES: [&str; 4] = [
    "bearer",
    "access_token",
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:jwt",
];

/// An answer in which members that are `null` are absent, and `sub` is a string: some servers write `null` for
/// what they do not know, and a number as the identifier of a user.
fn lenient(mut payload: Map<String, Value>) -> Map<String, Value> {
    // A `cnf` that is `null` does not say that the token is unbound.
    payload.retain(|name, member| !member.is_null() || name == "cnf");
    if let Some(subject @ Value::Number(_)) = payload.get_mut("sub") {
        *subject = Value::String(subject.to_string());
    }
    payload
}

/// Whether a member is absent, null, or one of the accepted texts.
fn is_one_of(member: Option<&Value>, accepted: &[&str]) -> bool {
    match member {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => accepted.iter().any(|one| text.eq_ignore_ascii_case(one)),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_active_only_if_active_is_the_boolean_true() {
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
            (r#"{"active": true, "scope": ["a", "b"]}"#, Ok(true)),
            (
                r#"{"active": true, "aud": null, "iss": null, "sub": null, "exp": null, "nbf": null,
                    "jti": null, "scope": null}"#,
                Ok(true),
            ),
            (r#"{"active": true, "sub": 7}"#, Ok(true)),
            (
                r#"{"active": true, "scope": ["a", 1]}"#,
                Err("`scope` is neither a string nor a list of strings"),
            ),
            (
                r#"{"active": true, "scope": 1}"#,
                Err("`scope` is neither a string nor a list of strings"),
            ),
        ] {
            let is_active = read(body.as_bytes()).map(|answer| answer.is_some());
            assert_eq!(is_active, expected, "{body}");
        }
    }

    #[test]
    fn a_null_confirmation_does_not_unbind_a_token() {
        for cnf in ["{}", "null", r#"{"jkt": "x"}"#] {
            let body = format!(r#"{{"active": true, "cnf": {cnf}}}"#);
            let answer = read(body.as_bytes()).unwrap().unwrap();
            assert!(answer.claims.confirmation.is_some(), "{cnf}");
        }
        let answer = read(br#"{"active": true}"#).unwrap().unwrap();
        assert_eq!(answer.claims.confirmation, None);
    }

    #[test]
    fn a_token_is_no_access_token_if_the_answer_gives_another_type() {
        let urn = |kind| format!(r#", "token_type": "urn:ietf:params:oauth:token-type:{kind}""#);
        for (members, expected) in [
            ("", true),
            (r#", "token_type": "Bearer""#, true),
            (r#", "token_type": "access_token""#, true),
            (r#", "token_type": null"#, true),
            (r#", "token_type": """#, false),
            (r#", "token_type": "refresh_token""#, false),
            // RFC 8693, section 3.
            (&urn("access_token"), true),
            (&urn("Access_Token"), true),
            (&urn("jwt"), true),
            (&urn("id_token"), false),
            (&urn("refresh_token"), false),
            (&urn("saml2"), false),
            // RFC 8693, section 2.2.1: the token is not an access token.
            (r#", "token_type": "N_A""#, false),
            // Without `cnf` the proof that these types need could not be checked.
            (r#", "token_type": "DPoP""#, false),
            (r#", "token_type": "DPoP", "cnf": {"jkt": "a"}"#, true),
            (r#", "token_type": "PoP", "cnf": {"jkt": "a"}"#, false),
            (r#", "token_type": "PoP""#, false),
            (r#", "token_type": "mac""#, false),
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

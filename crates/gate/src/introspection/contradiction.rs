//! Contradictions between a JWT and the introspection response about it.

use serde_json::{Map, Value};

use super::answer::IntrospectionResponse;
use crate::claims::Claims;

/// The members of a JWT's payload that [`contradiction`] reads, besides the registered claims. A
/// cached token must include them.
pub const COMPARED_CLAIMS: [&str; 3] = ["jti", "client_id", "azp"];

/// The claim in which a JWT with these `claims` and this `payload` differs from the response about it,
/// among those that say which token it is and whose: `iss`, `sub` and [`COMPARED_CLAIMS`]. A claim that
/// either of them lacks is no contradiction. Others, such as scopes and roles, may have changed since the
/// token was issued.
#[must_use]
pub fn contradiction(
    claims: &Claims,
    payload: &Map<String, Value>,
    response: &IntrospectionResponse,
) -> Option<&'static str> {
    let differ = |one: &Option<String>, other: &Option<String>| {
        one.is_some() && other.is_some() && one != other
    };
    if differ(&claims.issuer, &response.claims.issuer) {
        return Some("iss");
    }
    if differ(&claims.subject, &response.claims.subject) {
        return Some("sub");
    }
    COMPARED_CLAIMS.into_iter().find(|name| {
        match (payload.get(*name), response.payload.get(*name)) {
            (None | Some(Value::Null), _) | (_, None) => false,
            (Some(one), Some(other)) => text(one) != text(other),
        }
    })
}

/// A value as text, because some servers write an identifier as a number in one place and as a string
/// in another.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::answer::read;
    use super::*;

    #[test]
    fn only_identifiers_that_both_have_contradict_each_other() {
        for (token, response, expected) in [
            (json!({}), json!({"sub": "a", "client_id": "b"}), None),
            (json!({"sub": "a", "client_id": "b"}), json!({}), None),
            (json!({"iss": "a"}), json!({"iss": "a/"}), Some("iss")),
            (json!({"sub": "a"}), json!({"sub": "b"}), Some("sub")),
            (json!({"sub": "7"}), json!({"sub": 7}), None),
            (json!({"jti": "a"}), json!({"jti": "b"}), Some("jti")),
            (
                json!({"client_id": "a"}),
                json!({"client_id": "b"}),
                Some("client_id"),
            ),
            (json!({"client_id": 7}), json!({"client_id": "7"}), None),
            (json!({"client_id": null}), json!({"client_id": "7"}), None),
            (json!({"client_id": "7"}), json!({"client_id": null}), None),
            (json!({"azp": "a"}), json!({"azp": ["a"]}), Some("azp")),
            (
                json!({"scope": "a", "aud": "a", "exp": 1}),
                json!({"scope": "b", "aud": "b", "exp": 2}),
                None,
            ),
        ] {
            let payload = token.as_object().unwrap();
            let claims = Claims::from_object(payload).unwrap();
            let mut body = response.clone();
            body["active"] = true.into();
            let answer = read(body.to_string().as_bytes()).unwrap().unwrap();
            let found = contradiction(&claims, payload, &answer);
            assert_eq!(found, expected, "{token} {response}");
        }
    }
}

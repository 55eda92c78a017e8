//! What an introspection endpoint says about a token.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::reason::Reason;
use super::strict_json;
use super::token::check_types;
use crate::case::World;

const ACCESS_TOKEN_TYPES: [&str; 4] = [
    "bearer",
    "access_token",
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:jwt",
];

/// The cluster of an endpoint.
pub(crate) fn cluster(endpoint: Fields<'_>) -> &str {
    let uri = endpoint.object("http_uri");
    uri.and_then(|uri| uri.text("cluster")).unwrap_or_default()
}

/// The members of the answer about a token that is active and is an access token.
pub(crate) fn members(
    endpoint: Fields<'_>,
    world: &World,
    token: &str,
) -> Result<Map<String, Value>, Reason> {
    let served = world.introspection.get(cluster(endpoint));
    let served = served.and_then(|answers| answers.get(token));
    // A server knows nothing of other tokens.
    let Some(served) = served else {
        return Err(Reason::Inactive);
    };
    let answer = (served.status == 200).then(|| strict_json::object(served.body.as_bytes()));
    let mut answer = answer.flatten().ok_or(Reason::IntrospectionUnavailable)?;
    match answer.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(Reason::Inactive),
        _ => return Err(Reason::IntrospectionUnavailable),
    }
    answer.retain(|name, value| !value.is_null() || name == "cnf");
    let is_scope = match answer.get("scope") {
        Some(Value::Array(list)) => list.iter().all(Value::is_string),
        Some(other) => other.is_string(),
        None => true,
    };
    if check_types(&answer).is_err() || !is_scope {
        return Err(Reason::IntrospectionUnavailable);
    }
    let is = |name: &str, known: &[&str]| match answer.get(name) {
        None => true,
        Some(Value::String(text)) => known.contains(&text.to_ascii_lowercase().as_str()),
        Some(_) => false,
    };
    let is_access_token = is("token_type", &ACCESS_TOKEN_TYPES)
        || (is("token_type", &["dpop"]) && answer.contains_key("cnf"));
    if !is_access_token || !is("token_use", &["access_token", "access"]) {
        return Err(Reason::Type);
    }
    Ok(answer)
}

/// Whether a JWT and the answer about it name different issuers, subjects, tokens or clients.
pub(crate) fn contradicts(payload: &Map<String, Value>, answer: &Map<String, Value>) -> bool {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    ["iss", "sub", "jti", "client_id", "azp"]
        .iter()
        .any(|name| match (payload.get(*name), answer.get(*name)) {
            (Some(Value::Null) | None, _) | (_, None) => false,
            (Some(one), Some(other)) => text(one) != text(other),
        })
}

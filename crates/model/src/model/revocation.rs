//! Lists of revoked tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::reason::Reason;
use super::token::Token;
use super::twin::twin;
use crate::case::World;

/// Checks claims, and the signature of a JWT that has no `jti`, against the list of a provider.
pub(crate) fn check(
    provider: Fields<'_>,
    world: &World,
    payload: &Map<String, Value>,
    token: Option<&Token>,
) -> Result<(), Reason> {
    let Some(source) = provider.object("revocation") else {
        return Ok(());
    };
    let list = fetched(source, world);
    let Some(list) = list else {
        return if is_dispensable(provider, world) {
            Ok(())
        } else {
            Err(Reason::RevocationUnavailable)
        };
    };
    let issued = payload.get("iat").and_then(Value::as_f64).unwrap_or(0.0);
    let before = |map: &str, claim: &str| {
        let names = payload.get(claim).map(names).unwrap_or_default();
        let mut times = names
            .iter()
            .filter_map(|name| list.get(map)?.get(name)?.as_f64());
        times.any(|time| issued < time)
    };
    let names: Vec<String> = match payload.get("jti") {
        Some(jti) => names(jti),
        None => token.map(signatures).unwrap_or_default(),
    };
    let tokens = list.get("tokens").and_then(Value::as_array);
    let is_listed = |name: &String| {
        let mut tokens = tokens.into_iter().flatten();
        tokens.any(|one| one.as_str() == Some(name))
    };
    if names.iter().any(is_listed)
        || before("clients", "client_id")
        || before("clients", "azp")
        || before("subjects", "sub")
    {
        return Err(Reason::Revoked);
    }
    Ok(())
}

/// Whether the list of a provider cannot be fetched, and tokens are accepted without it.
pub(crate) fn is_dispensable(provider: Fields<'_>, world: &World) -> bool {
    provider.object("revocation").is_some_and(|source| {
        source.text("on_unavailable") == Some("allow") && fetched(source, world).is_none()
    })
}

/// The list, if it can be fetched.
fn fetched(source: Fields<'_>, world: &World) -> Option<Value> {
    let uri = source.object("http_uri")?;
    let served = world.documents.get(uri.text("cluster")?)?;
    let body = (served.status == 200).then_some(&served.body)?;
    serde_json::from_str(body).ok()
}

/// The names in a claim: a string, a number as text, or those in a list.
fn names(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(name) => vec![name.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(list) => list.iter().flat_map(names).collect(),
        Value::Null | Value::Bool(_) | Value::Object(_) => Vec::new(),
    }
}

/// The signature of a token, and the second valid form that anyone can derive from it.
fn signatures(token: &Token) -> Vec<String> {
    let other = twin(&token.signature).filter(|_| token.alg == "ES256");
    let other = other.map(|signature| URL_SAFE_NO_PAD.encode(signature));
    let signatures = std::iter::once(token.signature_text.clone());
    signatures.chain(other).collect()
}

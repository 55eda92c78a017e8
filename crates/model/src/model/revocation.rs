//! Lists of revoked tokens.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::reason::Reason;
use crate::case::World;

/// Checks claims, and the signature of a JWT, against the list of a provider.
pub(crate) fn check(
    provider: Fields<'_>,
    world: &World,
    payload: &Map<String, Value>,
    signature: Option<&str>,
) -> Result<(), Reason> {
    let Some(source) = provider.object("revocation") else {
        return Ok(());
    };
    let cluster = source
        .object("http_uri")
        .and_then(|uri| uri.text("cluster"));
    let served = world.documents.get(cluster.unwrap_or_default());
    let document = served.filter(|served| served.status == 200);
    let list = document.and_then(|served| serde_json::from_str::<Value>(&served.body).ok());
    let Some(list) = list else {
        return match source.text("on_unavailable") {
            Some("allow") => Ok(()),
            _ => Err(Reason::RevocationUnavailable),
        };
    };
    let issued = payload.get("iat").and_then(Value::as_f64).unwrap_or(0.0);
    let before = |map: &str, claim: &str| {
        let name = payload.get(claim).and_then(Value::as_str);
        let time = name.and_then(|name| list.get(map)?.get(name)?.as_f64());
        time.is_some_and(|time| issued < time)
    };
    let name = payload.get("jti").map_or(signature, Value::as_str);
    let tokens = list.get("tokens").and_then(Value::as_array);
    let is_listed = tokens.into_iter().flatten().any(|one| one.as_str() == name);
    if (name.is_some() && is_listed)
        || before("clients", "client_id")
        || before("clients", "azp")
        || before("subjects", "sub")
    {
        return Err(Reason::Revoked);
    }
    Ok(())
}

//! Signed metadata (RFC 9728, section 2.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::error::ConfigError;

/// Checks that the text at `path` is a JWS whose payload can be metadata. Its signature is for clients.
pub(super) fn check(path: &str, text: &str) -> Result<(), ConfigError> {
    let problem = |problem: &str| Err(ConfigError::new(path, problem));
    let parts: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return problem("is not a JWS in compact form: three parts with dots between them");
    };
    let is_signed = URL_SAFE_NO_PAD
        .decode(signature)
        .is_ok_and(|bytes| !bytes.is_empty());
    let (Some(Value::Object(_)), Some(Value::Object(payload)), true) =
        (decoded(header), decoded(payload), is_signed)
    else {
        return problem(
            "is not a JWS in compact form: header and payload are not JSON objects in base64url",
        );
    };
    if !payload.get("iss").is_some_and(Value::is_string) {
        return problem("has no iss in its payload, which says who vouches for the metadata");
    }
    if payload.contains_key("signed_metadata") {
        return problem("must not contain signed_metadata again");
    }
    Ok(())
}

fn decoded(part: &str) -> Option<Value> {
    let text = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&text).ok()
}

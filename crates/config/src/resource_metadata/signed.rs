//! Signed metadata (RFC 9728, section 2.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::place::Place;

/// Checks that the text at this place is a JWS whose payload can be metadata. Its signature is for clients.
pub(super) fn check(at: &Place<'_>, text: &str) {
    let parts: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return at.report("is not a JWS in compact form: three parts with dots between them");
    };
    let is_signed = URL_SAFE_NO_PAD
        .decode(signature)
        .is_ok_and(|bytes| !bytes.is_empty());
    let (Some(Value::Object(_)), Some(Value::Object(payload)), true) =
        (decoded(header), decoded(payload), is_signed)
    else {
        return at.report(
            "is not a JWS in compact form: header and payload are not JSON objects in base64url",
        );
    };
    if !payload.get("iss").is_some_and(Value::is_string) {
        at.report("has no iss in its payload, which says who vouches for the metadata");
    }
    if payload.contains_key("signed_metadata") {
        at.report("must not contain signed_metadata again");
    }
}

fn decoded(part: &str) -> Option<Value> {
    let text = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&text).ok()
}

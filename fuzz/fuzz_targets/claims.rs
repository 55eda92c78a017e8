//! Parses any bytes as a payload: strict JSON, then claims with their types.
#![no_main]

use gate::claims::Claims;
use gate::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let Some(object) = json::parse_object(payload) else {
        return;
    };
    // Whatever this parser accepts, every parser accepts with the same result.
    let lax: serde_json::Value = serde_json::from_slice(payload).expect("strict JSON is JSON");
    assert_eq!(lax, serde_json::Value::Object(object.clone()));
    if let Ok(claims) = Claims::from_object(&object) {
        let issuer = lax.get("iss").and_then(serde_json::Value::as_str);
        assert_eq!(claims.issuer.as_deref(), issuer);
        assert_eq!(claims.expires_at.is_some(), lax.get("exp").is_some());
    }
});

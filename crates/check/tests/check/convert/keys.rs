//! What becomes of key sets in the configuration.

use serde_json::{Value, json};

use super::example::{all_rule, convert_bare, local, with};
use crate::support::{file, key_set};

#[test]
fn shared_secrets_name_their_algorithms() {
    let keys = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0IG9mIHRoaXJ0eS10d28gYnl0ZXMgLi4uLi4", "alg": "HS256"}]});
    let provider = with(
        local(),
        "local_jwks",
        json!({"inline_string": keys.to_string()}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    let algorithms = config["providers"]["p"]["algorithms"].as_array().unwrap();
    assert!(algorithms.contains(&json!("HS256")) && algorithms.contains(&json!("RS256")));
    assert!(
        errors.contains("REVIEW providers.p.algorithms: "),
        "{errors}"
    );
}

#[test]
fn keys_in_a_file_are_copied_into_the_configuration() {
    let keys = file("keys.json", key_set());
    let provider = with(
        local(),
        "local_jwks",
        json!({"filename": keys, "watched_directory": {"path": "/"}}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    let inline = config["providers"]["p"]["local_jwks"]["inline_string"]
        .as_str()
        .unwrap();
    let (copied, original): (Value, Value) = (
        serde_json::from_str(inline).unwrap(),
        serde_json::from_str(&key_set()).unwrap(),
    );
    assert_eq!(copied, original);
    assert!(errors.contains("is the content of"), "{errors}");
}

#[test]
fn a_file_of_keys_that_is_not_here_admits_nobody() {
    let missing =
        json!({"filename": "/nowhere/keys.json", "watched_directory": {"path": "/nowhere"}});
    let (config, errors) = convert_bare(&with(local(), "local_jwks", missing), &all_rule());
    let keys = &config["providers"]["p"]["local_jwks"];
    assert_eq!(keys.as_object().unwrap().len(), 1, "{keys}");
    let inline = keys["inline_string"].as_str().unwrap();
    assert!(inline.contains("nobody"), "{inline}");
    assert!(
        errors.contains("REVIEW providers.p.local_jwks.inline_string: "),
        "{errors}"
    );
    assert!(
        errors.contains("/nowhere/keys.json cannot be read here")
            && errors.contains("every token of this provider is refused"),
        "{errors}"
    );
}

#[test]
fn a_key_set_that_the_gate_does_not_accept_admits_nobody() {
    for keys in [
        "PUBLIC-KEY",
        r#"{"keys": []}"#,
        r#"{"keys": [{"kty": "oct", "k": "1234567890"}]}"#,
    ] {
        let provider = with(local(), "local_jwks", json!({"inline_string": keys}));
        let (config, errors) = convert_bare(&provider, &all_rule());
        let inline = config["providers"]["p"]["local_jwks"]["inline_string"]
            .as_str()
            .unwrap();
        assert!(inline.contains("nobody"), "{inline}");
        assert!(
            errors.contains("every token of this provider is refused"),
            "{errors}"
        );
    }
}

#[test]
fn keys_for_other_uses_are_used_as_before() {
    let mut set: Value = serde_json::from_str(&key_set()).unwrap();
    set["keys"][0]["use"] = "jwt-svid".into();
    let provider = with(
        local(),
        "local_jwks",
        json!({"inline_string": set.to_string()}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    assert_eq!(
        config["providers"]["p"]["local_jwks"]["key_uses"],
        json!(["sig", "jwt-svid"])
    );
    assert!(errors.contains("local_jwks.key_uses: "), "{errors}");
}

/// A provider with fetched keys.
fn remote(uri: &str, timeout: &Value) -> Value {
    json!({
        "issuer": "joe",
        "remote_jwks": {"http_uri": {"uri": uri, "cluster": "login", "timeout": timeout}},
        "from_headers": [{"name": "x-token"}],
        "require_expiration": true,
    })
}

#[test]
fn a_uri_without_a_scheme_gets_one_and_what_is_none_is_marked() {
    for (given, written, review) in [
        (
            "https://login.example/jwks",
            "https://login.example/jwks",
            None,
        ),
        (
            "login:8080/jwks",
            "http://login:8080/jwks",
            Some("takes host and path from a URI without"),
        ),
        (
            "https://<your tenant>/jwks",
            "https://jwks.invalid/",
            Some("no keys can be fetched, here as in jwt_authn"),
        ),
        (
            "${JWKS_URI}",
            "https://jwks.invalid/",
            Some("write the URI of the key set"),
        ),
    ] {
        let (config, errors) = convert_bare(&remote(given, &json!("1s")), &all_rule());
        let uri = &config["providers"]["p"]["remote_jwks"]["http_uri"]["uri"];
        assert_eq!(uri, written, "{given}");
        let is_marked = errors.contains("REVIEW providers.p.remote_jwks.http_uri.uri: ");
        assert_eq!(is_marked, review.is_some(), "{errors}");
        assert!(errors.contains(review.unwrap_or_default()), "{errors}");
    }
}

#[test]
fn a_fetch_without_limit_gets_one() {
    for zero in [json!("0s"), json!("0.0s"), json!({"seconds": 0})] {
        let (config, errors) = convert_bare(&remote("https://login.example", &zero), &all_rule());
        let timeout = &config["providers"]["p"]["remote_jwks"]["http_uri"]["timeout"];
        assert_eq!(timeout, "5s", "{zero}");
        assert!(
            errors.contains("http_uri.timeout: 0 means no limit"),
            "{errors}"
        );
    }
}

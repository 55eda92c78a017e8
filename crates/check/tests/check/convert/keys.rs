//! What becomes of key sets in the configuration.

use serde_json::{Value, json};

use super::example::{all_rule, bare, content, convert, convert_bare, local, refused, with};
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

    let provider = with(
        local(),
        "local_jwks",
        json!({"filename": "/nowhere/keys.json"}),
    );
    let refusal = refused(&bare(&provider, &all_rule()));
    assert!(
        refusal.contains("providers.p.local_jwks.filename: "),
        "{refusal}"
    );
    assert!(
        refusal.contains("run convert where the file is"),
        "{refusal}"
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

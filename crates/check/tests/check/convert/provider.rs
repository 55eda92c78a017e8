//! What becomes of providers.

use serde_json::json;

use super::example::{all_rule, convert_bare, converted, local, with};
use crate::support::key_set;

#[test]
fn defaults_of_jwt_authn_are_written_out() {
    let (config, errors) = convert_bare(
        &json!({"issuer": "joe", "local_jwks": {"inline_string": key_set()}}),
        &json!({}),
    );
    let provider = &config["providers"]["p"];
    assert_eq!(
        provider["from_headers"],
        json!([{"name": "Authorization", "value_prefix": "Bearer "}])
    );
    assert_eq!(provider["from_params"], json!(["access_token"]));
    assert_eq!(provider["require_expiration"], false);
    assert_eq!(config["rules"], json!([{"match": {"prefix": "/"}}]));
    for path in [
        "providers.p.from_params",
        "providers.p.require_expiration",
        "rules",
    ] {
        assert!(
            errors.contains(&format!("REVIEW {path}: ")),
            "{path} is not in {errors}"
        );
    }
}

#[test]
fn numbers_that_mean_something_else_are_changed_or_marked() {
    let provider = with(local(), "clock_skew_seconds", 0);
    let provider = with(provider, "max_lifetime", "3600s");
    let provider = with(
        provider,
        "jwt_cache_config",
        json!({"jwt_max_token_size": 100_000}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    let provider = &config["providers"]["p"];
    assert_eq!(provider["clock_skew_seconds"], 60);
    assert_eq!(provider["jwt_cache_config"]["jwt_max_token_size"], 65536);
    assert!(
        errors.contains("REVIEW providers.p.max_lifetime: "),
        "{errors}"
    );
}

#[test]
fn a_header_that_the_gate_does_not_set_is_left_out() {
    let claim = |header: &str| json!({"header_name": header, "claim_name": "sub"});
    let provider = with(
        local(),
        "claim_to_headers",
        json!([claim("Cookie"), claim("x-user")]),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    assert_eq!(
        config["providers"]["p"]["claim_to_headers"],
        json!([claim("x-user")])
    );
    assert!(
        errors.contains("the gate sets no header Cookie"),
        "{errors}"
    );
    let block = "providers:\n  p:\n    issuer: joe\n    claim_to_headers:\n    - header_name: cookie\n      claim_name: \
                 sub\n    - header_name: x-user\n      claim_name: sub\n    remote_jwks:\n      http_uri: { uri: \
                 https://joe.example, cluster: joe, timeout: 1s }\n";
    let (output, _) = converted("c.yaml", block);
    assert!(output.contains("claim_to_headers:\n     [{"), "{output}");
}

#[test]
fn what_is_left_out_is_marked_in_a_comment_wherever_it_stood() {
    let fields = [
        "issuer: joe",
        "header_in_metadata: jose",
        "claim_to_headers: [{ header_name: host, claim_name: sub }]",
        "remote_jwks: { http_uri: { uri: https://joe.example, cluster: joe, timeout: 1s } }",
    ];
    for turn in 0..fields.len() {
        let mut fields = fields;
        fields.rotate_left(turn);
        let text = format!("providers:\n  p:\n    {}\n", fields.join("\n    "));
        let (output, errors) = converted("left-out.yaml", &text);
        for mark in [
            "`header_in_metadata: jose` is left out",
            "the gate sets no header host",
        ] {
            let is_comment =
                |line: &&str| line.trim_start().starts_with('#') && line.contains(mark);
            assert_eq!(
                output.lines().filter(is_comment).count(),
                1,
                "{output}{errors}"
            );
        }
    }
}

#[test]
fn a_token_in_the_header_cookie_is_read_from_the_cookie() {
    let places = json!([{"name": "Cookie", "value_prefix": "session="}, {"name": "x-token"}]);
    let provider = with(
        with(local(), "from_headers", places),
        "from_cookies",
        json!(["other"]),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    let provider = &config["providers"]["p"];
    assert_eq!(provider["from_headers"], json!([{"name": "x-token"}]));
    assert_eq!(provider["from_cookies"], json!(["other", "session"]));
    assert!(
        errors.contains("REVIEW providers.p.from_headers: the cookie is read"),
        "{errors}"
    );
}

#[test]
fn a_header_that_holds_tokens_gets_neither_claims_nor_payloads() {
    let claims = json!([{"header_name": "x-token", "claim_name": "sub"}]);
    let provider = with(local(), "claim_to_headers", claims);
    let provider = with(provider, "forward_payload_header", "X-Token");
    let (config, errors) = convert_bare(&provider, &all_rule());
    let provider = &config["providers"]["p"];
    assert_eq!(provider["claim_to_headers"], serde_json::Value::Null);
    assert_eq!(provider["forward_payload_header"], serde_json::Value::Null);
    for text in ["the claim is left out", "no payload is forwarded"] {
        assert!(errors.contains(text), "{errors}");
    }
}

#[test]
fn values_that_jwt_authn_takes_for_its_defaults_are_written_out_or_left_out() {
    let provider = with(
        with(local(), "issuer", ""),
        "jwt_cache_config",
        json!({"jwt_max_token_size": 0}),
    );
    let (config, errors) = convert_bare(&provider, &all_rule());
    let provider = &config["providers"]["p"];
    assert_eq!(provider["issuer"], serde_json::Value::Null);
    assert_eq!(provider["jwt_cache_config"]["jwt_max_token_size"], 4096);
    assert!(errors.contains("0 means the default of 4096"), "{errors}");
}

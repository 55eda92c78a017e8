//! What becomes of values in dynamic metadata.

use serde_json::{Value, json};

use super::example::{LISTENER, all_rule, content, convert_bare, converted, local, refused, with};

#[test]
fn metadata_that_nobody_reads_is_left_out_and_other_metadata_is_refused() {
    let provider = with(local(), "header_in_metadata", "jose");
    let (config, errors) = convert_bare(&provider, &all_rule());
    assert_eq!(config["providers"]["p"]["header_in_metadata"], Value::Null);
    assert!(errors.contains("Nothing in this file reads it"), "{errors}");

    let reader = LISTENER
        .replace("require_expiration: true", "header_in_metadata: jose")
        .replace(
            "stat_prefix: public",
            "stat_prefix: \"%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:jose)%\"",
        );
    let refusal = refused(&reader);
    assert!(
        refusal.contains("something in this file reads it"),
        "{refusal}"
    );
    assert!(refusal.contains(".yaml:27:15: "), "{refusal}");
}

#[test]
fn a_payload_in_metadata_takes_the_way_through_a_header() {
    let text = LISTENER.replace(
        "require_expiration: true",
        "require_expiration: true\n              payload_in_metadata: user",
    );
    let (output, _) = converted("payload.yaml", &text);
    let output = content(&output);
    let filters = &output["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"];
    let provider =
        &filters[0]["typed_config"]["config"]["configuration"]["value"]["providers"]["accounts"];
    assert_eq!(provider["payload_in_metadata"], "user");
    assert_eq!(provider["payload_metadata_header"], "x-bearer-gate-payload");
    assert_eq!(filters[1]["name"], "bearer-gate-payload");
    let rules = json!([{
        "header": "x-bearer-gate-payload",
        "on_header_present": {
            "metadata_namespace": "envoy.filters.http.jwt_authn",
            "key": "user",
            "type": "PROTOBUF_VALUE",
            "encode": "BASE64",
        },
        "remove": true,
    }]);
    assert_eq!(filters[1]["typed_config"]["request_rules"], rules);
    assert_eq!(filters[2]["name"], "envoy.filters.http.router");
}

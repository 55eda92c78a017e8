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

#[test]
fn a_server_that_gets_all_metadata_is_mentioned() {
    let text = LISTENER
        .replace("require_expiration: true", "failed_status_in_metadata: failed")
        .replace(
            "      - name: envoy.filters.http.router\n",
            "      - name: envoy.filters.http.ext_authz\n        typed_config:\n          \
             \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz\n          \
             metadata_context_namespaces: [envoy.filters.http.jwt_authn]\n      - name: envoy.filters.http.router\n",
        );
    let (output, _) = converted("authz.yaml", &text);
    assert!(
        !output.contains("failed_status_in_metadata: failed\n"),
        "{output}"
    );
    assert!(
        output.contains("passes all metadata of jwt_authn"),
        "{output}"
    );
}

/// A filter that runs `jwt_authn` under a condition.
fn composite(actions: &[Value]) -> Value {
    let action = |filter: &Value| {
        json!({
            "predicate": {"single_predicate": {
                "input": {"name": "host", "typed_config": {
                    "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
                    "header_name": "host",
                }},
                "value_match": {"exact": "api.example"},
            }},
            "on_match": {"action": {"name": "run", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.composite.v3.ExecuteFilterAction",
                "typed_config": filter,
            }}},
        })
    };
    let matchers: Vec<Value> = actions.iter().map(action).collect();
    json!({"name": "gate/api", "disabled": true, "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
        "extension_config": {"name": "composite", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.composite.v3.Composite",
        }},
        "xds_matcher": {"matcher_list": {"matchers": matchers}},
    }})
}

#[test]
fn a_payload_of_a_gate_inside_another_filter_is_moved_under_the_same_condition() {
    let kind = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3";
    let native = json!({"name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": format!("{kind}.JwtAuthentication"),
        "providers": {"p": with(local(), "payload_in_metadata", "user")},
        "requirement_map": {"r": {"provider_name": "p"}},
    }});
    let lua = json!({"name": "lua", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
    }});
    let choice =
        json!({"gate/api": {"@type": format!("{kind}.PerRouteConfig"), "requirement_name": "r"}});
    let manager = json!({
        "http_filters": [composite(&[native, lua]), {"name": "router"}],
        "route_config": {"typed_per_filter_config": choice, "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {}},
        ]}]},
    });
    let (output, _) = converted("composite.json", &format!("{manager:#}"));
    let output = content(&output);
    let filters = output["http_filters"].as_array().unwrap();
    assert_eq!(filters.len(), 3);
    let action = |filter: &Value, index: usize| {
        filter["typed_config"]["xds_matcher"]["matcher_list"]["matchers"][index]["on_match"]["action"]["typed_config"]
            .clone()
    };
    let gate = &action(&filters[0], 0)["typed_config"];
    assert_eq!(gate["name"], "bearer-gate");
    let config = &gate["typed_config"]["config"]["configuration"]["value"];
    assert_eq!(config["per_route_requirements"], true);
    let payload = &filters[1];
    assert_eq!(payload["name"], "gate/api-payload");
    assert_eq!(payload["disabled"], true);
    let matchers = &payload["typed_config"]["xds_matcher"]["matcher_list"]["matchers"];
    assert_eq!(
        matchers[0]["predicate"],
        manager["http_filters"][0]["typed_config"]["xds_matcher"]["matcher_list"]["matchers"][0]["predicate"]
    );
    let moved = &action(payload, 0)["typed_config"]["typed_config"];
    assert_eq!(moved["request_rules"][0]["header"], "x-bearer-gate-payload");
    let skip = "type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter";
    assert_eq!(action(payload, 1), json!({"@type": skip}));
    let on =
        json!({"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}});
    assert_eq!(
        output["route_config"]["typed_per_filter_config"],
        json!({"gate/api": on, "gate/api-payload": on})
    );
}

//! Configurations of the shapes that control planes generate.

use serde_json::{Value, json};

use super::kind::{Kind, TYPE, bearer, local, named, native, per_route, route, with};

/// The kinds that control planes generate.
pub(super) fn generated() -> Vec<Kind> {
    vec![kgateway(), contour(), consul(), istio(), endpoints()]
}

const SWITCH: &str = "type.googleapis.com/envoy.config.route.v3.FilterConfig";

fn choice(filter: &str, requirement: &str) -> Value {
    json!({filter: {"@type": format!("{TYPE}.PerRouteConfig"), "requirement_name": requirement}})
}

/// A filter that is off by default and runs `config` unless metadata says that tokens are not checked.
fn unless_disabled(name: &str, config: &Value) -> Value {
    json!({"disabled": true, "name": name, "typedConfig": {
        "@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
        "extensionConfig": {"name": "composite_jwt", "typedConfig": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.composite.v3.Composite",
        }},
        "xdsMatcher": {"matcherList": {"matchers": [{
            "onMatch": {"action": {"name": "run", "typedConfig": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.composite.v3.ExecuteFilterAction",
                "typedConfig": native(config),
            }}},
            "predicate": {"singlePredicate": {
                "customMatch": {"name": "envoy.matching.matchers.metadata_matcher", "typedConfig": {
                    "@type": "type.googleapis.com/envoy.extensions.matching.input_matchers.metadata.v3.Metadata",
                    "invert": true,
                    "value": {"boolMatch": true},
                }},
                "input": {"name": "off", "typedConfig": {
                    "@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput",
                    "filter": "tokens",
                    "path": [{"key": "unchecked"}],
                }},
            }},
        }]}},
    }})
}

/// As kgateway: filters inside composite filters, which are off by default; a policy for the gateway and one for routes.
fn kgateway() -> Kind {
    let provider = |claim: &str| {
        let claims = json!([{"claimName": "sub", "headerName": claim}]);
        with(
            local(),
            &json!({"claimToHeaders": claims, "clearRouteCache": true, "payloadInMetadata": "payload", "forward": true}),
        )
    };
    let filter = |name: &str, requirement: &str| {
        let config = json!({
            "providers": {"p": provider(&format!("x-{requirement}"))},
            "requirementMap": {requirement: {"providerName": "p"}},
        });
        unless_disabled(name, &config)
    };
    let unchecked = json!({"disabled": true, "name": "unchecked", "typedConfig": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
        "metadata": [{"metadataNamespace": "tokens", "value": {"unchecked": true}}],
    }});
    let mut both = route("/both", &Value::Null);
    both["typed_per_filter_config"] = choice("jwt/default/route", "of-route");
    let mut open = route("/open", &Value::Null);
    open["typed_per_filter_config"] = json!({"unchecked": {"@type": SWITCH, "config": {}}});
    Kind {
        name: "filters inside composite filters",
        filters: vec![
            unchecked,
            filter("jwt/default/gateway", "of-gateway"),
            filter("jwt/default/route", "of-route"),
        ],
        routes: json!({
            "typed_per_filter_config": choice("jwt/default/gateway", "of-gateway"),
            "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [both, open, route("/", &Value::Null)]}],
        }),
        paths: vec!["/both", "/open", "/", "/open/../both"],
        place: bearer,
    }
}

/// As Contour: a requirement for each provider, and routes that choose one or none.
fn contour() -> Kind {
    let other = with(local(), &json!({"audiences": ["https://other.example"]}));
    let filter = json!({
        "providers": {"one": local(), "other": other},
        "requirementMap": {"one": {"providerName": "one"}, "other": {"providerName": "other"}},
    });
    let requires = |prefix, name: &str| route(prefix, &json!({"requirement_name": name}));
    Kind {
        name: "a requirement for each provider",
        filters: vec![native(&filter)],
        routes: json!({"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [
            requires("/other", "other"), route("/css", &Value::Null), requires("/", "one"),
        ]}]}),
        paths: vec!["/", "/css", "/other", "/css/../x"],
        place: bearer,
    }
}

/// As Consul: payloads in metadata, a fallback that admits everybody, and RBAC that looks at the payload.
fn consul() -> Kind {
    let provider = with(
        local(),
        &json!({"payloadInMetadata": "jwt_payload_okta", "fromCookies": ["token"], "forward": true}),
    );
    let subject = json!({"metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "jwt_payload_okta"}, {"key": "sub"}],
        "value": {"stringMatch": {"exact": "somebody"}},
    }});
    let filter = native(&json!({
        "providers": {"okta": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"requiresAny": {"requirements": [
            {"providerName": "okta"}, {"allowMissingOrFailed": {}},
        ]}}}],
    }));
    let rbac = json!({"name": "envoy.filters.http.rbac", "typedConfig": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"policies": {"layer7": {
            "permissions": [{"urlPath": {"path": {"prefix": "/admin"}}}], "principals": [subject],
        }}},
    }});
    Kind {
        name: "RBAC judges the payload of any token",
        filters: vec![filter, rbac],
        routes: Value::Null,
        paths: vec!["/admin", "/admin/x"],
        place: |request, token| request.header("cookie", format!("token={token}")),
    }
}

/// As Istio: any of two issuers, or none of their tokens at all.
fn istio() -> Kind {
    let provider = |issuer: Value| {
        let fields = json!({
            "payloadInMetadata": "payload",
            "normalizePayloadInMetadata": {"spaceDelimitedClaims": ["scope", "permission"]},
        });
        with(with(local(), &fields), &issuer)
    };
    let or_missing = |name: &str| json!({"requiresAny": {"requirements": [{"providerName": name}, {"allowMissing": {}}]}});
    let filter = json!({
        "providers": {
            "origins-0": provider(json!({})),
            "origins-1": provider(json!({"issuer": "https://other.example"})),
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"requiresAny": {"requirements": [
            {"providerName": "origins-0"},
            {"providerName": "origins-1"},
            {"requiresAll": {"requirements": [or_missing("origins-0"), or_missing("origins-1")]}},
        ]}}}],
        "bypassCorsPreflight": true,
    });
    Kind {
        name: "any issuer or none",
        filters: vec![native(&filter)],
        routes: Value::Null,
        paths: vec!["/", "/a"],
        place: bearer,
    }
}

/// As Cloud Endpoints: a requirement for each method, and a route for each form of its path.
fn endpoints() -> Kind {
    let provider = with(
        local(),
        &json!({"forward": true, "forwardPayloadHeader": "X-Endpoint-API-UserInfo", "payloadInMetadata": "jwt_payloads"}),
    );
    let filter = json!({
        "providers": {"auth": provider},
        "requirementMap": {"shelves.Get": {"providerName": "auth"}},
    });
    let regex = |regex: &str, choice: Value| {
        json!({
            "match": {"safeRegex": {"regex": regex}, "headers": [{"name": ":method", "stringMatch": {"exact": "GET"}}]},
            "route": {"cluster": "upstream"},
            "typedPerFilterConfig": choice,
        })
    };
    Kind {
        name: "a requirement for each method",
        filters: vec![named("envoy.filters.http.jwt_authn", &filter)],
        routes: json!({"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [
            regex("^/v1/shelves/[^\\/]+\\/?$", per_route(&json!({"requirement_name": "shelves.Get"}))),
            route("/health", &Value::Null),
        ]}]}),
        paths: vec!["/v1/shelves/1", "/v1/shelves/1/", "/health"],
        place: bearer,
    }
}

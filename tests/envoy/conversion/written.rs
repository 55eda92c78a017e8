//! Configurations as operators write them.

use serde_json::{Value, json};

use super::kind::{Kind, TYPE, bearer, file, local, named, native, per_route, route, with};
use crate::support::keys;

/// Kinds that operators write.
pub(super) fn written() -> Vec<Kind> {
    let p = json!({"provider_name": "p"});
    let judged = |provider: Value, rules: Value| {
        native(&json!({"providers": {"p": provider}, "rules": rules}))
    };
    let all = json!([{"match": {"prefix": "/"}, "requires": p}]);
    let kind = |name, filter: Value, paths: &[&'static str]| Kind {
        name,
        filters: vec![filter],
        routes: Value::Null,
        paths: paths.to_vec(),
        place: bearer,
    };
    let matches = json!([
        {"match": {"path": "/exact"}, "requires": p},
        {"match": {"path_separated_prefix": "/part"}, "requires": p},
        {"match": {"prefix": "/CASE", "case_sensitive": false}, "requires": p},
        {"match": {"safe_regex": {"google_re2": {}, "regex": "/re/[a-z]+"}}, "requires": p},
        {"match": {"prefix": "/", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]}},
        {"match": {"prefix": "/query", "query_parameters": [{"name": "a", "string_match": {"exact": "1"}}]}, "requires": p},
        {"match": {"prefix": "/grpc", "grpc": {}}, "requires": p},
        {"match": {"path_match_policy": {
            "name": "envoy.path.match.uri_template.uri_template_matcher",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                "path_template": "/users/{id}/orders/*",
            },
        }}, "requires": p},
    ]);
    let requirements = native(&json!({
        "providers": {
            "p": local(),
            "q": with(local(), &json!({"from_headers": [{"name": "x-q"}]})),
        },
        "rules": [
            {"match": {"prefix": "/empty"}, "requires": {}},
            {"match": {"prefix": "/null"}, "requires": {"allow_missing": null}},
            {"match": {"prefix": "/audience"}, "requires": {"provider_and_audiences": {
                "provider_name": "p", "audiences": ["https://other.example"],
            }}},
            {"match": {"prefix": "/any"}, "requires": {"requires_any": {"requirements": [p, {"provider_name": "q"}]}}},
            {"match": {"prefix": "/all"}, "requires": {"requires_all": {"requirements": [p, {"provider_name": "q"}]}}},
            {"match": {"prefix": "/missing"}, "requires": {"requires_any": {"requirements": [p, {"allow_missing": {}}]}}},
            {"match": {"prefix": "/failed"}, "requires": {"allow_missing_or_failed": {}}},
            {"match": {"prefix": "/named"}, "requirement_name": "named"},
            {"match": {"prefix": "/"}, "requires": p},
        ],
        "requirement_map": {"named": p},
        "bypass_cors_preflight": true,
    }));
    let by_routes = native(&json!({
        "providers": {"p": with(local(), &json!({"forward_payload_header": "x-payload"}))},
        "requirement_map": {"private": p, "optional": {"requires_any": {"requirements": [p, {"allow_missing": {}}]}}},
    }));
    let choices = json!({"virtual_hosts": [{
        "name": "v",
        "domains": ["*"],
        "routes": [
            route("/private", &json!({"requirement_name": "private"})),
            route("/optional", &json!({"requirement_name": "optional"})),
            route("/disabled", &json!({"disabled": true})),
            route("/", &Value::Null),
        ],
    }]});
    let by_hosts = json!({
        "typed_per_filter_config": per_route(&json!({"requirement_name": "private"})),
        "virtual_hosts": [{
            "name": "v",
            "domains": ["*"],
            "typed_per_filter_config": per_route(&json!({"requirement_name": "optional"})),
            "routes": [route("/disabled", &json!({"disabled": true})), route("/", &Value::Null)],
        }],
    });
    let mut off = by_routes.clone();
    off["disabled"] = true.into();
    let secret = with(
        local(),
        &json!({"local_jwks": {"inline_string": json!({"keys": [keys::SECRET.jwk()]}).to_string()}}),
    );
    let file = file(
        "keys.json",
        &json!({"keys": [keys::RSA.jwk(), keys::EC.jwk()]}).to_string(),
    );
    let typed_struct = json!({"name": "jwt", "typed_config": {
        "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": format!("{TYPE}.JwtAuthentication"),
        "value": {"providers": {"p": local()}, "rules": all},
    }});
    vec![
        kind(
            "plain",
            judged(local(), all.clone()),
            &["/", "/a//b", "/?x=y"],
        ),
        kind(
            "some paths",
            judged(
                local(),
                json!([{"match": {"prefix": "/open"}}, {"match": {"prefix": "/api"}, "requires": p}]),
            ),
            &["/open", "/api/x", "/elsewhere", "/open/../api"],
        ),
        kind(
            "no rules",
            native(&json!({"providers": {"p": local()}})),
            &["/", "/x/../y"],
        ),
        kind(
            "matches",
            judged(local(), matches),
            &[
                "/exact",
                "/exactly",
                "/part/x",
                "/party",
                "/case",
                "/re/abc",
                "/re/1",
                "/query?a=1",
                "/query?a=2",
                "/grpc",
                "/users/1/orders/2",
                "/users/1",
                "/",
            ],
        ),
        kind(
            "requirements",
            requirements,
            &[
                "/empty",
                "/null",
                "/audience",
                "/any",
                "/all",
                "/missing",
                "/failed",
                "/named",
                "/",
                "/missing/../x",
            ],
        ),
        kind("a shared secret", judged(secret, all.clone()), &["/"]),
        kind(
            "keys in a file",
            judged(
                with(local(), &json!({"local_jwks": {"filename": file}})),
                all.clone(),
            ),
            &["/"],
        ),
        kind(
            "claims and payload",
            judged(
                with(
                    local(),
                    &json!({
                        "forward": true,
                        "forward_payload_header": "x-payload",
                        "pad_forward_payload_header": true,
                        "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
                        "clock_skew_seconds": 0,
                        "require_expiration": true,
                        "subjects": {"prefix": "some"},
                    }),
                ),
                all.clone(),
            ),
            &["/"],
        ),
        Kind {
            place: |request, token| request.header("x-token", format!("JWT {token}")),
            ..kind(
                "a header of its own",
                judged(
                    with(
                        local(),
                        &json!({"from_headers": [{"name": "x-token", "value_prefix": "JWT "}]}),
                    ),
                    all.clone(),
                ),
                &["/"],
            )
        },
        Kind {
            place: |request, token| request.header("cookie", format!("a=b; session={token}")),
            ..kind(
                "a cookie",
                judged(
                    with(
                        local(),
                        &json!({"from_cookies": ["session"], "forward": true}),
                    ),
                    all.clone(),
                ),
                &["/"],
            )
        },
        Kind {
            routes: choices.clone(),
            ..kind(
                "choices of routes",
                by_routes,
                &[
                    "/private",
                    "/optional",
                    "/disabled",
                    "/",
                    "/disabled/../private",
                ],
            )
        },
        Kind {
            routes: by_hosts,
            ..kind(
                "choices of virtual hosts",
                native(&json!({
                    "providers": {"p": local()},
                    "requirement_map": {"private": p, "optional": {"requires_any": {"requirements": [p, {"allow_missing": {}}]}}},
                    "rules": all,
                })),
                &["/disabled", "/"],
            )
        },
        Kind {
            routes: choices,
            ..kind(
                "off unless a route chooses",
                off,
                &["/private", "/optional", "/disabled", "/"],
            )
        },
        Kind {
            filters: vec![
                native(
                    &json!({"providers": {"p": with(local(), &json!({"forward": true}))}, "rules": all}),
                ),
                named(
                    "second",
                    &json!({
                        "providers": {"p": with(local(), &json!({"forward_payload_header": "x-second"}))},
                        "rules": [{"match": {"prefix": "/twice"}, "requires": p}],
                    }),
                ),
            ],
            ..kind("two filters", Value::Null, &["/", "/twice"])
        },
        kind("a typed struct", typed_struct, &["/"]),
        metadata(),
    ]
}

/// A payload in dynamic metadata, which RBAC reads.
fn metadata() -> Kind {
    let provider = with(
        local(),
        &json!({
            "payload_in_metadata": "payload",
            "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
        }),
    );
    let subject = json!({"metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "payload"}, {"key": "sub"}],
        "value": {"string_match": {"exact": "somebody"}},
    }});
    let rbac = json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"policies": {"somebody": {"permissions": [{"any": true}], "principals": [subject]}}},
        },
    });
    let p = json!({"provider_name": "p"});
    let either = json!({"requires_any": {"requirements": [p, {"allow_missing": {}}]}});
    let rules = json!([{"match": {"prefix": "/"}, "requires": either}]);
    Kind {
        name: "a payload in metadata",
        filters: vec![
            native(&json!({"providers": {"p": provider}, "rules": rules})),
            rbac,
        ],
        routes: Value::Null,
        paths: vec!["/"],
        place: bearer,
    }
}

//! What `bearer-gate-check convert` makes of a `jwt_authn` configuration answers the same requests in the same way,
//! except where it says REVIEW.

use std::fs;
use std::path::PathBuf;

use gate_check::{Console, Status, run};
use serde_json::{Value, json};

use crate::support::{Envoy, Issuer, Request, Response, Server, Setup, Token, get, keys, root};

/// Differences that are allowed: the answers of `jwt_authn` and of the gate, and what REVIEW then says.
const REVIEWED: [(u16, u16, &str); 5] = [
    (403, 401, "gets 401 `invalid_token`, not 403"),
    (
        200,
        401,
        "never matches what lets requests pass without a token",
    ),
    (401, 400, "is answered with 400, not 401"),
    (
        200,
        400,
        "A request with a client's copy of a header that the gate sets is refused with 400",
    ),
    (401, 503, "503 with Retry-After, not 401"),
];

const TYPE: &str = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3";

/// A kind of configuration.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    filters: Vec<Value>,
    /// The route configuration; `null` for one route to the upstream.
    routes: Value,
    paths: Vec<&'static str>,
    /// How a token is put into a request.
    place: fn(Request, &str) -> Request,
}

fn native(config: &Value) -> Value {
    named("envoy.filters.http.jwt_authn", config)
}

fn named(name: &str, config: &Value) -> Value {
    let mut typed = config.clone();
    typed["@type"] = format!("{TYPE}.JwtAuthentication").into();
    json!({"name": name, "typed_config": typed})
}

fn local() -> Value {
    Issuer::local_provider(&[&keys::RSA, &keys::EC])
}

fn with(mut provider: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        provider[name] = value.clone();
    }
    provider
}

fn bearer(request: Request, token: &str) -> Request {
    request.bearer(token)
}

fn per_route(choice: &Value) -> Value {
    let mut choice = choice.clone();
    choice["@type"] = format!("{TYPE}.PerRouteConfig").into();
    json!({"envoy.filters.http.jwt_authn": choice})
}

fn route(prefix: &str, choice: &Value) -> Value {
    let mut route = json!({"match": {"prefix": prefix}, "route": {"cluster": "upstream"}});
    if !choice.is_null() {
        route["typed_per_filter_config"] = per_route(choice);
    }
    route
}

impl Kind {
    /// The bootstrap of an Envoy with `jwt_authn`, and an upstream at this port.
    pub(crate) fn bootstrap(&self, upstream: u16) -> String {
        let mut setup = Setup::new(Value::Null);
        setup.instead = Some(self.filters.clone());
        if !self.routes.is_null() {
            setup.connection_manager = json!({"route_config": self.routes});
        }
        setup.bootstrap(upstream)
    }
}

pub(crate) fn kinds() -> Vec<Kind> {
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

/// Writes a file for this process.
pub(crate) fn file(name: &str, content: &str) -> PathBuf {
    let directory = root()
        .join("target/tmp")
        .join(format!("conversion-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    path
}

/// Runs `convert`. Returns the converted file, and everything that it reports.
fn convert(name: &str, bootstrap: &str) -> (String, String) {
    let path = file(&format!("{}.json", name.replace(' ', "-")), bootstrap);
    let module = root().join("target/wasm32-wasip1/release/bearer_gate.wasm");
    let arguments = [
        "convert".into(),
        "--module".into(),
        module.into_os_string(),
        path.into_os_string(),
    ];
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut console = Console {
        environment: &|_| None,
        input: &mut std::io::empty(),
        output: &mut output,
        errors: &mut errors,
    };
    let now = gate::time::Timestamp::from_unix_secs(0);
    let status = run(arguments, &mut console, now).unwrap();
    let errors = String::from_utf8(errors).unwrap();
    assert_eq!(status, Status::Good, "{name}: {errors}");
    (String::from_utf8(output).unwrap(), errors)
}

/// The credentials that are tried.
fn credentials(kind: &Kind) -> Vec<(&'static str, Option<String>)> {
    let key = if kind.name == "a shared secret" {
        &*keys::SECRET
    } else {
        &*keys::RSA
    };
    let signed = |token: Token| Some(token.signed_with(key));
    vec![
        ("no token", None),
        ("a good token", signed(Token::good())),
        ("an expired token", signed(Token::good().claim("exp", 1))),
        (
            "a token that never expires",
            signed(Token::good().claim("exp", Value::Null)),
        ),
        (
            "a token for somebody else",
            signed(Token::good().claim("aud", "https://other.example")),
        ),
        (
            "a token of another issuer",
            signed(Token::good().claim("iss", "https://other.example")),
        ),
        (
            "a token of another subject",
            signed(Token::good().claim("sub", "nobody")),
        ),
        (
            "a token with a wrong signature",
            Some(Token::good().signed_with(&keys::RSA_2)),
        ),
    ]
}

/// What the upstream got, without what differs with every request.
fn received(answer: &Response) -> Value {
    let mut echo = answer.json();
    if let Some(headers) = echo["headers"].as_object_mut() {
        headers.remove("x-request-id");
    }
    echo
}

#[test]
fn a_converted_configuration_differs_only_where_it_says_review() {
    let upstream = Server::echo();
    for kind in kinds() {
        let bootstrap = kind.bootstrap(upstream.port);
        let (converted, reviews) = convert(kind.name, &bootstrap);
        assert!(
            !converted.contains("jwt_authn.v3"),
            "{}: {converted}",
            kind.name
        );
        let native = Envoy::start(&bootstrap, 1);
        let here = Envoy::start(&converted, 1);
        let (mut passed, mut refused) = (0, 0);
        for path in &kind.paths {
            for (what, token) in credentials(&kind) {
                let request = match &token {
                    Some(token) => (kind.place)(get(*path), token),
                    None => get(*path),
                };
                let answers = [&native, &here].map(|envoy| envoy.send(&request));
                let [before, after] = answers.each_ref().map(|answer| answer.status);
                if before == 200 {
                    passed += 1;
                } else {
                    refused += 1;
                }
                let place = format!("{}: {path} with {what}: {before} / {after}", kind.name);
                if before == after {
                    if before == 200 {
                        let [before, after] = answers.each_ref().map(received);
                        assert_eq!(before, after, "{place}");
                    }
                } else {
                    let mut known = REVIEWED.iter();
                    let is_reviewed = known.any(|(one, other, text)| {
                        (*one, *other) == (before, after) && reviews.contains(text)
                    });
                    assert!(is_reviewed, "{place}\n{reviews}\n{converted}");
                }
            }
        }
        assert!(passed > 0, "{}: nothing passes", kind.name);
        assert!(
            refused > 0 || kind.name == "no rules",
            "{}: nothing is refused",
            kind.name
        );
    }
}

//! `payload_in_metadata`: what filters behind the gate, and the access log, see of a token, as with `jwt_authn`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Gate, Issuer, Request, Setup, Token, envoy_has, eventually, get, keys};

/// What the provider needs for metadata, besides what native has.
const PAIR: (&str, &str) = ("payload_metadata_header", "x-jwt-metadata");

/// A provider of native with its payload in metadata, and these fields.
fn provider(fields: &Value) -> Value {
    let mut provider = Issuer::local_provider(&[&keys::RSA, &keys::EC]);
    provider["payload_in_metadata"] = "token".into();
    for (name, value) in fields.as_object().unwrap() {
        provider[name] = value.clone();
    }
    provider
}

/// A configuration of native. One of its rules may extract claims without checking the token.
fn config(fields: &Value, extracts: bool) -> Value {
    let rule =
        |path: &str, requires: Value| json!({"match": {"prefix": path}, "requires": requires});
    let p = json!({"provider_name": "p"});
    let any = json!({"requires_any": {"requirements": [p, {"allow_missing_or_failed": {}}]}});
    let mut rules = vec![json!({"match": {"prefix": "/open"}}), rule("/lenient", any)];
    if extracts {
        rules.push(rule(
            "/extract",
            json!({"extract_only_without_validation": {}}),
        ));
    }
    rules.push(rule("/", p));
    json!({
        "providers": {"p": provider(fields)},
        "rules": rules,
    })
}

/// Envoy's filter that makes metadata of a header.
fn header_to_metadata() -> Value {
    json!({
        "name": "envoy.filters.http.header_to_metadata",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
            "request_rules": [{
                "header": PAIR.1,
                "on_header_present": {
                    "metadata_namespace": "envoy.filters.http.jwt_authn",
                    "key": "token",
                    "type": "PROTOBUF_VALUE",
                    "encode": "BASE64",
                },
                "remove": true,
            }],
        },
    })
}

/// A filter that admits requests for `/admin` only with the role `admin`.
fn rbac() -> Value {
    let role = json!({
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "token"}, {"key": "access"}, {"key": "role"}],
        "value": {"string_match": {"exact": "admin"}},
    });
    let path = json!({"url_path": {"path": {"prefix": "/admin"}}});
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"policies": {
                "admin": {
                    "permissions": [path],
                    "principals": [{"sourced_metadata": {"metadata_matcher": role}}],
                },
                "others": {
                    "permissions": [{"not_rule": path}],
                    "principals": [{"any": true}],
                },
            }},
        },
    })
}

/// A filter that admits one request of the tenant `small`.
fn rate_limit() -> Value {
    let bucket = |tokens: u32| json!({"max_tokens": tokens, "tokens_per_fill": tokens, "fill_interval": "3600s"});
    let always = json!({"default_value": {"numerator": 100}});
    json!({
        "name": "envoy.filters.http.local_ratelimit",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": "limit",
            "token_bucket": bucket(100_000),
            "filter_enabled": always,
            "filter_enforced": always,
            "descriptors": [{
                "entries": [{"key": "tenant", "value": "small"}],
                "token_bucket": bucket(1),
            }],
        },
    })
}

/// Envoy with these filters, then those that read metadata.
fn start(mut filters: Vec<Value>) -> Gate {
    filters.extend([rbac(), rate_limit()]);
    let mut setup = Setup::new(json!({}));
    setup.instead = Some(filters);
    // What the access log has, the upstream gets, too.
    let metadata = "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn)%";
    setup.route = json!({
        "request_headers_to_add": [{"header": {"key": "x-seen", "value": metadata}}],
        "route": {"cluster": "upstream", "timeout": "0s", "rate_limits": [{"actions": [{"metadata": {
            "descriptor_key": "tenant",
            "metadata_key": {
                "key": "envoy.filters.http.jwt_authn",
                "path": [{"key": "token"}, {"key": "tenant"}],
            },
        }}]}]},
    });
    setup.connection_manager = json!({"access_log": [{
        "name": "envoy.access_loggers.stderr",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
            "log_format": {"text_format_source": {
                "inline_string": "role=%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:token:access:role)% %REQ(:PATH)%\n",
            }},
        },
    }]});
    setup.start()
}

/// Native with this configuration.
fn native(fields: &Value, extracts: bool) -> Gate {
    let mut config = config(fields, extracts);
    config["@type"] =
        "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication".into();
    start(vec![
        json!({"name": "envoy.filters.http.jwt_authn", "typed_config": config}),
    ])
}

/// The gate with the same configuration and the header.
fn gate(fields: &Value, extracts: bool) -> Gate {
    let mut config = config(fields, extracts);
    config["providers"]["p"][PAIR.0] = PAIR.1.into();
    start(vec![Setup::new(config).filter(), header_to_metadata()])
}

/// The status, the metadata that the upstream was told of, and whether it got the header of the gate.
fn seen(gate: &Gate, request: &Request) -> (u16, Value, bool) {
    let answer = gate.send(request);
    if answer.status != 200 {
        return (answer.status, Value::Null, false);
    }
    let headers = answer.json()["headers"].take();
    let metadata = headers["x-seen"].as_str().unwrap_or("-");
    let metadata = serde_json::from_str(metadata).unwrap_or_default();
    (200, metadata, headers.get(PAIR.1).is_some())
}

fn token(role: &str) -> Token {
    Token::good().claim("access", json!({"role": role}))
}

#[test]
fn metadata_are_those_of_native() {
    let extracts = envoy_has("1.37.0", "`extract_only_without_validation`");
    for fields in [
        json!({}),
        json!({"normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "text", "none"]}}),
    ] {
        let (native, here) = (native(&fields, extracts), gate(&fields, extracts));
        let rich = token("admin")
            .claim("text", "some text, \"quoted\" and \\")
            .claim("unicode", "Zoë \u{1f511} \u{7}")
            .claim("empty", "")
            .claim("scope", " read  write ")
            .claim("no", false)
            .claim("count", 42)
            .claim("negative", -5)
            .claim("fraction", 0.1)
            .claim("tiny", 5e-324)
            .claim("huge", 1.5e300)
            .claim("large", u64::MAX)
            .claim("list", json!(["a", 1, true, null, [], {"b": "c"}]))
            .claim("object", json!({"": {"d": [1, 2], "ë": null}}))
            .claim("dotted.name", "dots");
        let forged = |request: Request| request.header(PAIR.1, "KhAKDgoBYRIJEQAAAAAAAPA/");
        let bad = token("admin").claim("exp", 1).signed();
        let mut rows = vec![
            ("every type", get("/a").bearer(rich.signed()), 200),
            (
                "every type, ES256",
                get("/a").bearer(rich.signed_with(&keys::EC)),
                200,
            ),
            ("admin", get("/admin").bearer(token("admin").signed()), 200),
            (
                "no admin",
                get("/admin").bearer(token("user").signed()),
                403,
            ),
            ("no role", get("/admin").bearer(Token::good().signed()), 403),
            ("open", get("/open"), 200),
            (
                "lenient, good",
                get("/lenient").bearer(token("a").signed()),
                200,
            ),
            ("lenient, bad", get("/lenient").bearer(&bad), 200),
            ("lenient, none", get("/lenient"), 200),
            ("expired", get("/admin").bearer(&bad), 401),
        ];
        if extracts {
            rows.push((
                "extract, good",
                get("/extract").bearer(token("a").signed()),
                200,
            ));
        }
        for (what, request, status) in rows {
            let expected = seen(&native, &request);
            assert_eq!(expected.0, status, "{what}");
            // Twice: the second time the gate knows the token. And a client may not write metadata.
            for request in [request.clone(), request.clone(), forged(request)] {
                assert_eq!(seen(&here, &request), expected, "{what}");
            }
        }
        let (_, metadata, _) = seen(&here, &get("/a").bearer(rich.signed()));
        assert_eq!(metadata["token"]["unicode"], "Zoë \u{1f511} \u{7}");
        for gate in [&native, &here] {
            eventually("the access log has the role", || {
                gate.log().contains("role=admin /admin")
            });
        }
    }
}

#[test]
fn rate_limits_see_the_metadata() {
    for gate in [native(&json!({}), false), gate(&json!({}), false)] {
        let status = |tenant: &str| {
            let token = Token::good().claim("tenant", tenant).signed();
            gate.send(&get("/").bearer(token)).status
        };
        assert_eq!(
            ["small", "large", "small", "large"].map(status),
            [200, 200, 429, 200]
        );
    }
}

#[test]
fn a_payload_that_envoy_would_not_read_is_refused() {
    let gate = gate(&json!({}), false);
    let send = |length: usize| {
        let token = token("admin").claim("fill", "x".repeat(length)).signed();
        seen(&gate, &get("/admin").bearer(token))
    };
    // The header has at most 8188 bytes: 6141 before Base64.
    let mut length = 5800;
    while send(length).0 == 200 {
        length += 1;
        assert!(length < 6141);
    }
    let (status, metadata, _) = send(length - 1);
    assert_eq!(status, 200);
    assert_eq!(
        metadata["token"]["fill"].as_str().unwrap().len(),
        length - 1
    );
    assert_eq!(send(length).0, 401);
    gate.counts("denied.too_large", 2);
}

#[test]
fn envoy_reads_headers_of_less_than_8_kib() {
    let gate = start(vec![header_to_metadata()]);
    // `string_value` with a length of two bytes.
    let encoded = |length: usize| {
        let size = [length & 0x7f | 0x80, length >> 7].map(|byte| u8::try_from(byte).unwrap());
        STANDARD.encode([&[0x1a][..], &size, "x".repeat(length).as_bytes()].concat())
    };
    for (length, expected) in [(6138, true), (6141, false)] {
        let value = encoded(length);
        assert_eq!(value.len() < 8192, expected);
        let (_, metadata, is_left) = seen(&gate, &get("/").header(PAIR.1, value));
        assert_eq!(metadata["token"].is_string(), expected, "{length}");
        assert!(!is_left);
    }
}

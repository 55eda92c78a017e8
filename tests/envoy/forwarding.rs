//! What the upstream and the access log get from a token, and what they do not get.

use serde_json::{Value, json};

use crate::support::{
    Envoy, Issuer, Request, Response, Setup, Token, bootstrap_of, eventually, get, keys,
};

/// A provider with the key of the issuer and these fields.
fn provider(fields: &Value) -> Value {
    let mut provider = Issuer::local_provider(&[&keys::RSA]);
    for (name, value) in fields.as_object().into_iter().flatten() {
        provider[name] = value.clone();
    }
    provider
}

/// A header that the upstream got.
fn header(answer: &Response, name: &str) -> Option<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["headers"][name].as_str().map(str::to_owned)
}

#[test]
fn headers_for_claims_come_from_tokens_and_never_from_clients() {
    let cloud = provider(&json!({
        "forward_payload_header": "X-Payload",
        "claim_to_headers": [
            {"header_name": "X-Subject", "claim_name": "sub"},
            {"header_name": "X-Tenant", "claim_path": ["https://tenant.example/id"]},
        ],
    }));
    let gate = Setup::new(json!({
        "providers": {"cloud": cloud},
        "rules": [
            {"match": {"prefix": "/open"}},
            {"match": {"prefix": "/lenient"}, "requires": {"allow_missing_or_failed": {}}},
            {"match": {"prefix": "/extract"}, "requires": {"extract_only_without_validation": {}}},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "cloud"}},
        ],
        "bypass_cors_preflight": true,
    }))
    .start();
    let ours = [
        "x-payload",
        "x-subject",
        "x-tenant",
        "x-jwt-signature-verified",
    ];
    let forged = |path: &str| {
        ours.iter().fold(get(path), |request, name| {
            request
                .header(name, "forged")
                .header(&name.to_uppercase(), "forged")
        })
    };
    let seen = |request: &Request| {
        let answer = gate.send(request);
        ours.map(|name| header(&answer, name))
    };
    let preflight = forged("/")
        .method("OPTIONS")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET");
    let bad = Token::good().claim("exp", 1).signed();
    for request in [
        forged("/open"),
        forged("/lenient"),
        forged("/lenient").bearer(bad),
        forged("/extract"),
        preflight,
    ] {
        assert_eq!(seen(&request), [None, None, None, None]);
    }
    let token = Token::good().claim("https://tenant.example/id", 7).signed();
    let payload = token.split('.').nth(1).unwrap().to_owned();
    let subject = Some("somebody".to_owned());
    assert_eq!(
        seen(&forged("/").bearer(&token)),
        [Some(payload), subject, Some("7".to_owned()), None]
    );
}

#[test]
fn a_token_is_not_forwarded_unless_the_operator_says_so() {
    let cloud = |issuer: &str, forward: bool| {
        provider(&json!({
            "issuer": issuer,
            "forward": forward,
            "from_headers": [
                {"name": "authorization", "value_prefix": "Bearer"},
                {"name": "x-token"},
            ],
            "from_params": ["jwt"],
            "from_cookies": ["session"],
        }))
    };
    let gate = Setup::new(json!({
        "providers": {
            "taken": cloud("https://taken.example", false),
            "kept": cloud("https://kept.example", true),
        },
        "rules": [
            {"match": {"prefix": "/taken"}, "requires": {"provider_name": "taken"}},
            {"match": {"prefix": "/kept"}, "requires": {"provider_name": "kept"}},
        ],
    }))
    .start();
    for (path, issuer, kept) in [
        ("/taken", "https://taken.example", false),
        ("/kept", "https://kept.example", true),
    ] {
        let token = Token::good().claim("iss", issuer).signed();
        for request in [
            get(path).bearer(&token),
            get(path).header("x-token", &token),
            get(format!("{path}?a=1&jwt={token}&b=%20")),
            get(path).header("cookie", format!("a=1; session={token}; b=2")),
        ] {
            let answer = gate.send(&request);
            assert_eq!(answer.status, 200, "{answer:?}");
            let seen = String::from_utf8_lossy(&answer.body).contains(&token);
            assert_eq!(seen, kept, "{answer:?}");
        }
        let others = gate.send(&get(format!("{path}?a=1&jwt={token}&b=%20")));
        if !kept {
            assert_eq!(others.json()["target"], "/taken?a=1&b=%20");
        }
    }
}

#[test]
fn the_access_log_can_have_the_subject_of_the_token() {
    let cloud = provider(&json!({
        "claims_to_filter_state": [
            {"claim_name": "sub", "key": "subject"},
            {"claim_name": "realm_access", "key": "access"},
        ],
    }));
    let mut setup = Setup::new(json!({"providers": {"cloud": cloud}}));
    setup.connection_manager = json!({"access_log": [{
        "name": "stderr",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
            "log_format": {"text_format_source": {"inline_string":
                "seen %FILTER_STATE(wasm.subject:PLAIN)% %FILTER_STATE(wasm.access:PLAIN)%\n"
            }},
        },
    }]});
    let gate = setup.start();
    let token = Token::good().claim("realm_access", json!({"roles": ["a>b"]}));
    assert_eq!(gate.send(&get("/").bearer(token.signed())).status, 200);
    eventually("the access log has the claims", || {
        gate.log().contains(r#"seen somebody {"roles":["a>b"]}"#)
    });
    // A refused token has no subject.
    let bad = Token::good().claim("sub", "mallory").claim("exp", 1);
    assert_eq!(gate.send(&get("/").bearer(bad.signed())).status, 401);
    eventually("the access log has the refusal", || {
        gate.log().contains("seen - -")
    });
    assert!(!gate.log().contains("mallory"));
}

/// A listener whose routes are chosen by what the filter sets, and answer with their names.
fn routed(fields: &Value) -> Value {
    let answering = |matcher: Value, body: &str| {
        json!({
            "match": matcher,
            "direct_response": {"status": 200, "body": {"inline_string": body}},
        })
    };
    let header = json!({"name": "x-tier", "string_match": {"exact": "gold"}});
    let state = json!({"key": "wasm.tier", "string_match": {"exact": "gold"}});
    let mut setup = Setup::new(json!({"providers": {"cloud": provider(fields)}}));
    setup.connection_manager = json!({"route_config": {"virtual_hosts": [{
        "name": "all",
        "domains": ["*"],
        "routes": [
            answering(json!({"prefix": "/", "headers": [header]}), "by header"),
            answering(json!({"prefix": "/", "filter_state": [state]}), "by state"),
            answering(json!({"prefix": "/"}), "as before"),
        ],
    }]}});
    setup.filter_chain()
}

#[test]
fn the_route_is_chosen_again_if_headers_change_or_the_operator_says_so() {
    let headers = json!([{"header_name": "x-tier", "claim_name": "tier"}]);
    let state = json!([{"key": "tier", "claim_name": "tier"}]);
    let cases = [
        // Envoy itself chooses again when a wasm filter changes a header, even if it only removes the
        // token.
        (
            "headers",
            json!({"claim_to_headers": headers, "forward": true}),
            "by header",
        ),
        (
            "token",
            json!({"claims_to_filter_state": state}),
            "by state",
        ),
        // If no header changes, Envoy chooses again only if it is told to.
        (
            "state",
            json!({"claims_to_filter_state": state, "forward": true}),
            "as before",
        ),
        (
            "cleared",
            json!({
                "claims_to_filter_state": state,
                "forward": true,
                "clear_route_cache": true,
            }),
            "by state",
        ),
    ];
    let listeners: Vec<(&str, Value)> = cases
        .iter()
        .map(|(name, fields, _)| (*name, routed(fields)))
        .collect();
    let envoy = Envoy::start(&bootstrap_of(&listeners, &[]), 1);
    let token = Token::good().claim("tier", "gold").signed();
    for (name, _, route) in cases {
        let answer = envoy.send_to(name, &get("/").bearer(&token));
        assert_eq!(String::from_utf8_lossy(&answer.body), route, "{name}");
    }
}

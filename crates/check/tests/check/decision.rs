//! The decision about a request, and the reasons for it.

use serde_json::{Value, json};

use crate::support::{GOOD_UNTIL, TOKEN, config, decide, file, run};

#[test]
fn the_decision_is_explained() {
    let late = (GOOD_UNTIL + 60).to_string();
    let rules = json!({"rules": [
        {"match": {"path": "/health"}},
        {"match": {"prefix": "/admin"}, "requires": {"provider_name": "joe", "scopes": ["admin"]}},
        {"match": {"prefix": "/root"}, "requires": {"provider_name": "joe", "claims": [
            {"claim_path": ["http://example.com/is_root"], "exact": true},
            {"claim_name": "role", "any_of": ["a", "b"]},
        ]}},
        {"match": {"prefix": "/open"}, "requires": {"allow_missing": {}}},
    ]});
    let other = json!({"providers": {"jane": {
        "issuer": "jane",
        "audiences": ["api"],
        "remote_jwks": {"http_uri": {"uri": "https://jane.example", "cluster": "jane"}},
    }}});
    let tenants = json!({"providers": {"jane": {
        "issuers": ["jane", "https://login.example/{tid}/{exp}"],
        "remote_jwks": other["providers"]["jane"]["remote_jwks"],
    }}});
    let none = json!({});
    for (change, more, status, says) in [
        (
            &none,
            vec![],
            0,
            "decision: admitted, counted as bearer_gate.allowed",
        ),
        (&none, vec![], 0, "removes the header authorization"),
        (
            &none,
            vec!["--now", &late],
            1,
            "exp: 2011-03-22T18:43:00Z; now: 2011-03-22T18:44:00Z; accepted clock skew: 1m",
        ),
        (
            &none,
            vec!["--now", &late],
            1,
            "decision: 401, counted as bearer_gate.denied.expired",
        ),
        (
            &none,
            vec!["--now", "2011-03-22T18:44:00Z"],
            1,
            "error=\"invalid_token\", error_description=\"The access token expired\"",
        ),
        (
            &none,
            vec!["--now", &late],
            1,
            "remedy: Request a new token; if it is new, compare the clocks",
        ),
        (
            &json!({"stat_prefix": "edge"}),
            vec!["--now", &late],
            1,
            "counted as bearer_gate.edge.denied.expired",
        ),
        (&other, vec![], 1, "iss: \"joe\", expected \"jane\""),
        (
            &tenants,
            vec![],
            1,
            "iss: \"joe\", expected \"jane\" or \"https://login.example/{tid}/{exp}\" with tid missing and \
             exp 1300819380 (no single segment of a path)",
        ),
        (
            &tenants,
            vec![],
            1,
            "warning: providers: accepts tokens of \"jane\" with any tid: list the accepted ones",
        ),
        (
            &none,
            vec!["--header", "Authorization: Basic eA=="],
            1,
            "token: The request carries more than one credential",
        ),
        (
            &none,
            vec!["--path", "/a?access_token=x"],
            1,
            "counted as bearer_gate.denied.several_tokens",
        ),
        (
            &rules,
            vec!["--path", "/admin"],
            1,
            "rules[0]: does not match the request",
        ),
        (
            &rules,
            vec!["--path", "/admin"],
            1,
            "rules[1]: needs a token of joe with the scopes admin: refused: scope",
        ),
        (&rules, vec!["--path", "/admin"], 1, "decision: 403"),
        (
            &rules,
            vec!["--path", "/root"],
            1,
            "role: missing, must be one of \"a\", \"b\"",
        ),
        (
            &rules,
            vec!["--path", "/health"],
            0,
            "passes without a valid token",
        ),
        (&rules, vec!["--path", "/open//x"], 0, "decision: admitted"),
        (&rules, vec!["--path", "/x"], 1, "rules: no rule applies"),
        (
            &json!({"bypass_cors_preflight": true}),
            vec![
                "--method",
                "OPTIONS",
                "--header",
                "Origin: https://a",
                "--header",
                "Access-Control-Request-Method: GET",
            ],
            0,
            "CORS preflight: passes",
        ),
        (
            &json!({"strip_failure_response": true}),
            vec!["--now", &late],
            1,
            "cache-control: no-store\n",
        ),
    ] {
        let (found, printed) = decide(&config(change), &more);
        assert_eq!(found, status, "{change} {more:?}: {printed}");
        assert!(
            printed.contains(says),
            "{printed} does not contain {says:?}"
        );
    }
}

#[test]
fn without_keys_there_is_no_decision() {
    let config = file("c.json", config(&json!({})).to_string());
    let now = GOOD_UNTIL.to_string();
    let arguments = ["--token", TOKEN, "--now", &now, config.to_str().unwrap()];
    let (status, printed) = run(&arguments);
    assert_eq!(status, 2, "{printed}");
    assert!(printed.contains("not given: --jwks joe=FILE"), "{printed}");
    for (jwks, status, says) in [
        ("joe=/nowhere", 2, "/nowhere: "),
        ("jane=/dev/null", 2, "--jwks: there is no provider \"jane\""),
        (
            "joe=/dev/null",
            1,
            "keys: none: the key set is not a JSON object (/dev/null)",
        ),
    ] {
        let (found, printed) = run(&[&arguments[..], &["--jwks", jwks]].concat());
        assert_eq!(found, status, "{printed}");
        assert!(printed.contains(says), "{printed}");
    }
}

/// The configuration with this field of the provider.
fn with(name: &str, value: &Value) -> Value {
    let mut config = config(&json!({}));
    config["providers"]["joe"][name] = value.clone();
    config
}

#[test]
fn an_unknown_key_is_explained_with_the_keys_that_exist() {
    let other = json!({"keys": [{
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": "other",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }]});
    let jwks = file("jwks", other.to_string());
    let (status, printed) = decide(&config(&json!({})), &["--jwks", jwks.to_str().unwrap()]);
    assert_eq!(status, 1, "{printed}");
    let text = "no key for alg \"ES256\"; keys for ES256: none; others: \"other\"";
    assert!(
        printed.contains(text),
        "{printed} does not contain {text:?}"
    );
}

#[test]
fn a_revocation_list_is_read_from_a_file() {
    let http_uri = json!({"uri": "https://joe.example/revoked", "cluster": "joe"});
    let list = with("revocation", &json!({"http_uri": http_uri}));
    let lax = with(
        "revocation",
        &json!({"http_uri": http_uri, "on_unavailable": "allow"}),
    );
    let wso2 = with(
        "revocation",
        &json!({"http_uri": http_uri, "format": "wso2"}),
    );
    let signature = TOKEN.rsplit('.').next().unwrap();
    let others = json!({"tokens": ["other"], "clients": {"app": 2_000_000_000}});
    for (config, content, status, says) in [
        (
            &list,
            others.clone(),
            0,
            "revocation list: 2 entries, from /",
        ),
        (&list, others.clone(), 0, "decision: admitted"),
        (
            &list,
            json!({"tokens": [signature]}),
            1,
            "counted as bearer_gate.denied.revoked",
        ),
        (
            &list,
            json!({"tokens": [signature]}),
            1,
            "the revocation list contains the signature",
        ),
        (
            &list,
            json!({"tokens": 1}),
            1,
            "revocation list: none: it is not of the format list: line 1",
        ),
        (
            &list,
            json!({"tokens": 1}),
            1,
            "counted as bearer_gate.denied.revocation_unavailable",
        ),
        (&lax, json!({"tokens": 1}), 0, "decision: admitted"),
        (
            &wso2,
            json!([{"jwt_signature": signature, "expiry_time": 0}]),
            1,
            "counted as bearer_gate.denied.revoked",
        ),
        (&wso2, others, 1, "revocation_unavailable"),
    ] {
        let content = file("list", content.to_string());
        let (found, printed) = decide(config, &["--revocation", content.to_str().unwrap()]);
        assert_eq!(found, status, "{printed}");
        assert!(
            printed.contains(says),
            "{printed} does not contain {says:?}"
        );
    }
    let (status, printed) = decide(&list, &[]);
    assert_eq!(status, 2, "{printed}");
    for says in [
        "revocation list: not given: --revocation joe=FILE",
        "decision: none; the filter would wait for the revocation list of joe (--revocation joe=FILE)",
    ] {
        assert!(
            printed.contains(says),
            "{printed} does not contain {says:?}"
        );
    }
    let (status, printed) = decide(&config(&json!({})), &["--revocation", "joe=/dev/null"]);
    assert_eq!(status, 2, "{printed}");
    let says = "--revocation: no provider with `revocation` can use /dev/null";
    assert!(printed.contains(says), "{printed}");
}

#[test]
fn an_introspection_response_is_read_from_a_file() {
    let introspection = |tokens: &str| {
        json!({
            "http_uri": {"uri": "https://joe.example/introspect", "cluster": "joe"},
            "client_id": "gate",
            "client_secret_environment_variable": "GATE_SECRET",
            "for": tokens,
        })
    };
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "joe", "scopes": ["read"]}}]);
    let mut opaque = with("introspection", &introspection("opaque"));
    opaque["rules"] = rules;
    let opaque = file("opaque.json", opaque.to_string());
    let now = GOOD_UNTIL.to_string();
    let arguments = [
        "--token",
        "opaque-token",
        "--now",
        &now,
        opaque.to_str().unwrap(),
    ];
    for (content, status, says) in [
        (
            r#"{"active": true, "scope": "read"}"#,
            0,
            "decision: admitted",
        ),
        (
            r#"{"active": true, "scope": "read"}"#,
            0,
            "introspection: the token is active, from /",
        ),
        (
            r#"{"active": false}"#,
            1,
            "introspection: the token is not active",
        ),
        (
            r#"{"active": false}"#,
            1,
            "counted as bearer_gate.denied.inactive",
        ),
        (
            r#"{"active": "true"}"#,
            1,
            "introspection: none: `active` is not a boolean",
        ),
        (r#"{"active": "true"}"#, 1, "decision: 503"),
        (
            r#"{"active": true, "scope": "write"}"#,
            1,
            "refused: scope: scope: \"write\"; required: read",
        ),
        (
            r#"{"active": true, "iss": "jane"}"#,
            1,
            "iss: \"jane\", expected \"joe\"",
        ),
        (
            r#"{"active": true, "exp": 1}"#,
            1,
            "exp: 1970-01-01T00:00:01Z; now: 2011",
        ),
        (
            r#"{"active": true, "token_type": "refresh_token"}"#,
            1,
            "token_type: \"refresh_token\"; to the authorization server it is not an access token",
        ),
    ] {
        let content = file("answer", content);
        let given = format!("joe={}", content.display());
        let (found, printed) = run(&[&arguments[..], &["--introspection", &given]].concat());
        assert_eq!(found, status, "{printed}");
        assert!(
            printed.contains(says),
            "{printed} does not contain {says:?}"
        );
        assert!(!printed.contains("opaque-token"), "{printed}");
    }
    let (status, printed) = run(&arguments);
    assert_eq!(status, 2, "{printed}");
    let says = "introspection: not given: --introspection joe=FILE";
    assert!(printed.contains(says), "{printed}");

    // A JWT may be introspected as well.
    let all = with("introspection", &introspection("all"));
    for (content, status) in [(r#"{"active": true}"#, 0), (r#"{"active": false}"#, 1)] {
        let content = file("answer", content);
        let (found, printed) = decide(&all, &["--introspection", content.to_str().unwrap()]);
        assert_eq!(found, status, "{printed}");
    }
    assert_eq!(decide(&all, &[]).0, 2);
    assert_eq!(
        decide(&with("introspection", &introspection("opaque")), &[]).0,
        0
    );
}

//! What the filter would decide of a request, and why.

use serde_json::json;

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
            "exp: 2011-03-22T18:43:00Z; it is 2011-03-22T18:44:00Z, clocks may differ by 1m",
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
        (&other, vec![], 1, "iss: \"joe\", not \"jane\""),
        (
            &none,
            vec!["--header", "Authorization: Basic eA=="],
            1,
            "there are several",
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
            "rules[0]: is not for the request",
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
            "role: there is none, must be one of \"a\", \"b\"",
        ),
        (
            &rules,
            vec!["--path", "/health"],
            0,
            "passes without a good token",
        ),
        (&rules, vec!["--path", "/open//x"], 0, "decision: admitted"),
        (
            &rules,
            vec!["--path", "/x"],
            1,
            "rules: none is left for the request",
        ),
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
        assert!(printed.contains(says), "{printed} does not say {says:?}");
    }
}

#[test]
fn keys_that_are_not_given_leave_it_open() {
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

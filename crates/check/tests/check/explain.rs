//! Everything that `explain` says about a request: all that is wrong with its token, the rules, the keys, and what the filter
//! does next.

use serde_json::{Value, json};

use crate::support::{GOOD_UNTIL, TOKEN, file, key_set, run};

const NOW: u64 = 1_700_000_000;

/// A token that the key set of the fixtures verifies, with changes to a good payload.
fn token(header: &Value, change: &Value) -> String {
    let mut payload = json!({
        "iss": "joe", "aud": "api", "sub": "somebody", "iat": NOW - 60, "exp": NOW + 60, "scope": "read",
    });
    for (name, value) in change.as_object().unwrap() {
        payload[name] = value.clone();
        if value.is_null() {
            payload.as_object_mut().unwrap().remove(name);
        }
    }
    gate_fixtures::es256(header, &payload)
}

fn header() -> Value {
    json!({"alg": "ES256"})
}

/// A configuration whose provider has these members, and whose rule these requirements besides the provider.
fn config(provider: &Value, requirement: &Value) -> Value {
    let mut config = json!({
        "providers": {"joe": {
            "issuer": "joe",
            "audiences": ["api"],
            "remote_jwks": {"http_uri": {"uri": "https://joe.example/jwks", "cluster": "joe"}},
        }},
        "rules": [
            {"match": {"path": "/health"}},
            {"match": {"prefix": "/a", "headers": [
                {"name": "x-tenant", "string_match": {"exact": "blue"}},
                {"name": ":method", "string_match": {"safe_regex": {"regex": "PUT|POST"}}},
            ]}},
            {"match": {"path_separated_prefix": "/orders"}, "requires": {"provider_name": "joe"}},
        ],
    });
    for (name, value) in provider.as_object().unwrap() {
        config["providers"]["joe"][name] = value.clone();
    }
    for (name, value) in requirement.as_object().unwrap() {
        config["rules"][2]["requires"][name] = value.clone();
    }
    config
}

/// Explains a request for `/orders`. Returns the exit status, the text, and what the JSON says of the decision.
fn explain(config: &Value, token: &str, more: &[&str]) -> (i32, String, Value) {
    let config = file("c.json", config.to_string());
    let now = NOW.to_string();
    let mut arguments = vec!["explain", "--path", "/orders", "--now", &now];
    arguments.extend(["--token", token]);
    arguments.extend(more);
    arguments.push(config.to_str().unwrap());
    let (status, text) = run(&arguments);
    arguments.push("--json");
    let (_, json) = run(&arguments);
    for part in token.split('.') {
        assert!(!text.contains(part) && !json.contains(part), "{text}");
    }
    let mut report: Value = serde_json::from_str(&json).unwrap();
    (status, text, report["configurations"][0]["decision"].take())
}

/// The reasons of the mismatches.
fn reasons(decision: &Value) -> Vec<&str> {
    let mismatches = decision["mismatches"].as_array().unwrap().iter();
    mismatches
        .map(|one| one["reason"].as_str().unwrap())
        .collect()
}

fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{text} does not contain {part:?}");
    }
}

#[test]
fn all_that_is_wrong_with_a_token_is_listed() {
    let config = config(
        &json!({"subjects": {"exact": "me"}, "max_lifetime": "60s", "sender_constraint": "required"}),
        &json!({"scopes": ["write"], "claims": [
            {"claim_name": "role", "exact": "admin"},
            {"claim_name": "team", "exact": "red"},
        ]}),
    );
    let keys = file("keys", gate_fixtures::key_set());
    let keys = ["--jwks", keys.to_str().unwrap()];
    let header = json!({"alg": "ES256", "typ": "logout+jwt", "kid": "unknown-key"});
    let change = json!({
        "iss": "jane", "aud": "other", "nbf": NOW + 600, "exp": NOW - 600, "iat": NOW - 6000, "team": "blue",
    });
    let (status, text, decision) = explain(&config, &token(&header, &change), &keys);
    assert_eq!(status, 1, "{text}");
    assert_eq!(
        reasons(&decision),
        [
            "type",
            "issuer",
            "audience",
            "subject",
            "expired",
            "not_yet_valid",
            "lifetime",
            "unknown_key",
            "unbound",
            "scope",
            "claims",
            "claims",
        ]
    );
    assert_contains(
        &text,
        &[
            "- rules[2]: needs a token of joe with the scopes write with conditions on role, team: refused: type: \
             typ: \"logout+jwt\"\n",
            "-   also: issuer: iss: \"jane\", expected \"joe\"\n",
            "-   also: audience: aud: [\"other\"], expected one of api\n",
            "-   also: expired: exp: 2023-11-14T22:03:20Z; now: 2023-11-14T22:13:20Z",
            "-   also: unknown_key: no key for alg \"ES256\" and kid \"unknown-key\"; keys for ES256: ",
            "-   also: scope: scope: \"read\"; required: write\n",
            "-   also: claims: role: missing, must be \"admin\"\n",
            "-   also: claims: team: \"blue\", must be \"red\"\n",
        ],
    );
    // The first one decides, and is not repeated.
    assert_eq!(decision["reason"], "type");
    assert!(!text.contains("also: type"), "{text}");
}

#[test]
fn the_reason_of_the_decision_is_always_the_first_mismatch() {
    let keys = file("keys", gate_fixtures::key_set());
    let keys = ["--jwks", keys.to_str().unwrap()];
    let none = json!({});
    for (provider, requirement, header, change, expected) in [
        (&none, &none, header(), json!({}), &[][..]),
        (
            &none,
            &none,
            json!({"alg": "HS256"}),
            json!({}),
            &["algorithm", "unknown_key"],
        ),
        (
            &json!({"require_expiration": true}),
            &none,
            header(),
            json!({"exp": null}),
            &["no_expiration"],
        ),
        (
            &none,
            &none,
            header(),
            json!({"iat": NOW + 600}),
            &["issued_in_future"],
        ),
        (
            &none,
            &none,
            header(),
            json!({"nbf": "soon"}),
            &["claim_type"],
        ),
        (
            &json!({"profile": "rfc9068"}),
            &none,
            header(),
            json!({"sub": null, "amr": 1}),
            &[
                "type",
                "claim_missing",
                "claim_missing",
                "claim_missing",
                "claim_type",
            ],
        ),
        (
            &none,
            &json!({"acr_values": ["gold"], "any_scope": ["a", "b"]}),
            header(),
            json!({"acr": "silver"}),
            &["user_authentication", "scope"],
        ),
        (
            &none,
            &none,
            header(),
            json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}),
            &["sender_constraint"],
        ),
    ] {
        let config = config(provider, requirement);
        let (status, text, decision) = explain(&config, &token(&header, &change), &keys);
        assert_eq!(reasons(&decision), expected, "{change}: {text}");
        assert_eq!(status, i32::from(!expected.is_empty()), "{text}");
        let first = expected.first().copied();
        assert_eq!(decision["reason"].as_str(), first, "{change}: {text}");
    }
}

#[test]
fn a_bad_signature_and_what_else_is_wrong_are_both_listed() {
    // The key set has the key of another issuer.
    let other = file("keys", key_set());
    let list = file("list", json!({"subjects": {"somebody": NOW}}).to_string());
    let files = [
        "--jwks",
        other.to_str().unwrap(),
        "--revocation",
        list.to_str().unwrap(),
    ];
    let revocation = json!({"http_uri": {"uri": "https://joe.example/revoked", "cluster": "joe"}});
    let config = config(
        &json!({"revocation": revocation}),
        &json!({"scopes": ["write"]}),
    );
    let (_, text, decision) = explain(&config, &token(&header(), &json!({})), &files);
    assert_eq!(
        reasons(&decision),
        ["signature", "revoked", "scope"],
        "{text}"
    );
    // What the other requirements around it ask for is listed, too.
    let mut config = config;
    config["rules"][2]["requires"] = json!({
        "requires_all": {"requirements": [{"provider_name": "joe"}]},
        "scopes": ["write"],
    });
    let (_, text, decision) = explain(&config, &token(&header(), &json!({})), &files);
    assert_eq!(
        reasons(&decision),
        ["signature", "revoked", "scope"],
        "{text}"
    );
}

#[test]
fn an_introspection_response_is_checked_to_its_end() {
    let config = config(
        &json!({"introspection": {
            "http_uri": {"uri": "https://joe.example/introspect", "cluster": "joe"},
            "client_id": "gate",
            "client_secret_environment_variable": "GATE_SECRET",
        }}),
        &json!({"scopes": ["write"]}),
    );
    let response =
        json!({"active": true, "iss": "jane", "aud": "other", "exp": NOW - 600, "scope": "read"});
    let response = file("response", response.to_string());
    let given = ["--introspection", response.to_str().unwrap()];
    let (_, text, decision) = explain(&config, "opaque-token", &given);
    let expected = ["issuer", "audience", "expired", "scope"];
    assert_eq!(reasons(&decision), expected, "{text}");
    let (status, text, decision) = explain(&config, "opaque-token", &[]);
    assert_eq!((status, reasons(&decision)), (2, vec![]), "{text}");
    assert_contains(
        &text,
        &[
            "next: asks the introspection endpoint of joe about the token: joe.example/introspect, cluster joe\n",
            "; then it is refused with 503, reason introspection_unavailable\n",
        ],
    );
}

#[test]
fn the_rule_that_decides_and_those_before_it_are_explained() {
    let keys = file("keys", gate_fixtures::key_set());
    let keys = ["--jwks", keys.to_str().unwrap()];
    let config = config(&json!({}), &json!({}));
    let (_, text, decision) = explain(&config, &token(&header(), &json!({})), &keys);
    assert_contains(
        &text,
        &[
            "  rules[0]: does not match the request: it is for the path /health\n",
            "  rules[1]: does not match the request: it is for a path that begins with /a, header x-tenant = \
             \"blue\", header :method that matches \"PUT|POST\"\n",
            "  rules[2]: matches the request: it is for the path /orders or one below it\n",
        ],
    );
    assert_eq!(decision["rule"], "rules[2]");
    let last = json!({
        "path": "rules[2]", "matches": true, "conditions": ["the path /orders or one below it"],
    });
    assert_eq!(decision["rules"][2], last);
    // Only the conditions that do not hold are named.
    let config = file("c.json", config.to_string());
    let config = config.to_str().unwrap();
    let request = [
        "explain",
        "--path",
        "/a",
        "--header",
        "x-tenant: blue",
        config,
    ];
    let (status, text) = run(&request);
    assert_eq!(status, 1, "{text}");
    assert_contains(
        &text,
        &[
            "rules[1]: does not match the request: it is for header :method that matches \"PUT|POST\"\n",
            "rules[2]: does not match the request: it is for the path /orders or one below it\n",
            "- rules: no rule applies\n",
            "decision: 401, counted as bearer_gate.denied.no_rule\n",
        ],
    );
}

#[test]
fn a_request_is_explained_although_no_option_describes_it() {
    let config = config(&json!({}), &json!({}));
    let config = file("c.json", config.to_string());
    let (status, text) = run(&["explain", config.to_str().unwrap()]);
    assert_eq!(status, 1, "{text}");
    assert_contains(
        &text,
        &["request: GET / at localhost", "rules: no rule applies"],
    );
}

#[test]
fn what_the_filter_does_next_is_said() {
    let keys = file("keys", gate_fixtures::key_set());
    let keys = ["--jwks", keys.to_str().unwrap()];
    let remote = json!({
        "http_uri": {"uri": "https://joe.example/jwks", "cluster": "joe", "timeout": "2s"},
        "refetch_cooldown": "20s",
    });
    let remote = config(&json!({ "remote_jwks": remote }), &json!({}));
    let good = token(&header(), &json!({}));
    let unknown = token(&json!({"alg": "ES256", "kid": "rotated"}), &json!({}));
    let late = token(&header(), &json!({"exp": NOW - 600}));
    for (token, keys, expected) in [
        (&good, &keys[..], "next: the request goes on at once\n"),
        (
            &good,
            &[],
            "next: fetches the key set of joe from joe.example/jwks, cluster joe\n",
        ),
        (
            &good,
            &[],
            "next: the request waits, at most 2s; then it is refused with 503, reason keys_unavailable\n",
        ),
        (
            &unknown,
            &keys,
            "next: fetches the key set again from joe.example/jwks, cluster joe if it has not done so for 20s, and \
             the request waits for it, at most 2s; if it has no such key either, this is the answer\n",
        ),
        (
            &late,
            &keys,
            "next: answers at once: nothing that it fetches would change this\n",
        ),
    ] {
        let (_, text, decision) = explain(&remote, token, keys);
        assert_contains(&text, &[expected]);
        let next = decision["next"].as_array().unwrap();
        assert!(!next.is_empty());
    }
}

#[test]
fn the_keys_that_exist_and_the_command_that_fetches_them_are_shown() {
    let keys = json!({"keys": [
        gate_fixtures::ec_jwk(),
        {"kty": "OKP", "crv": "Ed25519", "kid": "2026", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    ]});
    let keys = file("keys", keys.to_string());
    let keys = ["--jwks", keys.to_str().unwrap()];
    let good = token(&header(), &json!({}));
    let of_issuer = |name: &str| {
        json!({"issuer": "https://joe.example/realm", "remote_jwks": {
            "discovery": {"cluster": name},
        }})
    };
    for (provider, command) in [
        (
            json!({}),
            "key set of joe: curl -fsS -o 'joe.jwks.json' 'https://joe.example/jwks'\n",
        ),
        (
            of_issuer("joe"),
            "key set of joe: curl -fsS -o 'joe.jwks.json' \"$(curl -fsS \
             'https://joe.example/realm/.well-known/openid-configuration' | jq -r .jwks_uri)\"\n",
        ),
        (
            json!({"remote_jwks": {
                "http_uri": {"uri": "https://joe.example/it's", "cluster": "joe"},
                "authorization": {
                    "username": "gate", "password_environment_variable": "GATE_SECRET",
                },
                "headers": [{"name": "x-key", "value": "hush-hush"}],
            }}),
            "key set of joe: curl -fsS -H \"authorization: $AUTHORIZATION\" -H \"x-key: $X_KEY\" -o 'joe.jwks.json' \
             'https://joe.example/it'\\''s'\n",
        ),
    ] {
        let (_, text, decision) = explain(&config(&provider, &json!({})), &good, &keys);
        assert_contains(&text, &[command, "kids: ", "\"2026\""]);
        assert!(!text.contains("hush-hush"), "{text}");
        let shown = decision["key_sets"][0]["command"].as_str().unwrap();
        assert!(command.ends_with(&format!("{shown}\n")), "{shown}");
    }
}

#[test]
fn a_token_that_cannot_be_verified_at_all_is_still_judged_by_its_claims() {
    let config = config(&json!({}), &json!({}));
    let keys = file("keys", key_set());
    let keys = ["--jwks", keys.to_str().unwrap()];
    let unsigned = token(&json!({"alg": "none"}), &json!({"aud": "other"}));
    let (_, text, decision) = explain(&config, &unsigned, &keys);
    assert_eq!(reasons(&decision), ["algorithm", "audience"], "{text}");
    // Nothing can be said about what is no JWT.
    let (_, text, decision) = explain(&config, "no-token", &keys);
    assert_eq!(reasons(&decision), ["malformed"], "{text}");
    let late = (GOOD_UNTIL + 600).to_string();
    let (_, text, decision) = explain(&config, TOKEN, &[&keys[..], &["--now", &late]].concat());
    assert_eq!(reasons(&decision), ["audience", "expired"], "{text}");
}

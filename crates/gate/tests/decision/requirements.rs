//! Requirements with real tokens: locations, several tokens, fallbacks, routes.

use gate::admission::HeaderChange;
use gate::decision::Decision;
use gate::policy::Policy;
use gate::request::Request;
use gate_fixtures::{ec_jwk, es256, rs256, rsa_jwk};
use serde_json::{Value, json};

use crate::support::{Gate, NOW, policy, request, with};

/// Providers `a` and `b`: two issuers, one with an RSA key and one with an EC key. `changes` are by
/// JSON pointer.
fn policy_with(changes: &Value) -> Policy {
    let provider = |name: &str, jwk: Value| {
        json!({
            "issuer": format!("https://{name}.example"),
            "local_jwks": {"inline_string": json!({"keys": [jwk]}).to_string()},
            "claim_to_headers": [{"header_name": format!("x-{name}"), "claim_name": "sub"}],
        })
    };
    let mut config = json!({"providers": {
        "a": provider("a", rsa_jwk()),
        "b": provider("b", ec_jwk()),
    }});
    for (pointer, value) in changes.as_object().unwrap() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    policy(&config)
}

fn requires(requirement: &Value) -> Value {
    json!([{"match": {"prefix": "/"}, "requires": requirement}])
}

fn any(requirements: Value) -> Value {
    json!({"requires_any": {"requirements": requirements}})
}

fn of_a(exp: u64) -> String {
    let payload = json!({"iss": "https://a.example", "sub": "alice", "exp": exp, "aud": "api"});
    rs256(&json!({"alg": "RS256"}), &payload)
}

fn of_b() -> String {
    let payload = json!({"iss": "https://b.example", "sub": "bob", "exp": NOW + 60});
    es256(&json!({"alg": "ES256"}), &payload)
}

/// The decision in words: `pass`, the changes of headers, or the reason of the refusal.
fn decided(policy: &Policy, request: &Request) -> String {
    match Gate::new().decision(policy, request) {
        Decision::Pass => "pass".to_owned(),
        Decision::Admit(admission) => {
            let changes = admission.headers.iter().map(|change| match change {
                HeaderChange::Remove(name) => format!("-{name}"),
                HeaderChange::Set(name, value) => {
                    format!("{name}={}", String::from_utf8_lossy(value))
                }
                HeaderChange::Add(name, value) => {
                    format!("{name}+={}", String::from_utf8_lossy(value))
                }
            });
            let changes: Vec<String> = changes.collect();
            let verified = if admission.verified {
                ""
            } else {
                "unverified "
            };
            format!("{verified}{}", changes.join(" "))
        }
        Decision::Deny(reason) => format!("{:?}", reason.kind()),
        Decision::Wait(_) => "wait".to_owned(),
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn a_token_counts_only_at_a_location_of_its_provider() {
    let policy = policy_with(&json!({
        "/providers/a/from_headers": [{"name": "x-token"}],
        "/providers/b/from_cookies": ["b"],
    }));
    let (a, b) = (of_a(NOW + 60), of_b());
    let cookie = |token: &str| format!("b={token}");
    for (headers, expected) in [
        (vec![("x-token", a.clone())], "x-a=alice -x-token"),
        (vec![("cookie", cookie(&b))], "x-b=bob -cookie"),
        (vec![("x-token", b.clone())], "Issuer"),
        (vec![("cookie", cookie(&a))], "Issuer"),
        (vec![("authorization", bearer(&a))], "Missing"),
        (
            vec![("x-token", a.clone()), ("cookie", cookie(&b))],
            "SeveralTokens",
        ),
        (
            vec![("x-token", a.clone()), ("cookie", "b=?".to_owned())],
            "MalformedCredential",
        ),
        (
            vec![("x-token", a), ("authorization", bearer(&b))],
            "x-a=alice -x-token",
        ),
    ] {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(decided(&policy, &request("/", &headers)), expected);
    }
}

#[test]
fn only_locations_of_the_requirements_providers_are_searched() {
    let policy = policy_with(&json!({
        "/providers/a/from_headers": [{"name": "x-token"}],
        "/rules": requires(&json!({"provider_name": "a"})),
    }));
    let (a, b) = (of_a(NOW + 60), bearer(&of_b()));
    let headers = [("x-token", a.as_str()), ("authorization", &b)];
    assert_eq!(
        decided(&policy, &request("/", &headers)),
        "x-a=alice -x-token"
    );
}

#[test]
fn tokens_of_two_providers_may_be_required_together() {
    let providers = json!({
        "/providers/a/from_headers": [{"name": "x-token"}],
        "/rules": requires(&json!({"requires_all": {"requirements": [
            {"provider_name": "a"},
            {"provider_name": "b"},
        ]}})),
    });
    let policy = policy_with(&providers);
    let (a, b, old) = (of_a(NOW + 60), bearer(&of_b()), of_a(1));
    for (headers, expected) in [
        (
            &[("x-token", a.as_str()), ("authorization", &b)][..],
            "x-a=alice x-b=bob -x-token -authorization",
        ),
        (&[("x-token", &old), ("authorization", &b)], "Expired"),
        (&[("x-token", &a)], "Missing"),
        (
            &[("x-token", &a), ("x-token", &a), ("authorization", &b)],
            "SeveralTokens",
        ),
    ] {
        assert_eq!(decided(&policy, &request("/", headers)), expected);
    }
}

#[test]
fn no_token_passes_that_was_not_examined() {
    let either = json!({"requires_any": {"requirements": [
        {"provider_name": "a"},
        {"requires_all": {"requirements": [{"provider_name": "a"}, {"provider_name": "b"}]}},
    ]}});
    let policy = policy_with(&json!({
        "/providers/a/from_headers": [{"name": "x-token"}],
        "/rules": requires(&either),
    }));
    let (a, b) = (of_a(NOW + 60), bearer(&of_b()));
    assert_eq!(
        decided(&policy, &request("/", &[("x-token", &a)])),
        "x-a=alice -x-token"
    );
    let both = [("x-token", a.as_str()), ("authorization", b.as_str())];
    assert_eq!(decided(&policy, &request("/", &both)), "SeveralTokens");
}

#[test]
fn one_of_several_alternatives_may_be_two_tokens() {
    let either = any(json!([
        {"requires_all": {"requirements": [{"provider_name": "a"}, {"provider_name": "b"}]}},
        {"provider_name": "a"},
    ]));
    let policy = policy_with(&json!({
        "/providers/a/from_headers": [{"name": "x-token"}],
        "/rules": requires(&either),
    }));
    let (a, b) = (of_a(NOW + 60), bearer(&of_b()));
    let both = [("x-token", a.as_str()), ("authorization", b.as_str())];
    for (headers, expected) in [
        (&both[..], "x-a=alice x-b=bob -x-token -authorization"),
        (&both[..1], "x-a=alice -x-token"),
        (&both[1..], "Missing"),
    ] {
        assert_eq!(decided(&policy, &request("/", headers)), expected);
    }
}

#[test]
fn a_token_is_verified_although_unverified_claims_may_be_forwarded_too() {
    let requirement = json!({"requires_all": {"requirements": [
        {"extract_only_without_validation": {}},
        {"provider_name": "a"},
    ]}});
    let policy = policy_with(&json!({ "/rules": requires(&requirement) }));
    for (token, expected) in [
        (of_a(NOW + 60), "x-a=alice -authorization"),
        (of_a(1), "Expired"),
    ] {
        let token = bearer(&token);
        let request = request("/", &[("authorization", &token)]);
        assert_eq!(decided(&policy, &request), expected);
    }
}

#[test]
fn scopes_are_read_wherever_a_requirement_asks_for_them() {
    let scoped = |conditions: Value| with(&json!({"provider_name": "a"}), &conditions);
    let of_all = json!({"scopes": ["read"]});
    let of_any = json!({"any_scope": ["read", "write"]});
    let token = |scope: &str| {
        let payload = json!({
            "iss": "https://a.example", "sub": "alice", "exp": NOW + 60, "scope": scope,
        });
        bearer(&rs256(&json!({"alg": "RS256"}), &payload))
    };
    for requirement in [
        scoped(of_all.clone()),
        scoped(of_any.clone()),
        any(json!([{"provider_name": "b"}, scoped(of_any)])),
        json!({"requires_all": {"requirements": [scoped(of_all)]}}),
    ] {
        let policy = policy_with(&json!({ "/rules": requires(&requirement) }));
        for (scope, expected) in [("x read", "x-a=alice -authorization"), ("x", "Scope")] {
            let token = token(scope);
            let request = request("/", &[("authorization", &token)]);
            assert_eq!(decided(&policy, &request), expected, "{requirement}");
        }
    }
}

#[test]
fn several_tokens_are_refused_whatever_they_are_if_one_is_enough() {
    let either = any(json!([{"provider_name": "a"}, {"provider_name": "b"}]));
    let lenient = any(
        json!([{"provider_name": "a"}, {"allow_missing_or_failed": {}}, {"provider_name": "b"}]),
    );
    let in_header = json!([{"name": "x-token"}]);
    let decided = |requirement: &Value, a: &str, b: &str| {
        let policy = policy_with(&json!({
            "/providers/a/from_headers": in_header,
            "/rules": requires(requirement),
        }));
        let headers = [("x-token", a), ("authorization", b)];
        decided(&policy, &request("/", &headers))
    };
    let (a, b, old) = (of_a(NOW + 60), bearer(&of_b()), of_a(1));
    for a in [a.as_str(), &old, "a.b.c"] {
        for b in [b.as_str(), "Bearer a.b.c"] {
            assert_eq!(decided(&either, a, b), "SeveralTokens", "{a} {b}");
            // No claims are forwarded: the upstream could take them for those of the other token.
            assert_eq!(decided(&lenient, a, b), "pass", "{a} {b}");
        }
    }
}

#[test]
fn a_provider_accepts_one_token_even_if_others_are_required_too() {
    let policy = policy_with(&json!({
        "/providers/a/from_headers": [{"name": "x-token"}],
        "/providers/a/from_params": ["jwt"],
        "/rules": requires(&json!({"requires_all": {"requirements": [
            {"provider_name": "a"},
            {"provider_name": "b"},
        ]}})),
    }));
    let (a, b) = (of_a(NOW + 60), bearer(&of_b()));
    let in_query = format!("/?jwt={a}");
    let headers = [("authorization", b.as_str()), ("x-token", &a)];
    for (target, headers, expected) in [
        (
            "/",
            &headers[..],
            "x-a=alice x-b=bob -x-token -authorization",
        ),
        (
            &in_query,
            &headers[..1],
            "x-a=alice x-b=bob -authorization :path=/",
        ),
        (&in_query, &headers, "SeveralTokens"),
    ] {
        assert_eq!(
            decided(&policy, &request(target, headers)),
            expected,
            "{target}"
        );
    }
}

#[test]
fn an_optional_token_is_checked_if_there_is_one() {
    let optional = json!({"requires_any": {"requirements": [
        {"provider_name": "a"},
        {"allow_missing": {}},
    ]}});
    let policy = policy_with(&json!({ "/rules": requires(&optional) }));
    let (a, old, b) = (bearer(&of_a(NOW + 60)), bearer(&of_a(1)), bearer(&of_b()));
    for (target, headers, expected) in [
        ("/", &[][..], "pass"),
        ("/", &[("authorization", "Basic eA==")], "pass"),
        (
            "/",
            &[("authorization", a.as_str())],
            "x-a=alice -authorization",
        ),
        ("/", &[("authorization", &old)], "Expired"),
        ("/", &[("authorization", &b)], "Issuer"),
        ("/", &[("authorization", "Bearer ?")], "MalformedCredential"),
        (
            "/",
            &[("authorization", &a), ("authorization", &a)],
            "SeveralTokens",
        ),
        // An ambiguous path never lets a request pass without a token.
        ("/a/../b", &[], "NoRule"),
        (
            "/a/../b",
            &[("authorization", &a)],
            "x-a=alice -authorization",
        ),
    ] {
        assert_eq!(
            decided(&policy, &request(target, headers)),
            expected,
            "{target}"
        );
    }
}

#[test]
fn a_failed_token_may_pass_without_its_claims() {
    let policy =
        policy_with(&json!({ "/rules": requires(&json!({"allow_missing_or_failed": {}})) }));
    let (a, old) = (bearer(&of_a(NOW + 60)), bearer(&of_a(1)));
    for (target, headers, expected) in [
        ("/", &[][..], "pass"),
        (
            "/",
            &[("authorization", a.as_str())],
            "x-a=alice -authorization",
        ),
        ("/", &[("authorization", &old)], "pass"),
        ("/", &[("authorization", "Bearer ?")], "pass"),
        (
            "/",
            &[("authorization", &a), ("authorization", &old)],
            "pass",
        ),
        ("//", &[("authorization", &old)], "NoRule"),
    ] {
        assert_eq!(
            decided(&policy, &request(target, headers)),
            expected,
            "{target}"
        );
    }
}

#[test]
fn unverified_claims_are_marked() {
    let extract = |status: Value| {
        let requirement = json!({"extract_only_without_validation": status});
        policy_with(&json!({ "/rules": requires(&requirement) }))
    };
    let default = extract(json!({}));
    let named = extract(json!({"verification_status_header": "X-Checked"}));
    let off = extract(json!({"verificationStatusHeader": "-"}));
    let old = bearer(&of_a(1));
    let mut forged = bearer(&of_a(1));
    forged.push('A');
    let stranger = json!({"iss": "https://c.example", "sub": "mallory"});
    let stranger = bearer(&rs256(&json!({"alg": "RS256"}), &stranger));
    for (policy, header, expected) in [
        (
            &default,
            Some(&old),
            "unverified x-a=alice -authorization x-jwt-signature-verified=false",
        ),
        (
            &default,
            Some(&forged),
            "unverified x-a=alice -authorization x-jwt-signature-verified=false",
        ),
        (&default, None, "pass"),
        (
            &default,
            Some(&"Bearer a.b.c".to_owned()),
            "unverified x-jwt-signature-verified=false",
        ),
        (
            &default,
            Some(&stranger),
            "unverified x-jwt-signature-verified=false",
        ),
        (&default, Some(&"Basic dTpw".to_owned()), "pass"),
        (
            &named,
            Some(&old),
            "unverified x-a=alice -authorization x-checked=false",
        ),
        (&off, Some(&old), "unverified x-a=alice -authorization"),
    ] {
        let headers: Vec<_> = header
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        assert_eq!(decided(policy, &request("/", &headers)), expected);
    }
    assert_eq!(
        default.own_headers,
        ["x-a", "x-b", "x-jwt-signature-verified"]
    );
    assert_eq!(off.own_headers, ["x-a", "x-b"]);
}

#[test]
fn a_requirement_may_have_its_own_audiences() {
    let audiences = |audiences: Value| {
        let requirement = json!({"provider_and_audiences": {
            "provider_name": "a",
            "audiences": audiences,
        }});
        policy_with(&json!({
            "/providers/a/audiences": ["other"],
            "/rules": requires(&requirement),
        }))
    };
    let token = bearer(&of_a(NOW + 60));
    let request = request("/", &[("authorization", &token)]);
    assert_eq!(
        decided(&audiences(json!(["api"])), &request),
        "x-a=alice -authorization"
    );
    assert_eq!(decided(&audiences(json!(["api2"])), &request), "Audience");
    assert_eq!(decided(&audiences(json!([])), &request), "Audience");
}

#[test]
fn a_route_with_an_unknown_requirement_is_closed() {
    let policy = policy_with(&json!({
        "/per_route_requirements": true,
        "/requirement_map": {"open": {"allow": {}}, "b": {"provider_name": "b"}},
    }));
    let b = bearer(&of_b());
    for (name, target, expected) in [
        (Some("open"), "/", "pass"),
        (Some("b"), "/", "x-b=bob -authorization"),
        (Some("c"), "/", "Requirement"),
        (None, "/", "x-b=bob -authorization"),
        // An ambiguous path selected the route, so the rules decide.
        (Some("open"), "/a/..", "x-b=bob -authorization"),
    ] {
        let headers: &[_] = if expected == "pass" {
            &[]
        } else {
            &[("authorization", b.as_str())]
        };
        let mut request = request(target, headers);
        request.requirement_name = name.map(|name| name.as_bytes().to_vec());
        assert_eq!(decided(&policy, &request), expected, "{name:?}");
    }
}

#[test]
fn an_open_rule_never_matches_an_ambiguous_path() {
    let rules = json!([
        {"match": {"prefix": "/open"}},
        {"match": {"prefix": "/closed"}, "requires": {"provider_name": "a"}},
    ]);
    let deny = policy_with(&json!({ "/rules": rules }));
    let allow = policy_with(&json!({ "/rules": rules, "/unmatched_requests": "allow" }));
    for (target, denied, allowed) in [
        ("/open", "pass", "pass"),
        ("/open/%2e%2e/closed", "NoRule", "NoRule"),
        ("/open/..;/closed", "NoRule", "NoRule"),
        ("/other", "NoRule", "pass"),
        ("/other/%2e%2e/closed", "NoRule", "NoRule"),
        ("/%6fther", "NoRule", "NoRule"),
        ("/closed", "Missing", "Missing"),
    ] {
        assert_eq!(decided(&deny, &request(target, &[])), denied, "{target}");
        assert_eq!(decided(&allow, &request(target, &[])), allowed, "{target}");
    }
}

#[test]
fn no_spelling_of_a_path_leads_around_a_guard() {
    let guards = [
        json!({"prefix": "/admin"}),
        json!({"path_separated_prefix": "/admin"}),
        json!({"safe_regex": {"regex": "/admin(/.*)?"}}),
    ];
    for guard in guards {
        let policy = |open: Value| {
            policy_with(&json!({ "/rules": [
                {"match": guard, "requires": {"provider_name": "a"}},
                open,
            ]}))
        };
        let everything = policy(json!({"match": {"prefix": "/"}}));
        let public = policy(json!({"match": {"prefix": "/public"}}));
        let lenient = policy(json!({
            "match": {"prefix": "/"}, "requires": {"allow_missing_or_failed": {}},
        }));
        for target in [
            "/public/..;/admin",
            "/public/..;x=y/admin",
            "/public/%2e%2e;/admin",
            "/public/.%2e;/admin",
            "/public/..%3b/admin",
            "/public/..%3B/admin",
            "/public/%2e%2e%3b/admin",
            "/public/%c0%ae%c0%ae/admin",
            "/public/../admin",
            "/public/..\\admin",
            "/public//../admin",
            "/;/admin",
            "/;x/admin",
            "/%3b/admin",
            "/admin;x/users",
            "/admin;/users",
            "/admin%3bx/users",
            "/%61dmin",
            "/%61dmin/users",
            "/adm%69n",
            "//admin",
            "/./admin",
        ] {
            for policy in [&everything, &public, &lenient] {
                let decision = decided(policy, &request(target, &[]));
                assert!(
                    ["NoRule", "Missing"].contains(&decision.as_str()),
                    "{guard} {target}: {decision}"
                );
            }
        }
        for (policy, target) in [(&everything, "/other"), (&public, "/public/page")] {
            assert_eq!(decided(policy, &request(target, &[])), "pass");
        }
        assert_eq!(decided(&everything, &request("/admin", &[])), "Missing");
    }
}

#[test]
fn a_guarded_path_does_not_pass_without_its_percent_encoding() {
    for (guarded, spelling) in [
        ("/caf%C3%A9", "/caf\u{e9}"),
        ("/%7Bid%7D", "/{id}"),
        ("/a%20b", "/a b"),
    ] {
        let policy = policy_with(&json!({ "/rules": [
            {"match": {"path": guarded}, "requires": {"provider_name": "a"}},
            {"match": {"prefix": "/"}},
        ]}));
        for (target, expected) in [
            (guarded, "Missing"),
            (spelling, "NoRule"),
            ("/other", "pass"),
        ] {
            assert_eq!(
                decided(&policy, &request(target, &[])),
                expected,
                "{target}"
            );
        }
    }
}

#[test]
fn a_token_that_must_wait_does_not_pass_by_a_fallback() {
    let remote = json!({
        "issuer": "https://a.example",
        "remote_jwks": {"http_uri": {"uri": "https://a.example/jwks", "cluster": "a"}},
    });
    let a = bearer(&of_a(NOW + 60));
    for requirement in [
        json!({"allow_missing": {}}),
        json!({"allow_missing_or_failed": {}}),
        json!({"provider_name": "a"}),
    ] {
        let policy =
            policy_with(&json!({ "/providers/a": remote, "/rules": requires(&requirement) }));
        let request = request("/", &[("authorization", &a)]);
        assert_eq!(decided(&policy, &request), "wait", "{requirement}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_input_of_a_client_panics(target: Vec<u8>, value: Vec<u8>, cookie: Vec<u8>) {
        let policy = policy_with(&json!({
            "/providers/a/from_headers": [{"name": "x-token", "value_prefix": "JWT"}],
            "/providers/b/from_params": ["jwt"],
            "/providers/b/from_cookies": ["jwt"],
            "/rules": requires(&json!({"allow_missing_or_failed": {}})),
        }));
        let headers = [(":path", target), ("x-token", value), ("cookie", cookie)];
        let headers = headers.map(|(name, value)| (name.as_bytes(), value));
        let request = Request::from_headers(headers);
        let decision = decided(&policy, &request);
        proptest::prop_assert!(matches!(decision.as_str(), "pass" | "NoRule"), "{}", decision);
    }
}

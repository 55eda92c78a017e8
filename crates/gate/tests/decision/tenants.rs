//! Providers with several issuers, and with issuers of many tenants.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::admission::HeaderChange;
use gate::decision::Dependency;
use gate::policy::Policy;
use gate::reason::ReasonKind;
use gate_fixtures::rs256;
use serde_json::{Value, json};

use crate::support::{
    Gate, NOW, Outcome, active, bearing, newer_possible, payload, policy, policy_of,
    policy_with_secrets, provider, ready, with,
};

const TEMPLATE: &str = "https://login.example/{tid}/v2.0";

/// A provider for all tenants, with other fields.
fn tenants(fields: &Value) -> Value {
    let issuers = json!({"issuer": null, "issuers": [TEMPLATE]});
    with(&with(&provider(), &issuers), fields)
}

fn token(claims: &Value) -> String {
    rs256(
        &json!({"alg": "RS256", "kid": "rsa"}),
        &with(&payload(), claims),
    )
}

/// Decides a token with these claims. Returns the outcome, and what was looked up.
fn decide(policy: &Policy, claims: &Value) -> (Outcome, Vec<String>) {
    let gate = Gate::new().keys(ready);
    let outcome = gate.decide(policy, &bearing(&token(claims)));
    (outcome, gate.lookups())
}

#[test]
fn a_token_of_each_tenant_is_accepted_with_the_one_key_set() {
    let policy = policy_of(&tenants(&json!({})));
    for tid in ["a", "9188040d-6c67-4c5b-b112-36a304b66dad", "x.y_z~", "..."] {
        let issuer = TEMPLATE.replace("{tid}", tid);
        let (outcome, _) = decide(&policy, &json!({"iss": issuer, "tid": tid}));
        assert_eq!(outcome, Outcome::admitted(), "{tid}");
    }
}

/// Each token is signed with the key of the provider: only issuer and tenant can refuse it.
#[test]
fn no_trick_with_issuer_and_tenant_is_accepted_or_fetches_anything() {
    let policy = policy_of(&tenants(&json!({})));
    let of = |tid: &str| format!("https://login.example/{tid}/v2.0");
    for (trick, claims) in [
        ("the tenant of another", json!({"iss": of("a"), "tid": "b"})),
        ("no tenant", json!({"iss": of("a")})),
        ("an empty issuer", json!({"iss": "", "tid": "a"})),
        (
            "the template itself",
            json!({"iss": TEMPLATE, "tid": "{tid}"}),
        ),
        ("the template without tenant", json!({"iss": TEMPLATE})),
        ("an empty tenant", json!({"iss": of(""), "tid": ""})),
        ("a slash", json!({"iss": of("a/b"), "tid": "a/b"})),
        ("a slash at the end", json!({"iss": of("a/"), "tid": "a/"})),
        (
            "an encoded slash",
            json!({"iss": of("a%2Fb"), "tid": "a%2Fb"}),
        ),
        (
            "an encoded slash for a slash",
            json!({"iss": of("a%2Fb"), "tid": "a/b"}),
        ),
        ("an encoded letter", json!({"iss": of("%61"), "tid": "a"})),
        (
            "an encoded letter in both",
            json!({"iss": of("%61"), "tid": "%61"}),
        ),
        ("a backslash", json!({"iss": of("a\\b"), "tid": "a\\b"})),
        ("a dot segment", json!({"iss": of("."), "tid": "."})),
        ("two dots", json!({"iss": of(".."), "tid": ".."})),
        (
            "encoded dots",
            json!({"iss": of("%2e%2e"), "tid": "%2e%2e"}),
        ),
        ("a query", json!({"iss": of("a?b"), "tid": "a?b"})),
        ("a fragment", json!({"iss": of("a#b"), "tid": "a#b"})),
        ("a parameter", json!({"iss": of("a;b"), "tid": "a;b"})),
        ("a port", json!({"iss": of("a:1"), "tid": "a:1"})),
        ("a user", json!({"iss": of("a@b"), "tid": "a@b"})),
        ("a space", json!({"iss": of("a b"), "tid": "a b"})),
        (
            "a control character",
            json!({"iss": of("a\0"), "tid": "a\0"}),
        ),
        (
            "another script",
            json!({"iss": of("\u{e9}"), "tid": "\u{e9}"}),
        ),
        ("another case", json!({"iss": of("A"), "tid": "a"})),
        (
            "text before",
            json!({"iss": format!("x{}", of("a")), "tid": "a"}),
        ),
        (
            "text after",
            json!({"iss": format!("{}x", of("a")), "tid": "a"}),
        ),
        (
            "a slash after",
            json!({"iss": format!("{}/", of("a")), "tid": "a"}),
        ),
        (
            "another host",
            json!({"iss": "https://evil.example/a/v2.0", "tid": "a"}),
        ),
        (
            "the issuer in the path",
            json!({"iss": "https://evil.example/https://login.example/a/v2.0", "tid": "a"}),
        ),
        (
            "the host as a prefix",
            json!({"iss": "https://login.example.evil/a/v2.0", "tid": "a"}),
        ),
        (
            "another scheme",
            json!({"iss": "http://login.example/a/v2.0", "tid": "a"}),
        ),
        (
            "another version",
            json!({"iss": "https://login.example/a/v1.0", "tid": "a"}),
        ),
        ("a number", json!({"iss": of("7"), "tid": 7})),
        ("a boolean", json!({"iss": of("true"), "tid": true})),
        ("null", json!({"iss": of("null"), "tid": null})),
        ("a list", json!({"iss": of("a"), "tid": ["a"]})),
        ("an object", json!({"iss": of("a"), "tid": {"a": "a"}})),
        (
            "a name with another case",
            json!({"iss": of("a"), "TID": "a"}),
        ),
        (
            "a tenant elsewhere",
            json!({"iss": of("a"), "x": {"tid": "a"}}),
        ),
    ] {
        let (outcome, lookups) = decide(&policy, &claims);
        assert_eq!(outcome, Outcome::Deny(ReasonKind::Issuer), "{trick}");
        assert!(lookups.is_empty(), "{trick}: {lookups:?}");
    }
    let without = json!({"aud": "https://api.example", "exp": NOW + 60, "tid": "a"});
    let gate = Gate::new().keys(ready);
    let without = rs256(&json!({"alg": "RS256", "kid": "rsa"}), &without);
    let outcome = gate.decide(&policy, &bearing(&without));
    assert_eq!(outcome, Outcome::Deny(ReasonKind::Issuer));
    assert!(gate.lookups().is_empty());
}

#[test]
fn a_tenant_whose_key_is_unknown_causes_no_fetch_if_the_issuer_is_wrong() {
    let policy = policy_of(&tenants(&json!({})));
    let gate = Gate::new().keys(newer_possible);
    let claims = with(
        &payload(),
        &json!({"iss": "https://login.example/a/v2.0", "tid": "b"}),
    );
    let text = rs256(&json!({"alg": "RS256", "kid": "unknown"}), &claims);
    let outcome = gate.decide(&policy, &bearing(&text));
    assert_eq!(outcome, Outcome::Deny(ReasonKind::Issuer));
    let claims = with(&claims, &json!({"tid": "a"}));
    let text = rs256(&json!({"alg": "RS256", "kid": "unknown"}), &claims);
    let outcome = gate.decide(&policy, &bearing(&text));
    assert_eq!(outcome, Outcome::waits_for(Dependency::NewerKeys(0)));
}

#[test]
fn claims_of_a_requirement_list_the_tenants() {
    let policy = policy(&json!({
        "providers": {"p": tenants(&json!({}))},
        "rules": [{"match": {"prefix": "/"}, "requires": {
            "provider_name": "p",
            "claims": [{"claim_name": "tid", "any_of": ["a", "b"]}],
        }}],
    }));
    assert!(policy.warnings.is_empty(), "{:?}", policy.warnings);
    for (tid, expected) in [
        ("a", Outcome::admitted()),
        ("b", Outcome::admitted()),
        ("c", Outcome::Deny(ReasonKind::Claims)),
    ] {
        let issuer = TEMPLATE.replace("{tid}", tid);
        let (outcome, _) = decide(&policy, &json!({"iss": issuer, "tid": tid}));
        assert_eq!(outcome, expected, "{tid}");
    }
}

#[test]
fn a_known_token_is_judged_by_its_tenant_again() {
    let open = policy_of(&tenants(&json!({})));
    let closed = policy_of(&tenants(
        &json!({"issuers": ["https://login.example/{tid}/v1.0"]}),
    ));
    let gate = Gate::new().keys(ready);
    let token = token(&json!({"iss": "https://login.example/a/v2.0", "tid": "a"}));
    for _ in 0..2 {
        assert!(gate.decide(&open, &bearing(&token)).is_admitted());
        assert_eq!(gate.cached_tokens(), 1);
    }
    let outcome = gate.decide(&closed, &bearing(&token));
    assert_eq!(outcome, Outcome::Deny(ReasonKind::Issuer));
}

#[test]
fn exact_issuers_and_templates_stand_beside_each_other() {
    let issuers = json!(["https://a.example", TEMPLATE, "https://b.example/{org.id}"]);
    let policy = policy_of(&tenants(&json!({ "issuers": issuers })));
    for (claims, expected) in [
        (json!({"iss": "https://a.example"}), true),
        (json!({"iss": "https://a.example/"}), false),
        (
            json!({"iss": "https://login.example/x/v2.0", "tid": "x"}),
            true,
        ),
        (
            json!({"iss": "https://b.example/x", "org": {"id": "x"}}),
            true,
        ),
        (json!({"iss": "https://b.example/x", "tid": "x"}), false),
        (
            json!({"iss": "https://b.example/x", "org": {"id": "y"}}),
            false,
        ),
        (
            json!({"iss": "https://b.example/x/", "org": {"id": "x"}}),
            false,
        ),
    ] {
        let (outcome, _) = decide(&policy, &claims);
        assert_eq!(outcome.is_admitted(), expected, "{claims}");
    }
}

#[test]
fn of_several_providers_only_the_one_that_could_accept_the_token_is_asked() {
    let endpoint = |cluster: &str, issuers: Value| {
        json!({
            "issuers": issuers,
            "introspection": {
                "http_uri": {"uri": "https://a/introspect", "cluster": cluster},
                "client_id": "gate",
                "client_secret_environment_variable": "SECRET",
                "for": "all",
            },
        })
    };
    let policy = policy_with_secrets(&json!({"providers": {
        "a": endpoint("a", json!(["https://other.example", "https://login.example/{tid}"])),
        "b": endpoint("b", json!(["https://issuer.example", TEMPLATE])),
    }}));
    let gate = Gate::new();
    for (claims, asked) in [
        (json!({}), Some(1)),
        (json!({"iss": "https://other.example"}), Some(0)),
        (
            json!({"iss": "https://login.example/x", "tid": "x"}),
            Some(0),
        ),
        (
            json!({"iss": "https://login.example/x/v2.0", "tid": "x"}),
            Some(1),
        ),
        (
            json!({"iss": "https://login.example/x/v2.0", "tid": "y"}),
            None,
        ),
        (json!({"iss": "https://login.example/x/v2.0"}), None),
        (
            json!({"iss": "https://login.example/a%2Fb", "tid": "a%2Fb"}),
            None,
        ),
    ] {
        let text = token(&claims);
        let outcome = gate.decide(&policy, &bearing(&text));
        match asked {
            None => assert_eq!(outcome, Outcome::Deny(ReasonKind::Issuer), "{claims}"),
            Some(provider) => {
                let token = text.as_str().into();
                let expected = Dependency::Introspection { provider, token };
                let Outcome::Wait { on, .. } = outcome else {
                    panic!("{claims}: the response is pending");
                };
                assert_eq!(on, [expected], "{claims}");
            }
        }
        let lookups = gate.lookups();
        assert_eq!(lookups.len(), usize::from(asked.is_some()), "{claims}");
    }
}

#[test]
fn an_introspection_response_may_not_name_another_tenant() {
    let fields = json!({"introspection": {
        "http_uri": {"uri": "https://a/introspect", "cluster": "a"},
        "client_id": "gate",
        "client_secret_environment_variable": "SECRET",
        "for": "all",
    }});
    let policy = policy_with_secrets(&json!({"providers": {"p": tenants(&fields)}}));
    let issuer = "https://login.example/a/v2.0";
    let jwt = token(&json!({"iss": issuer, "tid": "a"}));
    let contradiction = Some(ReasonKind::Contradiction);
    for (text, response, refused) in [
        (jwt.as_str(), json!({}), None),
        (&jwt, json!({"tid": "a"}), None),
        (&jwt, json!({"iss": issuer, "tid": "a"}), None),
        (&jwt, json!({"tid": "b"}), contradiction),
        (&jwt, json!({"tid": ["a"]}), contradiction),
        (
            &jwt,
            json!({"iss": "https://login.example/b/v2.0", "tid": "b"}),
            contradiction,
        ),
        // Of an issuer with a placeholder the claim must be in the same payload.
        (&jwt, json!({"iss": issuer}), Some(ReasonKind::Issuer)),
        ("opaque", json!({}), None),
        ("opaque", json!({"iss": issuer, "tid": "a"}), None),
        (
            "opaque",
            json!({"iss": issuer, "tid": "b"}),
            Some(ReasonKind::Issuer),
        ),
        ("opaque", json!({"iss": issuer}), Some(ReasonKind::Issuer)),
    ] {
        let all = json!({"active": true, "aud": "https://api.example"});
        let status = active(&with(&all, &response));
        let gate = Gate::new().keys(ready);
        let gate = gate.introspection(move |_, _| status.clone());
        let outcome = gate.decide(&policy, &bearing(text));
        match refused {
            None => assert!(outcome.is_admitted(), "{text} {response}: {outcome:?}"),
            Some(reason) => assert_eq!(outcome, Outcome::Deny(reason), "{text} {response}"),
        }
    }
}

#[test]
fn unverified_claims_are_forwarded_by_the_provider_whose_issuer_the_token_names() {
    let with_header = |provider: Value, name: &str| {
        let header = json!([{"header_name": name, "claim_name": "sub"}]);
        with(
            &provider,
            &json!({"claim_to_headers": header, "forward": true}),
        )
    };
    let policy = policy(&json!({
        "providers": {
            "any": with_header(with(&provider(), &json!({"issuer": null})), "x-any"),
            "tenants": with_header(tenants(&json!({})), "x-tenant"),
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {
            "extract_only_without_validation": {"verification_status_header": "-"},
        }}],
    }));
    for (claims, header) in [
        (
            json!({"iss": "https://login.example/a/v2.0", "tid": "a"}),
            "x-tenant",
        ),
        (
            json!({"iss": "https://login.example/a/v2.0", "tid": "b"}),
            "x-any",
        ),
        (json!({"iss": "https://login.example/a/v2.0"}), "x-any"),
    ] {
        let text = format!(
            "{}.{}.eA",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#),
            URL_SAFE_NO_PAD.encode(with(&claims, &json!({"sub": "s"})).to_string()),
        );
        let outcome = Gate::new().decide(&policy, &bearing(&text));
        let Outcome::Admit(admission) = outcome else {
            panic!("{claims}: {outcome:?}");
        };
        let expected = HeaderChange::Set(header.to_owned(), b"s".to_vec());
        assert_eq!(admission.headers, [expected], "{claims}");
    }
}

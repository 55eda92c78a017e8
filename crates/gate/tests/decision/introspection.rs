//! Tokens that the authorization server introspects (RFC 7662).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use gate::admission::HeaderChange;
use gate::decision::{Decision, Dependency};
use gate::introspection::TokenStatus;
use gate::policy::Policy;
use gate::reason::{Reason, ReasonKind};
use gate::token::MAX_TOKEN_BYTES;
use gate_fixtures::{key_set, rs256};
use serde_json::{Value, json};

use crate::support::{
    self, Gate, NOW, Outcome, bearing, policy_with_secrets, request, revocation_list, with,
};

/// A policy whose provider `p` has these fields and an introspection endpoint for `tokens`.
fn policy(tokens: &str, fields: Value) -> Policy {
    policy_with_secrets(&config(tokens, fields))
}

fn config(tokens: &str, fields: Value) -> Value {
    let provider = json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "introspection": {
            "http_uri": {"uri": "https://a/introspect", "cluster": "a", "timeout": "3s"},
            "client_id": "gate",
            "client_secret_environment_variable": "SECRET",
            "for": tokens,
        },
    });
    json!({"providers": {"p": with(&provider, &fields)}, "rules": [{
        "match": {"prefix": "/"},
        "requires": {"provider_name": "p", "scopes": ["read"]},
    }]})
}

fn local() -> Value {
    json!({"local_jwks": {"inline_string": key_set()}})
}

/// A good response with these changes; `null` removes a member.
fn active(changes: Value) -> TokenStatus {
    let response = json!({
        "active": true, "scope": "read write", "aud": "https://api.example",
        "client_id": "app", "sub": "user",
    });
    let mut response = with(&response, &changes);
    let members = response.as_object_mut().unwrap();
    members.retain(|_, value| !value.is_null());
    support::active(&response)
}

fn jwt(changes: Value) -> String {
    let claims = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "exp": NOW + 3600,
        "scope": "read",
    });
    rs256(&json!({"alg": "RS256"}), &with(&claims, &changes))
}

/// A gate whose introspection endpoint says this about `token`, and nothing about others.
fn gate(token: &str, status: &TokenStatus) -> Gate {
    let (token, status) = (token.to_owned(), status.clone());
    Gate::new().introspection(move |_, introspected| {
        assert_eq!(introspected, token);
        status.clone()
    })
}

/// The outcome for `token`, and how often its status was looked up.
fn decide(policy: &Policy, token: &str, status: &TokenStatus) -> (Outcome, usize) {
    let gate = gate(token, status);
    let outcome = gate.decide(policy, &bearing(token));
    (outcome, gate.lookups().len())
}

#[test]
fn a_response_is_checked_like_a_token() {
    let policy = policy("opaque", json!({}));
    for (changes, expected) in [
        (json!({}), None),
        (
            json!({"iss": "https://issuer.example", "exp": NOW + 1}),
            None,
        ),
        (
            json!({"iss": "https://other.example"}),
            Some(ReasonKind::Issuer),
        ),
        (json!({"aud": null}), Some(ReasonKind::Audience)),
        (json!({"aud": "other"}), Some(ReasonKind::Audience)),
        (json!({"aud": ["other", "https://api.example"]}), None),
        (json!({"exp": NOW - 61}), Some(ReasonKind::Expired)),
        (json!({"nbf": NOW + 61}), Some(ReasonKind::NotYetValid)),
        (json!({"iat": NOW + 61}), Some(ReasonKind::IssuedInFuture)),
        (json!({"scope": "write"}), Some(ReasonKind::Scope)),
        (json!({"scope": null}), Some(ReasonKind::Scope)),
        (
            json!({"cnf": {"x5t#S256": "a"}}),
            Some(ReasonKind::ClaimType),
        ),
        (
            json!({"token_type": "urn:ietf:params:oauth:token-type:access_token"}),
            None,
        ),
        (
            json!({"token_type": "refresh_token"}),
            Some(ReasonKind::Type),
        ),
        (json!({"token_type": "DPoP"}), Some(ReasonKind::Type)),
        (json!({"token_type": "N_A"}), Some(ReasonKind::Type)),
        (
            json!({"token_type": "DPoP", "cnf": {"kid": "a"}}),
            Some(ReasonKind::SenderConstraint),
        ),
    ] {
        let (outcome, lookups) = decide(&policy, "opaque", &active(changes.clone()));
        assert_eq!(lookups, 1);
        match expected {
            None => assert!(outcome.is_admitted(), "{changes}"),
            Some(expected) => assert_eq!(outcome, Outcome::Deny(expected), "{changes}"),
        }
    }
}

#[test]
fn no_token_passes_before_it_is_known_to_be_active() {
    let policy = policy("opaque", json!({}));
    let wait = Outcome::Wait {
        on: vec![Dependency::Introspection {
            provider: 0,
            token: "opaque".into(),
        }],
        timeout: Duration::from_secs(3),
        unavailable: ReasonKind::IntrospectionUnavailable,
    };
    assert_eq!(decide(&policy, "opaque", &TokenStatus::Pending).0, wait);
    let retry_after = Duration::from_secs(1);
    for (status, expected) in [
        (TokenStatus::Inactive, Reason::Inactive),
        (
            TokenStatus::Unavailable { retry_after },
            Reason::IntrospectionUnavailable { retry_after },
        ),
    ] {
        let gate = gate("opaque", &status);
        let decision = gate.decision(&policy, &bearing("opaque"));
        assert_eq!(decision, Decision::Deny(expected));
    }
}

#[test]
fn a_token_that_is_too_long_is_not_introspected() {
    let policy = policy("opaque", json!({}));
    let (bytes, limit) = (MAX_TOKEN_BYTES + 1, MAX_TOKEN_BYTES);
    let long = "a".repeat(bytes);
    let gate = gate(&long, &active(json!({})));
    assert_eq!(
        gate.decision(&policy, &bearing(&long)),
        Reason::TooLarge { bytes, limit }.into()
    );
    assert!(gate.lookups().is_empty());
    let longest = "a".repeat(limit);
    assert!(
        decide(&policy, &longest, &active(json!({})))
            .0
            .is_admitted()
    );
}

#[test]
fn a_jwt_is_introspected_only_if_all_tokens_are_and_it_is_good() {
    let (good, bad) = (jwt(json!({})), jwt(json!({"exp": NOW - 3600})));
    let other = || active(json!({"aud": "other"}));
    for (tokens, fields, token, status, admitted, expected_lookups) in [
        ("opaque", local(), &good, TokenStatus::Inactive, true, 0),
        ("opaque", json!({}), &good, active(json!({})), false, 0),
        ("all", local(), &good, active(json!({})), true, 1),
        ("all", local(), &good, TokenStatus::Inactive, false, 1),
        ("all", local(), &good, other(), false, 1),
        ("all", local(), &bad, active(json!({})), false, 0),
        ("all", json!({}), &good, active(json!({})), true, 1),
        ("all", json!({}), &bad, active(json!({})), false, 0),
    ] {
        let policy = policy(tokens, fields.clone());
        let (outcome, lookups) = decide(&policy, token, &status);
        assert_eq!(
            (outcome.is_admitted(), lookups),
            (admitted, expected_lookups),
            "{tokens} {status:?} {outcome:?}"
        );
    }
}

#[test]
fn a_jwt_that_a_claim_rules_out_is_not_sent_to_the_endpoint() {
    let admin = json!({"subjects": {"exact": "admin"}, "max_lifetime": "3600s"});
    let keyless = policy("all", admin.clone());
    let with_keys = policy("all", with(&local(), &admin));
    let good = json!({"sub": "admin", "iat": NOW - 60, "exp": NOW + 60});
    for (changes, expected) in [
        (json!({"iss": "https://other.example"}), ReasonKind::Issuer),
        (
            json!({"aud": "https://other.example"}),
            ReasonKind::Audience,
        ),
        (json!({"sub": "user"}), ReasonKind::Subject),
        (json!({"exp": NOW - 61}), ReasonKind::Expired),
        (json!({"nbf": NOW + 61}), ReasonKind::NotYetValid),
        (json!({"iat": NOW + 61}), ReasonKind::IssuedInFuture),
        (json!({"iat": NOW - 3600}), ReasonKind::Lifetime),
        (json!({"exp": "never"}), ReasonKind::ClaimType),
    ] {
        let token = jwt(with(&good, &changes));
        for policy in [&keyless, &with_keys] {
            let (outcome, lookups) = decide(policy, &token, &active(json!({"sub": "admin"})));
            assert_eq!(
                (outcome, lookups),
                (Outcome::Deny(expected), 0),
                "{changes}"
            );
        }
    }
    let id_token = rs256(&json!({"alg": "RS256", "typ": "logout+jwt"}), &json!({}));
    let (outcome, lookups) = decide(&keyless, &id_token, &active(json!({})));
    assert_eq!((outcome, lookups), (Outcome::Deny(ReasonKind::Type), 0));
}

#[test]
fn a_jwt_for_another_resource_is_not_sent_to_the_endpoint() {
    let resource = "https://api.example/v1";
    let config = with(
        &config("all", json!({"audiences": null})),
        &json!({"resource_metadata": {"resource": resource, "require_audience": true}}),
    );
    let policy = policy_with_secrets(&config);
    let status = active(json!({"aud": resource}));
    for (audience, passes, expected) in [
        (json!(resource), true, 1),
        // The response may name the audience.
        (json!([]), true, 1),
        (json!("https://api.example/v2"), false, 0),
    ] {
        let token = jwt(json!({"aud": audience}));
        let gate = gate(&token, &status);
        let authorization = format!("Bearer {token}");
        let headers = [
            (":authority", "api.example"),
            ("authorization", &*authorization),
        ];
        let outcome = gate.decide(&policy, &request("/v1", &headers));
        assert_eq!(outcome.is_admitted(), passes, "{audience} {outcome:?}");
        assert_eq!(gate.lookups().len(), expected, "{audience}");
    }
}

#[test]
fn a_claim_that_a_jwt_does_not_have_may_be_in_the_response() {
    let policy = policy(
        "all",
        json!({"subjects": {"exact": "user"}, "max_lifetime": "3600s"}),
    );
    let token = rs256(&json!({"alg": "RS256"}), &json!({}));
    let times = json!({"iat": NOW, "exp": NOW + 60});
    let (outcome, lookups) = decide(&policy, &token, &active(times.clone()));
    assert!(outcome.is_admitted(), "{outcome:?}");
    assert_eq!(lookups, 1);
    // With one of the times, the token does not say how long it lives.
    for claim in ["iat", "exp"] {
        let token = rs256(&json!({"alg": "RS256"}), &json!({ claim: times[claim] }));
        let (outcome, lookups) = decide(&policy, &token, &active(times.clone()));
        assert!(outcome.is_admitted(), "{claim} {outcome:?}");
        assert_eq!(lookups, 1);
    }
    let changes = with(&times, &json!({"aud": null}));
    let (outcome, _) = decide(&policy, &token, &active(changes));
    assert_eq!(outcome, Outcome::Deny(ReasonKind::Audience));
}

#[test]
fn a_jwt_is_sent_only_to_the_endpoint_of_its_issuer() {
    let provider = |issuer: &str, tokens: &str| {
        json!({
            "issuer": issuer,
            "introspection": {
                "http_uri": {"uri": "https://a/introspect", "cluster": "a", "timeout": "3s"},
                "client_id": "gate",
                "client_secret_environment_variable": "SECRET",
                "for": tokens,
            },
        })
    };
    let token = jwt(json!({}));
    let malformed = token.clone() + "=";
    for tokens in ["opaque", "all"] {
        let providers = json!({
            "a": provider("https://issuer.example", "all"),
            "b": provider("https://other.example", tokens),
        });
        let policy = policy_with_secrets(&json!({ "providers": providers }));
        let gate = Gate::new();
        let Outcome::Wait { on, .. } = gate.decide(&policy, &bearing(&token)) else {
            panic!("the response is pending");
        };
        let token = token.as_str().into();
        let expected = Dependency::Introspection { provider: 0, token };
        assert_eq!(on, [expected]);
        assert_eq!(gate.lookups().len(), 1);
        // Nobody can say whose a malformed JWT is.
        let outcome = gate.decide(&policy, &bearing(&malformed));
        assert_eq!(outcome, Outcome::Deny(ReasonKind::MalformedToken));
        assert!(gate.lookups().is_empty());
        // An opaque token may come from any of them.
        let opaque = gate.decide(&policy, &bearing("opaque"));
        assert!(matches!(opaque, Outcome::Wait { on, .. } if on.len() == 2));
    }
}

#[test]
fn a_token_is_opaque_unless_its_first_part_is_the_header_of_a_jwt() {
    let good = jwt(json!({}));
    let header = good.split('.').next().unwrap();
    // {"alg":"dir","enc":"A256GCM"}
    let encrypted = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..iv.text.tag";
    for (token, refused) in [
        ("opaque", None),
        ("a.b", None),
        ("a.b.c", None),
        ("..", None),
        ("v4.public.eyJzdWIiOiJ1c2VyIn0", None),
        ("a.b.c.d", None),
        // An encrypted JWT.
        (encrypted, None),
        (&good, Some(ReasonKind::UnknownKey)),
        (header, Some(ReasonKind::MalformedToken)),
        (&format!("{header}.b"), Some(ReasonKind::MalformedToken)),
        (&format!("{good}.d"), Some(ReasonKind::MalformedToken)),
        // {"alg":"none"}
        ("eyJhbGciOiJub25lIn0.e30.", Some(ReasonKind::Algorithm)),
    ] {
        for tokens in ["opaque", "all"] {
            let policy = policy(tokens, json!({}));
            let (outcome, lookups) = decide(&policy, token, &active(json!({})));
            match refused {
                Some(ReasonKind::UnknownKey) if tokens == "all" => {
                    assert!(outcome.is_admitted(), "{token} {outcome:?}");
                }
                Some(reason) => {
                    assert_eq!((outcome, lookups), (Outcome::Deny(reason), 0), "{token}");
                }
                None => {
                    assert!(outcome.is_admitted(), "{token} {outcome:?}");
                    assert_eq!(lookups, 1, "{token}");
                }
            }
        }
        // Without introspection every token is a JWT.
        let keys = json!({"providers": {"p": local()}});
        let outcome = Gate::new().decide(&policy_with_secrets(&keys), &bearing(token));
        assert!(refused.is_some() || outcome == Outcome::Deny(ReasonKind::MalformedToken));
    }
}

#[test]
fn the_claims_of_the_response_are_forwarded() {
    let fields =
        json!({"claim_to_headers": [{"claim_name": "client_id", "header_name": "x-client"}]});
    let policy = policy("opaque", fields);
    let (outcome, _) = decide(&policy, "opaque", &active(json!({})));
    let Outcome::Admit(admission) = outcome else {
        panic!("{outcome:?}");
    };
    let expected = HeaderChange::Set("x-client".to_owned(), b"app".to_vec());
    assert!(admission.headers.contains(&expected), "{admission:?}");
}

#[test]
fn scopes_of_the_response_count_and_not_those_of_the_jwt() {
    let token = jwt(json!({"scope": "read admin", "role": "admin"}));
    for fields in [local(), json!({})] {
        let mut fields = fields;
        fields["claim_to_headers"] = json!([{"claim_name": "role", "header_name": "x-role"}]);
        fields["forward_payload_header"] = "x-payload".into();
        let policy = policy("all", fields);
        for (changes, expected) in [
            (json!({"scope": "write"}), ReasonKind::Scope),
            (json!({"scope": null}), ReasonKind::Scope),
            (json!({"aud": "other"}), ReasonKind::Audience),
            (json!({"aud": null}), ReasonKind::Audience),
        ] {
            let (outcome, _) = decide(&policy, &token, &active(changes.clone()));
            assert_eq!(outcome, Outcome::Deny(expected), "{changes}");
        }
        let response = json!({
            "active": true, "aud": "https://api.example", "scope": "read", "role": "user",
        });
        let (outcome, _) = decide(&policy, &token, &support::active(&response));
        let Outcome::Admit(admission) = outcome else {
            panic!("{outcome:?}");
        };
        // The upstream is told what the request was judged by.
        let payload = URL_SAFE_NO_PAD.encode(response.to_string());
        let expected = [("x-payload", payload.as_str()), ("x-role", "user")]
            .map(|(name, value)| HeaderChange::Set(name.to_owned(), value.into()));
        assert_eq!(admission.headers[..2], expected);
    }
}

#[test]
fn a_response_that_contradicts_the_jwt_is_refused() {
    let token = jwt(json!({"sub": "user", "client_id": "app", "azp": "app", "jti": "1"}));
    let cases = [
        ("sub", json!({"sub": "other"})),
        ("client_id", json!({"client_id": "other"})),
        ("azp", json!({"azp": "other"})),
        ("jti", json!({"jti": "2"})),
    ];
    for fields in [local(), json!({})] {
        let policy = policy("all", fields);
        let same = active(json!({"azp": "app", "jti": "1", "iss": "https://issuer.example"}));
        // The second time the token is cached.
        let gate = gate(&token, &same);
        for _ in 0..2 {
            assert!(gate.decide(&policy, &bearing(&token)).is_admitted());
        }
        let mut gate = gate;
        for (claim, changes) in &cases {
            let status = active(changes.clone());
            gate = gate.introspection(move |_, _| status.clone());
            for _ in 0..2 {
                let decision = gate.decision(&policy, &bearing(&token));
                assert_eq!(decision, Decision::Deny(Reason::Contradiction { claim }));
            }
        }
    }
    // A provider that accepts any issuer still refuses two of them.
    let mut any_issuer = local();
    any_issuer["issuer"] = Value::Null;
    let policy = policy("all", any_issuer);
    let (outcome, _) = decide(
        &policy,
        &token,
        &active(json!({"iss": "https://other.example"})),
    );
    assert_eq!(outcome, Outcome::Deny(ReasonKind::Contradiction));
}

#[test]
fn the_payload_header_of_an_opaque_token_holds_the_response() {
    let policy = policy("opaque", json!({"forward_payload_header": "x-payload"}));
    let response = json!({"active": true, "aud": "https://api.example", "scope": "read"});
    let payload = URL_SAFE_NO_PAD.encode(response.to_string());
    for token in ["opaque", "a.SECRET"] {
        let (outcome, _) = decide(&policy, token, &support::active(&response));
        let Outcome::Admit(admission) = outcome else {
            panic!("{outcome:?}");
        };
        let expected = HeaderChange::Set("x-payload".to_owned(), payload.clone().into());
        assert_eq!(admission.headers[0], expected);
    }
}

#[test]
fn an_active_token_is_refused_if_the_revocation_list_names_it() {
    let revocation = json!({"revocation": {
        "http_uri": {"uri": "http://a/revoked", "cluster": "a", "timeout": "3s"},
    }});
    let policy = policy("opaque", revocation);
    let response = active(json!({"jti": "one"}));
    let waiting = gate("opaque", &response);
    let Outcome::Wait { on, .. } = waiting.decide(&policy, &bearing("opaque")) else {
        panic!("the list is pending");
    };
    assert_eq!(on, [Dependency::Revocations(0)]);
    for (listed, expected) in [("two", None), ("one", Some(ReasonKind::Revoked))] {
        let list = revocation_list(&json!({"tokens": [listed]}));
        let gate = gate("opaque", &response).revocations(move |_| list.clone());
        let outcome = gate.decide(&policy, &bearing("opaque"));
        match expected {
            None => assert!(outcome.is_admitted(), "{outcome:?}"),
            Some(reason) => assert_eq!(outcome, Outcome::Deny(reason)),
        }
    }
}

#[test]
fn no_part_of_an_introspected_token_is_forwarded() {
    let jwt = jwt(json!({}));
    for (tokens, text) in [
        ("opaque", "a.SECRET"),
        ("opaque", ".SECRET"),
        ("opaque", "SECRET"),
        ("opaque", "a.SECRET.b.c"),
        ("opaque", "a.SECRET.b.c.d"),
        ("all", "a.SECRET"),
        ("all", &jwt),
    ] {
        for pad in [false, true] {
            let fields = json!({
                "forward_payload_header": "x-payload",
                "pad_forward_payload_header": pad,
            });
            let policy = policy(tokens, fields);
            let gate = Gate::new().introspection(|_, _| active(json!({})));
            let decision = gate.decision(&policy, &bearing(text));
            let Decision::Admit(admission) = decision else {
                panic!("{text}: {decision:?}");
            };
            let [HeaderChange::Set(name, value), HeaderChange::Remove(_)] = &admission.headers[..]
            else {
                panic!("{text}: {:?}", admission.headers);
            };
            assert_eq!(name, "x-payload");
            let engine = if pad { URL_SAFE } else { URL_SAFE_NO_PAD };
            let answer: Value = serde_json::from_slice(&engine.decode(value).unwrap()).unwrap();
            let expected = json!({
                "active": true, "scope": "read write", "aud": "https://api.example",
                "client_id": "app", "sub": "user",
            });
            assert_eq!(answer, expected, "{text}");
        }
    }
}

//! Which authentication scheme a token needs.

use gate::policy::{DpopPolicy, Policy};
use gate::reason::ReasonKind::{self, Downgrade, Missing, SenderConstraint, Unbound};
use serde_json::{Value, json};

use super::client::{CLIENT, OTHER, policy_with, request, token};
use crate::support::{Gate, Outcome, policy_of, provider, ready, with};

/// Why this request is refused; `None` if it is admitted.
fn refusal(policy: &Policy, headers: &[(&str, &str)]) -> Option<ReasonKind> {
    match Gate::new().keys(ready).decide(policy, &request(headers)) {
        Outcome::Deny(reason) => Some(reason),
        outcome => {
            assert!(outcome.is_admitted(), "{outcome:?}");
            None
        }
    }
}

fn with_constraint(constraint: &str) -> Policy {
    policy_with(
        &json!({"sender_constraint": constraint}),
        DpopPolicy::default(),
    )
}

#[test]
fn the_scheme_must_be_that_of_the_token() {
    let bound = CLIENT.token();
    let unbound = token(&json!({}));
    let thumbprint = CLIENT.thumbprint();
    let by_certificate = token(&json!({"cnf": {"x5t#S256": thumbprint}}));
    let by_other = token(&json!({"cnf": {"kid": "a"}}));
    for (constraint, scheme, token, expected) in [
        ("when_present", "DPoP", &bound, None),
        ("when_present", "dpop", &bound, None),
        ("when_present", "DPOP  ", &bound, None),
        ("when_present", "Bearer", &bound, Some(Downgrade)),
        ("when_present", "DPoP", &unbound, Some(Unbound)),
        ("when_present", "Bearer", &unbound, None),
        ("when_present", "DPoP", &by_certificate, Some(Unbound)),
        ("when_present", "DPoP", &by_other, Some(SenderConstraint)),
        ("when_present", "Bearer", &by_other, Some(SenderConstraint)),
        ("when_present", "Basic", &bound, Some(Missing)),
        ("required", "DPoP", &bound, None),
        ("required", "Bearer", &bound, Some(Downgrade)),
        ("required", "Bearer", &unbound, Some(Unbound)),
        ("dpop", "DPoP", &bound, None),
        ("dpop", "Bearer", &bound, Some(Downgrade)),
        ("dpop", "Bearer", &unbound, Some(Unbound)),
        ("dpop", "DPoP", &unbound, Some(Unbound)),
        ("dpop", "Bearer", &by_certificate, Some(Unbound)),
        ("certificate", "DPoP", &bound, Some(Unbound)),
        ("certificate", "Bearer", &bound, Some(Unbound)),
        ("ignore", "DPoP", &bound, None),
        ("ignore", "Bearer", &bound, None),
        ("ignore", "DPoP", &unbound, None),
    ] {
        let policy = with_constraint(constraint);
        let authorization = format!("{scheme} {token}");
        let proof = CLIENT.proof(token, &json!({}));
        let headers = [("authorization", &*authorization), ("dpop", &proof)];
        let found = refusal(&policy, &headers);
        assert_eq!(found, expected, "{constraint} {authorization}");
    }
}

#[test]
fn without_dpop_its_scheme_is_another_one_unless_the_binding_is_ignored() {
    let bound = CLIENT.token();
    let proof = CLIENT.proof(&bound, &json!({}));
    let dpop = format!("DPoP {bound}");
    let bearer = format!("Bearer {bound}");
    for (constraint, authorization, expected) in [
        ("when_present", &*dpop, Some(ReasonKind::Missing)),
        ("when_present", "DPoP !", Some(ReasonKind::Missing)),
        ("when_present", &bearer, Some(ReasonKind::SenderConstraint)),
        ("ignore", &dpop, None),
        ("ignore", &bearer, None),
        ("ignore", "DPoP !", Some(ReasonKind::MalformedCredential)),
    ] {
        let policy = policy_of(&with(
            &provider(),
            &json!({"sender_constraint": constraint}),
        ));
        let headers = [("authorization", authorization), ("dpop", &*proof)];
        assert_eq!(
            refusal(&policy, &headers),
            expected,
            "{constraint} {authorization}"
        );
    }
}

#[test]
fn a_provider_that_checks_the_binding_does_not_take_the_scheme_for_the_sake_of_one_that_ignores_it()
{
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "checks"}},]);
    let policy = crate::support::policy(&json!({
        "providers": {
            "checks": provider(),
            "ignores": with(&provider(), &json!({
                "sender_constraint": "ignore",
                "issuer": "https://other.example",
            })),
        },
        "rules": rules,
    }));
    let authorization = format!("DPoP {}", token(&json!({})));
    let headers = [("authorization", &*authorization)];
    assert_eq!(refusal(&policy, &headers), Some(ReasonKind::Missing));
    let any = crate::support::policy(&json!({
        "providers": {
            "checks": provider(),
            "ignores": with(&provider(), &json!({
                "sender_constraint": "ignore",
                "issuer": "https://other.example",
            })),
        },
    }));
    // The token is one of the provider that does not take the scheme.
    assert_eq!(refusal(&any, &headers), Some(ReasonKind::Issuer));
}

#[test]
fn the_scheme_is_taken_in_the_authorization_header_only() {
    let bound = CLIENT.token();
    let proof = CLIENT.proof(&bound, &json!({}));
    let fields: Value = json!({
        "from_headers": [
            {"name": "authorization", "value_prefix": "Bearer "},
            {"name": "x-token", "value_prefix": "DPoP "},
            {"name": "x-other", "value_prefix": "Bearer"},
        ],
        "from_params": ["access_token"],
    });
    let policy = policy_with(&fields, DpopPolicy::default());
    let value = format!("DPoP {bound}");
    for header in ["x-token", "x-other"] {
        let found = refusal(&policy, &[(header, &value), ("dpop", &proof)]);
        let expected = match header {
            "x-token" => ReasonKind::Downgrade,
            _ => ReasonKind::Missing,
        };
        assert_eq!(found, Some(expected), "{header}");
    }
}

#[test]
fn two_credentials_are_refused_whatever_their_schemes() {
    let policy = with_constraint("when_present");
    let bound = CLIENT.token();
    let proof = CLIENT.proof(&bound, &json!({}));
    let (dpop, bearer) = (format!("DPoP {bound}"), format!("Bearer {bound}"));
    let joined = format!("{dpop}, {bearer}");
    for headers in [
        &[("authorization", &*dpop), ("authorization", &*bearer)][..],
        &[("authorization", &dpop), ("authorization", &dpop)],
        &[("authorization", &joined)],
    ] {
        let headers = [headers, &[("dpop", &proof)]].concat();
        let found = refusal(&policy, &headers);
        assert_eq!(found, Some(ReasonKind::SeveralTokens), "{headers:?}");
    }
    let of_other = OTHER.token();
    let swapped = format!("DPoP {of_other}");
    let headers = [("authorization", &*swapped), ("dpop", &*proof)];
    assert_eq!(refusal(&policy, &headers), Some(ReasonKind::ProofToken));
}

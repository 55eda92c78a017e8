//! What the upstream gets of a bound token.

use gate::admission::HeaderChange;
use gate::decision::Decision;
use gate::policy::{DpopPolicy, UpstreamToken};
use serde_json::json;

use super::client::{CLIENT, policy_with, proving, request, token};
use crate::support::{Gate, policy_of, provider, ready, with};

fn remove(name: &str) -> HeaderChange {
    HeaderChange::Remove(name.to_owned())
}

#[test]
fn a_proof_is_removed_or_forwarded_with_its_token() {
    let bound = CLIENT.token();
    let rewritten = HeaderChange::Set(
        "authorization".to_owned(),
        format!("Bearer {bound}").into_bytes(),
    );
    for (forward, upstream, expected) in [
        (
            false,
            UpstreamToken::AsSent,
            vec![remove("authorization"), remove("dpop")],
        ),
        (
            false,
            UpstreamToken::Bearer,
            vec![remove("authorization"), remove("dpop")],
        ),
        (true, UpstreamToken::AsSent, vec![]),
        (true, UpstreamToken::Bearer, vec![rewritten, remove("dpop")]),
    ] {
        let dpop = DpopPolicy {
            upstream,
            ..DpopPolicy::default()
        };
        let policy = policy_with(&json!({"forward": forward}), dpop);
        let request = proving(&bound, &CLIENT.proof(&bound, &json!({})));
        let Decision::Admit(admission) = Gate::new().keys(ready).decision(&policy, &request) else {
            panic!("{forward} {upstream:?}");
        };
        assert_eq!(admission.headers, expected, "{forward} {upstream:?}");
    }
}

#[test]
fn a_proof_that_was_not_looked_at_is_left_alone() {
    let unbound = token(&json!({}));
    let bound = CLIENT.token();
    let checking = policy_with(&json!({}), DpopPolicy::default());
    let fields = json!({"sender_constraint": "ignore"});
    let ignoring = policy_of(&with(&provider(), &fields));
    for (policy, authorization) in [
        (&checking, format!("Bearer {unbound}")),
        (&ignoring, format!("Bearer {bound}")),
        (&ignoring, format!("DPoP {bound}")),
    ] {
        let request = request(&[("authorization", &authorization), ("dpop", "x")]);
        let Decision::Admit(admission) = Gate::new().keys(ready).decision(policy, &request) else {
            panic!("{authorization}");
        };
        assert_eq!(admission.headers, [remove("authorization")]);
        assert_eq!(admission.proof, None);
    }
}

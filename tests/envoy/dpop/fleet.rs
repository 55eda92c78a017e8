//! What several Envoys know of each other: nothing, unless they share a key of nonces.

use gate::reason::ReasonKind;
use serde_json::json;

use super::setting::{URL, assert_refused, client};
use crate::support::{Proof, Setup, bound_token, dpop_config, get};

/// The limit that SECURITY.md states: each Envoy remembers used proofs for itself.
#[test]
fn a_proof_can_be_used_once_at_each_envoy() {
    let config = dpop_config(&json!({}));
    let gates = [0; 2].map(|_| Setup::new(config.clone()).start());
    let token = bound_token(client()).signed();
    let proof = Proof::new(client(), URL, &token).signed();
    let request = get("/orders").proving(&token, &proof);
    for gate in &gates {
        assert_eq!(gate.send(&request).status, 200);
        assert_refused(&gate.send(&request), ReasonKind::ProofReplay, "replay");
        assert_eq!(gate.upstream.count(), 1);
    }
}

/// Two filters with different configurations remember used proofs separately, even in one Envoy.
#[test]
fn a_proof_can_be_used_once_with_each_configuration() {
    let mut first = Setup::new(dpop_config(&json!({})));
    let second = Setup::new(dpop_config(&json!({"max_age": "50s"})));
    let same = Setup::new(dpop_config(&json!({}))).filter();
    let token = bound_token(client()).signed();
    let request = || {
        let proof = Proof::new(client(), URL, &token).signed();
        get("/orders").proving(&token, &proof)
    };
    let forwarding = |filter: &serde_json::Value| {
        let mut filter = filter.clone();
        let config = &mut filter["typed_config"]["config"]["configuration"]["value"];
        config["providers"]["cloud"]["forward"] = true.into();
        filter
    };
    // Two filters in a row see each proof twice.
    let in_a_row = |filters: [serde_json::Value; 2]| {
        let [mut one, mut other] = filters;
        one["name"] = "one".into();
        other["name"] = "other".into();
        vec![one, other]
    };
    first.instead = Some(in_a_row([forwarding(&first.filter()), forwarding(&same)]));
    let gate = first.start();
    assert_refused(&gate.send(&request()), ReasonKind::ProofReplay, "the same");
    let mut first = Setup::new(dpop_config(&json!({})));
    first.instead = Some(in_a_row([
        forwarding(&first.filter()),
        forwarding(&second.filter()),
    ]));
    let gate = first.start();
    assert_eq!(gate.send(&request()).status, 200);
}

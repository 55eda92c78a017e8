//! When a proof needs a nonce, and which are good.

use std::time::Duration;

use gate::decision::Decision;
use gate::dpop::{NonceKeys, Nonces};
use gate::policy::{DpopPolicy, NonceUse};
use gate::reason::ReasonKind;
use serde_json::json;

use super::client::{CLIENT, policy_with, proving};
use crate::support::{Gate, NOW, Outcome, at, ready};

fn keys() -> NonceKeys {
    NonceKeys {
        current: vec![7; 32],
        previous: None,
    }
}

fn dpop(nonce: NonceUse) -> DpopPolicy {
    DpopPolicy {
        nonce,
        nonce_keys: Some(keys()),
        ..DpopPolicy::default()
    }
}

/// The nonce that the gate gave out `age` seconds ago.
fn nonce(age: u64) -> String {
    let nonces = Nonces {
        keys: &keys(),
        lifetime: Duration::from_mins(5),
        clock_skew: Duration::from_mins(1),
    };
    nonces.issue(at(NOW.saturating_sub(age)))
}

fn outcome(dpop: DpopPolicy, iat: u64, nonce: Option<&str>) -> Decision {
    let token = CLIENT.token();
    let mut changes = json!({"iat": iat});
    if let Some(nonce) = nonce {
        changes["nonce"] = nonce.into();
    }
    let request = proving(&token, &CLIENT.proof(&token, &changes));
    let gate = Gate::new().keys(ready);
    gate.decision(&policy_with(&json!({}), dpop), &request)
}

#[test]
fn a_nonce_counts_as_the_configuration_says() {
    let good = nonce(0);
    let expired = nonce(400);
    let (recent, old) = (NOW, 1_000_000_000);
    let by_nonce = Some(ReasonKind::ProofNonce);
    let by_time = Some(ReasonKind::ProofTime);
    for (nonce_use, iat, nonce, expected) in [
        (NonceUse::Off, recent, None, None),
        (NonceUse::Off, old, None, by_time),
        (
            NonceUse::Off,
            recent,
            Some("of the authorization server"),
            None,
        ),
        (NonceUse::Off, old, Some(&*good), by_time),
        (NonceUse::Fallback, recent, None, None),
        (NonceUse::Fallback, old, None, by_nonce),
        (NonceUse::Fallback, recent, Some(&good), None),
        (NonceUse::Fallback, old, Some(&good), None),
        (NonceUse::Fallback, recent, Some(&expired), by_nonce),
        (NonceUse::Fallback, recent, Some("other"), by_nonce),
        (NonceUse::Required, recent, None, by_nonce),
        (NonceUse::Required, old, None, by_nonce),
        (NonceUse::Required, recent, Some(&good), None),
        (NonceUse::Required, old, Some(&good), None),
        (NonceUse::Required, recent, Some(&expired), by_nonce),
        (NonceUse::Required, recent, Some(""), by_nonce),
    ] {
        let found = outcome(dpop(nonce_use), iat, nonce);
        let refused = match Outcome::from(found) {
            Outcome::Deny(reason) => Some(reason),
            _ => None,
        };
        assert_eq!(refused, expected, "{nonce_use:?} {iat} {nonce:?}");
    }
}

#[test]
fn without_a_key_no_nonce_is_good() {
    let without = DpopPolicy {
        nonce_keys: None,
        ..dpop(NonceUse::Required)
    };
    let found = outcome(without, NOW, Some(&nonce(0)));
    assert_eq!(Outcome::from(found), Outcome::Deny(ReasonKind::ProofNonce));
}

#[test]
fn an_aging_nonce_is_replaced_by_filter_state() {
    for (age, replaced) in [(0, false), (100, false), (180, true), (270, true)] {
        let Decision::Admit(admission) = outcome(dpop(NonceUse::Required), NOW, Some(&nonce(age)))
        else {
            panic!("{age}");
        };
        let mut expected = vec![("dpop_nonce".to_owned(), nonce(0).into_bytes())];
        expected.retain(|_| replaced);
        assert_eq!(admission.filter_state, expected, "{age}");
    }
    let Decision::Admit(admission) = outcome(dpop(NonceUse::Fallback), NOW, None) else {
        panic!();
    };
    assert_eq!(admission.filter_state, []);
}

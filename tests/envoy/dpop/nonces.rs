//! Nonces: proofs that were made just now (RFC 9449, section 9).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gate::reason::ReasonKind;
use serde_json::{Value, json};

use super::setting::{URL, assert_refused, challenges, client};
use crate::support::{Gate, Proof, Response, Setup, bound_token, dpop_config, get, mac, now};

/// A proof from before the window that the gate accepts.
const OLD: u64 = 1_000_000_000;

/// An Envoy that gives out nonces, with these keys in the environment of the filter.
fn start(nonce: &str, keys: &[(&str, u8)]) -> Gate {
    let mut dpop = json!({"nonce": nonce});
    let mut environment = json!({});
    for (field, byte) in keys {
        dpop[format!("{field}_environment_variable")] = (*field).into();
        environment[*field] = STANDARD.encode([*byte; 32]).into();
    }
    let mut setup = Setup::new(dpop_config(&dpop));
    setup.vm_config = json!({"environment_variables": {"key_values": environment}});
    setup.route = json!({"response_headers_to_add": [{
        "header": {"key": "dpop-nonce", "value": "%FILTER_STATE(wasm.dpop_nonce:PLAIN)%"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }]});
    setup.start()
}

/// Sends a request with a proof that was made at `iat` with this nonce.
fn send(gate: &Gate, iat: u64, nonce: Option<&str>) -> Response {
    let token = bound_token(client()).signed();
    let mut proof = Proof::new(client(), URL, &token).claim("iat", iat);
    if let Some(nonce) = nonce {
        proof = proof.claim("nonce", nonce);
    }
    gate.send(&get("/orders").proving(&token, &proof.signed()))
}

/// The nonce in an answer that asks for one.
#[track_caller]
fn asked(answer: &Response) -> String {
    assert_refused(answer, ReasonKind::ProofNonce, "a nonce is needed");
    let [challenge] = challenges(answer)[..] else {
        panic!("not one challenge: {:?}", answer.headers);
    };
    assert!(challenge.starts_with("DPoP realm=\"api.example\", error=\"use_dpop_nonce\", "));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.header("dpop-nonce").unwrap().to_owned()
}

/// The nonce that a gate with the key of these bytes gives out at `time`.
fn nonce(byte: u8, time: u64) -> String {
    let time = time.to_be_bytes();
    let message = [b"bearer-gate dpop nonce 1\0", &time[..]].concat();
    let tag = mac("HS256", &[byte; 32], &message);
    URL_SAFE_NO_PAD.encode([&time, &tag[..16]].concat())
}

#[test]
fn a_client_retries_once_with_the_nonce_that_it_is_given() {
    let gate = start("required", &[]);
    let nonce = asked(&send(&gate, now(), None));
    // The nonce proves that the proof is new, whatever the clock of the client says.
    for iat in [now(), OLD] {
        assert_eq!(send(&gate, iat, Some(&nonce)).status, 200);
    }
    asked(&send(&gate, now(), Some("x")));
    assert_eq!(gate.upstream.count(), 2);
}

#[test]
fn with_the_fallback_only_clients_with_a_wrong_clock_need_a_nonce() {
    let gate = start("fallback", &[]);
    assert_eq!(send(&gate, now(), None).status, 200);
    let nonce = asked(&send(&gate, OLD, None));
    assert_eq!(send(&gate, OLD, Some(&nonce)).status, 200);
    let off = start("off", &[]);
    assert_eq!(
        send(&off, now(), Some("of the authorization server")).status,
        200
    );
    assert_refused(&send(&off, OLD, None), ReasonKind::ProofTime, "old");
    assert_eq!(send(&off, OLD, None).header("dpop-nonce"), None);
}

#[test]
fn gates_with_the_same_key_accept_each_others_nonces() {
    let key = [("nonce_key", 1)];
    let [first, second] = [start("required", &key), start("required", &key)];
    for (from, to) in [(&first, &second), (&second, &first)] {
        let nonce = asked(&send(from, now(), None));
        assert_eq!(send(to, now(), Some(&nonce)).status, 200);
    }
}

#[test]
fn gates_with_random_keys_do_not_accept_each_others_nonces() {
    let [first, second] = [start("required", &[]), start("required", &[])];
    let nonce = asked(&send(&first, now(), None));
    // The client gets another nonce, and goes on with it.
    let other = asked(&send(&second, now(), Some(&nonce)));
    assert_ne!(nonce, other);
    assert_eq!(send(&second, now(), Some(&other)).status, 200);
    assert_eq!(first.upstream.count(), 0);
}

#[test]
fn a_key_is_replaced_without_refusing_anybody() {
    let before = start("required", &[("nonce_key", 1)]);
    let after = start("required", &[("nonce_key", 2), ("nonce_previous_key", 1)]);
    let old = asked(&send(&before, now(), None));
    assert_eq!(send(&after, now(), Some(&old)).status, 200);
    // New nonces are made with the new key.
    let new = asked(&send(&after, now(), None));
    assert_eq!(send(&after, now(), Some(&new)).status, 200);
    asked(&send(&before, now(), Some(&new)));
    // Once the old key is gone, so are its nonces.
    let later = start("required", &[("nonce_key", 2)]);
    asked(&send(&later, now(), Some(&old)));
    assert_eq!(send(&later, now(), Some(&new)).status, 200);
}

#[test]
fn the_route_gives_clients_a_new_nonce_before_theirs_expires() {
    let gate = start("required", &[("nonce_key", 1)]);
    let fresh = send(&gate, now(), Some(&nonce(1, now())));
    assert_eq!((fresh.status, fresh.header("dpop-nonce")), (200, None));
    let aging = send(&gate, now(), Some(&nonce(1, now() - 200)));
    assert_eq!(aging.status, 200);
    let next = aging.header("dpop-nonce").unwrap();
    assert_eq!(send(&gate, now(), Some(next)).status, 200);
    asked(&send(&gate, now(), Some(&nonce(1, now() - 1000))));
    asked(&send(&gate, now(), Some(&nonce(2, now()))));
    assert_ne!(aging.json(), Value::Null);
}

//! Project Wycheproof's test vectors with both engines.

use super::{Algorithm, Engine};
use crate::keys::{Key, KeyUses, Provenance};
use gate_fixtures as fixtures;

#[path = "../../../../tests/support/wycheproof.rs"]
mod wycheproof_vectors;

use wycheproof_vectors::{Vector, ecdsa, eddsa, pkcs1, pss};

/// Verifies all vectors with `engine`. Returns how many signatures were valid, how many were not,
/// and how many have a key that the engine does not support.
fn run(engine: &Engine, vectors: &[Vector]) -> (usize, usize, usize) {
    let (mut valid, mut invalid, mut unsupported) = (0, 0, 0);
    for vector in vectors {
        let algorithm = Algorithm::from_name(vector.algorithm).unwrap();
        let key = Key::from_jwk(&vector.jwk, Provenance::Server, &KeyUses::default());
        let key = key
            .ok()
            .filter(|key| engine.supports(&key.public, algorithm));
        let Some(key) = key else {
            unsupported += 1;
            continue;
        };
        let is_valid = engine
            .verify(&key.public, algorithm, &vector.message, &vector.signature)
            .is_some();
        if let Some(expected) = vector.expected {
            assert_eq!(is_valid, expected, "{}", vector.name);
        }
        if is_valid {
            valid += 1;
        } else {
            invalid += 1;
        }
    }
    (valid, invalid, unsupported)
}

fn both(vectors: &[Vector]) -> [(usize, usize, usize); 2] {
    let host = Engine::probe(Box::new(fixtures::host));
    [run(&Engine::software(), vectors), run(&host, vectors)]
}

#[test]
fn rsa_pkcs1_vectors_have_the_expected_results() {
    assert_eq!(both(&pkcs1()), [(63, 2262, 781), (89, 3017, 0)]);
}

#[test]
fn rsa_pss_vectors_have_the_expected_results() {
    assert_eq!(both(&pss()), [(512, 661, 0); 2]);
}

#[test]
fn ecdsa_vectors_have_the_expected_results() {
    assert_eq!(both(&ecdsa()), [(597, 1793, 0); 2]);
}

#[test]
fn ed25519_vectors_have_the_expected_results() {
    assert_eq!(both(&eddsa()), [(88, 63, 0); 2]);
}

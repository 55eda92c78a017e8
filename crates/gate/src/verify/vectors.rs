//! Project Wycheproof's vectors, by both engines.

use super::{Algorithm, Engine};
use crate::fixtures;
use crate::keys::{Key, Provenance};

#[path = "../../../../tests/support/wycheproof.rs"]
mod wycheproof_vectors;

use wycheproof_vectors::{Vector, ecdsa, eddsa, pkcs1, pss};

/// Runs all vectors with `engine`, and answers how many good signatures were found good, how many
/// bad ones bad, and how many vectors have a key that the engine does not take.
fn run(engine: &Engine, vectors: &[Vector]) -> (usize, usize, usize) {
    let (mut good, mut bad, mut not_taken) = (0, 0, 0);
    for vector in vectors {
        let algorithm = Algorithm::from_name(vector.algorithm).unwrap();
        let key = Key::from_jwk(&vector.jwk, Provenance::Server);
        let key = key.ok().filter(|key| engine.takes(&key.public, algorithm));
        let Some(key) = key else {
            not_taken += 1;
            continue;
        };
        let found = engine
            .verify(&key.public, algorithm, &vector.message, &vector.signature)
            .is_some();
        if let Some(expected) = vector.expected {
            assert_eq!(found, expected, "{}", vector.name);
        }
        if found {
            good += 1;
        } else {
            bad += 1;
        }
    }
    (good, bad, not_taken)
}

fn both(vectors: &[Vector]) -> [(usize, usize, usize); 2] {
    let host = Engine::probe(Box::new(fixtures::host));
    [run(&Engine::software(), vectors), run(&host, vectors)]
}

#[test]
fn rsa_pkcs1_vectors_are_judged_rightly() {
    assert_eq!(both(&pkcs1()), [(63, 2262, 781), (89, 3017, 0)]);
}

#[test]
fn rsa_pss_vectors_are_judged_rightly() {
    assert_eq!(both(&pss()), [(512, 661, 0); 2]);
}

#[test]
fn ecdsa_vectors_are_judged_rightly() {
    assert_eq!(both(&ecdsa()), [(597, 1793, 0); 2]);
}

#[test]
fn ed25519_vectors_are_judged_rightly() {
    assert_eq!(both(&eddsa()), [(88, 63, 0); 2]);
}

//! Parses any text as a proof of possession: what is accepted keeps to the limits and has exactly one encoding.
#![no_main]

use gate::dpop::{MAX_PROOF_BYTES, Proof, ProofKeys};
use gate::policy::DpopPolicy;
use gate::verify::Engine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let algorithms: Vec<_> = DpopPolicy::default_algorithms().collect();
    let engine = Engine::software();
    let mut known = ProofKeys::default();
    let Ok(proof) = Proof::parse(text, &algorithms, &engine, &mut known) else {
        return;
    };
    assert!(text.len() <= MAX_PROOF_BYTES);
    assert_eq!(text.iter().filter(|byte| **byte == b'.').count(), 2);
    assert!(!text.iter().any(|byte| b"= ,+/".contains(byte)));
    assert!((1..=512).contains(&proof.claims.jti.len()));
    assert!(algorithms.contains(&proof.key.algorithm));
    let is_good = proof.verify(&engine, &mut known).is_some();
    assert_eq!(known.len(), usize::from(is_good));
    // With a known key the result is the same.
    let again = Proof::parse(text, &algorithms, &engine, &mut known).expect("it is a proof");
    assert_eq!(again.claims, proof.claims);
    assert_eq!(again.key.thumbprint, proof.key.thumbprint);
    assert_eq!(again.has_known_key(), is_good);
});

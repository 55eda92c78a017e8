use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate_fixtures::{ec_jwk, ed25519_jwk, oct_jwk, p384_jwk, p521_jwk, rsa_jwk};
use serde_json::json;

use super::*;
use crate::verify::Hash;

const ES256: Algorithm = Algorithm::Es(Hash::Sha256);
const RS256: Algorithm = Algorithm::Rs(Hash::Sha256);

fn parse(jwk: &Value, algorithm: Algorithm) -> Result<ProofKey, KeyFlaw> {
    ProofKey::parse(Some(jwk), algorithm, &Engine::software())
}

fn thumbprint(jwk: &Value, algorithm: Algorithm) -> String {
    URL_SAFE_NO_PAD.encode(parse(jwk, algorithm).unwrap().thumbprint)
}

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

#[test]
fn thumbprints_are_those_of_the_published_examples() {
    for (algorithm, jwk, expected) in [
        // RFC 9449.
        (
            ES256,
            json!({"kty": "EC", "crv": "P-256",
                "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
                "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}),
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ),
        // RFC 7638, section 3.1.
        (
            RS256,
            json!({"kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
                "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        ),
        // RFC 8037, appendix A.3.
        (
            Algorithm::EdDsa,
            json!({"kty": "OKP", "crv": "Ed25519",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
        (
            Algorithm::Es(Hash::Sha384),
            json!({"kty": "EC", "crv": "P-384",
                "x": "mBVIaPUmur5_NOqMu6g6AghJuA8l7yrPotrpSKuO0sLW5sjcYP6TWYFbP46gOUvC",
                "y": "wkGL9nf6wDHZmYleql_gipAnwUcdZw_3oBt_gz6Nh1BKLbAKbOp7JiJi0WYQQWaQ"}),
            "aI6_mRag1fDszaDEcdpdlWQnJItvZl9HRSer06G7t5Q",
        ),
    ] {
        assert_eq!(thumbprint(&jwk, algorithm), expected);
        let more = with(jwk, "kid", json!("anything"));
        assert_eq!(thumbprint(&more, algorithm), expected);
    }
}

#[test]
fn a_key_fits_the_algorithm_of_the_proof() {
    for (jwk, fitting) in [
        (ec_jwk(), &["ES256"][..]),
        (p384_jwk(), &["ES384"]),
        (p521_jwk(), &["ES512"]),
        (ed25519_jwk(), &["EdDSA"]),
        (
            rsa_jwk(),
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ),
        (oct_jwk(), &[]),
    ] {
        for (name, algorithm) in Algorithm::ALL {
            let fits = parse(&jwk, algorithm).is_ok();
            assert_eq!(fits, fitting.contains(&name), "{jwk} {name}");
        }
    }
}

#[test]
fn nothing_is_tolerated_in_the_key_of_a_proof() {
    let x = |jwk: Value| URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let padded = URL_SAFE_NO_PAD.encode([&[0][..], &x(ec_jwk())].concat());
    let modulus = rsa_jwk()["n"].as_str().unwrap().to_owned();
    let modulus = URL_SAFE_NO_PAD.decode(modulus).unwrap();
    let zero = URL_SAFE_NO_PAD.encode([&[0][..], &modulus].concat());
    let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
    let x_text = ec_jwk()["x"].as_str().unwrap().to_owned();
    for (algorithm, jwk) in [
        (ES256, json!(null)),
        (ES256, json!("key")),
        (ES256, json!({})),
        (ES256, with(ec_jwk(), "kty", json!("ec"))),
        (ES256, with(ec_jwk(), "kty", json!(null))),
        (ES256, with(ec_jwk(), "crv", json!("P-384"))),
        (ES256, with(ec_jwk(), "crv", json!("secp256k1"))),
        (ES256, with(ec_jwk(), "x", json!(padded))),
        (ES256, with(ec_jwk(), "x", json!(format!("{x_text}=")))),
        (ES256, with(ec_jwk(), "x", json!(format!(" {x_text}")))),
        (ES256, with(ec_jwk(), "x", json!(""))),
        (ES256, with(ec_jwk(), "x", json!("AQ"))),
        (ES256, with(ec_jwk(), "x", json!(1))),
        // Not on the curve.
        (ES256, with(ec_jwk(), "x", ec_jwk()["y"].clone())),
        (ES256, with(ec_jwk(), "d", json!("AQ"))),
        (ES256, with(ec_jwk(), "d", json!(null))),
        (ES256, with(ec_jwk(), "k", json!("AQ"))),
        (ES256, with(ec_jwk(), "use", json!("enc"))),
        (ES256, with(ec_jwk(), "use", json!(null))),
        (ES256, with(ec_jwk(), "key_ops", json!(["sign"]))),
        (ES256, with(ec_jwk(), "key_ops", json!("verify"))),
        (ES256, with(ec_jwk(), "alg", json!("ES384"))),
        (ES256, with(ec_jwk(), "alg", json!(null))),
        (RS256, with(rsa_jwk(), "n", json!(zero))),
        (RS256, with(rsa_jwk(), "n", json!(short))),
        (RS256, with(rsa_jwk(), "e", json!("AAEAAQ"))),
        (RS256, with(rsa_jwk(), "e", json!("AQ"))),
        (RS256, with(rsa_jwk(), "alg", json!("PS256"))),
        (
            Algorithm::EdDsa,
            with(ed25519_jwk(), "crv", json!("X25519")),
        ),
        (Algorithm::EdDsa, with(ed25519_jwk(), "x", json!("AQ"))),
        (Algorithm::Hs(Hash::Sha256), oct_jwk()),
    ] {
        assert!(parse(&jwk, algorithm).is_err(), "{jwk}");
    }
    assert!(ProofKey::parse(None, ES256, &Engine::software()).is_err());
    for (algorithm, jwk) in [
        (ES256, with(ec_jwk(), "use", json!("sig"))),
        (ES256, with(ec_jwk(), "key_ops", json!(["sign", "verify"]))),
        (ES256, with(ec_jwk(), "alg", json!("ES256"))),
        (Algorithm::EdDsa, with(ed25519_jwk(), "alg", json!("EdDSA"))),
        (
            Algorithm::EdDsa,
            with(ed25519_jwk(), "alg", json!("Ed25519")),
        ),
        (RS256, with(rsa_jwk(), "x5c", json!(["ignored"]))),
    ] {
        assert!(parse(&jwk, algorithm).is_ok(), "{jwk}");
    }
}

#[test]
fn a_longer_rsa_key_needs_a_host_that_supports_it() {
    let modulus = URL_SAFE_NO_PAD.encode(vec![0xff; 1024]);
    let jwk = with(rsa_jwk(), "n", json!(modulus));
    assert!(parse(&jwk, RS256).is_err());
    let host = Engine::probe(Box::new(gate_fixtures::host));
    assert!(ProofKey::parse(Some(&jwk), RS256, &host).is_ok());
}

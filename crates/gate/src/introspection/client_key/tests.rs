use serde_json::json;

use super::*;

/// The key of RFC 7515, appendix A.3.
fn p256() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "kid": "gate-1",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    })
}

fn parse(jwk: &Value) -> Result<ClientKey, ClientKeyProblem> {
    ClientKey::from_jwk(jwk.as_object().unwrap())
}

#[test]
fn a_p256_signature_is_valid() {
    let key = parse(&p256()).unwrap();
    assert_eq!(key.kid(), "gate-1");
    let signature = key.sign(b"message").unwrap();
    let point = [&[4][..], &key.public().unwrap()].concat();
    let verify = |message: &[u8]| {
        let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
        let public = aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, &point);
        public.verify(message, &signature).is_ok()
    };
    assert!(verify(b"message") && !verify(b"massage"));
}

#[test]
fn a_key_that_cannot_sign_is_refused_and_the_reason_does_not_reveal_it() {
    let with = |mut key: Value, name: &str, value: Value| {
        key[name] = value;
        key
    };
    let without = |mut key: Value, name: &str| {
        key.as_object_mut().unwrap().remove(name);
        key
    };
    let other = "the key is not an EC key on P-256";
    let unrelated = "x and y of the key do not belong to its d";
    for (jwk, expected) in [
        (json!({}), "the key has no kid"),
        (without(p256(), "kid"), "the key has no kid"),
        (with(p256(), "kid", json!("")), "the key has no kid"),
        (with(p256(), "kid", json!(1)), "the key has no kid"),
        (
            with(p256(), "use", json!("enc")),
            "use of the key is not sig",
        ),
        (
            with(p256(), "key_ops", json!(["verify"])),
            "key_ops of the key does not contain sign",
        ),
        (json!({"kty": "RSA", "kid": "a", "d": "AQAB"}), other),
        (json!({"kty": "oct", "kid": "a", "k": "AQAB"}), other),
        (with(p256(), "crv", json!("P-384")), other),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "d": "AQAB"}),
            other,
        ),
        (
            with(p256(), "alg", json!("EdDSA")),
            "alg of the key is not ES256",
        ),
        (without(p256(), "d"), "the key is not private: it has no d"),
        (
            with(p256(), "d", json!("AQAB")),
            "d of the key is not 32 bytes in base64url",
        ),
        (
            with(p256(), "d", json!(URL_SAFE_NO_PAD.encode([0; 32]))),
            "d of the key is not in the range of its curve",
        ),
        (
            with(p256(), "d", json!(URL_SAFE_NO_PAD.encode([0xff; 32]))),
            "d of the key is not in the range of its curve",
        ),
        (with(p256(), "y", p256()["x"].clone()), unrelated),
        (without(p256(), "y"), unrelated),
    ] {
        assert_eq!(parse(&jwk).err(), Some(expected), "{jwk}");
    }
}

#[test]
fn debug_output_hides_the_key() {
    let shown = format!("{:?}", parse(&p256()).unwrap());
    assert!(
        shown.contains("gate-1") && !shown.contains("142"),
        "{shown}"
    );
}

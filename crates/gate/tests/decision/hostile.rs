//! Tokens as attackers make them, and good ones that look odd: RFC 8725 and its successor draft, the
//! advisories of JWT libraries, and the tools of penetration testers. No bad one passes, no good one
//! is refused.

mod signatures;
mod support;
mod text;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gate_fixtures::{compact, ec_jwk, ed25519_jwk, rsa_jwk, signature, signed};
use serde_json::{Value, json};

use support::{PAYLOAD, decide, decide_with, der, encoded, es256, payload, policy};

#[test]
fn no_spelling_of_none_is_an_algorithm() {
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "noNe",
        " none",
        "none ",
        "none\\u0000",
        "\\u006eone",
        "n\\u006fne",
        "null",
        "",
        "0",
        "undefined",
        "plain",
        "Unsecured",
        "nоne",
        "ｎｏｎｅ",
        "NoNe\\n",
    ] {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        let input = format!("{}.{}", encoded(&header), encoded(PAYLOAD));
        let good = signature("ES256", input.as_bytes());
        for token in [
            format!("{input}."),
            input.clone(),
            format!("{input}.{}", encoded("none")),
            format!("{input}.{}", encoded([0; 64])),
            format!("{input}.AA"),
            format!("{input}.{}", encoded(good)),
        ] {
            assert!(decide(&token).is_denied(), "{header} {token}");
        }
    }
    for header in [
        r#"{"typ":"JWT"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":false}"#,
        r#"{"alg":0}"#,
        r#"{"alg":[]}"#,
        r#"{"alg":["none"]}"#,
        r#"{"alg":{"ES256":1}}"#,
        r#"{"Alg":"ES256"}"#,
        r#"{"ALG":"ES256"}"#,
        r#"{"alg ":"ES256"}"#,
        "{}",
        "null",
        "[]",
        "",
    ] {
        assert!(decide(&es256(header, PAYLOAD)).is_denied(), "{header}");
    }
}

#[test]
fn a_public_key_is_no_hmac_secret_in_any_form() {
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for jwk in [rsa_jwk(), ec_jwk(), ed25519_jwk()] {
        let der = der(&jwk);
        let body = STANDARD.encode(&der);
        let lines: Vec<_> = body
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let wrap = |label: &str, end: &str| {
            let lines = lines.join("\n");
            format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----{end}").into_bytes()
        };
        secrets.push(wrap("PUBLIC KEY", "\n"));
        secrets.push(wrap("PUBLIC KEY", ""));
        secrets.push(wrap("RSA PUBLIC KEY", "\n"));
        secrets.push(wrap("CERTIFICATE", "\n"));
        secrets.push(wrap("PUBLIC KEY", "\r\n"));
        secrets.push(body.into_bytes());
        secrets.push(der);
        secrets.push(jwk.to_string().into_bytes());
        for name in ["n", "x"] {
            if let Some(text) = jwk[name].as_str() {
                secrets.push(text.as_bytes().to_vec());
                secrets.push(URL_SAFE_NO_PAD.decode(text).unwrap());
            }
        }
    }
    secrets.push(Vec::new());
    secrets.push(b"secret".to_vec());
    let hmac_too = json!(["RS256", "ES256", "EdDSA", "HS256", "HS384", "HS512"]);
    for policy in [policy(&Value::Null), policy(&hmac_too)] {
        for (name, algorithm) in [
            ("HS256", aws_lc_rs::hmac::HMAC_SHA256),
            ("HS384", aws_lc_rs::hmac::HMAC_SHA384),
            ("HS512", aws_lc_rs::hmac::HMAC_SHA512),
        ] {
            for secret in &secrets {
                let key = aws_lc_rs::hmac::Key::new(algorithm, secret);
                for kid in ["", r#","kid":"rsa""#, r#","kid":"ec""#] {
                    let header = format!(r#"{{"alg":"{name}"{kid}}}"#);
                    let token = compact(&header, PAYLOAD, |input| {
                        aws_lc_rs::hmac::sign(&key, input).as_ref().to_vec()
                    });
                    assert!(decide_with(&policy, &token).is_denied(), "{header}");
                }
            }
        }
    }
}

#[test]
fn a_token_cannot_bring_its_own_key() {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    let mine = Ed25519KeyPair::generate().unwrap();
    let x = encoded(mine.public_key());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed25519", "x": x});
    for header in [
        json!({"alg": "EdDSA", "jwk": jwk}),
        json!({"alg": "EdDSA", "kid": "ed25519", "jwk": jwk}),
        json!({"alg": "EdDSA", "kid": "mine", "jwk": jwk}),
        json!({"alg": "EdDSA", "jku": "https://evil.example/jwks"}),
        json!({"alg": "EdDSA", "jku": "https://issuer.example@evil.example/jwks"}),
        json!({"alg": "EdDSA", "x5u": "https://evil.example/cert.pem"}),
        json!({"alg": "EdDSA", "x5c": [x]}),
        json!({"alg": "EdDSA", "x5t#S256": x, "x5t": x}),
        json!({"alg": "EdDSA", "keys": [jwk], "jwks": {"keys": [jwk]}, "key": x, "iss": "me"}),
    ] {
        let token = compact(&header.to_string(), PAYLOAD, |input| {
            mine.sign(input).as_ref().to_vec()
        });
        assert!(decide(&token).is_denied(), "{header}");
    }
}

#[test]
fn a_kid_only_names_a_key() {
    let long = "k".repeat(4_000);
    for kid in [
        "../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "https://evil.example/key",
        "' OR '1'='1",
        "ec' UNION SELECT 'secret",
        "ec\0",
        "ec ",
        " ec",
        "EC",
        "ec;id",
        "$(id)",
        "{{7*7}}",
        "__proto__",
        "",
        "0",
        "rsa",
        "p384",
        &long,
    ] {
        let token = signed("ES256", &json!({"alg": "ES256", "kid": kid}), &payload());
        assert!(decide(&token).is_denied(), "{kid}");
    }
    for kid in [
        json!(null),
        json!(0),
        json!(["ec"]),
        json!({"ec": 1}),
        json!(true),
    ] {
        let token = signed("ES256", &json!({"alg": "ES256", "kid": kid}), &payload());
        assert!(decide(&token).is_denied(), "{kid}");
    }
}

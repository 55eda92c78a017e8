//! Tokens that no key of the issuer has signed.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::{PUBLIC, are_refused, compact, encoded, es256, gate, good_payload, tokens};
use crate::support::{Issuer, Key, Setup, Token, get, keys, mac};

#[test]
fn no_spelling_of_none_passes() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let mut bad = Vec::new();
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        " none",
        "none\\u0000",
        "\\u006eone",
        "",
        "null",
        "nоne",
    ] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        let input = format!("{}.{}", encoded(header), encoded(good_payload()));
        let signature = encoded(keys::EC.sign("ES256", input.as_bytes()));
        bad.extend([
            format!("{input}."),
            input.clone(),
            format!("{input}.AA"),
            format!("{input}.{signature}"),
        ]);
    }
    for header in [
        r#"{"typ":"JWT"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["ES256"]}"#,
        r#"{"ALG":"ES256"}"#,
        "{}",
        "null",
    ] {
        bad.push(es256(header, &good_payload()));
    }
    are_refused(&gate, tokens(bad));
}

#[test]
fn a_public_key_does_not_work_as_an_hmac_secret() {
    let mut secrets: Vec<Vec<u8>> = vec![Vec::new(), b"secret".to_vec()];
    for key in [&*keys::RSA, &*keys::EC, &*keys::ED25519] {
        let der = key.der();
        let lines: Vec<String> = STANDARD
            .encode(&der)
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        for (label, end) in [
            ("PUBLIC KEY", "\n"),
            ("PUBLIC KEY", ""),
            ("RSA PUBLIC KEY", "\n"),
        ] {
            let lines = lines.join("\n");
            let pem = format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----{end}");
            secrets.push(pem.into_bytes());
        }
        secrets.push(STANDARD.encode(&der).into_bytes());
        secrets.push(der);
        let jwk = key.jwk();
        for name in ["n", "x"] {
            if let Some(text) = jwk[name].as_str() {
                secrets.push(text.as_bytes().to_vec());
                secrets.push(URL_SAFE_NO_PAD.decode(text).unwrap());
            }
        }
        secrets.push(jwk.to_string().into_bytes());
    }
    let forged = || {
        secrets.iter().flat_map(|secret| {
            [
                ("HS256", ""),
                ("HS256", r#","kid":"rsa-1""#),
                ("HS384", r#","kid":"ec-1""#),
                ("HS512", ""),
            ]
            .map(|(name, kid)| {
                let header = format!(r#"{{"alg":"{name}"{kid}}}"#);
                compact(&header, &good_payload(), |input| mac(name, secret, input))
            })
        })
    };
    let issuer = Issuer::start();
    are_refused(&gate(&issuer), tokens(forged()));
    // Nor if the operator accepts HMAC and has configured a secret.
    let with_secret: Vec<&Key> = PUBLIC().into_iter().chain([&*keys::SECRET]).collect();
    let mut provider = Issuer::local_provider(&with_secret);
    provider["algorithms"] = json!(["RS256", "ES256", "EdDSA", "HS256", "HS384", "HS512"]);
    let gate = Setup::new(json!({"providers": {"p": provider}})).start();
    are_refused(&gate, tokens(forged()));
    let hmac = Token::good().signed_with(&keys::SECRET);
    assert_eq!(gate.send(&get("/").bearer(hmac)).status, 200);
}

#[test]
fn keys_in_a_token_are_ignored_and_its_kid_is_only_a_name() {
    let mine = Key::new("ec-1", "ES256");
    let jwk = mine.jwk();
    let certificate = STANDARD.encode(mine.der());
    let mut headers = vec![
        json!({"jwk": jwk}),
        json!({"jwk": jwk, "kid": "ec-1"}),
        json!({"jwk": jwk, "kid": "mine"}),
        json!({"jku": "http://issuer.example/evil", "kid": "ec-1"}),
        json!({"jku": "http://issuer.example@evil.example/jwks"}),
        json!({"x5u": "https://evil.example/cert.pem"}),
        json!({"x5c": [certificate]}),
        json!({"x5t": "AA", "x5t#S256": "AA", "keys": [jwk]}),
    ];
    for kid in [
        "../../../../dev/null",
        "file:///dev/null",
        "https://evil.example/key",
        "' OR '1'='1",
        "ec-1\0",
        " ec-1",
        "EC-1",
        "$(id)",
        "__proto__",
        "",
        "rsa-1",
    ] {
        headers.push(json!({ "kid": kid }));
    }
    for kid in [json!(null), json!(0), json!(["ec-1"]), json!({"ec-1": 1})] {
        headers.push(json!({ "kid": kid }));
    }
    let mut config = Issuer::config();
    // Only the first unknown `kid` causes a refetch.
    config["providers"]["cloud"]["remote_jwks"]["refetch_cooldown"] = "3600s".into();
    let issuer = Issuer::start();
    issuer.publish(&PUBLIC());
    let gate = Setup::trusting(&issuer).config(config).start();
    let bad = headers.into_iter().map(|mut header| {
        header["alg"] = "ES256".into();
        compact(&header.to_string(), &good_payload(), |input| {
            mine.sign("ES256", input)
        })
    });
    are_refused(&gate, tokens(bad));
    assert!(issuer.server.count() <= 2, "{}", issuer.server.count());
    assert!(
        issuer
            .server
            .received()
            .iter()
            .all(|fetch| fetch.target == "/jwks")
    );
}

/// Converts a raw ECDSA signature to DER (RFC 3279, section 2.2.3).
fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut number = bytes[zeros..].to_vec();
        if number.first().is_none_or(|first| *first >= 0x80) {
            number = [&[0], &number[..]].concat();
        }
        [&[2, u8::try_from(number.len()).unwrap()], &number[..]].concat()
    };
    let (r, s) = raw.split_at_checked(raw.len() / 2).unwrap();
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

#[test]
fn malformed_signatures_are_refused() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let mut bad = Vec::new();
    for (name, key) in [
        ("ES256", &keys::EC),
        ("ES384", &keys::P384),
        ("ES512", &keys::P521),
    ] {
        let header = json!({"alg": name, "kid": key.kid}).to_string();
        let input = format!("{}.{}", encoded(header), encoded(good_payload()));
        let good = key.sign(name, input.as_bytes());
        let half = good.len() / 2;
        let (r, s) = (&good[..half], &good[half..]);
        let (zero, ones) = (vec![0; half], vec![0xff; half]);
        let mut one = zero.clone();
        one[half - 1] = 1;
        let mut signatures = vec![
            good[1..].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], &good[..]].concat(),
            [&[0], r, &[0], s].concat(),
            [s, r].concat(),
            good.repeat(2),
            r.to_vec(),
        ];
        for odd in [&zero, &one, &ones] {
            signatures.push([&odd[..], odd].concat());
            signatures.push([r, odd].concat());
            signatures.push([&odd[..], s].concat());
        }
        if name != "ES512" {
            signatures.push(der(&good));
        }
        bad.extend(
            signatures
                .iter()
                .map(|bad| format!("{input}.{}", encoded(bad))),
        );
        let good = format!("{input}.{}", encoded(good));
        assert_eq!(gate.send(&get("/").bearer(good)).status, 200, "{name}");
    }
    for name in ["RS256", "PS256", "RS512"] {
        let header = json!({"alg": name, "kid": "rsa-1"}).to_string();
        let input = format!("{}.{}", encoded(header), encoded(good_payload()));
        let good = keys::RSA.sign(name, input.as_bytes());
        for signature in [
            vec![0],
            vec![0; 256],
            vec![0xff; 256],
            [&[0; 255][..], &[1]].concat(),
            good[1..].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], &good[..]].concat(),
            keys::ED25519.sign("EdDSA", input.as_bytes()),
        ] {
            bad.push(format!("{input}.{}", encoded(signature)));
        }
        let other = if name == "PS256" { "RS256" } else { "PS256" };
        bad.push(format!(
            "{input}.{}",
            encoded(keys::RSA.sign(other, input.as_bytes()))
        ));
    }
    are_refused(&gate, tokens(bad));
}

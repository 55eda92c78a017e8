//! Tokens as attackers make them, sent to a real Envoy: each is refused, and the good ones around it
//! pass. The full tables are those of `src/gate/hostile`; these are their most important rows.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::support::{
    AUDIENCE, Gate, ISSUER, Issuer, Key, Request, Setup, Token, get, keys, mac, now,
};

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The token of these texts, with what `sign` makes of the first two parts.
fn compact(header: &str, payload: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let input = format!("{}.{}", encoded(header), encoded(payload));
    let signature = encoded(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// The same, signed with ES256 as it should be.
pub(crate) fn es256(header: &str, payload: &str) -> String {
    compact(header, payload, |input| keys::EC.sign("ES256", input))
}

pub(crate) const HEADER: &str = r#"{"alg":"ES256","kid":"ec-1"}"#;

/// A good payload, with one more member or another value of one.
pub(crate) fn payload(name: &str, value: &str) -> String {
    let (iss, aud) = (json!(ISSUER).to_string(), json!(AUDIENCE).to_string());
    let exp = (now() + 3600).to_string();
    let mut members = vec![("iss", &*iss), ("aud", &*aud), ("exp", &*exp)];
    members.retain(|(kept, _)| *kept != name);
    members.push((name, value));
    let members: Vec<_> = members
        .iter()
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn good_payload() -> String {
    payload("sub", r#""somebody""#)
}

/// Sends each request and, after it, a good one; nothing bad may reach the upstream.
fn are_refused(gate: &Gate, requests: impl IntoIterator<Item = (String, Request)>) {
    let good = get("/").bearer(es256(HEADER, &good_payload()));
    let mut passed = gate.upstream.count();
    let mut sent = 0;
    for (what, request) in requests {
        let answer = gate.send(&request);
        assert!(matches!(answer.status, 400 | 401), "{what}: {answer:?}");
        let error = answer.error();
        let expected = if answer.status == 400 {
            "invalid_request"
        } else {
            "invalid_token"
        };
        assert_eq!(error, expected, "{what}");
        assert_eq!(gate.send(&good).status, 200, "after {what}");
        passed += 1;
        sent += 1;
        assert_eq!(gate.upstream.count(), passed, "{what}");
    }
    assert!(sent > 0);
    let log = gate.log();
    for sign in ["panicked", "Proxy-Wasm plugin in-VM backtrace"] {
        assert!(!log.contains(sign), "{sign} in\n{log}");
    }
}

fn tokens(tokens: impl IntoIterator<Item = String>) -> impl Iterator<Item = (String, Request)> {
    let request = |token: String| (token.clone(), get("/").bearer(token));
    tokens.into_iter().map(request)
}

const PUBLIC: fn() -> [&'static Key; 5] = || {
    [
        &keys::RSA,
        &keys::EC,
        &keys::P384,
        &keys::P521,
        &keys::ED25519,
    ]
};

/// An Envoy in which a trap would show: its only worker would refuse everything from then on.
pub(crate) fn gate(issuer: &Issuer) -> Gate {
    issuer.publish(&PUBLIC());
    let mut setup = Setup::trusting(issuer);
    setup.plugin_config = json!({"failure_policy": "FAIL_CLOSED"});
    setup.start()
}

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
fn a_public_key_is_no_secret() {
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
    // Nor where the operator takes HMACs and has a secret.
    let with_secret: Vec<&Key> = PUBLIC().into_iter().chain([&*keys::SECRET]).collect();
    let mut provider = Issuer::local_provider(&with_secret);
    provider["algorithms"] = json!(["RS256", "ES256", "EdDSA", "HS256", "HS384", "HS512"]);
    let gate = Setup::new(json!({"providers": {"p": provider}})).start();
    are_refused(&gate, tokens(forged()));
    let hmac = Token::good().signed_with(&keys::SECRET);
    assert_eq!(gate.send(&get("/").bearer(hmac)).status, 200);
}

#[test]
fn a_token_brings_no_key_and_its_kid_is_a_name_only() {
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
    // So that an unknown name waits for one refetch only.
    config["providers"]["cloud"]["remote_jwks"]["refetch_cooldown"] = "60s".into();
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

/// A raw signature of ECDSA in DER (RFC 3279, section 2.2.3).
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
fn signatures_that_no_key_has_made_are_bad() {
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

#[test]
fn a_token_has_one_text_and_one_meaning() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let good = es256(HEADER, &good_payload());
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload_part, signature) = (parts[0], parts[1], parts[2]);
    let mut bad = vec![
        format!("{good}="),
        format!("{header}=.{payload_part}.{signature}"),
        format!("{header}..{signature}"),
        format!(".{payload_part}.{signature}"),
        format!("{header}.{payload_part}."),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{good}.a.b"),
        format!("{good}+"),
        format!("{good}/"),
        format!("{good}~"),
        format!("{good} {good}"),
        format!("{good},{good}"),
    ];
    // The last character of a signature of 64 bytes has four bits to spare.
    let last = "AQgw".find(&good[good.len() - 1..]).unwrap();
    for other in [&"BRhx"[last..=last], &"CSiy"[last..=last]] {
        bad.push(format!("{}{other}", &good[..good.len() - 1]));
    }
    for header in [
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","\u0061lg":"none"}"#,
        r#"{"alg":"ES256","kid":"ec-1","kid":"ec-1"}"#,
        r#"{"alg":"ES256","crit":[]}"#,
        r#"{"alg":"ES256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"ES256","b64":true}"#,
        r#"{"alg":"ES256","zip":"DEF"}"#,
        r#"{"alg":"ES256","typ":"dpop+jwt"}"#,
        r#"{"alg":"ES256","typ":"secevent+jwt"}"#,
        r#"{"alg":"ES256","typ":"logout+jwt"}"#,
        r#"{"alg":"ES256","typ":null}"#,
        r#"{"alg":"ES256","typ":""}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"ES384"}"#,
        r#"{"alg":"dir","enc":"A128GCM"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"enc":"A128GCM"}"#,
    ] {
        bad.push(es256(header, &good_payload()));
    }
    let duplicate = |more: &str| good_payload().replace('}', &format!(",{more}}}"));
    for payload in [
        duplicate(r#""iss":"https://issuer.example""#),
        duplicate(r#""i\u0073s":"x""#),
        duplicate(r#""exp":1"#),
        duplicate(r#""a":1,"a":1"#),
        duplicate(""),
        duplicate("\"a\":NaN"),
        format!("{}x", good_payload()),
        format!("\u{feff}{}", good_payload()),
        payload("a", &format!("{}1{}", "[".repeat(32), "]".repeat(32))),
        payload("a", &"[".repeat(3_000)),
        payload("a", &json!("x".repeat(6_100)).to_string()),
        "null".to_owned(),
        "[]".to_owned(),
    ] {
        bad.push(es256(HEADER, &payload));
    }
    are_refused(&gate, tokens(bad));
}

#[test]
fn claims_have_their_types_and_times_their_meaning() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let soon = (now() + 120).to_string();
    let soon_as_text = format!("\"{}\"", now() + 3600);
    let bad = [
        ("iss", "null"),
        ("iss", r#"["https://issuer.example"]"#),
        ("iss", r#""https://issuer.example/""#),
        ("iss", r#""https://issuer.example\u0000""#),
        ("aud", "[]"),
        ("aud", r#"["https://api.example",1]"#),
        ("aud", r#"{"0":"https://api.example"}"#),
        ("aud", r#""https://api.example https://other.example""#),
        ("aud", r#""*""#),
        ("exp", "null"),
        ("exp", "false"),
        ("exp", &soon_as_text),
        ("exp", "0"),
        ("exp", "-1"),
        ("exp", "-1e308"),
        ("exp", "1e-5"),
        ("exp", "1e400"),
        ("nbf", "\"0\""),
        ("nbf", &soon),
        ("nbf", "9223372036854775807"),
        ("nbf", "18446744073709551616"),
        ("nbf", "1e300"),
        ("iat", "[]"),
        ("iat", &soon),
        ("iat", "9223372036854775"),
        ("sub", "1"),
        ("jti", "null"),
        ("cnf", r#"{"jkt":"x"}"#),
        ("cnf", "null"),
    ];
    let bad = bad.map(|(name, value)| es256(HEADER, &payload(name, value)));
    are_refused(&gate, tokens(bad));
    for (name, value) in [
        ("exp", "9007199254740993"),
        ("exp", "9223372036854775"),
        ("exp", "9223372036854775807"),
        ("exp", "18446744073709551616"),
        ("exp", "1e300"),
        ("exp", "4102444800.5"),
        ("nbf", "-1"),
        ("iat", "-1.5"),
        ("aud", r#"["x","https:\/\/api.example"]"#),
        ("sub", r#""ß\u0000😀""#),
        ("a", r#"{"b":{"b":1},"c":[[[]]]}"#),
    ] {
        let token = es256(HEADER, &payload(name, value));
        let answer = gate.send(&get("/").bearer(token));
        assert_eq!(answer.status, 200, "{name} {value}: {answer:?}");
    }
}

#[test]
fn one_request_carries_one_credential() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let good = es256(HEADER, &good_payload());
    let twice = get("/").bearer(&good).bearer(&good);
    let with = |value: &str| get("/").header("authorization", value);
    let requests = [
        ("twice the same", twice),
        ("a bad one first", get("/").bearer("a.b.c").bearer(&good)),
        ("a bad one last", get("/").bearer(&good).bearer("a.b.c")),
        ("another scheme beside it", with("Basic YTpi").bearer(&good)),
        ("a list", with(&format!("Bearer {good}, Bearer {good}"))),
        ("two in one", with(&format!("Bearer {good} {good}"))),
        ("no token", with("Bearer ")),
        ("no space", with(&format!("Bearer{good}"))),
        ("a tab", with(&format!("Bearer\t{good}"))),
        ("quotes", with(&format!("Bearer \"{good}\""))),
        ("two words", with(&format!("Bearer Bearer {good}"))),
        (
            "in the query too",
            get(format!("/?access_token={good}")).bearer(&good),
        ),
        (
            "in the query too, escaped",
            get(format!("/?%61ccess_token={good}")).bearer(&good),
        ),
    ];
    let requests = requests.map(|(what, request)| (what.to_owned(), request));
    let no_space = requests
        .iter()
        .position(|(what, _)| what == "no space")
        .unwrap();
    // Another scheme is no credential of this filter's.
    let answer = gate.send(&requests[no_space].1);
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (401, "missing_token")
    );
    let others = requests.into_iter().filter(|(what, _)| what != "no space");
    are_refused(&gate, others);
}

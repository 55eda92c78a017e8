//! Tokens that an attacker may send to a real Envoy: each is refused, and the good ones around it pass.

mod forgeries;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::support::{AUDIENCE, Gate, ISSUER, Issuer, Key, Request, Setup, get, keys, now};

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The compact form of a token with these texts, signed by `sign`.
fn compact(header: &str, payload: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let input = format!("{}.{}", encoded(header), encoded(payload));
    let signature = encoded(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// A token with these texts and a good ES256 signature.
pub(crate) fn es256(header: &str, payload: &str) -> String {
    compact(header, payload, |input| keys::EC.sign("ES256", input))
}

pub(crate) const HEADER: &str = r#"{"alg":"ES256","kid":"ec-1"}"#;

/// A good payload in which a member is added or has another value.
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

/// Checks that each request is refused, and that a good one after it passes.
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

/// An Envoy in which a trap shows: its only worker then refuses everything.
pub(crate) fn gate(issuer: &Issuer) -> Gate {
    issuer.publish(&PUBLIC());
    let mut setup = Setup::trusting(issuer);
    setup.plugin_config = json!({"failure_policy": "FAIL_CLOSED"});
    setup.start()
}

#[test]
fn a_token_has_exactly_one_text() {
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
    // Four bits of the last character of a signature of 64 bytes are unused.
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
        r#"{"alg":"ES256","b64":false}"#,
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
        duplicate(r#""a":{"b":1,"b":2}"#),
        duplicate(r#""a":[{"b":1,"c":{},"\u0062":2}]"#),
        duplicate(""),
        duplicate("\"a\":NaN"),
        format!("{}x", good_payload()),
        format!("\u{feff}{}", good_payload()),
        payload("a", &format!("{}1{}", "[".repeat(32), "]".repeat(32))),
        payload("a", &"[".repeat(3_000)),
        payload("a", &json!("x".repeat(12_300)).to_string()),
        "null".to_owned(),
        "[]".to_owned(),
    ] {
        bad.push(es256(HEADER, &payload));
    }
    are_refused(&gate, tokens(bad));
}

#[test]
fn claims_of_the_wrong_type_and_times_out_of_range_are_refused() {
    let issuer = Issuer::start();
    let gate = gate(&issuer);
    let soon = (now() + 1800).to_string();
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
    // Another scheme is not a bearer token.
    let answer = gate.send(&requests[no_space].1);
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (401, "missing_token")
    );
    let others = requests.into_iter().filter(|(what, _)| what != "no space");
    are_refused(&gate, others);
}

//! Tokens whose text, JSON or claims are not what they look like.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use gate_fixtures::signature;

use super::support::{PAYLOAD, decide, encoded, es256};
use crate::support::NOW;

#[test]
fn a_text_has_one_form() {
    let good = es256(r#"{"alg":"ES256"}"#, PAYLOAD);
    let parts: Vec<_> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let standard = STANDARD.encode(URL_SAFE_NO_PAD.decode(payload).unwrap());
    for bad in [
        format!("{good}="),
        format!("{good}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}.{}.{signature}", URL_SAFE.encode(PAYLOAD) + "="),
        format!("{header}.{standard}=.{signature}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!(".{good}"),
        format!("{good}.a.b"),
        format!("{header}.{payload}..{signature}"),
        format!("{good}~"),
        format!("{good}+"),
        format!("{good}/"),
        format!("{good} "),
        format!("{good}%"),
        format!("{good}\n"),
        format!("{good}\0"),
        format!("{good},{good}"),
        format!("{good} {good}"),
        format!(
            "{{\"protected\":\"{header}\",\"payload\":\"{payload}\",\"signature\":\"{signature}\"}}"
        ),
    ] {
        assert!(decide(&bad).is_denied(), "{bad}");
    }
    // The last character of a signature of 64 bytes has four bits to spare.
    let last = signature.chars().last().unwrap();
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        let changed = format!("{}{other}", &good[..good.len() - 1]);
        assert_eq!(decide(&changed).is_admitted(), other == last, "{other}");
    }
}

#[test]
fn json_is_read_as_everybody_reads_it() {
    let exp = NOW + 3600;
    let iss = r#""iss":"https://issuer.example""#;
    let aud = r#""aud":"https://api.example""#;
    for payload in [
        format!(r#"{{{iss},{iss},{aud},"exp":{exp}}}"#),
        format!(r#"{{{iss},"i\u0073s":"x",{aud},"exp":{exp}}}"#),
        format!(r#"{{{iss},{aud},"exp":1,"exp":{exp}}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"exp":1}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":1,"a":1}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":{{"b":1,"b":2}}}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":[0,{{"b":1,"\u0062":2}}]}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp}}}x"#),
        format!(r#"{{{iss},{aud},"exp":{exp}}}{{}}"#),
        format!("\u{feff}{{{iss},{aud},\"exp\":{exp}}}"),
        format!("{{{iss},{aud},\"exp\":{exp},\"a\":\"\n\"}}"),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":"\ud800"}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":"\x41"}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":01}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":+1}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":.5}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":NaN}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":Infinity}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":0x10}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},'a':1}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp},a:1}}"#),
        format!(r#"{{{iss},{aud},"exp":{exp}/**/}}"#),
        format!(r#"[{{{iss},{aud},"exp":{exp}}}]"#),
        format!(
            r#"{{{iss},{aud},"exp":{exp},"a":{}1{}}}"#,
            "[".repeat(32),
            "]".repeat(32)
        ),
        format!(r#"{{{iss},{aud},"exp":{exp},"a":{}"#, "[".repeat(3_000)),
        format!(
            r#"{{{iss},{aud},"exp":{exp},"a":"{}"}}"#,
            "x".repeat(12_300)
        ),
        "null".to_owned(),
        "\"\"".to_owned(),
        "0".to_owned(),
    ] {
        let token = es256(r#"{"alg":"ES256"}"#, &payload);
        assert!(decide(&token).is_denied(), "{payload}");
    }
    // Latin 1, UTF-16, overlong UTF-8.
    let utf16: Vec<u8> = PAYLOAD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let raw = |tail: &[u8]| [&PAYLOAD.as_bytes()[..PAYLOAD.len() - 1], tail].concat();
    for payload in [
        raw(b",\"a\":\"\xe9\"}"),
        raw(b",\"a\":\"\xc0\x80\"}"),
        raw(b",\"a\":\"\xed\xa0\x80\"}"),
        raw(b"}\0"),
        utf16,
    ] {
        let input = format!("{}.{}", encoded(r#"{"alg":"ES256"}"#), encoded(&payload));
        let token = format!("{input}.{}", encoded(signature("ES256", input.as_bytes())));
        assert!(decide(&token).is_denied(), "{}", payload.escape_ascii());
    }
    for header in [
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","\u0061lg":"none"}"#,
        r#"{"alg":"ES256","kid":"ec","kid":"ec"}"#,
        r#"{"alg":"ES256","jwk":{"kty":"EC","kty":"RSA"}}"#,
        r#"{"alg":"ES256","crit":[]}"#,
        r#"{"alg":"ES256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","b64":false}"#,
        r#"{"alg":"ES256","b64":null}"#,
        r#"{"alg":"ES256","typ":"dpop+jwt"}"#,
        r#"{"alg":"ES256","typ":"secevent+jwt"}"#,
        r#"{"alg":"ES256","typ":"logout+jwt"}"#,
        r#"{"alg":"ES256","typ":"token-introspection+jwt"}"#,
        r#"{"alg":"ES256","typ":"JOSE"}"#,
        r#"{"alg":"ES256","typ":"JWE"}"#,
        r#"{"alg":"ES256","typ":["JWT"]}"#,
        r#"{"alg":"ES256","typ":null}"#,
        r#"{"alg":"ES256","typ":""}"#,
        r#"{"alg":"ES256K"}"#,
        r#"{"alg":"ES384"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"dir","enc":"A128GCM"}"#,
        r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"enc":"A128GCM"}"#,
    ] {
        assert!(decide(&es256(header, PAYLOAD)).is_denied(), "{header}");
    }
}

#[test]
fn claims_of_the_wrong_type_or_value_are_refused() {
    let with = |name: &str, value: &str| {
        let iss = r#""iss":"https://issuer.example""#;
        let aud = r#""aud":"https://api.example""#;
        let exp = r#""exp":1700003600"#;
        let kept: Vec<_> = [("iss", iss), ("aud", aud), ("exp", exp)]
            .iter()
            .filter(|(kept, _)| *kept != name)
            .map(|(_, text)| *text)
            .collect();
        format!(r#"{{{},"{name}":{value}}}"#, kept.join(","))
    };
    for (name, value) in [
        ("iss", "null"),
        ("iss", "1"),
        ("iss", r#"["https://issuer.example"]"#),
        ("iss", r#"{"https://issuer.example":1}"#),
        ("iss", r#""https://issuer.example/""#),
        ("iss", r#""https://issuer.example.evil.example""#),
        ("iss", r#""https://issuer.example\u0000""#),
        ("iss", r#"" https://issuer.example""#),
        ("iss", r#""HTTPS://ISSUER.EXAMPLE""#),
        ("iss", r#""""#),
        ("aud", "null"),
        ("aud", "true"),
        ("aud", "[]"),
        ("aud", "{}"),
        ("aud", r#"[["https://api.example"]]"#),
        ("aud", r#"["https://api.example",1]"#),
        ("aud", r#"["https://api.example",null]"#),
        ("aud", r#"{"0":"https://api.example"}"#),
        ("aud", r#""https://api.example https://other.example""#),
        ("aud", r#""https://api.example,https://other.example""#),
        ("aud", r#""https://api.example/""#),
        ("aud", r#""*""#),
        ("aud", r#""""#),
        ("exp", "null"),
        ("exp", "false"),
        ("exp", "\"1700003600\""),
        ("exp", "[1700003600]"),
        ("exp", "{}"),
        ("exp", "0"),
        ("exp", "-1"),
        ("exp", "-9223372036854775808"),
        ("exp", "-1e308"),
        ("exp", "1e-5"),
        ("exp", "1699999939"),
        ("exp", "1699999940"),
        ("exp", "1699999939.999"),
        ("exp", "1e400"),
        ("nbf", "null"),
        ("nbf", "\"0\""),
        ("nbf", "1700000061"),
        ("nbf", "1700000060.5"),
        ("nbf", "9223372036854775807"),
        ("nbf", "18446744073709551616"),
        ("nbf", "1e300"),
        ("iat", "\"now\""),
        ("iat", "[]"),
        ("iat", "1700000061"),
        ("iat", "9223372036854775"),
        ("sub", "1"),
        ("sub", "null"),
        ("sub", "[]"),
        ("jti", "1"),
        ("jti", "null"),
        ("cnf", r#"{"jkt":"x"}"#),
        ("cnf", "null"),
    ] {
        let payload = with(name, value);
        let token = es256(r#"{"alg":"ES256"}"#, &payload);
        assert!(decide(&token).is_denied(), "{payload}");
    }
    for (name, value) in [
        ("exp", "1699999941"),
        ("exp", "1699999940.5"),
        ("exp", "1.7000036e9"),
        ("exp", "1700003600.0"),
        ("exp", "9007199254740991"),
        ("exp", "9007199254740993"),
        ("exp", "9223372036854775"),
        ("exp", "9223372036854775807"),
        ("exp", "9223372036854775808"),
        ("exp", "18446744073709551615"),
        ("exp", "18446744073709551616"),
        ("exp", "1e300"),
        ("nbf", "-1"),
        ("nbf", "0"),
        ("nbf", "1700000060"),
        ("iat", "-1.5"),
        ("iat", "1700000060"),
        ("iat", "0"),
        ("aud", r#"["x","https://api.example"]"#),
        ("aud", r#"["https://api.example"]"#),
        ("aud", r#""https:\/\/api.example""#),
        ("iss", r#""https://issu\u0065r.example""#),
        ("sub", r#""""#),
        ("sub", r#""ß\u0000😀""#),
        ("jti", r#""""#),
        ("scope", "null"),
        ("nonce", "1"),
        ("a", r#"{"b":{"b":1},"c":[[[]]]}"#),
        ("a", r#""[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[""#),
        ("", "1"),
    ] {
        let payload = with(name, value);
        let token = es256(r#"{"alg":"ES256"}"#, &payload);
        assert!(decide(&token).is_admitted(), "{payload}");
    }
}

#[test]
fn odd_but_good_tokens_are_admitted() {
    for header in [
        r#"{"alg":"ES256"}"#,
        " {\r\n\t\"alg\" : \"ES256\" } ",
        r#"{"\u0061\u006c\u0067":"ES\u003256"}"#,
        r#"{"typ":"JWT","alg":"ES256","kid":"ec"}"#,
        r#"{"alg":"ES256","typ":"at+JWT"}"#,
        r#"{"alg":"ES256","typ":"application/at+jwt","cty":"json"}"#,
        r#"{"alg":"ES256","x5t":"gone","x5t#S256":1,"x5c":null,"jku":7,"jwk":[]}"#,
        r#"{"alg":"ES256","iss":"x","aud":{"a":[]},"exp":0,"nonce":1}"#,
        r#"{"alg":"ES256","":"","ALG":"none","Kid":7}"#,
        r#"{"alg":"ES256","ß":"😀"}"#,
    ] {
        for payload in [
            PAYLOAD.to_owned(),
            format!("\n {PAYLOAD}\t\r\n"),
            PAYLOAD.replace(
                '}',
                r#","a":{"x":1,"y":[1,2,{}]},"groups":["a","a"],"email_verified":true}"#,
            ),
            PAYLOAD.replace(
                '}',
                &format!(r#","a":{}1{}}}"#, "[".repeat(31), "]".repeat(31)),
            ),
            PAYLOAD.replace('}', &format!(r#","a":"{}"}}"#, "x".repeat(4_000))),
        ] {
            assert!(
                decide(&es256(header, &payload)).is_admitted(),
                "{header} {payload}"
            );
        }
    }
}

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;
use crate::verify::Hash;

const RS256: &str = r#"{"alg":"RS256"}"#;

fn compact(header: &str, payload: &str) -> String {
    let parts = [header, payload, "signature"].map(|part| URL_SAFE_NO_PAD.encode(part));
    parts.join(".")
}

fn refused(text: &str) -> Option<Reason> {
    Token::parse(text, MAX_TOKEN_BYTES).err()
}

#[test]
fn a_token_is_parsed_into_its_parts() {
    let text = compact(
        r#"{"alg":"ES256","typ":"at+jwt","kid":"k"}"#,
        r#"{"iss":"i"}"#,
    );
    let (token, signed) = Token::parse(&text, MAX_TOKEN_BYTES).unwrap();
    assert_eq!(token.algorithm, Algorithm::Es(Hash::Sha256));
    assert_eq!(token.typ.as_deref(), Some("at+jwt"));
    assert_eq!(token.kid.as_deref(), Some("k"));
    assert_eq!(signed.signature, b"signature");
    assert_eq!(format!("{}.{}", signed.input, "c2lnbmF0dXJl"), text);
    let again = Signed::of(&text).unwrap();
    assert_eq!(
        (again.input, again.signature),
        (signed.input, signed.signature)
    );
}

#[test]
fn only_the_requested_members_of_the_payload_are_kept() {
    let text = compact(
        RS256,
        r#"{"iss":"i","scope":"a b","groups":["g"],"x":{"y":1}}"#,
    );
    let names = ["scope", "x", "absent"].map(str::to_owned);
    let (token, _) = Token::parse_some(&text, MAX_TOKEN_BYTES, &names).unwrap();
    let kept = serde_json::json!({"scope": "a b", "x": {"y": 1}});
    assert_eq!(Value::Object(token.payload), kept);
    assert_eq!(token.claims.issuer.as_deref(), Some("i"));
    let (token, _) = Token::parse_some(&text, MAX_TOKEN_BYTES, &["iss".to_owned()]).unwrap();
    let kept = serde_json::json!({"iss": "i"});
    assert_eq!(Value::Object(token.payload), kept);
    let (token, _) = Token::parse_some(&text, MAX_TOKEN_BYTES, &[]).unwrap();
    assert_eq!(token.heap_bytes(), 1);
}

#[test]
fn the_heap_size_of_a_token_includes_each_of_its_texts() {
    let heap_bytes = |header: &str, payload: &str| {
        let names = ["scope".to_owned()];
        let text = compact(header, payload);
        let (token, _) = Token::parse_some(&text, MAX_TOKEN_BYTES, &names).unwrap();
        token.heap_bytes()
    };
    let long = "x".repeat(1000);
    for (header, payload) in [
        (r#"{"alg":"RS256","kid":"?"}"#, "{}"),
        (r#"{"alg":"RS256","typ":"?"}"#, "{}"),
        (RS256, r#"{"iss":"?"}"#),
        (RS256, r#"{"sub":"?"}"#),
        (RS256, r#"{"aud":"?"}"#),
        (RS256, r#"{"aud":["a","?"]}"#),
        (RS256, r#"{"scope":"?"}"#),
    ] {
        let short = heap_bytes(header, payload);
        let more = heap_bytes(&header.replace('?', &long), &payload.replace('?', &long));
        assert_eq!(more, short + 999, "{header} {payload}");
    }
    assert_eq!(heap_bytes(RS256, "{}"), 0);
}

#[test]
fn repeated_names_inside_a_claim_are_refused_whether_or_not_the_claim_is_kept() {
    let names = ["roles".to_owned()];
    for (payload, expected) in [
        (r#"{"roles":{"a":1,"b":{"a":1}}}"#, None),
        (r#"{"roles":{"a":1,"a":2}}"#, Some(Reason::MalformedToken)),
        (
            r#"{"roles":[{"b":{"a":1,"\u0061":2}}]}"#,
            Some(Reason::MalformedToken),
        ),
    ] {
        let text = compact(RS256, payload);
        assert_eq!(refused(&text), expected, "{payload}");
        for names in [&names[..], &[]] {
            let refused = Token::parse_some(&text, MAX_TOKEN_BYTES, names).err();
            assert_eq!(refused, expected, "{payload} {names:?}");
        }
    }
}

#[test]
fn the_types_of_registered_claims_are_checked_even_if_they_are_not_kept() {
    for payload in [r#"{"iss":1}"#, r#"{"jti":[]}"#, r#"{"exp":"1"}"#] {
        let text = compact(RS256, payload);
        let refused = Token::parse_some(&text, MAX_TOKEN_BYTES, &[]).err();
        assert_eq!(refused, Some(Reason::ClaimType), "{payload}");
    }
}

#[test]
fn headers_are_parsed_strictly() {
    for (header, expected) in [
        (r#"{"alg":"RS256"}"#, None),
        (r#"{"alg":"RS256","typ":"JWT"}"#, None),
        (r#"{"alg":"RS256","typ":"application/AT+JWT"}"#, None),
        (r#"{"alg":"RS256","typ":"Application/jwt"}"#, None),
        (
            r#"{"alg":"RS256","jwk":{},"jku":"https://evil.example","x5c":[],"x5u":1}"#,
            None,
        ),
        (r#"{"alg":"RS256","typ":"dpop+jwt"}"#, None),
        (
            r#"{"alg":"RS256","typ":null}"#,
            Some(Reason::MalformedToken),
        ),
        (r#"{"alg":"RS256","kid":1}"#, Some(Reason::MalformedToken)),
        (r#"{"alg":["RS256"]}"#, Some(Reason::MalformedToken)),
        (r"{}", Some(Reason::Algorithm { alg: None })),
        (r#"{"alg":"none"}"#, Some(Reason::Algorithm { alg: None })),
        (r#"{"alg":"NONE"}"#, Some(Reason::Algorithm { alg: None })),
        (r#"{"alg":""}"#, Some(Reason::Algorithm { alg: None })),
        (r#"{"alg":"rs256"}"#, Some(Reason::Algorithm { alg: None })),
        (r#"{"alg":"HS256"}"#, None),
        (r#"{"alg":"ES256K"}"#, Some(Reason::Algorithm { alg: None })),
        (r#"{"alg":"RS256","crit":["exp"]}"#, Some(Reason::Critical)),
        (r#"{"alg":"RS256","crit":null}"#, Some(Reason::Critical)),
        (r#"{"alg":"RS256","b64":true}"#, None),
        (r#"{"alg":"RS256","b64":false}"#, Some(Reason::Critical)),
        (r#"{"alg":"RS256","b64":null}"#, Some(Reason::Critical)),
        (r#"{"alg":"RS256","zip":"DEF"}"#, None),
        (r#"{"alg":"RS256","zip":"NONE"}"#, None),
        (
            r#"{"alg":"RS256","alg":"RS256"}"#,
            Some(Reason::MalformedToken),
        ),
        (r#"["alg"]"#, Some(Reason::MalformedToken)),
        ("", Some(Reason::MalformedToken)),
    ] {
        assert_eq!(refused(&compact(header, "{}")), expected, "{header}");
    }
}

#[test]
fn the_serialization_is_exactly_three_canonical_parts() {
    let good = compact(RS256, "{}");
    assert_eq!(refused(&good), None);
    let (front, signature) = good.rsplit_once('.').unwrap();
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "abc".to_owned(),
        front.to_owned(),
        format!("{front}."),
        format!(".{good}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{front}..{signature}"),
        format!("{good}="),
        format!("{good}\n"),
        format!("{front}.+/+/"),
        // The last character's unused bits set: the same bytes in another text.
        format!("{front}.QR"),
        format!("{front}.A"),
    ] {
        assert_eq!(refused(&bad), Some(Reason::MalformedToken), "{bad}");
    }
}

#[test]
fn a_malformed_jwt_is_told_from_an_opaque_token_by_its_first_part() {
    let encoded = |header: &str| URL_SAFE_NO_PAD.encode(header);
    let header = encoded(r#"{"alg":"RS256"}"#);
    let encrypted = encoded(r#"{"alg":"dir","enc":"A256GCM"}"#);
    for (text, expected) in [
        (String::new(), false),
        ("opaque".to_owned(), false),
        ("..".to_owned(), false),
        ("a.b.c".to_owned(), false),
        ("v4.public.eyJzdWIiOiJqb2UifQ".to_owned(), false),
        (encoded("{}"), false),
        (encoded(r#"["alg"]"#), false),
        (encoded(r#"{"typ":"JWT"}"#) + ".b.c", false),
        (header.clone(), true),
        (format!("{header}.b"), true),
        (format!("{header}.b.c"), true),
        (format!("{header}.b.c.d.e"), true),
        (format!("{encrypted}.b.c.d.e"), false),
        (format!("{encrypted}.b.c"), true),
        (encoded(r#"{"alg":null}"#), true),
        (encoded(r#"{"alg":"none","alg":"RS256"}"#), true),
        // The encoding is not canonical.
        (encoded(r#"{"alg":"none"}"#) + "=", true),
        (STANDARD.encode(r#"{"alg":"~~~???"}"#) + ".b.c", true),
        ("eyJhbGciOjF9Ch.b.c".to_owned(), true),
    ] {
        assert_eq!(resembles_jwt(&text), expected, "{text}");
    }
}

#[test]
fn payloads_are_json_objects() {
    for payload in ["[]", "1", "", "{", r#"{"a":1,"a":1}"#, "null"] {
        assert_eq!(
            refused(&compact(RS256, payload)),
            Some(Reason::MalformedToken),
            "{payload}"
        );
    }
}

#[test]
fn the_length_of_a_token_is_bounded() {
    let too_large = |text: &str| {
        let (bytes, limit) = (text.len(), MAX_TOKEN_BYTES);
        assert_eq!(refused(text), Some(Reason::TooLarge { bytes, limit }));
    };
    let claims = |len: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(len));
    assert_eq!(refused(&compact(RS256, &claims(12_000))), None);
    too_large(&compact(RS256, &claims(12_300)));
    let longest = "a".repeat(MAX_TOKEN_BYTES);
    assert_eq!(refused(&longest), Some(Reason::MalformedToken));
    too_large(&format!("{longest}a"));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text: String) {
        let _ = Token::parse(&text, MAX_TOKEN_BYTES);
        let _ = resembles_jwt(&text);
    }

    #[test]
    fn no_parts_panic(header: String, payload: String) {
        let _ = Token::parse(&compact(&header, &payload), MAX_TOKEN_BYTES);
    }
}

#[test]
fn only_canonical_base64url_without_padding_is_decoded() {
    for (text, decoded) in [
        ("QQ", Some(&b"A"[..])),
        ("QUI", Some(b"AB")),
        ("-_-_", Some(b"\xfb\xff\xbf")),
        ("", None),
        ("Q", None),
        ("QR", None),
        ("QUJ", None),
        ("QQ==", None),
        ("QUI=", None),
        ("+/+/", None),
        ("QQ\n", None),
        (" QQ", None),
        ("Q\u{e9}", None),
    ] {
        assert_eq!(decode(text).ok().as_deref(), decoded, "{text:?}");
    }
}

proptest::proptest! {
    #[test]
    fn bytes_have_one_encoding(
        bytes in prop::collection::vec(any::<u8>(), 1..100),
        text in "[A-Za-z0-9_-]{1,20}",
    ) {
        let encoded = URL_SAFE_NO_PAD.encode(&bytes);
        prop_assert_eq!(decode(&encoded), Ok(bytes));
        if let Ok(bytes) = decode(&text) {
            prop_assert_eq!(URL_SAFE_NO_PAD.encode(bytes), text);
        }
    }
}

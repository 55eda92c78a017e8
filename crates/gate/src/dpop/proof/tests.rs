use gate_fixtures::{compact, ec_jwk, ed25519_jwk, full_key_set, rsa_jwk, signature, signed};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::verify::Hash;

const ALL: [Algorithm; 3] = [
    Algorithm::Es(Hash::Sha256),
    Algorithm::Rs(Hash::Sha256),
    Algorithm::EdDsa,
];

fn header() -> Value {
    json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": ec_jwk()})
}

fn payload() -> Value {
    json!({"jti": "1", "htm": "GET", "htu": "https://a/", "iat": 1_700_000_000, "ath": "h"})
}

fn parse(text: &str) -> Result<Proof<'_>, ProofError> {
    let engine = Engine::software();
    Proof::parse(text.as_bytes(), &ALL, &engine, &mut ProofKeys::default())
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn of_header(header: &Value) -> Result<ProofClaims, ProofError> {
    let text = signed("ES256", header, &payload());
    parse(&text).map(|proof| proof.claims)
}

fn of_payload(payload: &Value) -> Result<ProofClaims, ProofError> {
    let text = signed("ES256", &header(), payload);
    parse(&text).map(|proof| proof.claims)
}

fn is_malformed<T>(result: &Result<T, ProofError>) -> bool {
    matches!(result, Err(Malformed(_)))
}

/// RFC 9449, section 7.1.
const EXAMPLE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

/// RFC 9449, section 4.1: a proof for the token endpoint.
const TOKEN_REQUEST: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

#[test]
fn the_example_of_the_rfc_is_parsed_and_verified() {
    let proof = parse(EXAMPLE).unwrap();
    assert_eq!(
        proof.claims,
        ProofClaims {
            jti: "e1j3V_bKic8-LAEB".to_owned(),
            method: "GET".to_owned(),
            uri: "https://resource.example.org/protectedresource".to_owned(),
            issued_at: Timestamp::from_unix_secs(1_562_262_618),
            token_hash: "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo".to_owned(),
            nonce: None,
            expires_at: None,
            not_before: None,
        }
    );
    let engine = Engine::software();
    let mut known = ProofKeys::default();
    assert_eq!(proof.verify(&engine, &mut known), Some(By::Software));
    assert_eq!(
        parse(TOKEN_REQUEST).unwrap_err(),
        Malformed("`ath` is not a string")
    );
    let token = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let hash = base64_simd::URL_SAFE_NO_PAD.encode_to_string(super::super::sha256(token));
    assert_eq!(proof.claims.token_hash, hash);
}

#[test]
fn the_header_must_be_that_of_a_proof() {
    for (header, expected) in [
        (header(), true),
        (with(header(), "kid", json!(7)), true),
        (with(header(), "x5c", json!(["ignored"])), true),
        (with(header(), "typ", json!("JWT")), false),
        (with(header(), "typ", json!("at+jwt")), false),
        (with(header(), "typ", json!("DPOP+JWT")), false),
        (with(header(), "typ", json!("application/dpop+jwt")), false),
        (with(header(), "typ", json!(["dpop+jwt"])), false),
        (without(header(), "typ"), false),
        (with(header(), "crit", json!([])), false),
        (with(header(), "b64", json!(true)), false),
        (with(header(), "zip", json!("DEF")), false),
    ] {
        let found = of_header(&header);
        assert_eq!(found.is_ok(), expected, "{header}");
        assert_eq!(is_malformed(&found), !expected, "{header}");
    }
}

#[test]
fn the_algorithm_must_be_known_and_accepted() {
    let es384 = Algorithm::Es(Hash::Sha384);
    for (alg, found) in [
        (json!("none"), None),
        (json!("es256"), None),
        (json!(["ES256"]), None),
        (json!(null), None),
        (json!("ES384"), Some(es384)),
        (json!("HS256"), Some(Algorithm::Hs(Hash::Sha256))),
    ] {
        let header = with(header(), "alg", alg);
        let expected = Err(ProofError::Algorithm(found));
        assert_eq!(of_header(&header), expected, "{header}");
    }
    assert_eq!(
        of_header(&without(header(), "alg")),
        Err(ProofError::Algorithm(None))
    );
    let eddsa = json!({"typ": "dpop+jwt", "alg": "Ed25519", "jwk": ed25519_jwk()});
    assert!(of_header(&eddsa).is_ok());
    for header in [
        without(header(), "jwk"),
        with(header(), "jwk", rsa_jwk()),
        with(
            header(),
            "jwk",
            serde_json::from_str(&full_key_set()).unwrap(),
        ),
    ] {
        let found = of_header(&header);
        assert!(matches!(found, Err(ProofError::Key(_))), "{header}");
    }
}

#[test]
fn claims_have_the_types_of_the_rfc() {
    for (payload, expected) in [
        (payload(), true),
        (with(payload(), "jti", json!("x".repeat(512))), true),
        (with(payload(), "jti", json!("x".repeat(513))), false),
        (with(payload(), "jti", json!("")), false),
        (with(payload(), "jti", json!(1)), false),
        (without(payload(), "jti"), false),
        (with(payload(), "htm", json!(["GET"])), false),
        (without(payload(), "htm"), false),
        (with(payload(), "htu", json!(null)), false),
        (without(payload(), "htu"), false),
        (with(payload(), "iat", json!("1700000000")), false),
        (with(payload(), "iat", json!(1e300)), true),
        (with(payload(), "iat", json!(-1)), true),
        (with(payload(), "iat", json!(null)), false),
        (without(payload(), "iat"), false),
        (with(payload(), "ath", json!(1)), false),
        (without(payload(), "ath"), false),
        (with(payload(), "nonce", json!("n")), true),
        (with(payload(), "nonce", json!(null)), false),
        (with(payload(), "exp", json!(1)), true),
        (with(payload(), "exp", json!("1")), false),
        (with(payload(), "nbf", json!(1.5)), true),
        (with(payload(), "nbf", json!(null)), false),
        (with(payload(), "sub", json!({"any": []})), true),
    ] {
        let found = of_payload(&payload);
        assert_eq!(found.is_ok(), expected, "{payload}");
        assert_eq!(is_malformed(&found), !expected, "{payload}");
    }
}

#[test]
fn a_proof_is_three_parts_of_canonical_base64url_with_strict_json() {
    let good = signed("ES256", &header(), &payload());
    assert!(parse(&good).is_ok());
    let (front, signature_part) = good.rsplit_once('.').unwrap();
    let (header_part, payload_part) = front.split_once('.').unwrap();
    let long = with(payload(), "x", json!("x".repeat(3000)));
    let sign = |input: &[u8]| signature("ES256", input);
    for text in [
        String::new(),
        "..".to_owned(),
        "a".to_owned(),
        header_part.to_owned(),
        front.to_owned(),
        format!("{front}."),
        format!("{front}.{signature_part}="),
        format!("{front}.{signature_part}."),
        format!(".{payload_part}.{signature_part}"),
        format!("{header_part}..{signature_part}"),
        format!(" {good}"),
        format!("{good}, {good}"),
        format!("{good}\u{e9}"),
        compact("[]", &payload().to_string(), sign),
        compact(&header().to_string(), "null", sign),
        compact(
            &header().to_string(),
            r#"{"jti":"1","htm":"GET","htm":"POST","htu":"https://a/","iat":1,"ath":"h"}"#,
            sign,
        ),
        compact(
            r#"{"typ":"JWT","typ":"dpop+jwt"}"#,
            &payload().to_string(),
            sign,
        ),
        signed("ES256", &header(), &long),
    ] {
        assert!(is_malformed(&parse(&text)), "{text}");
    }
}

#[test]
fn a_proof_has_at_most_4096_bytes() {
    // Base64url has no text of every length, so both parts grow.
    let kids = ["", "1", "12"].map(|kid| with(header(), "kid", json!(kid)).to_string());
    let mut lengths = Vec::new();
    for (header, pad) in kids
        .iter()
        .flat_map(|header| (2500..3000).map(move |pad| (header, pad)))
    {
        let payload = with(payload(), "x", json!("x".repeat(pad))).to_string();
        let text = compact(header, &payload, |_| vec![0; 64]);
        let is_refused = is_malformed(&parse(&text));
        assert_eq!(is_refused, text.len() > 4096, "{}", text.len());
        lengths.push(text.len());
    }
    assert!(lengths.contains(&4096) && lengths.contains(&4097));
}

#[test]
fn only_good_signatures_are_verified() {
    let engine = Engine::software();
    let mut known = ProofKeys::default();
    for (algorithm, jwk) in [
        ("ES256", ec_jwk()),
        ("RS256", rsa_jwk()),
        ("EdDSA", ed25519_jwk()),
    ] {
        let header = json!({"typ": "dpop+jwt", "alg": algorithm, "jwk": jwk});
        let text = |sign: &dyn Fn(&[u8]) -> Vec<u8>| {
            compact(&header.to_string(), &payload().to_string(), sign)
        };
        let is_good = |text: &str| {
            let proof = parse(text).unwrap();
            let by = proof.verify(&engine, &mut ProofKeys::default());
            by.is_some()
        };
        assert!(is_good(&text(&|input| signature(algorithm, input))));
        assert!(!is_good(&text(&|_| signature(algorithm, b"other"))));
        assert!(!is_good(&text(&|_| vec![0; 64])));
        assert!(!is_good(&text(&|input| {
            [signature(algorithm, input), vec![0]].concat()
        })));
        let bad = text(&|_| vec![1]);
        let proof = parse(&bad).unwrap();
        assert_eq!(proof.verify(&engine, &mut known), None);
        assert!(known.is_empty(), "the key of a bad proof was remembered");
    }
}

#[test]
fn the_key_of_a_good_proof_is_remembered_for_its_header_only() {
    let engine = Engine::software();
    let mut known = ProofKeys::default();
    let text = signed("ES256", &header(), &payload());
    let other = signed("ES256", &with(header(), "kid", json!("k")), &payload());
    let is_known = |text: &str, algorithms: &[Algorithm], known: &mut ProofKeys| {
        let proof = Proof::parse(text.as_bytes(), algorithms, &engine, known);
        proof.map(|proof| proof.has_known_key())
    };
    assert_eq!(is_known(&text, &ALL, &mut known), Ok(false));
    let proof = parse(&text).unwrap();
    assert!(proof.verify(&engine, &mut known).is_some());
    assert_eq!(is_known(&text, &ALL, &mut known), Ok(true));
    assert_eq!(is_known(&other, &ALL, &mut known), Ok(false));
    let expected = Err(ProofError::Algorithm(Some(Algorithm::Es(Hash::Sha256))));
    assert_eq!(is_known(&text, &ALL[1..], &mut known), expected);
}

proptest! {
    #[test]
    fn no_text_panics(text: Vec<u8>, header: String, payload: String) {
        let engine = Engine::software();
        let mut known = ProofKeys::default();
        let _ = Proof::parse(&text, &ALL, &engine, &mut known);
        let text = compact(&header, &payload, |_| vec![0; 64]);
        let _ = Proof::parse(text.as_bytes(), &ALL, &engine, &mut known);
    }

    #[test]
    fn no_changed_byte_of_a_proof_passes(at: prop::sample::Index, byte: u8) {
        let good = signed("ES256", &header(), &payload());
        let mut changed = good.clone().into_bytes();
        let at = at.index(changed.len());
        changed[at] = byte;
        let mut known = ProofKeys::default();
        let engine = Engine::software();
        if changed != good.as_bytes()
            && let Ok(proof) = Proof::parse(&changed, &ALL, &engine, &mut known)
        {
            prop_assert_eq!(proof.verify(&engine, &mut known), None);
        }
    }
}

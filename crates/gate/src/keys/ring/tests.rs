use serde_json::json;

use super::*;
use crate::verify::Hash;
use gate_fixtures::{ec_jwk, rsa_jwk};

const RS256: Algorithm = Algorithm::Rs(Hash::Sha256);
const ES256: Algorithm = Algorithm::Es(Hash::Sha256);

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn named(mut jwk: Value, kid: &str) -> Value {
    jwk["kid"] = kid.into();
    jwk
}

fn unnamed(mut jwk: Value) -> Value {
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

fn kids(set: &KeySet, algorithm: Algorithm, kid: Option<&str>) -> Vec<String> {
    let engine = Engine::software();
    let candidates = set.candidates(algorithm, kid, &engine);
    candidates
        .map(|key| key.kid.clone().unwrap_or("none".to_owned()))
        .collect()
}

#[test]
fn a_bad_key_does_not_affect_the_others() {
    let set = set(&[json!({"kty": "oct", "k": "AQAB"}), rsa_jwk(), json!(null)]);
    assert_eq!(set.count(), 1);
    assert_eq!(
        set.skipped(),
        [
            (0, "it is a secret in a published key set"),
            (2, "it is not an object")
        ]
    );
}

#[test]
fn the_kids_are_those_of_the_keys_that_count() {
    let skipped = named(json!({"kty": "oct", "k": "AQAB"}), "skipped");
    let set = set(&[named(rsa_jwk(), "a"), skipped, unnamed(rsa_jwk())]);
    assert!(set.kids().eq([Some("a"), None]));
}

#[test]
fn a_key_that_needs_the_host_is_unusable_if_the_host_does_not_verify_its_algorithm() {
    let mut large = rsa_jwk();
    large["e"] = "Aw".into();
    let mut bound = large.clone();
    bound["alg"] = "PS256".into();
    let set = set(&[json!(null), large, rsa_jwk(), ec_jwk(), bound]);
    let unusable =
        |engine: &Engine| -> Vec<usize> { set.unusable(engine).map(|(index, _)| index).collect() };
    assert_eq!(unusable(&Engine::software()), [1, 4]);
    assert_eq!(set.count_usable(&Engine::software()), 2);
    let host = Engine::probe(Box::new(gate_fixtures::host));
    // The host does not support PSS.
    assert_eq!(unusable(&host), [4]);
    assert_eq!(set.count_usable(&host), 3);
    assert_eq!(set.count(), 4);
}

#[test]
fn a_repeated_name_in_a_key_does_not_affect_the_other_keys() {
    let twice = ec_jwk().to_string().replacen('{', r#"{"kty":"RSA","#, 1);
    for other in [&twice, r#"{"a":{"b":1,"b":2}}"#] {
        let document = format!(r#"{{"more":{other},"keys":[{other},{}]}}"#, rsa_jwk());
        let set = KeySet::parse(document.as_bytes()).unwrap();
        assert_eq!(set.candidates(RS256, None, &Engine::software()).count(), 1);
        let of_twice = set.candidates(ES256, None, &Engine::software()).count();
        assert_eq!(of_twice, usize::from(*other == *twice));
    }
}

/// A self-signed certificate of an Ed25519 key.
fn certificate() -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let params = rcgen::CertificateParams::default();
    params.self_signed(&key).unwrap().pem()
}

#[test]
fn a_map_of_certificates_is_a_key_set() {
    let map = json!({"b": certificate(), "a": "no certificate", "c": 1, "d": certificate()});
    for parse in [KeySet::parse, KeySet::parse_local] {
        let set = parse(map.to_string().as_bytes()).unwrap();
        assert_eq!(kids(&set, Algorithm::EdDsa, Some("b")), ["b"]);
        assert_eq!(kids(&set, Algorithm::EdDsa, None), ["b", "d"]);
        assert_eq!(kids(&set, Algorithm::EdDsa, Some("a")), [""; 0]);
        let problem = "it is not an X.509 certificate in PEM";
        assert_eq!(set.skipped(), [(0, problem), (2, problem)]);
    }
}

#[test]
fn a_member_named_keys_makes_a_document_no_map_of_certificates() {
    let refused = |document: &str| KeySet::parse(document.as_bytes()).unwrap_err().to_string();
    let no_keys = "the key set has no array named keys";
    let beside = |keys: Value| {
        let map = json!({"a": certificate(), "keys": keys});
        refused(&map.to_string())
    };
    assert_eq!(beside(certificate().into()), no_keys);
    assert_eq!(beside(json!([])), "the key set has no usable key");
    let text = json!({"a": "-----BEGIN PUBLIC KEY-----"}).to_string();
    assert_eq!(refused(&text), no_keys);
    let text = json!({"a": "-----BEGIN CERTIFICATE-----"}).to_string();
    let problem = "the key set has no usable key: keys[0]: it is not an X.509 certificate in PEM";
    assert_eq!(refused(&text), problem);
}

#[test]
fn only_keys_with_an_accepted_use_are_used() {
    let with_use = |value: &str| {
        let mut jwk = named(rsa_jwk(), value);
        jwk["use"] = value.into();
        jwk
    };
    let keys = ["sig", "jwt-svid", "enc"].map(with_use);
    let keys = [&keys[..], &[named(rsa_jwk(), "none")]].concat();
    let document = json!({ "keys": keys }).to_string();
    for (uses, expected) in [
        (&["sig"][..], &["sig", "none"][..]),
        (&["jwt-svid"], &["jwt-svid", "none"]),
        (&["jwt-svid", "sig"], &["sig", "jwt-svid", "none"]),
    ] {
        let uses = KeyUses::new(uses.iter().map(|value| (*value).to_owned()).collect());
        for origin in [Provenance::Server, Provenance::Configuration] {
            let set = KeySet::parse_from(document.as_bytes(), origin, &uses).unwrap();
            assert_eq!(kids(&set, RS256, None), expected);
        }
    }
}

#[test]
fn a_document_without_usable_keys_is_refused() {
    for (document, problem) in [
        (String::new(), "the key set is not a JSON object"),
        ("<html>".to_owned(), "the key set is not a JSON object"),
        ("[]".to_owned(), "the key set is not a JSON object"),
        ("{}".to_owned(), "the key set has no array named keys"),
        (
            r#"{"keys":null}"#.to_owned(),
            "the key set has no array named keys",
        ),
        (
            r#"{"keys":{}}"#.to_owned(),
            "the key set has no array named keys",
        ),
        (r#"{"keys":[]}"#.to_owned(), "the key set has no usable key"),
        (
            r#"{"keys":[1,{"kty":"RSA","use":"enc"},{}]}"#.to_owned(),
            "the key set has no usable key: keys[0]: it is not an object; keys[1]: `use` is not one of key_uses; \
             keys[2]: `kty` is missing",
        ),
        (
            r#"{"keys":[],"keys":[]}"#.to_owned(),
            "the key set is not a JSON object",
        ),
        ("[".repeat(100_000), "the key set is not a JSON object"),
        (
            " ".repeat(MAX_SET_BYTES + 1),
            "the key set is larger than 1 MiB",
        ),
    ] {
        let found = KeySet::parse(document.as_bytes()).unwrap_err();
        assert_eq!(found.to_string(), problem);
    }
}

#[test]
fn a_document_may_have_a_mebibyte() {
    let mut document = json!({ "keys": [rsa_jwk()] }).to_string();
    document.push_str(&" ".repeat(1024 * 1024 - document.len()));
    assert!(KeySet::parse(document.as_bytes()).is_ok());
    document.push(' ');
    assert!(KeySet::parse(document.as_bytes()).is_err());
}

#[test]
fn the_reasons_of_many_unusable_keys_are_counted_and_not_all_listed() {
    let document = json!({ "keys": vec![json!({}); 20] }).to_string();
    let problem = KeySet::parse(document.as_bytes()).unwrap_err();
    assert_eq!(problem.skipped(), 20);
    let text = problem.to_string();
    assert_eq!(text.matches("`kty` is missing").count(), 16);
    assert!(text.ends_with("; and 4 more"), "{text}");
}

#[test]
fn keys_are_found_by_name_and_algorithm() {
    let set = set(&[
        named(rsa_jwk(), "a"),
        named(rsa_jwk(), "b"),
        named(ec_jwk(), "a"),
    ]);
    assert_eq!(kids(&set, RS256, Some("a")), ["a"]);
    assert_eq!(kids(&set, ES256, Some("a")), ["a"]);
    assert_eq!(kids(&set, ES256, Some("b")), [""; 0]);
    assert_eq!(kids(&set, RS256, Some("")), [""; 0]);
    assert_eq!(kids(&set, RS256, None), ["a", "b"]);
}

#[test]
fn keys_with_the_same_name_and_algorithm_are_all_tried_up_to_a_limit() {
    let twins = set(&[named(rsa_jwk(), "a"), named(rsa_jwk(), "a")]);
    assert_eq!(kids(&twins, RS256, Some("a")), ["a", "a"]);
    let many = set(&vec![named(rsa_jwk(), "a"); 20]);
    assert_eq!(kids(&many, RS256, Some("a")).len(), MAX_CANDIDATES);
}

#[test]
fn a_key_without_a_name_is_tried_if_no_key_has_the_name() {
    let set = set(&[named(rsa_jwk(), "a"), unnamed(rsa_jwk())]);
    assert_eq!(kids(&set, RS256, Some("a")), ["a"]);
    assert_eq!(kids(&set, RS256, Some("b")), ["none"]);
}

#[test]
fn the_number_of_keys_tried_for_a_token_without_kid_is_bounded() {
    let set = set(&vec![unnamed(rsa_jwk()); 20]);
    assert_eq!(
        set.candidates(RS256, None, &Engine::software()).count(),
        MAX_CANDIDATES
    );
}

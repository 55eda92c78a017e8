//! What a thief of a bound token, or of a proof, may try.

use gate::policy::{DpopPolicy, Policy};
use gate::reason::ReasonKind;
use gate_fixtures::{compact, ec_jwk, oct_jwk, p384_jwk, rs256, rsa_jwk, signature, signed};
use serde_json::{Value, json};

use super::client::{CLIENT, OTHER, claims, hash, policy, policy_with, proving, request, token};
use crate::support::{Gate, NOW, Outcome, payload, ready, with};

/// Checks that a request is refused with 401.
fn assert_refused(
    policy: &Policy,
    request: &gate::request::Request<'_>,
    attack: &str,
) -> ReasonKind {
    match Gate::new().keys(ready).decide(policy, request) {
        Outcome::Deny(reason) => {
            assert_eq!(reason.status(), 401, "{attack}");
            reason
        }
        outcome => panic!("{attack}: {outcome:?}"),
    }
}

/// The reason for which a request with the client's token and this proof is refused.
fn proof(proof: &str, attack: &str) -> ReasonKind {
    assert_refused(&policy(), &proving(&CLIENT.token(), proof), attack)
}

fn with_header(changes: &Value) -> String {
    let header = with(&CLIENT.header(), changes);
    signed("ES256", &header, &claims(&CLIENT.token()))
}

#[test]
fn forged_headers_are_refused() {
    for typ in ["JWT", "at+jwt", "DPOP+JWT", ""] {
        let forged = with_header(&json!({"typ": typ}));
        assert_eq!(proof(&forged, typ), ReasonKind::ProofMalformed);
    }
    for alg in ["none", "None", "es256", "HS256", "HS512", ""] {
        let forged = with_header(&json!({"alg": alg}));
        assert_eq!(proof(&forged, alg), ReasonKind::ProofAlgorithm);
    }
    for (attack, changes) in [
        (
            "a private key",
            json!({"jwk": with(&ec_jwk(), &json!({"d": "AQ"}))}),
        ),
        ("a secret", json!({"jwk": oct_jwk()})),
        ("a key on another curve", json!({"jwk": p384_jwk()})),
        ("a key of another type", json!({"jwk": rsa_jwk()})),
        (
            "no key but the name of the issuer's",
            json!({"jwk": null, "kid": "rsa"}),
        ),
    ] {
        assert_eq!(proof(&with_header(&changes), attack), ReasonKind::ProofKey);
    }
}

#[test]
fn the_public_key_is_not_accepted_as_a_secret() {
    let hmac = DpopPolicy {
        algorithms: vec![
            gate::verify::Algorithm::from_name("HS256").unwrap(),
            gate::verify::Algorithm::from_name("ES256").unwrap(),
        ],
        ..DpopPolicy::default()
    };
    let policy = policy_with(&json!({}), hmac);
    for jwk in [ec_jwk(), oct_jwk()] {
        let header = json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": jwk});
        let forged = signed("HS256", &header, &claims(&CLIENT.token()));
        let request = proving(&CLIENT.token(), &forged);
        let reason = assert_refused(&policy, &request, "HS256");
        assert_eq!(reason, ReasonKind::ProofKey);
    }
}

#[test]
fn another_spelling_of_the_key_is_refused() {
    let jwk = CLIENT.jwk();
    let x = jwk["x"].as_str().unwrap();
    let bytes = base64_of(x);
    let padded = encode(&[&[0][..], &bytes].concat());
    for x in [&*padded, &format!("{x}="), &format!("{x} ")] {
        let jwk = with(&jwk, &json!({"x": x}));
        let forged = with_header(&json!({"jwk": jwk}));
        assert_eq!(proof(&forged, x), ReasonKind::ProofKey);
    }
}

fn base64_of(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    engine.decode(text).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

type Signer = fn(&[u8]) -> Vec<u8>;

#[test]
fn forged_signatures_are_refused() {
    let header = CLIENT.header().to_string();
    let payload = claims(&CLIENT.token()).to_string();
    let signers: [(&str, Signer); 6] = [
        ("another text", |_| signature("ES256", b"other")),
        ("another key", |input| signature("ES384", input)),
        ("one byte too many", |input| {
            [signature("ES256", input), vec![0]].concat()
        }),
        ("numbers out of range", |_| vec![0xff; 64]),
        ("zeros", |_| vec![0; 64]),
        ("DER", |input| p256_der(&signature("ES256", input))),
    ];
    for (attack, sign) in signers {
        let forged = compact(&header, &payload, sign);
        assert_eq!(
            proof(&forged, attack),
            ReasonKind::ProofSignature,
            "{attack}"
        );
    }
}

/// The two numbers of a signature in DER, each with a leading zero.
fn p256_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at_checked(32).unwrap();
    let number = |number: &[u8]| [&[2, 33, 0][..], number].concat();
    [vec![0x30, 70], number(r), number(s)].concat()
}

#[test]
fn a_proof_is_good_for_one_request_of_one_client_with_one_token() {
    let token_of_client = CLIENT.token();
    let rotated = CLIENT.token_with(&json!({"jti": "2"}));
    let good = CLIENT.proof(&token_of_client, &json!({}));
    for (attack, token, proof, expected) in [
        (
            "a rotated token",
            &rotated,
            good.clone(),
            ReasonKind::ProofToken,
        ),
        (
            "another client's token",
            &OTHER.token(),
            good,
            ReasonKind::ProofToken,
        ),
        (
            "a proof by the thief's key",
            &token_of_client,
            OTHER.proof(&token_of_client, &json!({})),
            ReasonKind::ProofBinding,
        ),
        (
            "another method",
            &token_of_client,
            CLIENT.proof(&token_of_client, &json!({"htm": "DELETE"})),
            ReasonKind::ProofMethod,
        ),
        (
            "another host",
            &token_of_client,
            CLIENT.proof(
                &token_of_client,
                &json!({"htu": "https://b.example/orders"}),
            ),
            ReasonKind::ProofUri,
        ),
        (
            "another port",
            &token_of_client,
            CLIENT.proof(
                &token_of_client,
                &json!({"htu": "https://api.example:444/orders"}),
            ),
            ReasonKind::ProofUri,
        ),
    ] {
        let reason = assert_refused(&policy(), &proving(token, &proof), attack);
        assert_eq!(reason, expected, "{attack}");
    }
}

#[test]
fn other_tokens_are_no_proofs_and_a_proof_is_no_token() {
    let token_of_client = CLIENT.token();
    let id_token = rs256(
        &json!({"alg": "RS256", "typ": "JWT", "kid": "rsa"}),
        &payload(),
    );
    assert_eq!(
        proof(&token_of_client, "the access token"),
        ReasonKind::ProofMalformed
    );
    assert_eq!(proof(&id_token, "an ID token"), ReasonKind::ProofMalformed);
    let good = CLIENT.proof(&token_of_client, &json!({}));
    for scheme in ["Bearer", "DPoP"] {
        let authorization = format!("{scheme} {good}");
        let request = request(&[("authorization", &authorization), ("dpop", &good)]);
        let reason = assert_refused(&policy(), &request, scheme);
        assert_eq!(reason, ReasonKind::Type);
    }
}

#[test]
fn a_stolen_token_is_useless_without_its_key() {
    let bound = CLIENT.token();
    let (bearer, dpop) = (format!("Bearer {bound}"), format!("DPoP {bound}"));
    let theirs = OTHER.proof(&bound, &json!({}));
    for (attack, headers) in [
        ("as bearer", vec![("authorization", &*bearer)]),
        (
            "as bearer, with a proof",
            vec![("authorization", &bearer), ("dpop", &theirs)],
        ),
        ("without proof", vec![("authorization", &dpop)]),
        (
            "with another proof",
            vec![("authorization", &dpop), ("dpop", &theirs)],
        ),
        (
            "with a proof in the query",
            vec![("authorization", &dpop), (":path", "/orders?dpop=x")],
        ),
    ] {
        assert_refused(&policy(), &request(&headers), attack);
    }
    // Nor does a token that is bound to nothing pass for a bound one.
    let unbound = token(&json!({}));
    let request = proving(&unbound, &CLIENT.proof(&unbound, &json!({})));
    let reason = assert_refused(&policy(), &request, "an unbound token");
    assert_eq!(reason, ReasonKind::Unbound);
}

#[test]
fn odd_claims_are_refused() {
    let token = CLIENT.token();
    for (changes, expected) in [
        (json!({"jti": "x".repeat(513)}), ReasonKind::ProofMalformed),
        (json!({"jti": 7}), ReasonKind::ProofMalformed),
        (json!({"jti": ""}), ReasonKind::ProofMalformed),
        (json!({"iat": NOW.to_string()}), ReasonKind::ProofMalformed),
        (json!({"iat": 1e300}), ReasonKind::ProofTime),
        (json!({"iat": -1}), ReasonKind::ProofTime),
        (
            json!({"ath": hash(&token).to_lowercase()}),
            ReasonKind::ProofToken,
        ),
    ] {
        let forged = CLIENT.proof(&token, &changes);
        assert_eq!(proof(&forged, &changes.to_string()), expected, "{changes}");
    }
    let twice = claims(&token)
        .to_string()
        .replace("\"htm\":\"GET\"", "\"htm\":\"POST\",\"htm\":\"GET\"");
    let forged = compact(&CLIENT.header().to_string(), &twice, |input| {
        signature("ES256", input)
    });
    assert_eq!(
        proof(&forged, "a repeated claim"),
        ReasonKind::ProofMalformed
    );
}

//! What a thief of a bound token, or of a proof, may try. Nothing of it reaches the upstream.

use gate::reason::ReasonKind;
use serde_json::{Value, json};

use super::setting::{URL, assert_refused, challenges, client};
use crate::support::{
    Proof, Request, Setup, Token, bound_token, dpop_config, get, keys, mac, proof_jwk,
};

/// An attack: what is tried, the request, and why it is refused.
type Attack = (String, Request, ReasonKind);

/// Requests with the client's token and these proofs.
fn with_token(token: &str, proofs: Vec<(String, String, ReasonKind)>) -> Vec<Attack> {
    let attack = |(what, proof, reason): (String, String, ReasonKind)| {
        (what, get("/orders").proving(token, &proof), reason)
    };
    proofs.into_iter().map(attack).collect()
}

fn forged_headers(token: &str) -> Vec<Attack> {
    let good = Proof::new(client(), URL, token);
    let jwk = proof_jwk(client());
    let with = |name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let x = jwk["x"].as_str().unwrap();
    let mut proofs: Vec<(&str, Value, ReasonKind)> = Vec::new();
    for typ in [
        json!("JWT"),
        json!("at+jwt"),
        json!("DPOP+JWT"),
        Value::Null,
    ] {
        proofs.push(("typ", typ, ReasonKind::ProofMalformed));
    }
    for alg in ["none", "None", "es256", "HS256", "HS512", ""] {
        proofs.push(("alg", alg.into(), ReasonKind::ProofAlgorithm));
    }
    for jwk in [
        with("d", "AQ".into()),
        keys::SECRET.jwk(),
        proof_jwk(&keys::P384),
        proof_jwk(&keys::RSA),
        Value::Null,
        // The same point, but the thumbprint would be another one.
        with("x", format!("{x}=").into()),
        with("x", format!("AA{x}").into()),
    ] {
        proofs.push(("jwk", jwk, ReasonKind::ProofKey));
    }
    let forged = proofs.into_iter().map(|(name, value, reason)| {
        let what = format!("{name} {value}");
        (what, good.clone().header(name, value).signed(), reason)
    });
    with_token(token, forged.collect())
}

fn keys_of_others(token: &str) -> Vec<Attack> {
    let good = Proof::new(client(), URL, token);
    let public = proof_jwk(client()).to_string();
    let by_secret = |input: &[u8]| mac("HS256", public.as_bytes(), input);
    let issuers = good
        .clone()
        .header("alg", "RS256")
        .header("jwk", proof_jwk(&keys::RSA));
    let name_of_issuers = good
        .clone()
        .header("jwk", Value::Null)
        .header("kid", "rsa-1");
    let proofs = [
        (
            "the public key as a secret",
            good.header("alg", "HS256").signed_by(by_secret),
            ReasonKind::ProofAlgorithm,
        ),
        (
            "the key of the issuer",
            issuers.signed(),
            ReasonKind::ProofBinding,
        ),
        (
            "the name of the issuer's key",
            name_of_issuers.signed(),
            ReasonKind::ProofKey,
        ),
        (
            "the key of the thief",
            Proof::new(&keys::EC_2, URL, token).signed(),
            ReasonKind::ProofBinding,
        ),
        (
            "the key of the thief, of another type",
            Proof::new(&keys::ED25519, URL, token).signed(),
            ReasonKind::ProofBinding,
        ),
    ];
    let proofs = proofs.map(|(what, proof, reason)| (what.to_owned(), proof, reason));
    with_token(token, proofs.into())
}

fn forged_signatures(token: &str) -> Vec<Attack> {
    let good = Proof::new(client(), URL, token);
    let key = client();
    let proofs = [
        ("another text", good.signed_by(|_| key.sign("ES256", b"x"))),
        (
            "another key",
            good.signed_by(|input| keys::EC_2.sign("ES256", input)),
        ),
        (
            "one byte too many",
            good.signed_by(|input| [key.sign("ES256", input), vec![0]].concat()),
        ),
        ("numbers out of range", good.signed_by(|_| vec![0xff; 64])),
        (
            "a number out of range",
            good.signed_by(|input| [&key.sign("ES256", input)[..32], &[0xff; 32]].concat()),
        ),
        ("zeros", good.signed_by(|_| vec![0; 64])),
        (
            "DER",
            good.signed_by(|input| der(&key.sign("ES256", input))),
        ),
    ];
    let proofs = proofs.map(|(what, proof)| {
        let what = format!("signature: {what}");
        (what, proof, ReasonKind::ProofSignature)
    });
    with_token(token, proofs.into())
}

/// The two numbers of a signature in DER, each with a leading zero.
fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at_checked(32).unwrap();
    let number = |number: &[u8]| [&[2, 33, 0][..], number].concat();
    [vec![0x30, 70], number(r), number(s)].concat()
}

fn proofs_for_something_else(token: &str) -> Vec<Attack> {
    let good = || Proof::new(client(), URL, token);
    let rotated = bound_token(client()).claim("jti", "rotated").signed();
    let proofs = [
        (
            "another method",
            good().claim("htm", "DELETE"),
            ReasonKind::ProofMethod,
        ),
        (
            "the method in lower case",
            good().claim("htm", "get"),
            ReasonKind::ProofMethod,
        ),
        (
            "another path",
            good().claim("htu", "http://api.example/order"),
            ReasonKind::ProofUri,
        ),
        (
            "another host",
            good().claim("htu", "http://b.example/orders"),
            ReasonKind::ProofUri,
        ),
        (
            "another port",
            good().claim("htu", "http://api.example:81/orders"),
            ReasonKind::ProofUri,
        ),
        (
            "another scheme",
            good().claim("htu", "https://api.example/orders"),
            ReasonKind::ProofUri,
        ),
        (
            "no URL",
            good().claim("htu", "/orders"),
            ReasonKind::ProofUri,
        ),
        (
            "another token of the same client",
            Proof::new(client(), URL, &rotated),
            ReasonKind::ProofToken,
        ),
    ];
    let proofs = proofs.map(|(what, proof, reason)| (what.to_owned(), proof.signed(), reason));
    with_token(token, proofs.into())
}

fn odd_claims(token: &str) -> Vec<Attack> {
    let good = || Proof::new(client(), URL, token);
    let claims = [
        ("jti", json!("x".repeat(513)), ReasonKind::ProofMalformed),
        ("jti", json!(7), ReasonKind::ProofMalformed),
        ("jti", json!(""), ReasonKind::ProofMalformed),
        ("iat", json!("1700000000"), ReasonKind::ProofMalformed),
        ("iat", json!(1e300), ReasonKind::ProofTime),
        ("iat", json!(-1), ReasonKind::ProofTime),
        ("iat", json!(0), ReasonKind::ProofTime),
        ("exp", json!(1), ReasonKind::ProofTime),
        ("ath", Value::Null, ReasonKind::ProofMalformed),
        ("ath", json!("x"), ReasonKind::ProofToken),
    ];
    let proofs = claims.map(|(name, value, reason)| {
        let what = format!("{name} {value}");
        (what, good().claim(name, value).signed(), reason)
    });
    let twice = |payload: &str| payload.replacen('{', "{\"htm\":\"POST\",", 1);
    let repeated = good().with_payload(&twice(&good().payload()), |input| {
        client().sign("ES256", input)
    });
    let repeated = (
        "a repeated claim".to_owned(),
        repeated,
        ReasonKind::ProofMalformed,
    );
    with_token(token, proofs.into_iter().chain([repeated]).collect())
}

fn tokens_in_other_roles(token: &str) -> Vec<Attack> {
    let good = Proof::new(client(), URL, token).signed();
    let unbound = Token::good().signed();
    let id_token = Token::good().header("typ", "JWT").signed();
    let bearer = || get("/orders").bearer(token);
    let dpop = |token: &str| get("/orders").header("authorization", format!("DPoP {token}"));
    let attacks = [
        ("a bound token as bearer", bearer(), ReasonKind::Downgrade),
        (
            "a bound token as bearer, with a proof",
            bearer().header("dpop", &good),
            ReasonKind::Downgrade,
        ),
        ("no proof", dpop(token), ReasonKind::ProofMissing),
        (
            "an empty proof",
            dpop(token).header("dpop", ""),
            ReasonKind::ProofMissing,
        ),
        (
            "two proofs",
            get("/orders").proving(token, &good).header("dpop", &good),
            ReasonKind::SeveralProofs,
        ),
        (
            "two proofs in one header",
            get("/orders").proving(token, &format!("{good},{good}")),
            ReasonKind::SeveralProofs,
        ),
        (
            "the proof in the query",
            get(format!("/orders?dpop={good}")).header("authorization", format!("DPoP {token}")),
            ReasonKind::ProofMissing,
        ),
        (
            "an unbound token",
            get("/orders").proving(&unbound, &Proof::new(client(), URL, &unbound).signed()),
            ReasonKind::Unbound,
        ),
        (
            "the access token as proof",
            get("/orders").proving(token, token),
            ReasonKind::ProofMalformed,
        ),
        (
            "an ID token as proof",
            get("/orders").proving(token, &id_token),
            ReasonKind::ProofMalformed,
        ),
        (
            "the proof as bearer token",
            get("/orders").bearer(&good).header("dpop", &good),
            ReasonKind::Type,
        ),
        (
            "the proof as access token",
            get("/orders").proving(&good, &good),
            ReasonKind::Type,
        ),
    ];
    attacks
        .map(|(what, request, reason)| (what.to_owned(), request, reason))
        .into()
}

#[test]
fn no_attack_reaches_the_upstream() {
    let gate = Setup::new(dpop_config(&json!({}))).start();
    let token = bound_token(client()).signed();
    let attacks = [
        forged_headers(&token),
        keys_of_others(&token),
        forged_signatures(&token),
        proofs_for_something_else(&token),
        odd_claims(&token),
        tokens_in_other_roles(&token),
    ];
    for (what, request, reason) in attacks.concat() {
        let answer = gate.send(&request);
        assert_refused(&answer, reason, &what);
        assert_eq!(answer.status, 401, "{what}");
        assert!(!challenges(&answer).is_empty(), "{what}");
    }
    assert_eq!(gate.upstream.count(), 0);
    // None of them has used up anything of the client's.
    let proof = Proof::new(client(), URL, &token).signed();
    let answer = gate.send(&get("/orders").proving(&token, &proof));
    assert_eq!(answer.status, 200);
    let headers = &answer.json()["headers"];
    assert_eq!(
        (&headers["authorization"], &headers["dpop"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn refusals_name_the_scheme_that_was_used_and_what_is_wrong() {
    let gate = Setup::new(dpop_config(&json!({"algorithms": ["ES256", "EdDSA"]}))).start();
    let token = bound_token(client()).signed();
    let algs = "algs=\"ES256 EdDSA Ed25519\"";
    let missing = gate.send(&get("/orders"));
    let expected = [
        "Bearer realm=\"api.example\"".to_owned(),
        format!("DPoP realm=\"api.example\", {algs}"),
    ];
    assert_eq!(challenges(&missing), expected);
    let error = |error: &str, reason: ReasonKind| {
        let description = reason.description();
        format!(
            "DPoP realm=\"api.example\", error=\"{error}\", error_description=\"{description}\", {algs}"
        )
    };
    let bearer = gate.send(&get("/orders").bearer(&token));
    let expected = error("invalid_token", ReasonKind::Downgrade);
    assert_eq!(challenges(&bearer), [expected]);
    let proof = Proof::new(client(), "http://api.example/", &token).signed();
    let answer = gate.send(&get("/orders").proving(&token, &proof));
    let expected = error("invalid_dpop_proof", ReasonKind::ProofUri);
    assert_eq!(challenges(&answer), [expected]);
}

#[test]
fn proofs_with_keys_of_every_type_are_accepted() {
    let gate = Setup::new(dpop_config(&json!({}))).start();
    for key in [
        &*keys::EC,
        &keys::P384,
        &keys::P521,
        &keys::RSA_2,
        &keys::ED25519,
    ] {
        let token = bound_token(key).signed();
        // The second proof is signed with a key that the gate knows.
        for _ in 0..2 {
            let proof = Proof::new(key, URL, &token).signed();
            let answer = gate.send(&get("/orders").proving(&token, &proof));
            assert_eq!(answer.status, 200, "{}: {:?}", key.algorithm, answer.json());
        }
    }
    gate.counts("allowed", 10);
}

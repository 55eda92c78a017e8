//! What key sets may look like.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd};
use serde_json::json;

use super::differences::Difference;
use super::{Issuer, Key, Scenario, Token, Value, keys, with_provider};
use crate::support::{AUDIENCE, Answer, ISSUER, get, now};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![tolerated(), certificates()]
}

/// A provider that fetches its keys from this path of the cluster `sets`.
pub(super) fn remote(path: &str, cache_duration: &str) -> Value {
    let uri = format!("http://sets.example{path}");
    with_provider(&json!({"remote_jwks": {
        "http_uri": {"uri": uri, "cluster": "sets", "timeout": "60s"},
        "cache_duration": cache_duration,
    }}))
}

/// A provider with these keys in its configuration.
fn local(keys: &[Value]) -> Value {
    let set = json!({ "keys": keys }).to_string();
    with_provider(&json!({"local_jwks": {"inline_string": set}}))
}

/// The answers of the cluster `sets`.
pub(super) fn served(path: &str) -> Answer {
    let published = || Issuer::published(&[&keys::RSA, &keys::EC]);
    match path {
        "/perishable" => published().header("cache-control", "max-age=1"),
        "/large" => {
            let mut set: Value = serde_json::from_slice(&published().body).unwrap();
            set["fill"] = "x".repeat(1024 * 1024).into();
            Answer::new(200, set.to_string())
        }
        "/repeated" => {
            let set = String::from_utf8(published().body).unwrap();
            Answer::new(
                200,
                set.replacen(r#""kid":"#, r#""kid":"another","kid":"#, 1),
            )
        }
        "/certificates" => {
            let map = json!({"rsa": RSA.pem(2040), "ec": EC.pem(2040), "other": "no certificate"});
            Answer::new(200, map.to_string())
        }
        _ => Answer::new(404, ""),
    }
}

/// The differences in what key sets may look like.
pub(super) fn differences() -> Vec<Difference> {
    let rsa = |name: &str, value: Value| {
        // Beside another key, so that the configuration is valid.
        local(&[with(keys::RSA.jwk(), name, value), keys::EC.jwk()])
    };
    let good = || get("/").bearer(Token::good().signed());
    let ed25519 = &keys::ED25519;
    let of_rfc_9864 = |key: &Key| {
        let token = Token::good().header("alg", "Ed25519").signed_with(key);
        get("/").bearer(token)
    };
    vec![
        Difference::new("`use`", rsa("use", json!("enc"))).statuses(good(), 200, 401),
        Difference::new("`key_ops`", rsa("key_ops", json!(["encrypt"]))).statuses(good(), 200, 401),
        Difference::new("private keys", rsa("d", json!("AQAB"))).statuses(good(), 200, 401),
        Difference::new("small RSA keys", local(&[small_jwk(), keys::EC.jwk()])).statuses(
            get("/").bearer(SMALL),
            200,
            401,
        ),
        Difference::new("`kid: \"\"`", rsa("kid", json!("")))
            .statuses(good(), 200, 401)
            .statuses(
                get("/").bearer(Token::good().header("kid", "").signed_with(&keys::EC)),
                200,
                401,
            ),
        Difference::new("members of another type", rsa("kid", json!(7))).statuses(good(), 200, 401),
        Difference::new("`Ed25519`", local(&[ed25519.jwk()])).statuses(
            of_rfc_9864(ed25519),
            401,
            200,
        ),
        Difference::new("large key sets", remote("/large", "600s")).statuses(good(), 200, 503),
        Difference::new("repeated names in keys", remote("/repeated", "600s")).statuses(
            good(),
            401,
            200,
        ),
        Difference::new("certificates", remote("/certificates", "600s"))
            .statuses(get("/").bearer(rs256("rsa")), 401, 200)
            .statuses(get("/").bearer(es256("ec")), 401, 200),
    ]
}

/// `jwk` with this member.
pub(super) fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
    jwk[name] = value.into();
    jwk
}

fn bytes(jwk: &Value, member: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(jwk[member].as_str().unwrap())
        .unwrap()
}

/// Keys that are not as RFC 7517 and RFC 7518 say, but that both use.
fn tolerated() -> Scenario {
    let mut jwks = Vec::new();
    let mut tokens = Vec::new();
    let mut add = |what: String, key: &Key, jwk: Value| {
        jwks.push(with(jwk, "kid", what.as_str()));
        let token = Token::good().header("kid", what.as_str()).signed_with(key);
        tokens.push((what, token));
    };
    for name in ["alg", "use", "key_ops", "d", "p", "q", "x5c"] {
        let jwk = with(keys::RSA.jwk(), name, json!(null));
        add(format!("{name} that is null"), &keys::RSA, jwk);
    }
    for (key, member) in [
        (&keys::RSA, "n"),
        (&keys::RSA, "e"),
        (&keys::EC, "x"),
        (&keys::EC, "y"),
    ] {
        let jwk = key.jwk();
        let text = jwk[member].as_str().unwrap();
        let padding = "=".repeat(text.len().next_multiple_of(4) - text.len());
        let padded = with(jwk.clone(), member, format!("{text}{padding}"));
        add(format!("padding in {member}"), key, padded);
        let (front, back) = text.split_at(2);
        let broken = with(jwk.clone(), member, format!("{front}\r\n {back}"));
        add(format!("white space in {member}"), key, broken);
        let longer = URL_SAFE_NO_PAD.encode([vec![0], bytes(&jwk, member)].concat());
        let longer = with(jwk.clone(), member, longer);
        add(format!("{member} with a zero too many"), key, longer);
    }
    // One coordinate in 256 begins with a zero.
    let short = std::iter::repeat_with(|| Key::new("short", "ES256"));
    let short = short
        .into_iter()
        .find(|key| bytes(&key.jwk(), "x")[0] == 0)
        .unwrap();
    let jwk = short.jwk();
    let shorter = URL_SAFE_NO_PAD.encode(&bytes(&jwk, "x")[1..]);
    let shorter = with(jwk, "x", shorter);
    add("x without its leading zero".to_owned(), &short, shorter);
    jwks.push(with(keys::RSA_2.jwk(), "kid", json!(null)));
    let unnamed = Token::good().header("kid", "any").signed_with(&keys::RSA_2);
    tokens.push(("kid that is null".to_owned(), unnamed));
    jwks.push(json!({"kty": "unknown"}));
    let scenario = Scenario::new("tolerated keys", local(&jwks));
    tokens
        .into_iter()
        .fold(scenario, |scenario, (what, token)| {
            scenario.row(what, get("/").bearer(token), 200)
        })
}

/// A map from `kid` to certificate. The validity of a certificate does not matter.
fn certificates() -> Scenario {
    let map = json!({"good": RSA.pem(2040), "expired": RSA.pem(2021)}).to_string();
    let config = with_provider(&json!({"local_jwks": {"inline_string": map}}));
    Scenario::new("certificates in PEM", config)
        .row("valid", get("/").bearer(rs256("good")), 200)
        .row("expired", get("/").bearer(rs256("expired")), 200)
        .row("another kid", get("/").bearer(rs256("another")), 401)
}

/// A key pair that certificates are made for.
struct Certified(KeyPair);

static RSA: LazyLock<Certified> =
    LazyLock::new(|| Certified(KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap()));
static EC: LazyLock<Certified> =
    LazyLock::new(|| Certified(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()));

impl Certified {
    /// A certificate from 2020 to this year. Envoy wants line feeds without carriage returns.
    fn pem(&self, until: i32) -> String {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let pem = params.self_signed(&self.0).unwrap().pem();
        pem.replace("\r\n", "\n")
    }
}

/// A token whose `kid` is this, signed with the certified RSA key.
fn rs256(kid: &str) -> String {
    let pair = RsaKeyPair::from_pkcs8(&RSA.0.serialize_der()).unwrap();
    token("RS256", kid, |input| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            input,
            &mut signature,
        )
        .unwrap();
        signature
    })
}

/// A token whose `kid` is this, signed with the certified EC key.
fn es256(kid: &str) -> String {
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &EC.0.serialize_der()).unwrap();
    token("ES256", kid, |input| {
        let signature = pair.sign(&SystemRandom::new(), input).unwrap();
        signature.as_ref().to_vec()
    })
}

fn token(algorithm: &str, kid: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now() + 3600});
    let header = json!({"alg": algorithm, "kid": kid});
    let input = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let input = input.join(".");
    let signature = URL_SAFE_NO_PAD.encode(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// An RSA key of 1024 bits.
fn small_jwk() -> Value {
    json!({
        "kty": "RSA",
        "kid": "rsa1024",
        "e": "AQAB",
        "n": "\
            yyTTvC2H-I44DCi4PwL57bqy_ZzdfWSyoqvQ7zAW4KFbW7kCbvj348_UTJU0HGPoPEJXzFepmtafy7oZuPHZbN\
            Y9VrUJ4JLnqOLnIMnz3ncdd_OYQaDlpnbi46K9YvKwWXWPnlZTiYVxh5Nq_h3iz2X-AUS5Tr2vXjTd5WhfxIc",
    })
}

/// A token that the key of 1024 bits has signed, which the library of these tests does not do. It is
/// valid until the year 2286.
const SMALL: &str = "\
    eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInJzYTEwMjQifQ.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSI\
    sICJhdWQiOiAiaHR0cHM6Ly9hcGkuZXhhbXBsZSIsICJzdWIiOiAicyIsICJpYXQiOiAxNzAwMDAwMDAwLCAiZXhwI\
    jogOTk5OTk5OTk5OX0.xozKIyRX11OadpOW7hLwbkcs1Ie9v99iwUqS3ATOOrA0GHy8ec21RcbTkDJyojZLeqTXl8Q\
    HGiwZRf0Lo7XCOvTQvomhpV4wEeAsQo7ywr4I3G1sF9CNMiP0PBxYTZ8UAqa2SqtmUlcRmDC_GrOQDVPd2x5ngC3PP\
    XxeiU4ulrk";

//! A client with a key: tokens that are bound to it, and proofs that it has it (RFC 9449).

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::http::Request;
use super::issuer::{Issuer, Token, now};
use super::key::{Key, keys};

/// A configuration that checks proofs with the settings `dpop`.
pub(crate) fn dpop_config(dpop: &Value) -> Value {
    json!({"providers": {"cloud": Issuer::local_provider(&[&keys::RSA])}, "dpop": dpop})
}

/// A public key as it stands in proofs.
pub(crate) fn proof_jwk(key: &Key) -> Value {
    let mut jwk = key.jwk();
    for name in ["kid", "use"] {
        jwk.as_object_mut().unwrap().remove(name);
    }
    jwk
}

/// The thumbprint of a key (RFC 7638). The members of a JSON value are in the order that it needs.
pub(crate) fn thumbprint(key: &Key) -> [u8; 32] {
    sha256(proof_jwk(key).to_string().as_bytes())
}

/// A token that is bound to `key`.
pub(crate) fn bound_token(key: &Key) -> Token {
    let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint(key));
    Token::good().claim("cnf", json!({"jkt": thumbprint}))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

impl Request {
    /// Adds a token that is bound to a key, and a proof.
    pub(crate) fn proving(self, token: &str, proof: &str) -> Self {
        self.header("authorization", format!("DPoP {token}"))
            .header("dpop", proof)
    }
}

/// A proof to sign: a good one, unless the test changes it.
#[derive(Clone)]
pub(crate) struct Proof {
    key: &'static Key,
    header: Value,
    claims: Value,
}

impl Proof {
    /// A proof for a GET request of `url` with `token`. Each has another `jti`.
    pub(crate) fn new(key: &'static Key, url: &str, token: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        Self {
            key,
            header: json!({"typ": "dpop+jwt", "alg": key.algorithm, "jwk": proof_jwk(key)}),
            claims: json!({
                "jti": format!("proof-{number}"),
                "htm": "GET",
                "htu": url,
                "iat": now(),
                "ath": URL_SAFE_NO_PAD.encode(sha256(token.as_bytes())),
            }),
        }
    }

    /// Sets a claim.
    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// Sets a header parameter.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// The claims as JSON.
    pub(crate) fn payload(&self) -> String {
        self.claims.to_string()
    }

    /// The proof, signed with its key.
    pub(crate) fn signed(&self) -> String {
        self.signed_by(|input| self.key.sign(self.key.algorithm, input))
    }

    /// The proof with the signature that `sign` makes.
    pub(crate) fn signed_by(&self, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        self.with_payload(&self.payload(), sign)
    }

    /// The proof with this text instead of its claims.
    pub(crate) fn with_payload(&self, payload: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let header = URL_SAFE_NO_PAD.encode(self.header.to_string());
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(sign(input.as_bytes()));
        format!("{input}.{signature}")
    }
}

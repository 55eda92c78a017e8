//! A client that proves possession of its key, and the gate that it calls.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::policy::{DpopPolicy, Policy};
use gate::request::Request;
use gate_fixtures::{ec_jwk, ed25519_jwk, p384_jwk, p521_jwk, rs256, rsa_jwk, signed};
use serde_json::{Value, json};

use crate::support::{NOW, payload, policy_of, provider, with};

/// Where the client's requests go.
pub(super) const URL: &str = "https://api.example/orders";

/// SHA-256 in base64url.
pub(super) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// A client with one key.
#[derive(Clone, Copy)]
pub(super) struct Client {
    pub(super) algorithm: &'static str,
}

/// The usual client.
pub(super) const CLIENT: Client = Client { algorithm: "ES256" };

/// Another client.
pub(super) const OTHER: Client = Client { algorithm: "EdDSA" };

impl Client {
    pub(super) fn jwk(self) -> Value {
        let mut jwk = match self.algorithm {
            "ES256" => ec_jwk(),
            "ES384" => p384_jwk(),
            "ES512" => p521_jwk(),
            "EdDSA" => ed25519_jwk(),
            _ => rsa_jwk(),
        };
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    }

    /// The thumbprint of the key (RFC 7638), whose members serde sorts by their names.
    pub(super) fn thumbprint(self) -> String {
        hash(&self.jwk().to_string())
    }

    /// A token that is bound to the key.
    pub(super) fn token(self) -> String {
        self.token_with(&json!({}))
    }

    pub(super) fn token_with(self, claims: &Value) -> String {
        let bound = json!({"cnf": {"jkt": self.thumbprint()}});
        token(&with(&bound, claims))
    }

    pub(super) fn header(self) -> Value {
        json!({"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk()})
    }

    /// A proof for a GET request to [`URL`] with `token`, with these claims changed.
    pub(super) fn proof(self, token: &str, changes: &Value) -> String {
        self.proof_of(&with(&claims(token), changes))
    }

    /// A proof with these claims.
    pub(super) fn proof_of(self, claims: &Value) -> String {
        signed(self.algorithm, &self.header(), claims)
    }
}

/// The claims of a good proof.
pub(super) fn claims(token: &str) -> Value {
    json!({"jti": "1", "htm": "GET", "htu": URL, "iat": NOW, "ath": hash(token)})
}

/// A token of the issuer with these claims.
pub(super) fn token(claims: &Value) -> String {
    rs256(
        &json!({"alg": "RS256", "kid": "rsa"}),
        &with(&payload(), claims),
    )
}

/// A policy that checks proofs, with a provider that has these fields.
pub(super) fn policy_with(fields: &Value, dpop: DpopPolicy) -> Policy {
    let mut policy = policy_of(&with(&provider(), fields));
    policy.options.dpop = Some(dpop);
    policy
}

/// A policy that checks proofs.
pub(super) fn policy() -> Policy {
    policy_with(&json!({}), DpopPolicy::default())
}

/// A GET request to [`URL`] with these headers.
pub(super) fn request(headers: &[(&str, &str)]) -> Request<'static> {
    let pseudo = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "api.example"),
        (":path", "/orders?page=2"),
    ];
    let headers = pseudo.iter().chain(headers);
    let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    Request::from_headers(headers).into_owned()
}

/// A request with a token and a proof.
pub(super) fn proving(token: &str, proof: &str) -> Request<'static> {
    let authorization = format!("DPoP {token}");
    request(&[("authorization", &authorization), ("dpop", proof)])
}

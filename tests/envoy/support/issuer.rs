//! An issuer: a key server, and tokens as a test needs them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::key::{Key, keys};
use super::server::{Answer, Server};

/// The `iss` of tokens and the `issuer` of the provider.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// The `aud` of tokens and the audience of the provider.
pub(crate) const AUDIENCE: &str = "https://api.example";

/// Seconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or(Duration::ZERO).as_secs()
}

/// The JWK set of these keys.
fn key_set(keys: &[&Key]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}

/// An issuer with a key server at the cluster `issuer`.
pub(crate) struct Issuer {
    pub(crate) server: Server,
}

impl Issuer {
    /// Starts an issuer that publishes an RSA and a P-256 key.
    pub(crate) fn start() -> Self {
        let issuer = Self {
            server: Server::start(|_| Answer::new(404, "").into()),
        };
        issuer.publish(&[&keys::RSA, &keys::EC]);
        issuer
    }

    /// Makes the key server publish exactly these keys from now on.
    pub(crate) fn publish(&self, keys: &[&Key]) {
        self.server.reply(Self::published(keys));
    }

    /// The answer of a key server with exactly these keys.
    pub(crate) fn published(keys: &[&Key]) -> Answer {
        Answer::new(200, key_set(keys).to_string()).header("content-type", "application/json")
    }

    /// The smallest configuration that admits the tokens of an issuer.
    pub(crate) fn config() -> Value {
        json!({"providers": {"cloud": Self::provider()}})
    }

    /// The same with a short timeout. While there are no keys, requests wait as long as the timeout.
    pub(crate) fn impatient_config() -> Value {
        let mut config = Self::config();
        config["providers"]["cloud"]["remote_jwks"]["http_uri"]["timeout"] = "2s".into();
        config
    }

    /// The provider of [`config`](Self::config). Its timeout is long, since a busy key server may take
    /// its time.
    pub(crate) fn provider() -> Value {
        json!({
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "remote_jwks": {
                "http_uri": {"uri": "http://issuer.example/jwks", "cluster": "issuer", "timeout": "60s"},
            },
        })
    }

    /// The same provider with its keys in the configuration.
    pub(crate) fn local_provider(keys: &[&Key]) -> Value {
        json!({
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "local_jwks": {"inline_string": key_set(keys).to_string()},
        })
    }
}

/// A token to sign: a good one, unless the test changes it.
#[derive(Clone)]
pub(crate) struct Token {
    header: Value,
    claims: Value,
}

impl Token {
    /// A token that is valid for an hour.
    pub(crate) fn good() -> Self {
        Self {
            header: json!({"typ": "at+jwt"}),
            claims: json!({
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": "somebody",
                "iat": now(),
                "exp": now() + 3600,
            }),
        }
    }

    /// Sets a claim, or removes it if the value is `null`.
    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    /// Sets a header parameter, or removes it if the value is `null`.
    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// The token, signed with `key`. `alg` and `kid` are those of the key unless the test has set them.
    pub(crate) fn signed_with(&self, key: &Key) -> String {
        let mut header = self.header.clone();
        for (name, value) in [("alg", key.algorithm), ("kid", key.kid)] {
            if header.get(name).is_none() {
                header[name] = value.into();
            }
        }
        let input = format!("{}.{}", encoded(&header), encoded(&self.claims));
        let algorithm = header["alg"].as_str().unwrap_or(key.algorithm);
        let signature = URL_SAFE_NO_PAD.encode(key.sign(algorithm, input.as_bytes()));
        format!("{input}.{signature}")
    }

    /// The token, signed with the RSA key of the issuer.
    pub(crate) fn signed(&self) -> String {
        self.signed_with(&keys::RSA)
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value);
        }
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

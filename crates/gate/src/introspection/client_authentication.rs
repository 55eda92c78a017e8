//! How the gate authenticates itself at an introspection endpoint.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::client_key::ClientKey;
use crate::fetching::Authorization;
use crate::time::Timestamp;

/// How long an assertion is good, in seconds.
const ASSERTION_SECONDS: u64 = 60;

/// How the gate authenticates itself at an introspection endpoint. The names are those of the registry of token
/// endpoint authentication methods (RFC 7591, section 2).
#[derive(Clone, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`: HTTP Basic authentication (RFC 6749, section 2.3.1).
    SecretBasic(Authorization),
    /// `client_secret_post`: the secret is a parameter of the request.
    SecretPost {
        /// The client identifier.
        client_id: String,
        /// The client secret.
        secret: String,
    },
    /// `private_key_jwt`: an assertion that is signed with a key of the client (RFC 7523, section 2.2).
    PrivateKey {
        /// The client identifier.
        client_id: String,
        /// The authorization server that assertions are meant for.
        audience: String,
        /// The key.
        key: ClientKey,
    },
    /// `tls_client_auth`: the cluster shows a client certificate (RFC 8705, section 2).
    Tls {
        /// The client identifier.
        client_id: String,
    },
}

/// What one request contains to authenticate the client.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credentials<'c> {
    /// The value of the header `authorization`.
    pub authorization: Option<&'c str>,
    /// Parameters of the form.
    pub parameters: Vec<(&'static str, Cow<'c, str>)>,
}

impl ClientAuthentication {
    /// The credentials for a request at `date`. `random` makes them unique: many servers accept an assertion only
    /// once, as RFC 7523, section 3, allows, so each request has its own.
    ///
    /// # Errors
    ///
    /// Why there are none, for the log.
    pub fn credentials(
        &self,
        date: Option<Timestamp>,
        random: impl Fn() -> u64,
    ) -> Result<Credentials<'_>, &'static str> {
        let client_id = |id: &'_ String| ("client_id", Cow::Owned(id.clone()));
        Ok(match self {
            Self::SecretBasic(authorization) => Credentials {
                authorization: Some(authorization.header()),
                parameters: Vec::new(),
            },
            Self::SecretPost {
                client_id: id,
                secret,
            } => Credentials {
                authorization: None,
                parameters: vec![client_id(id), ("client_secret", secret.into())],
            },
            Self::Tls { client_id: id } => Credentials {
                authorization: None,
                parameters: vec![client_id(id)],
            },
            Self::PrivateKey {
                client_id: id,
                audience,
                key,
            } => {
                let date = date.ok_or("the clock of the host is not set")?;
                let jti = format!("{:016x}{:016x}", random(), random());
                let assertion = assertion(id, audience, key, date, &jti);
                let assertion = assertion.ok_or("the client key cannot sign")?;
                Credentials {
                    authorization: None,
                    parameters: vec![
                        client_id(id),
                        ("client_assertion_type", ASSERTION_TYPE.into()),
                        ("client_assertion", assertion.into()),
                    ],
                }
            }
        })
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The assertion of the client `client_id` (RFC 7523, section 3). Its audience is a string and not a list, and only
/// the issuer: a server that accepted others could be given an assertion that was made for another server.
fn assertion(
    client_id: &str,
    audience: &str,
    key: &ClientKey,
    date: Timestamp,
    jti: &str,
) -> Option<String> {
    let issued_at = date.unix_millis().checked_div(1000)?;
    let header = json!({"alg": ClientKey::ALGORITHM, "kid": key.kid(), "typ": "JWT"});
    let payload = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": jti,
        "iat": issued_at,
        "exp": issued_at.saturating_add(ASSERTION_SECONDS),
    });
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let input = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes())?);
    Some(format!("{input}.{signature}"))
}

impl fmt::Debug for ClientAuthentication {
    /// Shows the method, and no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretBasic(_) => "client_secret_basic",
            Self::SecretPost { .. } => "client_secret_post",
            Self::PrivateKey { .. } => "private_key_jwt",
            Self::Tls { .. } => "tls_client_auth",
        })
    }
}

#[cfg(test)]
mod tests;

//! How the filter authenticates itself at an introspection endpoint.

use gate::fetching::Authorization;
use gate::introspection::{ClientAuthentication, ClientKey};
use gate::json;

use super::choice::choice;
use super::environment::{self, Environment};
use super::place::Place;
use super::scalar::NonEmpty;

choice! {
    /// How the filter authenticates itself.
    pub(crate) enum ClientAuthenticationWire("ClientAuthentication") {
        /// Identifier and secret by HTTP Basic authentication.
        SecretBasic = "client_secret_basic",
        /// Identifier and secret as parameters.
        SecretPost = "client_secret_post",
        /// An assertion signed with a private key.
        PrivateKey = "private_key_jwt",
        /// The certificate that the cluster presents.
        Tls = "tls_client_auth",
    }
}

/// The fields of an introspection endpoint that concern authentication.
pub(crate) struct AuthenticationFields {
    pub(crate) authentication: Option<ClientAuthenticationWire>,
    pub(crate) client_id: NonEmpty,
    pub(crate) client_secret_environment_variable: Option<NonEmpty>,
    pub(crate) client_key_environment_variable: Option<NonEmpty>,
    pub(crate) audience: Option<NonEmpty>,
}

const SECRET: &str = "client_secret_environment_variable";
const KEY: &str = "client_key_environment_variable";

impl AuthenticationFields {
    /// Builds the authentication at the endpoint at this place, of the provider with this issuer.
    pub(crate) fn build(
        self,
        at: &Place<'_>,
        issuer: Option<&str>,
        environment: Environment<'_>,
    ) -> Option<ClientAuthentication> {
        let method = self
            .authentication
            .unwrap_or(ClientAuthenticationWire::SecretBasic);
        let (uses_secret, uses_key) = match method {
            ClientAuthenticationWire::SecretBasic | ClientAuthenticationWire::SecretPost => {
                (true, false)
            }
            ClientAuthenticationWire::PrivateKey => (false, true),
            ClientAuthenticationWire::Tls => (false, false),
        };
        for (field, is_given, is_used) in [
            (
                SECRET,
                self.client_secret_environment_variable.is_some(),
                uses_secret,
            ),
            (
                KEY,
                self.client_key_environment_variable.is_some(),
                uses_key,
            ),
            ("audience", self.audience.is_some(), uses_key),
        ] {
            if is_given && !is_used {
                at.field(field)
                    .report("is not used with this authentication");
            }
        }
        let client_id = self.client_id.0;
        let secret = || {
            secret(
                at,
                SECRET,
                self.client_secret_environment_variable.as_ref(),
                environment,
            )
        };
        Some(match method {
            ClientAuthenticationWire::SecretBasic => {
                ClientAuthentication::SecretBasic(Authorization::of_client(&client_id, &secret()?))
            }
            ClientAuthenticationWire::SecretPost => ClientAuthentication::SecretPost {
                secret: secret()?,
                client_id,
            },
            ClientAuthenticationWire::Tls => ClientAuthentication::Tls { client_id },
            ClientAuthenticationWire::PrivateKey => {
                let audience = self.audience.map(|audience| audience.0);
                let audience = audience.or_else(|| issuer.map(str::to_owned));
                if audience.is_none() {
                    at.field("audience")
                        .report("missing field: the provider has no issuer to take it from");
                }
                let variable = self.client_key_environment_variable.as_ref();
                let key = secret_key(at, variable, environment);
                ClientAuthentication::PrivateKey {
                    client_id,
                    audience: audience?,
                    key: key?,
                }
            }
        })
    }
}

/// The secret in the variable that the field `name` of the object at this place names.
fn secret(
    at: &Place<'_>,
    name: &str,
    variable: Option<&NonEmpty>,
    environment: Environment<'_>,
) -> Option<String> {
    let at = at.field(name);
    match variable {
        None => at.refuse("missing field"),
        Some(NonEmpty(variable)) => environment::secret(&at, variable, environment),
    }
}

/// The key in the variable that the field [`KEY`] of the object at this place names.
fn secret_key(
    at: &Place<'_>,
    variable: Option<&NonEmpty>,
    environment: Environment<'_>,
) -> Option<ClientKey> {
    let text = secret(at, KEY, variable, environment)?;
    let at = at.field(KEY);
    let Some(jwk) = json::parse_object(text.trim().as_bytes()) else {
        return at.refuse("the variable is not a JWK: a JSON object");
    };
    match ClientKey::from_jwk(&jwk) {
        Ok(key) => Some(key),
        Err(problem) => at.refuse(problem),
    }
}

//! Credentials for servers that documents are fetched from.

use gate::fetching::Authorization;

use super::environment::{self, Environment};
use super::object::object;
use super::place::Place;
use super::scalar::NonEmpty;

object! {
    pub(crate) struct AuthorizationWire("Authorization", "Authorization") {
        /// The user name for HTTP Basic authentication.
        username: optional NonEmpty,
        /// The environment variable of the VM that contains the password.
        password_environment_variable: optional NonEmpty,
        /// The environment variable of the VM that contains a bearer token.
        token_environment_variable: optional NonEmpty,
    }
}

impl AuthorizationWire {
    /// Builds the credentials at this place.
    pub(crate) fn build(
        self,
        at: &Place<'_>,
        environment: Environment<'_>,
    ) -> Option<Authorization> {
        let password = self.password_environment_variable;
        match (self.token_environment_variable, &self.username, &password) {
            (Some(NonEmpty(variable)), None, None) => {
                let at = at.field("token_environment_variable");
                let token = environment::header_value(&at, &variable, environment)?;
                if token.contains([' ', '\t']) {
                    return at.refuse("a bearer token has no spaces");
                }
                Some(Authorization::bearer(&variable, &token))
            }
            (None, Some(_), _) | (None, _, Some(_)) => {
                basic(at, self.username, password, environment)
            }
            (None, None, None) => at.refuse(
                "needs username and password_environment_variable, or token_environment_variable",
            ),
            (Some(_), ..) => {
                at.refuse("has both a user with a password and token_environment_variable")
            }
        }
    }
}

/// Builds the credentials for HTTP Basic authentication (RFC 7617) from the fields `username` and
/// `password_environment_variable` of the object at this place; `None` without either.
pub(crate) fn basic(
    at: &Place<'_>,
    username: Option<NonEmpty>,
    variable: Option<NonEmpty>,
    environment: Environment<'_>,
) -> Option<Authorization> {
    match (username, variable) {
        (None, None) => None,
        (Some(NonEmpty(username)), Some(NonEmpty(variable))) => {
            if username.contains(|letter: char| letter == ':' || letter.is_control()) {
                let at = at.field("username");
                at.report("must have no colon and no control characters (RFC 7617)");
            }
            let at = at.field("password_environment_variable");
            let password = environment::secret(&at, &variable, environment)?;
            Some(Authorization::basic(&username, &password))
        }
        (Some(_), None) => at.refuse("username needs password_environment_variable"),
        (None, Some(_)) => at.refuse("password_environment_variable needs username"),
    }
}

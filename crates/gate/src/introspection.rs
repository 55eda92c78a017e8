//! Token introspection (RFC 7662): what the authorization server says about a token.

mod answer;
mod client_authentication;
mod client_key;
mod contradiction;

use std::rc::Rc;
use std::time::Duration;

pub use self::answer::{IntrospectionResponse, MAX_ANSWER_BYTES, read};
pub use self::client_authentication::{ClientAuthentication, Credentials};
pub use self::client_key::{ClientKey, ClientKeyProblem};
pub use self::contradiction::{COMPARED_CLAIMS, contradiction};

/// The status of a token.
#[derive(Clone, Debug)]
pub enum TokenStatus {
    /// The token is active.
    Active(Rc<IntrospectionResponse>),
    /// The token is not active: it is unknown, expired or revoked.
    Inactive,
    /// The authorization server has not answered yet.
    Pending,
    /// The status cannot be determined now.
    Unavailable {
        /// When a client should try again.
        retry_after: Duration,
    },
}

/// How long answers are cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// For an active token, but never longer than until its `exp`.
    pub active: Duration,
    /// For a token that is not active.
    pub inactive: Duration,
}

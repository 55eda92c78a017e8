//! What the tests of bound tokens share.

use gate::reason::ReasonKind;

use crate::support::{Key, Response, keys};

/// The URL of most requests, as a client that sends `Host: api.example` sees it.
pub(super) const URL: &str = "http://api.example/orders";

/// The key of the client.
pub(super) fn client() -> &'static Key {
    &keys::EC
}

/// Checks that an answer refuses a request for `reason`.
#[track_caller]
pub(super) fn assert_refused(answer: &Response, reason: ReasonKind, what: &str) {
    let body = answer.json();
    let said = (
        answer.status,
        body["error"].as_str().unwrap_or_default(),
        body["error_description"].as_str().unwrap_or_default(),
    );
    let expected = (reason.status(), reason.error(), reason.description());
    assert_eq!(said, expected, "{what}");
}

/// The challenges of an answer.
pub(super) fn challenges(answer: &Response) -> Vec<&str> {
    let headers = answer.headers.iter();
    let challenges = headers.filter(|(name, _)| name == "www-authenticate");
    challenges.map(|(_, value)| value.as_str()).collect()
}

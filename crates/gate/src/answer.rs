//! The answer to a refused request.

use std::borrow::Cow;

use crate::reason::{Reason, ReasonKind};

/// An HTTP response that the gate sends in place of the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers: names in lower case, values in visible ASCII.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; for a gRPC request the status message.
    pub body: Cow<'static, str>,
}

impl Answer {
    /// The answer for `reason`. `realm` may be any text. If the request is gRPC, the host turns the
    /// status into a gRPC status and the body into the status message.
    #[must_use]
    pub fn new(reason: &Reason, realm: &[u8], grpc: bool) -> Self {
        let kind = reason.kind();
        let mut headers = vec![("cache-control", "no-store".into())];
        if let Some(wait) = reason.retry_after() {
            // Rounded up: a client that returns on time must find that the gate has tried again.
            let partial = u64::from(wait.subsec_nanos() > 0);
            let secs = wait.as_secs().saturating_add(partial).max(1);
            headers.push(("retry-after", secs.to_string().into()));
        } else {
            headers.push(("www-authenticate", challenge(reason, realm).into()));
        }
        let body = if grpc {
            kind.description().into()
        } else {
            headers.push(("content-type", "application/json".into()));
            json_body(kind).into()
        };
        Self {
            status: kind.status(),
            headers,
            body,
        }
    }

    /// The answer without body and challenge, which disclose the reason.
    #[must_use]
    pub fn stripped(mut self) -> Self {
        let discloses = |name: &str| matches!(name, "content-type" | "www-authenticate");
        self.headers.retain(|(name, _)| !discloses(name));
        self.body = "".into();
        self
    }
}

/// Neither error codes nor descriptions contain characters that JSON must escape.
fn json_body(kind: ReasonKind) -> String {
    let (error, description) = (kind.error(), kind.description());
    [
        r#"{"error":""#,
        error,
        r#"","error_description":""#,
        description,
        r#""}"#,
    ]
    .concat()
}

/// The challenge of RFC 6750, section 3.
fn challenge(reason: &Reason, realm: &[u8]) -> String {
    let kind = reason.kind();
    let mut challenge = ["Bearer realm=\"", &quotable(realm), "\""].concat();
    let mut add = |name: &str, value: &str| {
        challenge.extend([", ", name, "=\"", value, "\""]);
    };
    if let Some(error) = kind.challenge_error() {
        add("error", error);
        add("error_description", kind.description());
    }
    if let Reason::Scope { required } = reason {
        add("scope", &quotable(required.as_bytes()));
    }
    challenge
}

/// The part of `text` that all parsers read alike in a quoted string (RFC 9110, section 5.6.4):
/// visible ASCII and spaces, `"` and `\` escaped, at most 256 characters.
fn quotable(text: &[u8]) -> String {
    let visible = text.iter().filter(|byte| matches!(byte, b' '..=b'~'));
    let mut quotable = String::new();
    for byte in visible.take(256) {
        if matches!(byte, b'"' | b'\\') {
            quotable.push('\\');
        }
        quotable.push(char::from(*byte));
    }
    quotable
}

#[cfg(test)]
mod tests;

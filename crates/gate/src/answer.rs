//! The answer to a refused request.

mod challenge;

use std::borrow::Cow;

pub use challenge::{AcceptedSchemes, ChallengeParameters};

use crate::policy::{Policy, Requirement};
use crate::reason::{Reason, ReasonKind};
use crate::request::Request;
use challenge::challenges;

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
    /// The answer to `request`, which `requirement` refuses for `reason`; `None` if no requirement
    /// applied. A challenge to prove possession carries `nonce`.
    #[must_use]
    pub fn refusal(
        reason: &Reason,
        policy: &Policy,
        request: &Request<'_>,
        requirement: Option<&Requirement>,
        nonce: Option<String>,
    ) -> Self {
        let parameters = ChallengeParameters::new(policy, request, requirement, nonce);
        let answer = Self::new(reason, &parameters, request.grpc);
        if policy.options.strip_failure_response {
            return answer.stripped();
        }
        answer
    }

    /// The answer for `reason`. If the request is gRPC, the host turns the status into a gRPC status and
    /// the body into the status message.
    #[must_use]
    pub fn new(reason: &Reason, parameters: &ChallengeParameters<'_>, grpc: bool) -> Self {
        let kind = reason.kind();
        let mut headers = vec![("cache-control", "no-store".into())];
        if let Some(wait) = reason.retry_after() {
            // Rounded up: a client that returns on time must find that the gate has tried again.
            let partial = u64::from(wait.subsec_nanos() > 0);
            let secs = wait.as_secs().saturating_add(partial).max(1);
            headers.push(("retry-after", secs.to_string().into()));
        }
        let (challenges, nonce) = challenges(reason, parameters);
        for challenge in challenges {
            headers.push(("www-authenticate", challenge.into()));
        }
        if let Some(nonce) = nonce {
            headers.push(("dpop-nonce", nonce.into()));
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

#[cfg(test)]
mod tests;

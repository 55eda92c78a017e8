//! The answer to a refused request.

mod challenge;

use std::borrow::Cow;

pub use challenge::{AcceptedSchemes, ChallengeParameters};

use crate::policy::{Policy, Requirement, ResponseBody};
use crate::reason::{Reason, ReasonKind};
use crate::request::Request;
use challenge::challenges;

/// An HTTP response that the gate sends instead of the upstream.
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
        match policy.options.response_body {
            ResponseBody::Problem if !request.grpc => answer.with_problem(reason.kind()),
            ResponseBody::Problem | ResponseBody::Json => answer,
        }
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

    /// The answer with problem details (RFC 9457) as its body.
    #[must_use]
    fn with_problem(mut self, kind: ReasonKind) -> Self {
        self.headers.retain(|(name, _)| *name != "content-type");
        let content_type = ("content-type", "application/problem+json".into());
        self.headers.push(content_type);
        self.body = problem_body(kind).into();
        self
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

/// Problem details of the type `about:blank`, whose title is the phrase of the status (RFC 9457, section 4.2.1). No
/// part needs to be escaped.
fn problem_body(kind: ReasonKind) -> String {
    let status = kind.status();
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        _ => "Service Unavailable",
    };
    let (error, detail) = (kind.error(), kind.description());
    format!(
        r#"{{"type":"about:blank","title":"{title}","status":{status},"detail":"{detail}","error":"{error}"}}"#
    )
}

#[cfg(test)]
mod tests;

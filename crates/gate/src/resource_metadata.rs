//! Requests for the metadata of protected resources (RFC 9728, section 3), which the gate answers itself.
//!
//! The metadata are public: neither rules nor tokens matter. Browsers fetch them from pages of other
//! origins, so every answer allows that.

use std::borrow::Cow;

use crate::answer::Answer;
use crate::policy::{Metadata, Policy};
use crate::request::Request;

/// The answer to `request` if it is for metadata that the gate serves; `None` if rules decide about it.
#[must_use]
pub fn answer(policy: &Policy, request: &Request<'_>) -> Option<Answer> {
    let path = policy.resources.metadata_path(request)?;
    Some(match &*request.method {
        b"GET" | b"HEAD" => match policy.resources.metadata(path, request) {
            Some(metadata) => document(metadata),
            None => failure(404, NOT_FOUND, request.grpc),
        },
        b"OPTIONS" if request.is_cors_preflight() => preflight(),
        b"OPTIONS" => without_body(vec![ANY_ORIGIN, ALLOW]),
        _ => {
            let mut answer = failure(405, METHOD_NOT_ALLOWED, request.grpc);
            answer.headers.push(ALLOW);
            answer
        }
    })
}

type Header = (&'static str, Cow<'static, str>);

const ANY_ORIGIN: Header = ("access-control-allow-origin", Cow::Borrowed("*"));
const ALLOW: Header = ("allow", Cow::Borrowed("GET, HEAD, OPTIONS"));
const JSON: Header = ("content-type", Cow::Borrowed("application/json"));

/// The error code and the description of a 404. Clients then try the next place.
const NOT_FOUND: (&str, &str) = ("not_found", "There is no such resource here");
const METHOD_NOT_ALLOWED: (&str, &str) = ("method_not_allowed", "Use GET to read the metadata");

/// The host sends the headers alone if the method is HEAD.
fn document(metadata: &Metadata) -> Answer {
    let max_age = format!("max-age={}", metadata.max_age.as_secs());
    Answer {
        status: 200,
        headers: vec![JSON, ("cache-control", max_age.into()), ANY_ORIGIN],
        body: metadata.document.clone().into(),
    }
}

/// Browsers send a preflight because MCP clients send `MCP-Protocol-Version`. The wildcard does not
/// cover `authorization` (Fetch standard, section 3.2.3).
fn preflight() -> Answer {
    without_body(vec![
        ANY_ORIGIN,
        ("access-control-allow-methods", "GET".into()),
        ("access-control-allow-headers", "*, authorization".into()),
        ("access-control-max-age", "86400".into()),
    ])
}

const fn without_body(headers: Vec<Header>) -> Answer {
    Answer {
        status: 204,
        headers,
        body: Cow::Borrowed(""),
    }
}

fn failure(status: u16, (error, description): (&str, &'static str), grpc: bool) -> Answer {
    let mut headers = vec![ANY_ORIGIN, ("cache-control", "no-store".into())];
    let body = if grpc {
        description.into()
    } else {
        headers.push(JSON);
        format!(r#"{{"error":"{error}","error_description":"{description}"}}"#).into()
    };
    Answer {
        status,
        headers,
        body,
    }
}

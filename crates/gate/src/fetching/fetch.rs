//! One fetch of what a server publishes: which requests it takes, and what their answers come to. It knows no
//! host, and does nothing but say what to ask next.
//!
//! A fetch has one deadline for all that it takes: the issuer's metadata where the place is to be
//! read from there, what is published, and what is tried again.

use std::time::Duration;

use serde_json::Value;

use super::backoff::Backoff;
use super::document::{Document, Validator};
use super::published::Published;
use super::resource::Resource;
use crate::json;
use crate::time::Timestamp;

/// Where something is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// There.
    Place(Resource),
    /// Where the metadata of an issuer says.
    Metadata {
        /// The issuer, which the metadata must name.
        issuer: String,
        /// Where the metadata may be, the likelier place first.
        places: [Resource; 2],
    },
}

/// How often, and how soon, one fetch tries again what failed in passing: no answer, or a status of
/// 500 and above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How often.
    pub number: u32,
    /// How soon.
    pub backoff: Backoff,
}

/// A GET request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is asked for.
    pub resource: Resource,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// The answer to a [`Call`], or that there was none.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The headers with `:status`; empty where the connection broke or the time was up.
    pub headers: &'a [(String, Vec<u8>)],
    /// How many bytes the body has.
    pub size: usize,
    /// Reads the body.
    pub body: &'a dyn Fn() -> Vec<u8>,
}

/// How a fetch goes on.
#[derive(Debug)]
pub enum Next<T> {
    /// With the next request.
    Call,
    /// Not at all.
    Ended(Outcome<T>),
}

/// What a fetch has brought.
#[derive(Debug)]
pub enum Outcome<T> {
    /// Something else than what is known.
    Changed {
        /// It, as it is to be shared.
        document: Document,
        /// It, as it is used.
        what: T,
        /// How long the server says it will stay the same.
        fresh_for: Option<Duration>,
    },
    /// What is known once more.
    Unchanged {
        /// The number of what is known.
        id: u64,
        /// How long the server says it will stay the same.
        fresh_for: Option<Duration>,
    },
    /// Nothing, for the reason that is given in words for the log.
    Failed(String),
}

/// A fetch that is under way.
#[derive(Debug)]
pub struct Fetch<T: Published> {
    id: u64,
    origin: Origin,
    format: T::Format,
    retries: Retries,
    deadline: Timestamp,
    /// What is shared already.
    known: Option<Document>,
    step: Step,
    /// How often it was tried again.
    tries: u32,
    /// When the next request may be sent.
    not_before: Timestamp,
}

#[derive(Debug)]
enum Step {
    /// Asks for the metadata at the first place.
    OpenId,
    /// Asks for it at the second one, since the first did not have it.
    OAuth(Problem),
    /// Asks for what is published.
    Place(Resource),
}

/// Why a request came to nothing.
#[derive(Clone, Debug)]
struct Problem {
    text: String,
    /// Whether it may have been in passing.
    passing: bool,
}

impl Problem {
    fn lasting(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            passing: false,
        }
    }

    fn passing(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            passing: true,
        }
    }
}

impl<T: Published> Fetch<T> {
    /// Begins the fetch with the number `id`, which must have ended `timeout` after `now`. `known`
    /// is what is shared already.
    #[must_use]
    pub fn begin(
        id: u64,
        origin: &Origin,
        format: &T::Format,
        retries: Retries,
        timeout: Duration,
        known: Option<Document>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            origin: origin.clone(),
            format: format.clone(),
            retries,
            deadline: now.plus(timeout),
            known,
            step: first_step(origin),
            tries: 0,
            not_before: now,
        }
    }

    /// The number of the fetch.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// When the fetch must have ended.
    #[must_use]
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// The request to send now; `None` while it is too early for one.
    #[must_use]
    pub fn call(&self, now: Timestamp) -> Option<Call> {
        if now < self.not_before {
            return None;
        }
        let timeout = self.deadline.since(now).max(Duration::from_millis(1));
        let resource = self.resource()?.clone();
        let if_none_match = self.etag().map(str::to_owned);
        Some(Call {
            resource,
            if_none_match,
            timeout,
        })
    }

    fn resource(&self) -> Option<&Resource> {
        match (&self.step, &self.origin) {
            (Step::Place(resource), _) | (_, Origin::Place(resource)) => Some(resource),
            (Step::OpenId, Origin::Metadata { places, .. }) => places.first(),
            (Step::OAuth(_), Origin::Metadata { places, .. }) => places.last(),
        }
    }

    /// The tag of what is known, if that is what the fetch asks for now.
    fn etag(&self) -> Option<&str> {
        let Step::Place(resource) = &self.step else {
            return None;
        };
        self.known.as_ref()?.validator.as_ref()?.etag_of(resource)
    }

    /// Takes note that the request could not be sent.
    pub fn refused(&mut self, now: Timestamp, random: u64) -> Next<T> {
        let problem = "the cluster is unknown or has no healthy host";
        self.fell_through(Problem::passing(problem), now, random)
    }

    /// Takes the answer to the request.
    pub fn answered(&mut self, answer: &Answer<'_>, now: Timestamp, random: u64) -> Next<T> {
        let fresh_for = fresh_for(answer.headers);
        if let Some(known) = &self.known
            && self.etag().is_some()
            && status(answer) == Some(b"304")
        {
            let id = known.id;
            return Next::Ended(Outcome::Unchanged { id, fresh_for });
        }
        let body = match body(answer, T::MAX_BYTES) {
            Ok(body) => body,
            Err(problem) => return self.fell_through(problem, now, random),
        };
        let next = match &self.step {
            Step::Place(resource) => self
                .brought(body, resource, answer, fresh_for)
                .map(Next::Ended),
            Step::OpenId | Step::OAuth(_) => self.place(&body).map(|resource| {
                self.step = Step::Place(resource);
                Next::Call
            }),
        };
        next.unwrap_or_else(|text| Next::Ended(Outcome::Failed(text)))
    }

    fn brought(
        &self,
        body: Vec<u8>,
        resource: &Resource,
        answer: &Answer<'_>,
        fresh_for: Option<Duration>,
    ) -> Result<Outcome<T>, String> {
        if let Some(known) = &self.known
            && known.body == body
        {
            let id = known.id;
            return Ok(Outcome::Unchanged { id, fresh_for });
        }
        let what = T::parse(&body, &self.format)?;
        let etag = values(answer.headers, "etag").next();
        let document = Document {
            id: self.id,
            validator: etag.and_then(|etag| Validator::new(etag, resource)),
            body,
        };
        Ok(Outcome::Changed {
            document,
            what,
            fresh_for,
        })
    }

    /// Where the metadata in `body` says that the key set is.
    fn place(&self, body: &[u8]) -> Result<Resource, String> {
        let metadata = json::parse_object(body).ok_or("the metadata is not a JSON object")?;
        let expected = match &self.origin {
            Origin::Metadata { issuer, .. } => issuer.as_str(),
            Origin::Place(_) => "",
        };
        // OpenID Connect Discovery 1.0, section 4.3; RFC 8414, section 3.3: identical, or not used.
        if metadata.get("issuer").and_then(Value::as_str) != Some(expected) {
            return Err("the metadata is that of another issuer".to_owned());
        }
        let uri = metadata.get("jwks_uri").and_then(Value::as_str);
        let uri = uri.ok_or("the metadata has no jwks_uri")?;
        Resource::parse(uri).map_err(|problem| format!("jwks_uri of the metadata {problem}"))
    }

    /// Goes on after a request that has brought nothing: to the other place of the metadata, or to
    /// another try.
    fn fell_through(&mut self, problem: Problem, now: Timestamp, random: u64) -> Next<T> {
        if matches!(self.step, Step::OpenId) && now < self.deadline {
            self.step = Step::OAuth(problem);
            return Next::Call;
        }
        let problem = match &self.step {
            Step::OAuth(first) => Problem {
                text: format!(
                    "no metadata: of openid-configuration {}, of oauth-authorization-server {}",
                    first.text, problem.text
                ),
                passing: first.passing || problem.passing,
            },
            Step::OpenId | Step::Place(_) => problem,
        };
        let again_at = now.plus(self.retries.backoff.delay(self.tries, random));
        if problem.passing && self.tries < self.retries.number && again_at < self.deadline {
            self.tries = self.tries.saturating_add(1);
            self.step = first_step(&self.origin);
            self.not_before = again_at;
            return Next::Call;
        }
        Next::Ended(Outcome::Failed(problem.text))
    }
}

fn first_step(origin: &Origin) -> Step {
    match origin {
        Origin::Place(resource) => Step::Place(resource.clone()),
        Origin::Metadata { .. } => Step::OpenId,
    }
}

/// The body of an answer, if that is a success and not too large.
fn body(answer: &Answer<'_>, longest: usize) -> Result<Vec<u8>, Problem> {
    // A reset and a timeout have no headers; a refused connection is a 503 that Envoy makes up.
    if answer.headers.is_empty() {
        return Err(Problem::passing("there was no answer in time"));
    }
    match status(answer) {
        Some(b"200") if answer.size <= longest => Ok((answer.body)()),
        Some(b"200") => Err(Problem::lasting(format!(
            "the answer has {} bytes, more than {longest}",
            answer.size
        ))),
        other => Err(Problem {
            text: format!("the status is {}", other.unwrap_or_default().escape_ascii()),
            passing: other.is_some_and(|status| status.starts_with(b"5")),
        }),
    }
}

fn status<'a>(answer: &Answer<'a>) -> Option<&'a [u8]> {
    values(answer.headers, ":status").next()
}

fn values<'a>(
    headers: &'a [(String, Vec<u8>)],
    name: &'static str,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |(known, _)| known == name)
        .map(|(_, value)| value.as_slice())
}

/// What `Cache-Control` says of how long an answer stays fresh (RFC 9111, section 5.2.2): the
/// shortest time that any of its directives gives, and none at all where that cannot be read.
fn fresh_for(headers: &[(String, Vec<u8>)]) -> Option<Duration> {
    values(headers, "cache-control")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .filter_map(|directive| {
            let directive = directive.trim_ascii().to_ascii_lowercase();
            if matches!(directive.as_slice(), b"no-store" | b"no-cache") {
                return Some(Duration::ZERO);
            }
            let seconds = directive.strip_prefix(b"max-age=")?;
            let seconds = std::str::from_utf8(seconds).unwrap_or_default();
            let digits = seconds.trim_matches('"');
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            // A number that is too great to be read is a very long time.
            let seconds = digits.parse().unwrap_or(u64::MAX);
            Some(Duration::from_secs(if is_number { seconds } else { 0 }))
        })
        .min()
}

#[cfg(test)]
mod tests;

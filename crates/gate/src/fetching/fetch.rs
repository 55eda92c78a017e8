//! One fetch of a document: the requests that it takes, and the result. It does no I/O and only says
//! what to send next.
//!
//! A fetch has one deadline for everything: the issuer's metadata if the URI comes from there, the
//! document, and repetitions.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::document_source::DocumentSource;
use super::http_messages::{FetchRequest, FetchResponse};
use super::publication::{Publication, Unusable};
use super::remote_document::{RemoteDocument, Retries};
use super::resource::Resource;
use super::response_body::ResponseBody;
use super::shared_document::SharedDocument;
use super::validator::Validator;
use crate::json;
use crate::time::Instant;

/// The media type of metadata (OpenID Connect Discovery 1.0, section 4.2; RFC 8414, section 3.2).
const METADATA_TYPE: &str = "application/json";

/// How a fetch goes on.
#[derive(Debug)]
pub enum FetchStep {
    /// Send the next request.
    Send,
    /// The fetch has ended.
    Done(FetchResult),
}

/// The result of a fetch.
#[derive(Debug)]
pub enum FetchResult {
    /// A document that differs from the known one.
    Changed {
        /// The document as it is shared.
        document: SharedDocument,
        /// How long the server says that it will stay the same.
        fresh_for: Option<Duration>,
    },
    /// The known document is still current.
    Unchanged {
        /// The number of the fetch that brought it.
        id: u64,
        /// The known document with another validator, if the server sent the body again with one.
        revalidated: Option<SharedDocument>,
        /// How long the server says that it will stay the same.
        fresh_for: Option<Duration>,
    },
    /// No document.
    Failed(Unusable),
}

/// The document that the workers share when a fetch starts.
#[derive(Debug)]
pub struct Known<T> {
    /// The number of the fetch that brought it.
    pub id: u64,
    /// Lets a server say that it has not changed.
    pub validator: Option<Validator>,
    /// The document.
    pub value: Rc<T>,
}

/// A running fetch.
#[derive(Debug)]
pub struct Fetch<T: Publication> {
    id: u64,
    source: DocumentSource,
    format: T::Format,
    retries: Retries,
    deadline: Instant,
    known: Option<Known<T>>,
    step: Step,
    /// The number of repetitions so far.
    repetitions: u32,
    /// When the next request may be sent.
    not_before: Instant,
}

#[derive(Debug)]
enum Step {
    /// Requests the metadata at the place of OpenID Connect Discovery.
    OpenId,
    /// Requests it at the place of RFC 8414, because the first request failed.
    OAuth(Problem),
    /// Requests the document.
    Document(Resource),
}

/// Why a request failed.
#[derive(Clone, Debug)]
struct Problem {
    text: String,
    /// Whether the request is worth repeating.
    temporary: bool,
}

impl Problem {
    fn permanent(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            temporary: false,
        }
    }

    fn temporary(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            temporary: true,
        }
    }
}

impl<T: Publication> Fetch<T> {
    /// Starts the fetch with the number `id`.
    #[must_use]
    pub fn new(
        id: u64,
        remote: &RemoteDocument,
        format: &T::Format,
        known: Option<Known<T>>,
        now: Instant,
    ) -> Self {
        Self {
            id,
            source: remote.source.clone(),
            format: format.clone(),
            retries: remote.retries,
            deadline: now.plus(remote.policy.timeout),
            known,
            step: first_step(&remote.source),
            repetitions: 0,
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
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The request to send now; `None` if it is too early.
    #[must_use]
    pub fn request(&self, now: Instant) -> Option<FetchRequest> {
        if now < self.not_before {
            return None;
        }
        let timeout = self.deadline.since(now).max(Duration::from_millis(1));
        let resource = self.resource()?.clone();
        let if_none_match = self.etag().map(str::to_owned);
        let accept = match &self.step {
            Step::OpenId | Step::OAuth(_) => METADATA_TYPE,
            Step::Document(_) => T::ACCEPT,
        };
        Some(FetchRequest {
            resource,
            accept,
            if_none_match,
            timeout,
        })
    }

    fn resource(&self) -> Option<&Resource> {
        match (&self.step, &self.source) {
            (Step::Document(resource), _) | (_, DocumentSource::Uri(resource)) => Some(resource),
            (Step::OpenId, DocumentSource::Metadata { places, .. }) => places.first(),
            (Step::OAuth(_), DocumentSource::Metadata { places, .. }) => places.last(),
        }
    }

    /// The tag of the known document, if that is what the fetch requests now.
    fn etag(&self) -> Option<&str> {
        let Step::Document(resource) = &self.step else {
            return None;
        };
        self.known.as_ref()?.validator.as_ref()?.etag_for(resource)
    }

    /// Handles that the host did not send the request.
    pub fn not_sent(&mut self, now: Instant, random: u64) -> FetchStep {
        let problem = "the cluster is unknown or has no healthy host";
        self.request_failed(Problem::temporary(problem), now, random)
    }

    /// Handles the response to the request.
    pub fn received(
        &mut self,
        response: &FetchResponse<'_>,
        now: Instant,
        random: u64,
    ) -> FetchStep {
        // The host ends a request at the deadline. A later response has waited for a thread that did not run, and what
        // it says may be out of date.
        if now > self.deadline {
            let problem = "the response came too late".to_owned();
            return FetchStep::Done(FetchResult::Failed(problem.into()));
        }
        let fresh_for = response.fresh_for();
        if let Some(known) = &self.known
            && self.etag().is_some()
            && response.status() == Some(b"304")
        {
            return FetchStep::Done(FetchResult::Unchanged {
                id: known.id,
                revalidated: None,
                fresh_for,
            });
        }
        let body = match body(response, T::MAX_BYTES) {
            Ok(body) => body,
            Err(problem) => return self.request_failed(problem, now, random),
        };
        let next = match &self.step {
            Step::Document(resource) => self
                .document(body, resource, response, fresh_for)
                .map(FetchStep::Done),
            Step::OpenId | Step::OAuth(_) => match self.jwks_uri(&body.bytes()) {
                Ok(resource) => {
                    self.step = Step::Document(resource);
                    Ok(FetchStep::Send)
                }
                Err(problem) => Err(problem.into()),
            },
        };
        next.unwrap_or_else(|problem| FetchStep::Done(FetchResult::Failed(problem)))
    }

    fn document(
        &self,
        body: ResponseBody<'_>,
        resource: &Resource,
        response: &FetchResponse<'_>,
        fresh_for: Option<Duration>,
    ) -> Result<FetchResult, Unusable> {
        let etag = response.values("etag").next();
        let validator = etag.and_then(|etag| Validator::new(etag, resource));
        let known = self.known.as_ref().map(|known| &*known.value);
        let parts = T::to_shared(&body, &self.format, known)?;
        if let Some(known) = &self.known
            && known.value.is_shared_as(&parts)
        {
            let id = known.id;
            // Otherwise every later request would send a tag that the server no longer uses, and the
            // server would send the whole document each time.
            let revalidated = (known.validator != validator).then_some(SharedDocument {
                id,
                validator,
                parts,
            });
            return Ok(FetchResult::Unchanged {
                id,
                revalidated,
                fresh_for,
            });
        }
        let document = SharedDocument {
            id: self.id,
            validator,
            parts,
        };
        Ok(FetchResult::Changed {
            document,
            fresh_for,
        })
    }

    /// The URI of the key set in the metadata `body`.
    fn jwks_uri(&self, body: &[u8]) -> Result<Resource, String> {
        let metadata = json::parse_object(body).ok_or("the metadata is not a JSON object")?;
        let expected = match &self.source {
            DocumentSource::Metadata { issuer, .. } => issuer.as_str(),
            DocumentSource::Uri(_) => "",
        };
        // OpenID Connect Discovery 1.0, section 4.3; RFC 8414, section 3.3: identical, or not used.
        if metadata.get("issuer").and_then(Value::as_str) != Some(expected) {
            return Err("the metadata is that of another issuer".to_owned());
        }
        let uri = metadata.get("jwks_uri").and_then(Value::as_str);
        let uri = uri.ok_or("the metadata has no jwks_uri")?;
        Resource::parse(uri).map_err(|problem| format!("jwks_uri of the metadata {problem}"))
    }

    /// Goes on after a failed request: with the other place of the metadata, or with a repetition.
    fn request_failed(&mut self, problem: Problem, now: Instant, random: u64) -> FetchStep {
        if matches!(self.step, Step::OpenId) && now < self.deadline {
            self.step = Step::OAuth(problem);
            return FetchStep::Send;
        }
        let problem = match &self.step {
            Step::OAuth(first) => Problem {
                text: format!(
                    "no metadata: of openid-configuration {}, of oauth-authorization-server {}",
                    first.text, problem.text
                ),
                temporary: first.temporary || problem.temporary,
            },
            Step::OpenId | Step::Document(_) => problem,
        };
        let again_at = now.plus(self.retries.backoff.delay(self.repetitions, random));
        let may_repeat = self.repetitions < self.retries.number && again_at < self.deadline;
        if problem.temporary && may_repeat {
            self.repetitions = self.repetitions.saturating_add(1);
            self.step = first_step(&self.source);
            self.not_before = again_at;
            return FetchStep::Send;
        }
        FetchStep::Done(FetchResult::Failed(problem.text.into()))
    }
}

fn first_step(source: &DocumentSource) -> Step {
    match source {
        DocumentSource::Uri(resource) => Step::Document(resource.clone()),
        DocumentSource::Metadata { .. } => Step::OpenId,
    }
}

/// The body of a successful response that is not too large.
fn body<'r>(response: &FetchResponse<'r>, max_bytes: usize) -> Result<ResponseBody<'r>, Problem> {
    // A reset and a timeout have no headers; for a refused connection Envoy generates a 503.
    if response.headers.is_empty() {
        return Err(Problem::temporary("there was no answer in time"));
    }
    match response.status() {
        Some(b"200") if response.body.size <= max_bytes => Ok(response.body),
        Some(b"200") => Err(Problem::permanent(format!(
            "the answer has {} bytes, more than {max_bytes}",
            response.body.size
        ))),
        other => Err(Problem {
            text: format!("the status is {}", other.unwrap_or_default().escape_ascii()),
            temporary: other.is_some_and(|status| status.starts_with(b"5")),
        }),
    }
}

#[cfg(test)]
mod tests;

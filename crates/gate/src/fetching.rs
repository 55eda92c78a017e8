//! Documents that servers publish and that all workers of a process share: where they are, when and by
//! which worker they are fetched, and how long they are used. Key sets and revocation lists are
//! fetched alike.

mod authorization;
mod availability;
mod backoff;
mod cache_control;
mod document_source;
mod fetch;
mod fetch_state;
mod http_messages;
mod key_set;
mod publication;
mod refresh_policy;
mod remote_document;
mod request_header;
mod resource;
mod response_body;
mod shared_document;
mod validator;

pub use authorization::Authorization;
pub use availability::Availability;
pub use backoff::Backoff;
pub use document_source::DocumentSource;
pub use fetch::{Fetch, FetchResult, FetchStep, Known};
pub use fetch_state::{DocumentVersion, FetchAction, FetchEvent, FetchNeed, FetchState};
pub use http_messages::{FetchRequest, FetchResponse};
pub use key_set::KeySetFormat;
pub use publication::{DocumentKind, Publication, Unusable};
pub use refresh_policy::RefreshPolicy;
pub use remote_document::{RemoteDocument, Retries};
pub use request_header::RequestHeader;
pub use resource::{NotAResource, Resource};
pub use response_body::{ResponseBody, body_part};
pub use shared_document::SharedDocument;
pub use validator::Validator;

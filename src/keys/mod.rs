//! The keys of issuers: one key, a set of them, when a set is fetched, and how.

mod backoff;
mod document;
mod fetch;
mod jwk;

mod refresh;
mod resource;
mod ring;

pub use backoff::Backoff;
pub use document::{Document, Validator};
pub use fetch::{Answer, Call, Fetch, Next, Origin, Outcome, Retries};
pub use jwk::{Key, KeyProblem, Provenance};
pub use refresh::{Action, Event, Need, Policy, Progress, SharedSet};
pub use resource::{NotAResource, Resource};
pub use ring::{KeySet, KeySetProblem, MAX_SET_BYTES};

//! What servers publish and all workers of a process share: where it is, when it is fetched and by
//! whom, how long it is used. Key sets and lists of revoked tokens are fetched alike.

mod authorization;
mod availability;
mod backoff;
mod document;
mod fetch;
mod published;
mod refresh;
mod remote;
mod resource;

pub use authorization::Authorization;
pub use availability::Availability;
pub use backoff::Backoff;
pub use document::{Document, Validator};
pub use fetch::{Answer, Call, Fetch, Next, Origin, Outcome, Retries};
pub use published::Published;
pub use refresh::{Action, Event, Need, Policy, Progress, SharedSet};
pub use remote::Remote;
pub use resource::{NotAResource, Resource};

//! What the workers of a process share of one source: what was fetched, as it was, and whose turn
//! it is to fetch it.
//!
//! Names carry the source in full, never a provider's name: two configurations may call different
//! issuers the same, and one's keys must not verify the other's tokens. What is read back is
//! checked like anything from outside, since whoever has the `vm_id` can write there.

use serde_json::json;

use super::host;
use crate::fetching::{
    Action, Authorization, Document, Event, Origin, Policy, Progress, Published, Remote,
};
use crate::time::Timestamp;

/// The version of what is shared: a filter of another version neither reads nor writes it.
const FORMAT: &str = "bearer_gate.3";

/// How often a swap is tried that others get ahead of.
const ATTEMPTS: usize = 4;

/// The shared state of one source.
pub(super) struct Share {
    progress: String,
    document: String,
    policy: Policy,
    /// The longest document that is read, in bytes.
    longest: usize,
}

impl Share {
    /// The shared state of `remote`, which is read as `format`.
    pub(super) fn of<T: Published>(remote: &Remote, format: &T::Format) -> Self {
        // JSON keeps the parts apart, whatever is in them.
        let place = match &remote.origin {
            Origin::Place(place) => json!([remote.cluster, place.authority, place.path]),
            Origin::Metadata { issuer, .. } => json!([remote.cluster, { "issuer": issuer }]),
        };
        let user = remote.authorization.as_ref().map(Authorization::user);
        let source = format!("{format}.{}", json!([place, user]));
        Self {
            progress: format!("{FORMAT}.progress.{source}"),
            document: format!("{FORMAT}.document.{source}"),
            policy: remote.policy,
            longest: T::MAX_BYTES,
        }
    }

    /// Makes sure that there is something to swap. The throw-away VM that checks a configuration on
    /// the main thread does so first, before there are workers that could get in each other's way.
    pub(super) fn prepare(&self) {
        if host::shared(&self.progress).is_none() {
            host::share(&self.progress, &encoded(&Progress::default()));
        }
        if host::shared(&self.document).is_none() {
            host::share(&self.document, b"");
        }
    }

    /// How far the fetching has got.
    pub(super) fn progress(&self) -> Progress {
        self.read()
            .map(|(progress, _)| progress)
            .unwrap_or_default()
    }

    /// Tells all workers of `event`; answers what this one has to do.
    pub(super) fn advance(&self, event: Event, now: Timestamp) -> Action {
        let random = host::random();
        for _ in 0..ATTEMPTS {
            let Some((progress, version)) = self.read() else {
                self.prepare();
                continue;
            };
            let (next, action) = progress.after(event, &self.policy, now, random);
            if next == progress || host::swap_shared(&self.progress, &encoded(&next), version) {
                return action;
            }
        }
        // What is not written does not count.
        Action::Nothing
    }

    fn read(&self) -> Option<(Progress, u32)> {
        let (bytes, version) = host::shared(&self.progress)?;
        Some((serde_json::from_slice(&bytes).unwrap_or_default(), version))
    }

    /// What was fetched last, where there is something.
    pub(super) fn document(&self) -> Option<Document> {
        let (bytes, _) = host::shared(&self.document)?;
        Document::decode(bytes, self.longest)
    }

    /// Shares a document, if it is still the turn of the fetch that brought it; answers whether it
    /// was. The document counts once the progress speaks of it.
    ///
    /// The version is read before the turn is checked: whoever takes the turn after that, and shares
    /// one of its own, makes this swap fail.
    pub(super) fn put(&self, document: Document) -> bool {
        let id = document.id;
        let bytes = document.encode();
        for _ in 0..ATTEMPTS {
            let Some((_, version)) = host::shared(&self.document) else {
                self.prepare();
                continue;
            };
            if !self.progress().is_turn_of(id) {
                return false;
            }
            if host::swap_shared(&self.document, &bytes, version) {
                return true;
            }
        }
        false
    }
}

/// Answers whether nobody in this process has said `what` yet, and takes note that it is being said.
/// Two workers that ask at the very same time may both hear that nobody has.
pub(super) fn is_new(what: &str) -> bool {
    let name = format!("{FORMAT}.said.{what}");
    let is_new = host::shared(&name).is_none();
    if is_new {
        host::share(&name, b"1");
    }
    is_new
}

fn encoded(progress: &Progress) -> Vec<u8> {
    serde_json::to_vec(progress).unwrap_or_default()
}

//! What the workers of a process share about one document: the document, and the state of fetching it. With
//! `share: "worker"` the configurations of one worker share it.
//!
//! Keys contain the whole source and never the name of a provider: two configurations may give
//! different issuers the same name, and the keys of one must not verify the tokens of the other. What
//! is read is checked like any input, because every plugin with this `vm_id` can write shared data.

use std::cell::RefCell;
use std::iter;

use gate::fetching::{
    Authorization, DocumentSource, FetchAction, FetchEvent, FetchState, Publication, RefreshPolicy,
    RemoteDocument, SharedDocument,
};
use gate::time::Instant;
use serde_json::json;

use crate::host::Host;
use crate::store::Store;

/// The version of the format. A filter with another version neither reads nor writes the same entries.
pub(crate) const FORMAT: &str = "bearer_gate.6";

/// The largest number of swaps that are tried if other workers get ahead.
const ATTEMPTS: usize = 4;

/// The shared entries of one document.
pub(crate) struct SharedState<H> {
    store: Store<H>,
    state_key: String,
    /// The keys of the parts of the document.
    document_keys: Vec<String>,
    policy: RefreshPolicy,
    max_bytes: usize,
    /// The state that was read last, with its version. Most reads find the same one again.
    known: RefCell<Option<(FetchState, u32)>>,
}

impl<H: Host> SharedState<H> {
    /// The entries of `remote`, parsed as `format`.
    pub(crate) fn new<T: Publication>(
        store: Store<H>,
        remote: &RemoteDocument,
        format: &T::Format,
    ) -> Self {
        // JSON separates the parts, whatever they contain.
        let place = match &remote.source {
            DocumentSource::Uri(uri) => json!([remote.cluster, uri.authority, uri.path]),
            DocumentSource::Metadata { issuer, .. } => {
                json!([remote.cluster, { "issuer": issuer }])
            }
        };
        // The same place may show each user something else. Secrets are not in the name.
        let user = remote.authorization.as_ref().map(Authorization::name);
        let headers = remote.headers.iter();
        let headers: Vec<_> = headers
            .map(|one| json!([one.name, one.value_name]))
            .collect();
        let source = format!("{format}.{}", json!([place, user, headers]));
        Self {
            store,
            state_key: format!("{FORMAT}.progress.{source}"),
            document_keys: iter::once(format!("{FORMAT}.document.{source}"))
                .chain((1..T::PARTS).map(|part| format!("{FORMAT}.document-{part}.{source}")))
                .collect(),
            policy: remote.policy,
            max_bytes: T::MAX_BYTES,
            known: RefCell::default(),
        }
    }

    /// Creates the entries, because only an existing entry can be swapped. The virtual machine in
    /// which the host checks a configuration does this first, before there are workers that could
    /// overwrite each other's entries.
    fn create(&self) {
        if self.store.get(&self.state_key).is_none() {
            let state = encode(&FetchState::default());
            self.store.set(&self.state_key, &state);
        }
        for key in &self.document_keys {
            if self.store.get(key).is_none() {
                self.store.set(key, b"");
            }
        }
    }

    /// Notes that a configuration with this document was accepted.
    pub(crate) fn reserve(&self, now: Instant) {
        self.create();
        self.advance(FetchEvent::Reserved, now);
    }

    /// Notes that a configuration uses the document. Returns whether that was written: a user that is not counted
    /// could lose the document, and the turn to fetch it, when another one leaves.
    pub(crate) fn join(&self, now: Instant) -> bool {
        self.try_advance(FetchEvent::Joined, now).is_some()
    }

    /// Notes that a configuration uses the document no more. Shared data cannot be removed, so a document
    /// without users is emptied; a worker that misses it fetches it again.
    pub(crate) fn leave(&self, now: Instant) {
        if self.advance(FetchEvent::Left, now) == FetchAction::Discard {
            for key in &self.document_keys {
                self.store.set(key, b"");
            }
        }
    }

    /// Where the entries are.
    #[cfg(bearer_gate_trap_with_turn)]
    pub(crate) const fn store(&self) -> &Store<H> {
        &self.store
    }

    /// The state of fetching.
    pub(crate) fn state(&self) -> FetchState {
        self.read().map(|(state, _)| state).unwrap_or_default()
    }

    /// Applies `event` to the state; returns what this worker has to do.
    pub(crate) fn advance(&self, event: FetchEvent, now: Instant) -> FetchAction {
        // What was not written does not count.
        self.try_advance(event, now).unwrap_or(FetchAction::Nothing)
    }

    /// Applies `event` to the state; returns what this worker has to do, or `None` if other workers got ahead each time.
    fn try_advance(&self, event: FetchEvent, now: Instant) -> Option<FetchAction> {
        let random = self.store.host().random();
        for _ in 0..ATTEMPTS {
            let Some((state, version)) = self.read() else {
                self.create();
                continue;
            };
            let (next, action) = state.after(event, &self.policy, now, random);
            let bytes = encode(&next);
            if next == state || self.store.swap(&self.state_key, &bytes, version) {
                return Some(action);
            }
        }
        None
    }

    fn read(&self) -> Option<(FetchState, u32)> {
        let (bytes, version) = self.store.get(&self.state_key)?;
        let mut known = self.known.borrow_mut();
        let is_known = known.as_ref().is_some_and(|(_, known)| *known == version);
        if !is_known {
            *known = Some((serde_json::from_slice(&bytes).unwrap_or_default(), version));
        }
        known.clone()
    }

    /// The document, if there is one.
    pub(crate) fn document(&self) -> Option<SharedDocument> {
        self.first_parts(self.document_keys.len())
    }

    /// The document, if there is one, with its first part only: the others need not be copied to learn which
    /// document it is.
    pub(crate) fn first_part(&self) -> Option<SharedDocument> {
        self.first_parts(1)
    }

    fn first_parts(&self, number: usize) -> Option<SharedDocument> {
        let keys = self.document_keys.iter().take(number);
        let parts = keys.map(|key| self.store.get(key).unwrap_or_default().0);
        SharedDocument::decode(parts, self.max_bytes)
    }

    /// Shares a document if the fetch `holder` still holds the turn; returns whether it did.
    /// Other workers adopt the document once the state names it.
    pub(crate) fn put(&self, document: SharedDocument, holder: u64) -> bool {
        let mut parts = self.document_keys.iter().zip(document.encode());
        parts.all(|(key, part)| self.put_part(key, &part, holder))
    }

    /// Shares one part. The version is read before the turn is checked: if another worker takes the turn after
    /// that and shares a document of its own, the swap fails.
    fn put_part(&self, key: &str, part: &[u8], holder: u64) -> bool {
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(key);
            if !self.state().is_turn_of(holder) {
                return false;
            }
            if entry.is_some_and(|(_, version)| self.store.swap(key, part, version)) {
                return true;
            }
            self.create();
        }
        false
    }
}

fn encode(state: &FetchState) -> Vec<u8> {
    serde_json::to_vec(state).unwrap_or_default()
}

//! What the workers of a process share of one source of keys: the set as it was fetched, and whose
//! turn it is to fetch it.
//!
//! Names carry the source in full, never a provider's name: two configurations may call different
//! issuers the same, and one's keys must not verify the other's tokens. What is read back is
//! checked like anything from outside, since whoever has the `vm_id` can write there.

use super::host;
use crate::config::RemoteJwks;
use crate::keys::Progress;

/// The version of what is shared: a filter of another version neither reads nor writes it.
const FORMAT: &str = "bearer_gate.1";

/// How often a swap is tried that others get ahead of.
const ATTEMPTS: usize = 4;

/// The shared state of one source.
pub(super) struct Share {
    progress: String,
    document: String,
}

impl Share {
    pub(super) fn of(jwks: &RemoteJwks) -> Self {
        // JSON keeps the parts apart, whatever is in them.
        let source = serde_json::json!([jwks.cluster, jwks.authority, jwks.path]);
        Self {
            progress: format!("{FORMAT}.progress.{source}"),
            document: format!("{FORMAT}.document.{source}"),
        }
    }

    /// Makes sure that there is something to swap. The throw-away VM that checks a configuration on
    /// the main thread does so first, before there are workers that could get in each other's way.
    pub(super) fn prepare(&self) {
        if host::shared(&self.progress).is_none() {
            host::share(&self.progress, &encoded(&Progress::default()));
        }
    }

    /// How far the fetching has got.
    pub(super) fn progress(&self) -> Progress {
        self.read()
            .map(|(progress, _)| progress)
            .unwrap_or_default()
    }

    /// Replaces the progress by what `next` makes of it; answers whether it did. `next` may be
    /// called several times, and gives up with `None`.
    pub(super) fn advance(&self, next: impl Fn(&Progress) -> Option<Progress>) -> bool {
        for _ in 0..ATTEMPTS {
            let Some((progress, version)) = self.read() else {
                self.prepare();
                continue;
            };
            let Some(next) = next(&progress) else {
                return false;
            };
            if host::swap_shared(&self.progress, &encoded(&next), version) {
                return true;
            }
        }
        false
    }

    fn read(&self) -> Option<(Progress, u32)> {
        let (bytes, version) = host::shared(&self.progress)?;
        Some((serde_json::from_slice(&bytes).unwrap_or_default(), version))
    }

    /// The key set as it was fetched last; empty where it has never been.
    pub(super) fn document(&self) -> Vec<u8> {
        host::shared(&self.document)
            .map(|(document, _)| document)
            .unwrap_or_default()
    }

    /// Shares a key set.
    pub(super) fn put_document(&self, document: &[u8]) {
        host::share(&self.document, document);
    }
}

fn encoded(progress: &Progress) -> Vec<u8> {
    serde_json::to_vec(progress).unwrap_or_default()
}

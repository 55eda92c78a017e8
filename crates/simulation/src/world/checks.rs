//! What must hold after every event.

use gate::fetching::Publication;
use gate::revocation::RevocationList;

use super::World;
use crate::plan::{INTROSPECTION_CLUSTER, USED_PROOFS, VARIANTS};
use crate::tokens::{ISSUERS, OPAQUE_TOKENS};

/// The most entries of shared data for each key set: the set, the state of its fetch, and one for each kind of
/// log line. Some lines belong to no document.
const ENTRIES_PER_KEY_SET: usize = 7;

/// The most entries for each revocation list, which is shared in several parts.
const ENTRIES_PER_LIST: usize = ENTRIES_PER_KEY_SET - 1 + RevocationList::PARTS;

/// The most streams that are open at the same time.
const MOST_STREAMS: usize = 30;

/// How many texts are introspected: the opaque tokens, and the garbage.
const OPAQUE_TEXTS: usize = OPAQUE_TOKENS + 1;

/// The most bytes of shared data. A key set here has 1.2 KiB, and a list less.
const SHARED_BYTES: usize = 64 * 1024;

/// The entries of shared data with used proofs.
const PROOF_ENTRIES: usize = VARIANTS * USED_PROOFS / 64;

/// The most bytes of such an entry: 256 proofs of 20 bytes.
const PROOF_ENTRY_BYTES: usize = 256 * 20;

impl World {
    /// Checks what must hold at any time.
    pub(super) fn check(&self) -> Result<(), String> {
        let lost = self.process.lost_swaps();
        if self.lost_swaps.replace(lost) != lost {
            self.disturbances.add(self.process.elapsed());
        }
        let mut open = self.open.borrow_mut();
        let mut result = Ok(());
        let settled = open.extract_if(.., |request| {
            let times = self.times_of(request.worker);
            let settled = request.check(&self.servers, &self.proofs, &times);
            let is_settled = *settled.as_ref().unwrap_or(&true);
            if let Err(broken) = settled {
                result = Err(broken);
            }
            is_settled
        });
        let mut streams = self.streams.borrow_mut();
        for request in settled {
            if self.plan.ends_streams && request.is_stream() && streams.len() < MOST_STREAMS {
                streams.push(request);
            } else {
                request.request.end();
            }
        }
        result?;
        let mut result = Ok(());
        streams.retain(|stream| {
            let times = self.times_of(stream.worker);
            let ended = stream.check_stream(&self.servers, &times, self.clock_set);
            let has_ended = *ended.as_ref().unwrap_or(&true);
            if has_ended {
                let number = stream.number;
                self.tell(format_args!("the stream of request {number} is ended"));
            }
            if let Err(broken) = ended {
                result = Err(broken);
            }
            !has_ended
        });
        drop(streams);
        result?;
        let waiting = i64::try_from(open.len()).unwrap_or(i64::MAX);
        let gauge = self.process.metric("bearer_gate.waiting");
        if self.deaths == 0 && gauge != waiting {
            return Err(format!(
                "{waiting} requests wait, but the gauge says {gauge}"
            ));
        }
        for cluster in self.servers.document_clusters() {
            let fetches = self.process.in_flight(cluster);
            let most = if self.plan.is_separate() {
                self.workers.len()
            } else {
                1
            };
            if fetches > most {
                return Err(format!("{fetches} fetches from {cluster} at the same time"));
            }
        }
        Ok(())
    }

    /// Checks that nothing grows with time.
    pub(super) fn check_memory(&self) -> Result<(), String> {
        let entries = self.process.shared_len();
        if self.plan.is_separate() && entries > 0 {
            let keys = self.process.shared_keys("");
            return Err(format!(
                "workers that share nothing wrote shared data: {keys:?}"
            ));
        }
        if entries > (ENTRIES_PER_KEY_SET + ENTRIES_PER_LIST) * ISSUERS + PROOF_ENTRIES {
            let keys = self.process.shared_keys("");
            return Err(format!("{entries} entries of shared data: {keys:?}"));
        }
        let size = self.process.shared_size();
        if size > SHARED_BYTES + PROOF_ENTRIES * PROOF_ENTRY_BYTES {
            return Err(format!("{size} bytes of shared data"));
        }
        let roots = self.workers.iter();
        let roots = roots.map(|worker| worker.listeners.len() + worker.draining.len());
        let most = OPAQUE_TEXTS * roots.sum::<usize>();
        let calls = self.process.in_flight(INTROSPECTION_CLUSTER);
        if calls > most {
            return Err(format!(
                "{calls} introspection requests in flight, more than one for each token and root"
            ));
        }
        Ok(())
    }
}

//! Which proofs have been used in this process (RFC 9449, section 11.1), in the data that all workers share.

use gate::dpop::{Spending, UsedProof, is_bucket, sha256, spend};
use gate::reason::Reason;
use gate::time::Timestamp;
use log::warn;

use crate::host::Host;
use crate::log_once;
use crate::store::Store;

/// The version of the format. A filter with another version neither reads nor writes the same entries.
const FORMAT: &str = "bearer_gate.replay.1";

/// How many proofs a bucket holds on average if as many are remembered as the configuration says.
const USUAL: u32 = 64;

/// The largest number of swaps that are tried if other workers get ahead. In a test with four workers and
/// nothing but such requests, one swap of 5,000 had to be repeated.
const ATTEMPTS: u64 = 32;

/// Which proofs have been used with one configuration.
///
/// Names of shared data cannot be removed, so there is a fixed number of them: buckets, which proofs are
/// distributed over by their hash.
pub(crate) struct ReplayStore<H> {
    store: Store<H>,
    prefix: String,
    buckets: u32,
}

/// What became of an attempt to use a proof.
pub(crate) struct Attempt {
    /// Why the proof is refused; `None` if it has not been used before.
    pub(crate) refusal: Option<Reason>,
    /// How often another worker got ahead.
    pub(crate) contended: u64,
}

impl<H: Host> ReplayStore<H> {
    /// The store for this configuration in normal form, which remembers about `entries` proofs.
    ///
    /// The buckets are created here, because only an existing entry can be swapped. The virtual machine in
    /// which the host checks a configuration does this first, before there are workers that could overwrite
    /// each other's buckets.
    pub(crate) fn new(store: Store<H>, configuration: &str, entries: u32) -> Self {
        // The beginning of the hash names a configuration well enough.
        let name = sha256(configuration.as_bytes());
        let name = name.first_chunk().copied().unwrap_or_default();
        let name = u64::from_be_bytes(name);
        let buckets = entries.div_ceil(USUAL).next_power_of_two();
        let store = Self {
            store,
            prefix: format!("{FORMAT}.{name:016x}"),
            buckets,
        };
        for bucket in 0..store.buckets {
            let key = store.key(bucket);
            if store.store.get(&key).is_none() {
                store.store.set(&key, b"");
            }
        }
        store
    }

    /// Uses `proof` in a request that was decided at `now`.
    pub(crate) fn spend(&self, proof: &UsedProof, now: Timestamp) -> Attempt {
        let key = self.key(proof.bucket(self.buckets));
        let unavailable = Reason::ReplayUnavailable {
            retry_after: gate::decision::RETRY_AFTER,
        };
        let mut contended: u64 = 0;
        let refusal = loop {
            let Some((bucket, version)) = self.store.get(&key) else {
                break Some(unavailable);
            };
            self.report(&key, &bucket);
            match spend(&bucket, proof, now) {
                Spending::Replayed => break Some(Reason::ProofReplay),
                Spending::Full => break Some(unavailable),
                Spending::Spent(next) => {
                    if self.store.swap(&key, &next, version) {
                        break None;
                    }
                    contended = contended.saturating_add(1);
                    if contended >= ATTEMPTS {
                        break Some(unavailable);
                    }
                }
            }
        };
        Attempt { refusal, contended }
    }

    fn key(&self, bucket: u32) -> String {
        format!("{}.{bucket}", self.prefix)
    }

    /// Reports a bucket that another module has written.
    fn report(&self, key: &str, bucket: &[u8]) {
        if !is_bucket(bucket) && log_once::is_new(&self.store, "replay", key) {
            warn!("bearer-gate: {key} in shared data is malformed: some used proofs are forgotten");
        }
    }
}

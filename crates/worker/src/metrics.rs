//! The metrics of one configuration.

use std::cell::{Cell, RefCell};

use gate::decision::Counts;
use gate::policy::Policy;
use hashbrown::HashMap;

use crate::counter::Counter;
use crate::gauge::Gauge;
use crate::host::{Host, MetricId};
use crate::metric_names;

/// The defined metrics of one configuration. Counts are handed to the host by [`flush`](Metrics::flush),
/// so that a request does not cost a host call for each.
pub struct Metrics<H> {
    host: H,
    counters: HashMap<Counter, MetricId>,
    gauges: HashMap<Gauge, MetricId>,
    pending: PendingCounts,
    /// The number of requests of this worker in the gauge of waiting requests.
    waiting: Cell<usize>,
    /// The number of streams of this worker in the gauge of streams that end with their tokens.
    streams: Cell<usize>,
}

/// Counts that have not been handed to the host.
type PendingCounts = RefCell<HashMap<Counter, u64>>;

impl<H: Host> Metrics<H> {
    /// Defines the metrics of a policy.
    #[must_use]
    pub fn new(host: H, policy: &Policy) -> Self {
        let counters = metric_names::counters(policy);
        let counters = counters
            .into_iter()
            .filter_map(|(counter, name)| Some((counter, host.define_counter(&name)?)));
        let gauges = metric_names::gauges(policy);
        let gauges = gauges
            .into_iter()
            .filter_map(|(gauge, name)| Some((gauge, host.define_gauge(&name)?)));
        Self {
            counters: counters.collect(),
            gauges: gauges.collect(),
            pending: RefCell::default(),
            waiting: Cell::new(0),
            streams: Cell::new(0),
            host,
        }
    }

    /// Adds one to a counter.
    pub fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds `count` to a counter.
    pub fn add(&self, counter: Counter, count: u64) {
        if count > 0 {
            let mut pending = self.pending.borrow_mut();
            let pending = pending.entry(counter).or_default();
            *pending = pending.saturating_add(count);
        }
    }

    /// Adds what a decision counted.
    pub fn add_counts(&self, counts: Counts) {
        self.add(Counter::CacheHit, counts.cache_hits.into());
        self.add(Counter::CacheMiss, counts.cache_misses.into());
        self.add(Counter::VerifiedByHost, counts.verified_by_host.into());
        let by_software = counts.verified_by_software.into();
        self.add(Counter::VerifiedBySoftware, by_software);
        self.add(Counter::ProofKeyHit, counts.proof_key_hits.into());
        self.add(Counter::ProofKeyMiss, counts.proof_key_misses.into());
        self.add(Counter::ProofVerifiedByHost, counts.proofs_by_host.into());
        let by_software = counts.proofs_by_software.into();
        self.add(Counter::ProofVerifiedBySoftware, by_software);
    }

    /// Hands all counts to the host.
    pub fn flush(&self) {
        for (counter, count) in self.pending.take() {
            if let (Some(id), Ok(count)) = (self.counters.get(&counter), i64::try_from(count)) {
                self.host.increment_metric(*id, count);
            }
        }
    }

    /// Sets a gauge that has the same value for all workers.
    pub fn record(&self, gauge: Gauge, value: u64) {
        if let Some(id) = self.gauges.get(&gauge) {
            self.host.record_metric(*id, value);
        }
    }

    /// Reports that `count` requests wait in this worker. The gauge is the sum over all workers.
    pub fn set_waiting(&self, count: usize) {
        self.set_part(Gauge::Waiting, &self.waiting, count);
    }

    /// Reports that `count` streams of this worker are open that end with their tokens. The gauge is the sum over all
    /// workers.
    pub fn set_streams(&self, count: usize) {
        self.set_part(Gauge::Streams, &self.streams, count);
    }

    /// Sets the part of this worker in a gauge.
    fn set_part(&self, gauge: Gauge, part: &Cell<usize>, count: usize) {
        let before = part.replace(count);
        let (Ok(count), Ok(before)) = (i64::try_from(count), i64::try_from(before)) else {
            return;
        };
        let change = count.saturating_sub(before);
        if let (Some(id), true) = (self.gauges.get(&gauge), change != 0) {
            self.host.increment_metric(*id, change);
        }
    }
}

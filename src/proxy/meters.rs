//! The counters and gauges of one configuration, defined with the host.

use std::cell::Cell;

use hashbrown::HashMap;

use super::host::{self, MetricId};
use crate::config::Config;
use crate::metrics::{Counter, Gauge, counters, gauges};

pub(super) struct Meters {
    counters: HashMap<Counter, MetricId>,
    gauges: HashMap<Gauge, MetricId>,
    /// How many waiting requests this worker has added to the gauge.
    waiting: Cell<usize>,
}

impl Meters {
    /// Defines all of them, so that dashboards see zeros and not gaps.
    pub(super) fn define(config: &Config) -> Self {
        let counter =
            |(counter, name): (Counter, String)| Some((counter, host::define_counter(&name)?));
        let gauge = |(gauge, name): (Gauge, String)| Some((gauge, host::define_gauge(&name)?));
        Self {
            counters: counters(config).into_iter().filter_map(counter).collect(),
            gauges: gauges(config).into_iter().filter_map(gauge).collect(),
            waiting: Cell::new(0),
        }
    }

    /// Adds one to `counter`.
    pub(super) fn count(&self, counter: Counter) {
        self.count_several(counter, 1);
    }

    /// Adds `count` to `counter`.
    pub(super) fn count_several(&self, counter: Counter, count: usize) {
        if let (Some(id), Ok(count @ 1..)) = (self.counters.get(&counter), i64::try_from(count)) {
            host::add(*id, count);
        }
    }

    /// Sets `gauge`, which is the same for all workers.
    pub(super) fn record(&self, gauge: Gauge, value: u64) {
        if let Some(id) = self.gauges.get(&gauge) {
            host::record(*id, value);
        }
    }

    /// Says that `count` requests wait in this worker. The gauge is the sum of all workers, so each
    /// adds and takes away its own.
    pub(super) fn waiting(&self, count: usize) {
        let before = self.waiting.replace(count);
        let (Ok(count), Ok(before)) = (i64::try_from(count), i64::try_from(before)) else {
            return;
        };
        let change = count.saturating_sub(before);
        if let (Some(id), true) = (self.gauges.get(&Gauge::Waiting), change != 0) {
            host::add(*id, change);
        }
    }
}

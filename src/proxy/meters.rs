//! The counters of one configuration, defined with the host.

use hashbrown::HashMap;

use super::host::{self, MetricId};
use crate::config::Config;
use crate::metrics::{Counter, counters};

pub(super) struct Meters(HashMap<Counter, MetricId>);

impl Meters {
    /// Defines every counter, so that dashboards see zeros and not gaps.
    pub(super) fn define(config: &Config) -> Self {
        let define =
            |(counter, name): (Counter, String)| Some((counter, host::define_counter(&name)?));
        Self(counters(config).into_iter().filter_map(define).collect())
    }

    /// Adds one to `counter`.
    pub(super) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds `by` to `counter`.
    pub(super) fn add(&self, counter: Counter, by: u32) {
        if let Some(id) = self.0.get(&counter) {
            host::increment(*id, by);
        }
    }
}

//! The metrics of the process.

use std::collections::BTreeMap;

/// The metrics of the process, by name. All workers share them.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    names: Vec<String>,
    values: BTreeMap<String, i64>,
}

impl Metrics {
    /// Defines a metric, unless it exists; returns its identifier.
    pub(crate) fn define(&mut self, name: &str) -> u32 {
        self.values.entry(name.to_owned()).or_default();
        let position = self.names.iter().position(|known| known == name);
        let position = position.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        u32::try_from(position).expect("too many metrics")
    }

    pub(crate) fn increment(&mut self, id: u32, offset: i64) {
        *self.value(id) += offset;
    }

    pub(crate) fn record(&mut self, id: u32, value: u64) {
        *self.value(id) = i64::try_from(value).expect("the value of a gauge is too large");
    }

    fn value(&mut self, id: u32) -> &mut i64 {
        let index = usize::try_from(id).ok();
        let name = index.and_then(|index| self.names.get(index));
        let value = name.and_then(|name| self.values.get_mut(name));
        value.expect("the metric is not defined")
    }

    pub(crate) fn get(&self, name: &str) -> Option<i64> {
        self.values.get(name).copied()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }
}

//! The metrics of the process.

use hashbrown::HashMap;

/// The metrics of the process. All workers share them.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    ids: HashMap<String, u32>,
    values: Vec<i64>,
}

impl Metrics {
    /// Defines a metric, unless it exists; returns its identifier.
    pub(crate) fn define(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.values.len()).expect("too many metrics");
        self.ids.insert(name.to_owned(), id);
        self.values.push(0);
        id
    }

    pub(crate) fn increment(&mut self, id: u32, offset: i64) {
        *self.value(id) += offset;
    }

    pub(crate) fn record(&mut self, id: u32, value: u64) {
        *self.value(id) = i64::try_from(value).expect("the value of a gauge is too large");
    }

    fn value(&mut self, id: u32) -> &mut i64 {
        let index = usize::try_from(id).ok();
        let value = index.and_then(|index| self.values.get_mut(index));
        value.expect("the metric is not defined")
    }

    pub(crate) fn get(&self, name: &str) -> Option<i64> {
        let id = *self.ids.get(name)?;
        self.values.get(usize::try_from(id).ok()?).copied()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.ids.keys().cloned().collect();
        names.sort_unstable();
        names
    }
}

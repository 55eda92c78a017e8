//! The data that all workers share.

use std::collections::VecDeque;

use hashbrown::HashMap;

/// The data that all workers share.
#[derive(Debug, Default)]
pub(crate) struct SharedData {
    entries: HashMap<String, (Vec<u8>, u32)>,
    last_version: u32,
    /// For each of the next swaps, whether another worker gets ahead of it.
    lost_swaps: VecDeque<bool>,
    /// How many swaps other workers have got ahead of.
    lost: usize,
}

impl SharedData {
    pub(crate) fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.entries.get(key).cloned()
    }

    pub(crate) fn set(&mut self, key: &str, value: &[u8]) {
        self.last_version += 1;
        let entry = (value.to_vec(), self.last_version);
        self.entries.insert(key.to_owned(), entry);
    }

    /// Like Envoy: a swap of an entry that does not exist writes it.
    pub(crate) fn swap(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        if self.lost_swaps.pop_front() == Some(true) {
            // Another worker writes the same value, so that the version changes.
            if let Some((value, _)) = self.get(key) {
                self.set(key, &value);
                self.lost += 1;
            }
        }
        let is_current = match self.entries.get(key) {
            Some((_, current)) => *current == version,
            None => true,
        };
        if is_current {
            self.set(key, value);
        }
        is_current
    }

    pub(crate) fn lose_swaps(&mut self, lost: impl IntoIterator<Item = bool>) {
        self.lost_swaps = lost.into_iter().collect();
    }

    /// How many swaps were lost so far because [`Self::lose_swaps`] said so.
    pub(crate) fn lost(&self) -> usize {
        self.lost
    }

    /// The keys that contain `text`, sorted.
    pub(crate) fn keys(&self, text: &str) -> Vec<String> {
        let keys = self.entries.keys();
        let keys = keys.filter(|key| key.contains(text));
        let mut keys: Vec<String> = keys.cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The size of all values, in bytes.
    pub(crate) fn size(&self) -> usize {
        let values = self.entries.values();
        values.map(|(value, _)| value.len()).sum()
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.entries.remove(key);
    }
}

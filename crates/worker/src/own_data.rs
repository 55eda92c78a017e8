//! Data that only one virtual machine can read and write.

use std::cell::{Cell, RefCell};

use hashbrown::HashMap;

/// Entries with versions, as in the host's shared data, but of one virtual machine. It takes the place of the
/// shared data where other modules could write to that.
#[derive(Debug, Default)]
pub struct OwnData {
    entries: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    last_version: Cell<u32>,
}

impl OwnData {
    /// The entry `key` and its version.
    pub(crate) fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.entries.borrow().get(key).cloned()
    }

    /// Writes the entry `key`, whatever its version.
    pub(crate) fn set(&self, key: &str, value: &[u8]) {
        let version = self.last_version.get().wrapping_add(1);
        self.last_version.set(version);
        let entry = (value.to_vec(), version);
        self.entries.borrow_mut().insert(key.to_owned(), entry);
    }

    /// Writes the entry `key` if it has this version, and returns whether it had.
    pub(crate) fn swap(&self, key: &str, value: &[u8], version: u32) -> bool {
        let current = self.entries.borrow().get(key).map(|(_, current)| *current);
        let is_current = current == Some(version);
        if is_current {
            self.set(key, value);
        }
        is_current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_swapped_only_if_it_has_the_version_that_was_read() {
        let data = OwnData::default();
        assert_eq!(data.get("a"), None);
        assert!(!data.swap("a", b"1", 0));
        data.set("a", b"1");
        let (value, version) = data.get("a").unwrap();
        assert_eq!(value, b"1");
        assert!(data.swap("a", b"2", version));
        assert!(!data.swap("a", b"3", version));
        assert_eq!(data.get("a").unwrap().0, b"2");
    }
}

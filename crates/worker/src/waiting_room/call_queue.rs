//! The requests that are to be decided, in a fair order.

use std::collections::{BTreeMap, BTreeSet};

use crate::host::ContextId;

/// The streams whose requests are to be decided.
///
/// The providers take turns, so that a crowd for one of them does not delay the requests for another. Within
/// a provider the first to arrive is the first to be decided.
#[derive(Debug, Default)]
pub(super) struct CallQueue {
    /// The streams by provider. No set is empty.
    by_provider: BTreeMap<usize, BTreeSet<ContextId>>,
    /// The provider that had the last turn.
    last: usize,
}

impl CallQueue {
    /// Adds a stream that waited for `provider`.
    pub(super) fn add(&mut self, provider: usize, stream: ContextId) {
        self.by_provider.entry(provider).or_default().insert(stream);
    }

    /// Removes a stream that waited for `provider`, if it is there.
    pub(super) fn remove(&mut self, provider: usize, stream: ContextId) {
        if let Some(streams) = self.by_provider.get_mut(&provider) {
            streams.remove(&stream);
            if streams.is_empty() {
                self.by_provider.remove(&provider);
            }
        }
    }

    /// The next stream. It stays until it is removed.
    pub(super) fn next(&mut self) -> Option<ContextId> {
        let mut later = self.by_provider.range(self.last.saturating_add(1)..);
        let (provider, streams) = later.next().or_else(|| self.by_provider.iter().next())?;
        self.last = *provider;
        streams.first().copied()
    }

    /// Whether there is no stream.
    pub(super) fn is_empty(&self) -> bool {
        self.by_provider.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_take_turns() {
        let mut queue = CallQueue::default();
        for (provider, stream) in [(0, 1), (0, 2), (0, 3), (5, 9), (5, 7), (2, 8)] {
            queue.add(provider, ContextId(stream));
        }
        // Called for two providers, and decided once.
        queue.add(2, ContextId(7));
        let mut order = Vec::new();
        while let Some(stream) = queue.next() {
            order.push(stream.0);
            for provider in [0, 2, 5] {
                queue.remove(provider, stream);
            }
        }
        assert_eq!(order, [7, 9, 1, 8, 2, 3]);
        assert!(queue.is_empty());
    }
}

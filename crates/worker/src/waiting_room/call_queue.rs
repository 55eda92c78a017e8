//! The requests that are to be decided, in a fair order.

use sorted_vec::SortedSet;

use crate::host::ContextId;

/// The streams whose requests are to be decided.
///
/// The providers take turns, so that a crowd for one of them does not delay the requests for another. Within
/// a provider the first to arrive is the first to be decided.
#[derive(Debug, Default)]
pub(super) struct CallQueue {
    /// The streams, each with the provider that it waited for. A `BTreeSet` would bring 12 KB of code into the module.
    by_provider: SortedSet<(usize, ContextId)>,
    /// The provider that had the last turn.
    last: usize,
}

impl CallQueue {
    /// Adds a stream that waited for `provider`.
    pub(super) fn add(&mut self, provider: usize, stream: ContextId) {
        self.by_provider.find_or_push((provider, stream));
    }

    /// Removes a stream that waited for `provider`, if it is there.
    pub(super) fn remove(&mut self, provider: usize, stream: ContextId) {
        self.by_provider.remove_item(&(provider, stream));
    }

    /// The next stream. It stays until it is removed.
    pub(super) fn next(&mut self) -> Option<ContextId> {
        let last = self.last;
        let later = self
            .by_provider
            .partition_point(|(provider, _)| *provider <= last);
        let next = self.by_provider.get(later);
        let (provider, stream) = next.or_else(|| self.by_provider.first())?;
        self.last = *provider;
        Some(*stream)
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

//! The places of the waiting room, and their division among the providers.

use std::collections::HashMap;

/// The largest number of requests of one worker that wait at the same time.
pub const CAPACITY: usize = 1024;

/// The places of the waiting room.
///
/// Half of them are divided equally among the providers that requests can wait for: nobody else uses
/// these. The other half is for those that come first. So a provider whose server hangs can take the
/// common half and its own share, and the requests of each other provider still find places. A single
/// provider can use all of them.
#[derive(Debug)]
pub(super) struct Places {
    /// The share of each provider.
    share: usize,
    /// The free places of the common half.
    common: usize,
    /// The places in use, by provider.
    used: HashMap<usize, usize>,
}

impl Places {
    /// The places for requests that can wait for this number of providers.
    pub(super) fn new(providers: usize) -> Self {
        let providers = providers.max(1);
        let share = CAPACITY.checked_div(providers.saturating_mul(2));
        // There are hardly more providers than places, but each has one.
        let share = share.unwrap_or_default().max(1);
        Self {
            share,
            common: CAPACITY.saturating_sub(share.saturating_mul(providers)),
            used: HashMap::new(),
        }
    }

    /// Takes a place for a request that waits for `provider`. Returns whether there was one.
    pub(super) fn take(&mut self, provider: usize) -> bool {
        let used = self.used.entry(provider).or_default();
        if *used >= self.share {
            let Some(common) = self.common.checked_sub(1) else {
                return false;
            };
            self.common = common;
        }
        *used = used.saturating_add(1);
        true
    }

    /// Gives back a place for `provider`.
    pub(super) fn give_back(&mut self, provider: usize) {
        let Some(used) = self.used.get_mut(&provider) else {
            return;
        };
        if *used > self.share {
            self.common = self.common.saturating_add(1);
        }
        *used = used.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(places: &mut Places, provider: usize) -> usize {
        (0..2 * CAPACITY).filter(|_| places.take(provider)).count()
    }

    #[test]
    fn every_provider_has_its_share_whatever_the_others_use() {
        for (providers, share) in [(1, 512), (2, 256), (3, 170), (50, 10), (512, 1)] {
            let mut places = Places::new(providers);
            let common = CAPACITY - providers * share;
            assert_eq!(take_all(&mut places, 0), share + common, "{providers}");
            for other in 1..providers {
                assert_eq!(take_all(&mut places, other), share, "{providers}");
            }
        }
    }

    #[test]
    fn a_place_that_was_given_back_can_be_taken_again() {
        let mut places = Places::new(2);
        assert_eq!(take_all(&mut places, 0), 768);
        assert_eq!(take_all(&mut places, 1), 256);
        // The common places that one provider gives back are free for the other.
        for _ in 0..300 {
            places.give_back(0);
        }
        assert_eq!(take_all(&mut places, 1), 300);
        for _ in 0..2000 {
            places.give_back(0);
            places.give_back(1);
            places.give_back(7);
        }
        assert_eq!(take_all(&mut places, 1), 768);
        assert_eq!(take_all(&mut places, 0), 256);
    }

    #[test]
    fn too_many_providers_still_have_a_place_each() {
        let mut places = Places::new(2000);
        for provider in 0..2000 {
            assert_eq!(take_all(&mut places, provider), 1);
        }
    }
}

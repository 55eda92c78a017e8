//! The delay after failed attempts.

use std::time::Duration;

use crate::time::whole_millis;

/// Exponential backoff with full jitter. The delay is uniformly distributed between zero and a
/// ceiling, which doubles with every failure up to a maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Creates a backoff whose ceiling is `first` after the first failure and never more than
    /// `longest`. A `longest` that is less than `first` counts as `first`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        let longest = if longest.as_nanos() < first.as_nanos() {
            first
        } else {
            longest
        };
        Self { first, longest }
    }

    /// The longest possible delay.
    #[must_use]
    pub const fn longest(self) -> Duration {
        self.longest
    }

    /// The delay after a failed attempt, if `failures` attempts have failed before it. `random` is a
    /// uniformly distributed number.
    #[must_use]
    pub fn delay(self, failures: u32, random: u64) -> Duration {
        let factor = 2_u32.saturating_pow(failures);
        let ceiling = whole_millis(self.first.saturating_mul(factor).min(self.longest));
        Duration::from_millis(random.checked_rem(ceiling.saturating_add(1)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(1));

    #[test]
    fn the_ceiling_doubles_up_to_the_maximum() {
        for (failures, ceiling) in [(0, 1), (1, 2), (5, 32), (6, 60), (31, 60), (u32::MAX, 60)] {
            let ceiling = Duration::from_secs(ceiling);
            assert_eq!(
                BACKOFF.delay(failures, whole_millis(ceiling)),
                ceiling,
                "{failures}"
            );
            assert_eq!(
                BACKOFF.delay(failures, whole_millis(ceiling) + 1),
                Duration::ZERO
            );
        }
    }

    #[test]
    fn the_maximum_is_at_least_the_first_ceiling() {
        let backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(1));
        assert_eq!(backoff.longest(), Duration::from_secs(5));
    }

    proptest::proptest! {
        #[test]
        fn no_delay_exceeds_the_maximum(failures: u32, random: u64) {
            proptest::prop_assert!(BACKOFF.delay(failures, random) <= BACKOFF.longest());
        }
    }
}

//! When a key set is fetched, and by whom: a pure state machine.
//!
//! All workers of a process share one [`Progress`] for each source of keys. A worker that finds a
//! fetch due takes the turn by writing [`Progress::started`] in place of what it read; the host
//! lets only one of several writers succeed. Whoever holds the turn fetches and writes how it went.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::backoff::Backoff;
use crate::time::{Timestamp, whole_millis};

/// How soon a failed fetch is tried again.
const RETRY: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

/// How far the fetching of one key set has got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// When the set was fetched that is shared now; `None` where there is none yet.
    pub fetched_at: Option<Timestamp>,
    /// When the next fetch is due.
    due_at: Timestamp,
    /// How many fetches have failed since one succeeded.
    failures: u32,
    /// Who is fetching.
    turn: Option<Turn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    /// A random number that the holder knows itself by.
    holder: u64,
    /// When the turn was taken.
    since: Timestamp,
    /// When the turn ends although nobody ended it: its holder has vanished.
    until: Timestamp,
}

impl Progress {
    /// Whether a fetch is due and nobody is at it. `cache_duration` is how long this worker is
    /// willing to use a set: another configuration may have set a later date.
    #[must_use]
    pub fn is_due(&self, now: Timestamp, cache_duration: Duration) -> bool {
        if self.is_held(now) {
            return false;
        }
        let clock_was_set_back = match self.fetched_at {
            Some(fetched_at) if self.failures == 0 => is_ahead(fetched_at, now),
            _ => self.due_at > now.plus(RETRY.longest()),
        };
        let too_old = self.failures == 0
            && self
                .fetched_at
                .is_some_and(|fetched_at| now.since(fetched_at) >= cache_duration);
        now >= self.due_at || too_old || clock_was_set_back
    }

    /// Whether somebody holds the turn.
    fn is_held(&self, now: Timestamp) -> bool {
        self.turn
            .is_some_and(|turn| now < turn.until && !is_ahead(turn.since, now))
    }

    /// After `holder` has taken the turn for a fetch that may last for `timeout`. A holder that
    /// vanishes keeps the turn for twice as long.
    #[must_use]
    pub fn started(&self, holder: u64, now: Timestamp, timeout: Duration) -> Self {
        let turn = Turn {
            holder,
            since: now,
            until: now.plus(timeout.saturating_mul(2)),
        };
        Self {
            turn: Some(turn),
            ..self.clone()
        }
    }

    /// After a fetch that brought a usable set. The next one is due ahead of the end of
    /// `cache_duration`, by up to a tenth of it as `random` has it, so that processes that started
    /// together do not ask together for ever.
    #[must_use]
    pub fn succeeded(now: Timestamp, cache_duration: Duration, random: u64) -> Self {
        let tenth = whole_millis(cache_duration).saturating_div(10);
        let ahead = Duration::from_millis(random.checked_rem(tenth.saturating_add(1)).unwrap_or(0));
        Self {
            fetched_at: Some(now),
            due_at: now.plus(cache_duration.saturating_sub(ahead)),
            failures: 0,
            turn: None,
        }
    }

    /// After a fetch of `holder` that brought nothing. `None` where the turn has passed to somebody
    /// else, whose outcome counts.
    #[must_use]
    pub fn failed(&self, holder: u64, now: Timestamp, random: u64) -> Option<Self> {
        if self.turn?.holder != holder {
            return None;
        }
        Some(Self {
            fetched_at: self.fetched_at,
            due_at: now.plus(RETRY.delay(self.failures, random)),
            failures: self.failures.saturating_add(1),
            turn: None,
        })
    }

    /// How long it takes until there may be a set, where there is none: `None` while a fetch is
    /// under way or due within the time that a request may wait.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp, timeout: Duration) -> Option<Duration> {
        let wait = self.due_at.since(now);
        let hopeless = !self.is_held(now) && wait >= timeout;
        hopeless.then_some(wait.min(RETRY.longest()))
    }
}

/// Whether `time`, which was once the present, is in the future: the clock has been set back. The
/// clocks of two workers may differ by the time that either takes for a tick.
fn is_ahead(time: Timestamp, now: Timestamp) -> bool {
    time > now.plus(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(2);
    const CACHE: Duration = Duration::from_secs(600);

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(1_700_000_000 + secs)
    }

    fn due(progress: &Progress, secs: u64) -> bool {
        progress.is_due(at(secs), CACHE)
    }

    #[test]
    fn the_first_fetch_is_due_at_once_and_is_worth_waiting_for() {
        let new = Progress::default();
        assert!(due(&new, 0));
        assert_eq!(new.retry_after(at(0), TIMEOUT), None);
    }

    #[test]
    fn a_turn_keeps_the_others_from_fetching_until_twice_the_timeout() {
        let taken = Progress::default().started(7, at(0), TIMEOUT);
        for (secs, is_due) in [(0, false), (1, false), (3, false), (4, true), (5, true)] {
            assert_eq!(due(&taken, secs), is_due, "{secs}");
        }
        assert_eq!(taken.retry_after(at(3), TIMEOUT), None);
    }

    #[test]
    fn a_set_is_refreshed_ahead_of_its_end_by_up_to_a_tenth() {
        for (random, due_after) in [(0, 600), (60_000, 540), (30_000, 570), (60_001, 600)] {
            let fetched = Progress::succeeded(at(0), CACHE, random);
            assert!(!due(&fetched, due_after - 1), "{random}");
            assert!(due(&fetched, due_after), "{random}");
        }
    }

    #[test]
    fn failures_are_retried_with_growing_delays_and_keep_the_set() {
        let mut progress = Progress::succeeded(at(0), CACHE, 0);
        // The greatest random number that gives the whole delay.
        for (failures, delay) in [(0, 1), (1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (40, 60)] {
            progress.failures = failures;
            let taken = progress.started(7, at(700), TIMEOUT);
            let failed = taken.failed(7, at(700), delay * 1000).unwrap();
            assert!(!due(&failed, 700 + delay - 1), "{failures}");
            assert!(due(&failed, 700 + delay), "{failures}");
            assert_eq!(failed.fetched_at, Some(at(0)));
            assert_eq!(failed.failures, failures + 1);
        }
    }

    #[test]
    fn a_success_ends_the_failures() {
        let failing = Progress::default()
            .started(7, at(0), TIMEOUT)
            .failed(7, at(0), 1000)
            .unwrap();
        assert_eq!(failing.failures, 1);
        assert_eq!(Progress::succeeded(at(1), CACHE, 0).failures, 0);
    }

    #[test]
    fn who_lost_the_turn_has_no_say() {
        let taken = Progress::default().started(7, at(0), TIMEOUT);
        assert_eq!(taken.failed(8, at(1), 0), None);
        assert_eq!(
            Progress::succeeded(at(1), CACHE, 0).failed(7, at(1), 0),
            None
        );
    }

    #[test]
    fn a_request_waits_only_for_what_can_come_in_time() {
        let progress = Progress {
            failures: 5,
            ..Progress::default()
        };
        let failed = progress
            .started(7, at(0), TIMEOUT)
            .failed(7, at(0), 30_000)
            .unwrap();
        assert_eq!(
            failed.retry_after(at(0), TIMEOUT),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            failed.retry_after(at(27), TIMEOUT),
            Some(Duration::from_secs(3))
        );
        assert_eq!(failed.retry_after(at(29), TIMEOUT), None);
        assert_eq!(
            failed
                .started(8, at(0), TIMEOUT)
                .retry_after(at(0), TIMEOUT),
            None
        );
    }

    #[test]
    fn a_clock_that_was_set_back_puts_off_nothing() {
        let fetched = Progress::succeeded(at(10_000), CACHE, 0);
        assert!(due(&fetched, 0));
        let taken = Progress::default().started(7, at(10_000), TIMEOUT);
        assert!(due(&taken, 0));
        let failed = taken.failed(7, at(10_000), 0).unwrap();
        assert!(due(&failed, 0));
    }

    #[test]
    fn a_worker_whose_clock_lags_by_a_tick_does_not_fetch_beside_another() {
        let taken = Progress::default().started(7, at(1), TIMEOUT);
        assert!(!due(&taken, 0));
        assert!(!due(&Progress::succeeded(at(1), CACHE, 0), 0));
    }

    #[test]
    fn another_configuration_may_want_a_fresher_set() {
        let fetched = Progress::succeeded(at(0), CACHE, 0);
        assert!(fetched.is_due(at(30), Duration::from_secs(30)));
        assert!(!fetched.is_due(at(29), Duration::from_secs(30)));
    }
}

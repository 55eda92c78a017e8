//! The clocks of the host, as far as they can be trusted.

use std::cell::Cell;

use gate::time::{Instant, Timestamp};

use crate::host::Host;

/// An earlier time was never right: the clock has not been set since the machine started. 2020-01-01.
const EARLIEST: Timestamp = Timestamp::from_unix_secs(1_577_836_800);

/// The clocks of the host, as far as they can be trusted.
pub(crate) struct Clock<H> {
    host: H,
    /// The last reading of the monotonic clock.
    last: Cell<Instant>,
    /// The last credible reading of the wall clock, and when it was taken.
    last_date: Cell<Option<(Timestamp, Instant)>>,
}

impl<H: Host> Clock<H> {
    pub(crate) fn new(host: H) -> Self {
        Self {
            host,
            last: Cell::default(),
            last_date: Cell::default(),
        }
    }

    /// The monotonic clock, which durations are measured with. A clock that cannot be read stands still.
    pub(crate) fn now(&self) -> Instant {
        let now = self.host.monotonic_clock().unwrap_or(self.last.get());
        self.last.set(now);
        now
    }

    /// The date at `now`, which tokens are judged by. If the wall clock cannot be read, or shows a time
    /// that was never right, the date is the last credible one and the time since then. `None` if there
    /// is none.
    pub(crate) fn date(&self, now: Instant) -> Option<Timestamp> {
        let date = self.host.wall_clock().filter(|date| *date >= EARLIEST);
        if let Some(date) = date {
            self.last_date.set(Some((date, now)));
            return Some(date);
        }
        let (date, at) = self.last_date.get()?;
        Some(date.plus(now.since(at)))
    }
}

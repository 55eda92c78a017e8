//! How often a worker ticks.

use std::cell::Cell;
use std::time::Duration;

use crate::host::Host;

/// How soon the next tick is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A request waits for something that only a tick can do: send a callout, or settle it after
    /// others.
    Urgent,
    /// Something is on its way.
    Busy,
    /// Nothing is missing. A document that another worker fetched is adopted within this time.
    Idle,
}

impl Pace {
    const fn period(self) -> Duration {
        Duration::from_millis(match self {
            Self::Urgent => 1,
            Self::Busy => 10,
            Self::Idle => 500,
        })
    }
}

/// Sets the tick period if the pace changes.
pub(crate) struct Pacer<H> {
    host: H,
    pace: Cell<Pace>,
}

impl<H: Host> Pacer<H> {
    /// Starts ticking.
    pub(crate) fn start(host: H) -> Self {
        let pace = Pace::Busy;
        host.set_tick_period(pace.period());
        Self {
            host,
            pace: Cell::new(pace),
        }
    }

    pub(crate) fn set(&self, pace: Pace) {
        if self.pace.replace(pace) != pace {
            self.host.set_tick_period(pace.period());
        }
    }
}

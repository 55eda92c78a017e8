//! Limits how often a kind of problem is logged.
//!
//! Clients and servers decide how often a problem occurs, and which of its variants. Only time limits
//! the number of lines.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use gate::policy::Provider;
use gate::time::Instant;
use serde_json::{Value, json};

use crate::host::Host;
use crate::shared_state::FORMAT;
use crate::store::Store;

/// The shortest time between two lines about the same kind of problem.
const PERIOD: Duration = Duration::from_secs(10);

/// Admits one line in ten seconds about one kind of problem with one provider, for all workers of the
/// process together.
pub(crate) struct LogThrottle<H> {
    store: Store<H>,
    /// The entry with the time of the last line.
    key: String,
    /// The last line that this worker knows of.
    last: Cell<Option<Instant>>,
    /// The problems of this worker since its last line.
    suppressed: Cell<u64>,
}

/// How many problems were not logged before this line. Its text is the end of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suppressed(u64);

impl<H: Host> LogThrottle<H> {
    /// The throttle for problems of this kind with `provider`, whose server is behind `cluster`.
    pub(crate) fn for_server(
        store: Store<H>,
        kind: &str,
        provider: &Provider,
        cluster: &str,
    ) -> Self {
        Self::new(store, &json!([kind, provider.name, cluster]))
    }

    /// The throttle for problems with `subject`.
    pub(crate) fn new(store: Store<H>, subject: &Value) -> Self {
        let throttle = Self {
            store,
            key: format!("{FORMAT}.logged.{subject}"),
            last: Cell::new(None),
            suppressed: Cell::new(0),
        };
        // Only an existing entry can be swapped. The virtual machine in which the host checks a
        // configuration creates it before there are workers.
        if throttle.store.get(&throttle.key).is_none() {
            throttle.store.set(&throttle.key, b"");
        }
        throttle
    }

    /// Whether a problem is to be logged now.
    pub(crate) fn admit(&self, now: Instant) -> Option<Suppressed> {
        if self.last.get().is_some_and(|last| is_recent(last, now)) || !self.take_turn(now) {
            self.suppressed.set(self.suppressed.get().saturating_add(1));
            return None;
        }
        Some(Suppressed(self.suppressed.take()))
    }

    /// Writes the time of a line, unless another worker has written one recently.
    fn take_turn(&self, now: Instant) -> bool {
        let Some((value, version)) = self.store.get(&self.key) else {
            self.store.set(&self.key, &encode(now));
            self.last.set(Some(now));
            return true;
        };
        let last = serde_json::from_slice(&value).ok();
        let is_free = !last.is_some_and(|last| is_recent(last, now));
        let is_taken = is_free && self.store.swap(&self.key, &encode(now), version);
        // If the swap fails, another worker has just written a line.
        self.last.set(if is_free { Some(now) } else { last });
        is_taken
    }
}

fn encode(time: Instant) -> Vec<u8> {
    serde_json::to_vec(&time).unwrap_or_default()
}

/// Whether a line at `last` suppresses one now. A time in the future was not written by a worker.
fn is_recent(last: Instant, now: Instant) -> bool {
    !last.is_ahead_of(now) && now.since(last) < PERIOD
}

impl fmt::Display for Suppressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            count => write!(f, "; {count} more not logged before"),
        }
    }
}

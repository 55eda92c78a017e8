//! A worker of the story, and its listeners.

use std::time::Duration;

use gate_simulator::{Listener, Worker};

/// A worker that has not died.
pub(crate) struct LivingWorker {
    pub(crate) number: usize,
    pub(crate) worker: Worker,
    /// Whether its thread does not run at the moment.
    pub(crate) is_held_up: bool,
    /// When its thread ran again after it had been held up.
    pub(crate) resumed_at: Duration,
    pub(crate) listeners: Vec<NumberedListener>,
    /// Replaced listeners. Envoy keeps their roots for as long as requests belong to them.
    pub(crate) draining: Vec<NumberedListener>,
}

impl LivingWorker {
    /// Until when it was held up.
    pub(crate) const fn held_up_until(&self, now: Duration) -> Duration {
        if self.is_held_up {
            now
        } else {
            self.resumed_at
        }
    }
}

/// A listener, with the number that the story gives it.
#[derive(Clone)]
pub(crate) struct NumberedListener {
    pub(crate) number: usize,
    /// The variant of its configuration.
    pub(crate) variant: usize,
    pub(crate) listener: Listener,
}

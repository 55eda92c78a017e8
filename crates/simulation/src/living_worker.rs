//! A worker of the story, and its listeners.

use gate_simulator::{Listener, Worker};

/// A worker that has not died.
pub(crate) struct LivingWorker {
    pub(crate) number: usize,
    pub(crate) worker: Worker,
    pub(crate) listeners: Vec<NumberedListener>,
    /// Replaced listeners. Envoy keeps their roots for as long as requests belong to them.
    pub(crate) draining: Vec<NumberedListener>,
}

/// A listener, with the number that the story gives it.
#[derive(Clone)]
pub(crate) struct NumberedListener {
    pub(crate) number: usize,
    /// The variant of its configuration.
    pub(crate) variant: usize,
    pub(crate) listener: Listener,
}

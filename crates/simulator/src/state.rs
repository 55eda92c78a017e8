//! What all workers of the process have in common.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use gate::time::Timestamp;

use crate::metrics::Metrics;
use crate::network::Network;
use crate::shared_data::SharedData;

/// A call of the foreign function `verify_signature`.
pub(crate) type VerifySignature = fn(&[u8]) -> Option<Vec<u8>>;

/// What all workers of the process have in common.
pub(crate) struct State {
    /// The time since the start of the process. Timers and the network go by it.
    pub(crate) elapsed: Cell<Duration>,
    /// The wall clock at the start, according to its present setting.
    pub(crate) wall_start: Cell<Timestamp>,
    /// Whether the host can read its clocks.
    pub(crate) has_wall_clock: Cell<bool>,
    pub(crate) has_monotonic_clock: Cell<bool>,
    pub(crate) shared_data: RefCell<SharedData>,
    pub(crate) network: RefCell<Network>,
    pub(crate) metrics: RefCell<Metrics>,
    pub(crate) environment: RefCell<BTreeMap<String, String>>,
    pub(crate) verify_signature: Cell<VerifySignature>,
    /// Whether the host has random numbers that are good enough for secrets.
    pub(crate) has_random_keys: Cell<bool>,
    /// Whether the host writes log lines of the level `debug`.
    pub(crate) logs_debug: Cell<bool>,
    /// What another thread does just before the next swap of shared data.
    pub(crate) before_next_swap: Cell<Option<Box<dyn FnOnce()>>>,
    /// After how many swaps of shared data the worker dies that wants to make the next one.
    pub(crate) swaps_until_death: Cell<Option<usize>>,
    /// The state of the generator of random numbers.
    seed: Cell<u64>,
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            elapsed: Cell::new(Duration::ZERO),
            wall_start: Cell::new(Timestamp::from_unix_secs(1_700_000_000)),
            has_wall_clock: Cell::new(true),
            has_monotonic_clock: Cell::new(true),
            shared_data: RefCell::default(),
            network: RefCell::default(),
            metrics: RefCell::default(),
            environment: RefCell::default(),
            verify_signature: Cell::new(|_| None),
            has_random_keys: Cell::new(true),
            logs_debug: Cell::new(false),
            before_next_swap: Cell::default(),
            swaps_until_death: Cell::default(),
            seed: Cell::new(seed),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.wall_start.get().plus(self.elapsed.get())
    }

    /// The next number of `SplitMix64`.
    pub(crate) fn random(&self) -> u64 {
        let state = self.seed.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.seed.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

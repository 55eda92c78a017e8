//! Deterministic simulation: random stories for the whole filter, each checked against a model.
//!
//! A seed selects a story. The story starts workers, roots and servers on the simulated host
//! ([`gate_simulator`]) and then takes random steps: requests arrive and disconnect, time passes, servers hang, lie,
//! rotate keys and revoke tokens, workers die, configurations are replaced, swaps are lost, the wall clock is
//! set. After every event the checks of `world` hold, and every decision is compared with the `model`, which
//! knows nothing of the filter's code. The same seed always tells the same story.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a simulation that cannot go on must say so"
)]

mod action;
mod attempts;
mod disturbances;
mod history;
mod living_worker;
mod model;
mod open_request;
mod plan;
mod proofs;
mod run;
mod server;
mod servers;
mod signatures;
mod story;
mod tokens;
mod world;

pub use run::{Failure, run};

//! Workers in a simulated process: what is fetched, shared, waited for and counted.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that panics fails"
)]

mod clock;
mod fetching;
mod introspection;
mod lost_workers;
mod metrics;
mod roots;
mod support;
mod waiting;

//! Workers in a simulated process: what is fetched, shared, waited for and counted.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that panics fails"
)]

mod certificates;
mod clock;
mod dynamic_metadata;
mod fetching;
mod forged_headers;
mod introspection;
mod lists;
mod log_lines;
mod logged;
mod lost_workers;
mod metrics;
mod proofs;
mod refusals;
mod reports;
mod resources;
mod roots;
mod share;
mod shares;
mod streams;
mod support;
mod waiting;

//! Model-based testing of the whole decision.
//!
//! A seed selects a configuration with providers, key sets, revocation lists and introspection endpoints, a few tokens,
//! and requests that carry them (`generator`). The filter decides each request on the simulated host
//! ([`gate_simulator`]): configuration text and headers go in, what the upstream or the client receives comes out. The
//! `model`, which knows nothing of the filter's code, says what that must be.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unreachable,
    reason = "a check that cannot go on must say so"
)]

mod case;
mod comparison;
mod disagreement;
mod generator;
mod model;
mod reduction;
mod sample;
mod signatures;
mod tally;
mod trial;

pub use disagreement::Disagreement;
pub use sample::{Expected, Sample, SampleRequest};
pub use tally::Tally;

/// How many requests there are for each configuration.
pub const REQUESTS: usize = 40;

/// Checks the requests of a seed, and counts them in `tally`.
///
/// # Errors
///
/// The first request with which the filter does not do what it must, with the smallest configuration that shows it.
pub fn check(seed: u64, tally: &mut Tally) -> Result<(), Box<Disagreement>> {
    let case = generator::case(seed, REQUESTS, trial::NOW);
    match disagreement::run(seed, &case) {
        None => tally.refused_configurations += 1,
        Some(Err(found)) => return Err(reduction::reduce(found)),
        Some(Ok(outcomes)) => {
            tally.configurations += 1;
            for outcome in outcomes {
                tally.count(outcome);
            }
        }
    }
    Ok(())
}

//! The suites of other projects against the gate. `docs/suites.md` describes them and has the figures.
//!
//! A row is a fact of its source: what is sent, and what the source makes of it. Where the gate
//! differs, the row says why. A reason that is missing, or no longer true, fails the test.

#[cfg(test)]
mod algorithms;
#[cfg(test)]
mod cookbook;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod spring;
#[cfg(test)]
#[path = "../../../../tests/support/suites.rs"]
mod suites;
#[cfg(test)]
mod urls;

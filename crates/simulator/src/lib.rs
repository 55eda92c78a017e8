//! A host for tests of bearer-gate: one process of Envoy, with any number of workers and roots, whose
//! shared data, clock and network the test controls.
//!
//! A [`Process`] runs the real worker code on a simulated [`Host`](gate_worker::Host). Time passes only
//! when the test says so, and nothing depends on the machine: the same test always takes the same
//! steps. Where the host is stricter or stranger than one would expect, it follows Envoy:
//!
//! - A swap of shared data that does not exist writes it in any case.
//! - A callout belongs to the context in effect. If that is a stream, the simulator panics, since the
//!   response would go astray.
//! - A request is resumed or answered at the end of the call into the module. An answer ends its
//!   stream, and that call nests in the one before ([`Worker::deepest_nesting`]).
//! - The callouts of a removed root are cancelled without a response.
//! - A worker that [dies](Worker::kill) loses its roots, streams and callouts, and no code of it runs
//!   any more. Shared data stays.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test must fail if the simulation is used wrongly"
)]

mod host;
mod metrics;
mod module;
mod network;
mod process;
mod request;
mod request_state;
mod shared_data;
mod state;
mod vm;
mod worker;

pub use host::SimulatedHost;
pub use network::{Received, Reply, Response};
pub use process::Process;
pub use request::Request;
pub use request_state::Outcome;
pub use worker::{ClientCertificate, Listener, Worker};

//! The promises of the filter, each shown with the built module in a real Envoy.
//!
//! One file per promise; `support` has the tools. A new test starts an issuer and an Envoy, sends
//! requests and checks answers, upstream and metrics:
//!
//! ```ignore
//! #[test]
//! fn an_expired_token_is_refused() {
//!     let issuer = Issuer::start();
//!     let gate = Setup::trusting(&issuer).start();
//!     let token = Token::good().claim("exp", now() - 3600).signed();
//!     let answer = gate.send(&get("/").bearer(token));
//!     assert_eq!((answer.status, gate.upstream.count()), (401, 0));
//! }
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "tests may read the clock; the filter may not"
)]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test that panics fails, and a table of cases may be long"
)]

#[cfg(test)]
mod admission;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod certificate_headers;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod comparison;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod conversion;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod dpop;
#[cfg(test)]
mod encoding;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod forwarding;
#[cfg(test)]
mod glewlwyd;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod introspection;
#[cfg(test)]
mod key_sets;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod model;
#[cfg(test)]
mod module;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod probes;
#[cfg(test)]
mod rejection;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod robustness;
#[cfg(test)]
mod rollout;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod share;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod updates;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod verdicts;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod workers;

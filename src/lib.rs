//! bearer-gate: an OAuth gate for Envoy.
//!
//! A proxy-wasm HTTP filter that checks the bearer token of every request (RFC 6750) against key
//! sets that it fetches, and refuses a request before it reaches the upstream.
//!
//! The way of a request:
//!
//! ```text
//! headers ──> request ──> policy ──> credential ──> token ──> claims ──> key ──> signature
//!                            │           │            │          │        │          │
//!                          Pass          └────────────┴── Deny ──┴────────┴──────────┤
//!                                                                         │          │
//!                                                                       Wait       Admit
//! ```
//!
//! [`gate::gate`] is that way: a function of the request, the configuration, the keys and the time,
//! without I/O. Everything before it turns bytes into types that cannot be wrong ([`request`],
//! [`credential`], [`token`], [`claims`], [`config`], [`keys`], [`fetching`]); everything after it turns a
//! decision into calls of the host (`proxy`, which exists only in the WebAssembly module). Why a
//! request is refused, and what its client is told, is in [`denial`] and nowhere else; what an
//! admitted one carries to the upstream is in [`admission`].
//!
//! ```
//! use std::cell::RefCell;
//! use std::hash::RandomState;
//!
//! use bearer_gate::config::Config;
//! use bearer_gate::denial::Reason;
//! use bearer_gate::gate::{Decision, Means, RemoteKeys, RemoteList, gate};
//! use bearer_gate::introspection::Standing;
//! use bearer_gate::metrics::Tally;
//! use bearer_gate::request::Request;
//! use bearer_gate::time::Timestamp;
//! use bearer_gate::token_cache::TokenCache;
//! use bearer_gate::verify::Engine;
//!
//! let config = Config::from_json(br#"{
//!     "providers": {"cloud": {
//!         "issuer": "https://issuer.example",
//!         "remote_jwks": {"http_uri": {"uri": "https://issuer.example/jwks", "cluster": "issuer"}}
//!     }}
//! }"#)?;
//! let request = Request {
//!     target: b"/orders".into(),
//!     ..Request::default()
//! };
//! let means = Means {
//!     remote: &|_| RemoteKeys::Pending,
//!     lists: &|_| RemoteList::Pending,
//!     introspection: &|_, _| Standing::Pending,
//!     engine: &Engine::software(),
//!     tokens: &RefCell::new(TokenCache::new(4096, RandomState::new())),
//!     tally: &Tally::default(),
//! };
//! let decision = gate(&config, &request, means, Timestamp::from_unix_secs(0));
//! assert_eq!(decision, Decision::from(Reason::Missing));
//! # Ok::<(), bearer_gate::config::ConfigError>(())
//! ```

#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::needless_pass_by_value,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::too_many_lines,
        reason = "a test that panics fails, and a table of cases is as long as it is"
    )
)]

pub mod admission;
#[cfg(not(target_arch = "wasm32"))]
pub mod check;
pub mod claims;
pub mod config;
pub mod credential;
pub mod denial;
pub mod fetching;
pub mod gate;
pub mod introspection;
pub mod json;
pub mod keys;
pub mod metrics;
pub mod pairs;
pub mod policy;
#[cfg(all(target_arch = "wasm32", feature = "filter"))]
mod proxy;
pub mod request;
pub mod revocation;
pub mod time;
pub mod token;
pub mod token_cache;
pub mod verify;
pub mod waiting_room;

#[cfg(test)]
mod fixtures;

#[cfg(all(target_arch = "wasm32", feature = "filter"))]
mod entry {
    proxy_wasm::main! {{
        crate::proxy::start();
    }}
}

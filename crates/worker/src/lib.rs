//! One worker of bearer-gate on any [`Host`]: it fetches documents and shares them with the other
//! workers of the process, lets requests wait, decides them, and counts.
//!
//! The host creates a [`Root`] for each configuration in each of its virtual machines, and a
//! [`Stream`] for each request. The layers, from the bottom: [`host`]; what is shared
//! (`store`, [`own_data`], `shared_state`, `replay_store`, `nonce_key`, `log_once`, `log_throttle`) and counted ([`metrics`]); `clock`; documents and introspection (`source`,
//! `introspection`, [`change`], `sources`); requests that wait ([`waiting_room`], `pace`);
//! streams that end with their tokens (`open_streams`); decisions (`decider`); the [`Worker`];
//! the contexts [`Root`] and [`Stream`].

pub mod change;
mod clock;
pub mod connection_reader;
mod counter;
mod decider;
pub mod gauge;
pub mod host;
mod introspection;
mod log_once;
mod log_throttle;
mod metadata_reader;
pub mod metric_names;
pub mod metrics;
mod nonce_key;
mod open_streams;
pub mod own_data;
mod pace;
mod replay_store;
mod root;
mod shared_state;
mod signature_engine;
mod skipped_keys;
mod source;
mod sources;
mod store;
mod stream;
pub mod waiting_room;
mod worker;

pub use host::Host;
pub use own_data::OwnData;
pub use root::Root;
pub use stream::Stream;
pub use worker::{Disposition, Worker};

//! Token introspection (RFC 7662) in one worker.

mod client;
mod expiring_cache;
mod token_queue;
mod token_statuses;

pub(crate) use client::IntrospectionClient;

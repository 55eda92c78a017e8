//! Tokens that are bound to a key of the client, which proves that it has the key (RFC 9449).

mod attacks;
mod fleet;
mod hops;
mod nonces;
mod protocols;
mod replay;
mod setting;

//! Proofs of possession: RFC 9449.

mod attacks;
mod challenges;
mod client;
mod nonces;
mod schemes;
mod steps;
mod upstream;

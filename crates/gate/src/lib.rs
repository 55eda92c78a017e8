//! The decision of bearer-gate: may this request pass?
//!
//! Everything here is pure: no I/O, no clock, no host. The layers, from the bottom:
//!
//! - base: [`time`], [`json`], [`pem`], [`http`], [`target`], [`request`], [`reason`]
//! - tokens and keys: [`verify`], [`binding`], [`claims`], [`token`], [`keys`], [`dpop`]
//! - fetched documents: [`fetching`], [`revocation`], [`introspection`]
//! - [`policy`]: providers, requirements and rules, and their logic
//! - the decision: [`credential`], [`token_cache`], [`admission`], [`decision`],
//!   [`answer`], [`refusal_line`], [`resource_metadata`]
//!
//! A module never imports from a layer above its own.

#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::needless_pass_by_value,
        clippy::string_slice,
        reason = "a test that panics fails, and a table of cases is as long as it is"
    )
)]

pub mod admission;
pub mod answer;
pub mod binding;
pub mod claims;
pub mod confirmation;
pub mod credential;
pub mod decision;
pub mod dpop;
pub mod fetching;
pub mod http;
pub mod introspection;
pub mod json;
pub mod keys;
pub mod pem;
pub mod policy;
pub mod reason;
pub mod refusal_line;
pub mod request;
pub mod resource_metadata;
pub mod revocation;
pub mod target;
pub mod time;
pub mod token;
pub mod token_cache;
pub mod verify;

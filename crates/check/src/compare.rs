//! `jwt_authn` and the gate in its place, compared: a table of requests, and what both do with each.
//!
//! `jwt_authn` is modelled; the gate decides with the filter's own code.

pub(crate) mod chain;
mod compared_request;
pub(crate) mod comparison;
mod difference;
mod header_list;
mod live;
mod native;
mod pair;
mod provider_key;
mod reduced;
mod regex_sample;
pub(crate) mod report;
mod route_table;
mod side;
mod table;
mod target;
mod tokens;

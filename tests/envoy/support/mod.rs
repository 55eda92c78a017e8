//! What the tests stand on: a real Envoy with the built filter, servers that a test scripts, and an
//! issuer whose keys and tokens are made by another library than the one under test.

mod challenge;
mod envoy;
mod grpc;
mod http;
mod issuer;
mod key;
mod server;
mod setup;
mod wait;

pub(crate) use challenge::Challenge;
pub(crate) use envoy::Envoy;
pub(crate) use grpc::call;
pub(crate) use http::{Connection, Request, Response, get};
pub(crate) use issuer::{AUDIENCE, ISSUER, Issuer, Token, now};
pub(crate) use key::{Key, keys, mac};
pub(crate) use server::{Answer, Reply, Server};
pub(crate) use setup::{Gate, Setup, bootstrap, bootstrap_of, cluster, root};
pub(crate) use wait::{eventually, in_parallel};

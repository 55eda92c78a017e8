//! The tools of the tests: a real Envoy with the built filter, scripted servers, and an issuer whose
//! keys and tokens are made with a library that the filter does not use.

mod certificate;
mod challenge;
mod discovery;
mod envoy;
mod grpc;
mod http;
mod issuer;
mod key;
mod proof;
mod server;
mod setup;
mod tls;
mod version;
mod wait;

pub(crate) use certificate::{Authority, Certificate, uri};
pub(crate) use challenge::Challenge;
pub(crate) use discovery::Discovery;
pub(crate) use envoy::Envoy;
pub(crate) use grpc::{Raw, call, call_with};
pub(crate) use http::{Connection, Request, Response, get};
pub(crate) use issuer::{AUDIENCE, ISSUER, Issuer, Token, now};
pub(crate) use key::{Key, keys, mac};
pub(crate) use proof::{Proof, bound_token, dpop_config, proof_jwk, sha256, thumbprint};
pub(crate) use server::{Answer, Door, Reply, Server};
pub(crate) use setup::{Gate, NOBODY, Setup, bootstrap, bootstrap_of, cluster, root};
pub(crate) use tls::{TlsClient, transport_socket};
pub(crate) use version::{binary, envoy_has};
pub(crate) use wait::{eventually, in_parallel, in_parallel_while, with_time_enough};

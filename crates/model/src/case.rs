//! A case: a world, and a request in it.

use std::collections::BTreeMap;

use serde_json::Value;

/// A configuration, and what servers publish.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// The configuration of the filter.
    pub(crate) configuration: Value,
    /// What servers publish, by cluster.
    pub(crate) documents: BTreeMap<String, Served>,
    /// What introspection endpoints say, by cluster and token. They do not know other tokens.
    pub(crate) introspection: BTreeMap<String, BTreeMap<String, Served>>,
    /// Whether other requests have used so many proofs that no more can be remembered.
    pub(crate) proofs_are_full: bool,
    /// The environment variables of the filter.
    pub(crate) environment: BTreeMap<String, String>,
}

/// The response of a server.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Served {
    pub(crate) fn ok(body: &(impl ToString + ?Sized)) -> Self {
        let body = body.to_string();
        Self { status: 200, body }
    }

    pub(crate) fn failing() -> Self {
        let body = "{}".to_owned();
        Self { status: 500, body }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// How long it is sent after the one before, in seconds.
    pub(crate) pause: u64,
    /// The headers, pseudo-headers included, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The requirement that the metadata of the route names.
    pub(crate) route_requirement: Option<String>,
    /// The digest of the certificate of the connection, in base64url.
    pub(crate) certificate: Option<String>,
    /// A URI in this certificate.
    pub(crate) peer: Option<String>,
}

/// What a case is about.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) requests: Vec<Request>,
    /// The tokens that requests carry, with names for people.
    pub(crate) tokens: BTreeMap<String, String>,
    /// Whether the host verifies signatures.
    pub(crate) host_verifies: bool,
}

//! The same requests through two Envoys of the user, instead of the model of `jwt_authn`.

mod echo;
mod envoy_process;
mod exchange;

use std::path::Path;

use serde_json::Value;

use super::header_list::HeaderList;
use super::side::Side;
use echo::Echo;
use envoy_process::EnvoyProcess;
use exchange::{Exchange, send};

/// Two Envoys with an upstream behind them.
pub(crate) struct Live {
    native: EnvoyProcess,
    gate: EnvoyProcess,
    _upstream: Echo,
}

/// Headers that Envoy adds, or that differ with every request.
const OF_ENVOY: [&str; 5] = [
    "host",
    "x-request-id",
    "x-forwarded-proto",
    "x-envoy-expected-rq-timeout-ms",
    "connection",
];

impl Live {
    /// Starts the program `envoy` with both bootstraps.
    ///
    /// # Errors
    ///
    /// That Envoy does not start, with its log.
    pub(crate) fn start(envoy: &Path, native: &Value, gate: &Value) -> Result<Self, String> {
        let upstream = Echo::start().map_err(|error| format!("the upstream: {error}"))?;
        let start = |bootstrap: &Value| {
            EnvoyProcess::start(envoy, &with_upstream(bootstrap.clone(), upstream.port()))
        };
        Ok(Self {
            native: start(native)?,
            gate: start(gate)?,
            _upstream: upstream,
        })
    }

    /// Sends a request through both. What the model has said gives the reasons, as far as it was right.
    ///
    /// # Errors
    ///
    /// That Envoy does not answer.
    pub(crate) fn observe(
        &self,
        headers: &HeaderList,
        native: &Side,
        gate: &Side,
    ) -> Result<(Side, Side), String> {
        let observe = |envoy: &EnvoyProcess, model: &Side| {
            let exchange =
                send(envoy.port(), headers).map_err(|error| format!("Envoy: {error}"))?;
            Ok::<_, String>(observed(&exchange, model))
        };
        Ok((observe(&self.native, native)?, observe(&self.gate, gate)?))
    }
}

fn observed(exchange: &Exchange, model: &Side) -> Side {
    let why = if exchange.status == model.status {
        model.why.clone()
    } else {
        "for another reason than expected".to_owned()
    };
    let mut upstream = exchange.received.clone();
    if let Some(headers) = &mut upstream {
        headers
            .0
            .retain(|(name, _)| !OF_ENVOY.contains(&name.as_str()));
    }
    Side {
        status: exchange.status,
        upstream: upstream.map(HeaderList::sorted),
        challenge: exchange.has_challenge,
        why,
    }
}

/// The bootstrap with the upstream at this port.
fn with_upstream(mut bootstrap: Value, port: u16) -> Value {
    let path = "/static_resources/clusters/0/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address\
                /socket_address/port_value";
    if let Some(value) = bootstrap.pointer_mut(path) {
        *value = port.into();
    }
    bootstrap
}

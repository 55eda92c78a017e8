//! The engine that the filter has in Envoy.

use gate::verify::Engine;

/// The engine that the filter has in Envoy: what Envoy verifies, and the module for the rest.
pub(crate) fn envoy() -> Engine {
    Engine::probe(Box::new(gate_envoy_signatures::verify_signature))
}

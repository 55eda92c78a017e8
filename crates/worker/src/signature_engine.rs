//! Which engine verifies signatures.

use gate::verify::Engine;
use log::{info, warn};

use crate::host::Host;
use crate::log_once;
use crate::store::Store;

/// The host as far as it passes the self-test, otherwise the module; logged once per process.
/// `BEARER_GATE_ENGINE=module` excludes the host, for tests and measurements.
pub(crate) fn choose<H: Host>(store: &Store<H>) -> Engine {
    let host = store.host();
    let module_only = host
        .environment_variable("BEARER_GATE_ENGINE")
        .is_some_and(|engine| engine == "module");
    let engine = if module_only {
        Engine::software()
    } else {
        let host = host.clone();
        Engine::probe(Box::new(move |arguments| host.verify_signature(arguments)))
    };
    let suffix = if module_only {
        ", as BEARER_GATE_ENGINE says"
    } else {
        ""
    };
    let line = format!("{engine}{suffix}");
    if log_once::is_new(store, "engine", &line) {
        if engine.of_host().is_empty() && !module_only {
            warn!("bearer-gate: {line}, more slowly");
        } else {
            info!("bearer-gate: {line}");
        }
    }
    engine
}

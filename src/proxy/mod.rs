//! All that knows proxy-wasm: turning what the host says into facts, and decisions into what the
//! host does.

mod host;
mod introspection;
mod meters;
mod root;
mod share;
mod source;
mod sources;
mod stream;
mod worker;

use proxy_wasm::traits::RootContext;
use proxy_wasm::types::LogLevel;

/// Tells the SDK what to make of a new configuration. Called once for each VM, from `_initialize`.
pub(crate) fn start() {
    // The host drops what its own log level is above.
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|id| -> Box<dyn RootContext> { Box::new(root::Root::new(id)) });
}

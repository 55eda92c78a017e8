//! The root context of the SDK.

use gate_worker::Root;
use gate_worker::host::{CalloutId, ContextId};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::host::EnvoyHost;
use crate::stream::StreamBinding;

/// The root context of the SDK.
pub(crate) struct RootBinding(pub(crate) Root<EnvoyHost>);

impl RootContext for RootBinding {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.0.configure()
    }

    fn on_tick(&mut self) {
        self.0.tick();
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(StreamBinding(self.0.stream(ContextId(id)))))
    }
}

impl Context for RootBinding {
    fn on_http_call_response(&mut self, id: u32, headers: usize, size: usize, _trailers: usize) {
        self.0.callout_response(CalloutId(id), headers > 0, size);
    }
}

//! A module that writes what a test says into the data that all modules with its `vm_id` share.
//!
//! The body of a request is a JSON array of `[name, value]`, both texts. The response has the status 200 if all of
//! them have been written.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream))
    }
}

struct Stream;

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if end_of_stream {
            let body = self.get_http_request_body(0, size).unwrap_or_default();
            let entries: Vec<(String, String)> = serde_json::from_slice(&body).unwrap_or_default();
            let mut written = entries.iter().map(|(name, value)| {
                hostcalls::set_shared_data(name, Some(value.as_bytes()), None).is_ok()
            });
            let status = if !entries.is_empty() && written.all(|written| written) {
                200
            } else {
                500
            };
            self.send_http_response(status, Vec::new(), None);
        }
        Action::Pause
    }
}

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(super::Root));
    }}
}

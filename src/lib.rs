//! bearer-gate: a proxy-wasm HTTP filter for Envoy that checks the bearer token of every request
//! (RFC 6750) and refuses a request before it reaches the upstream.
//!
//! This package binds the worker to Envoy and has no logic of its own: the package `gate` decides,
//! `gate-config` parses the configuration, and `gate-worker` fetches documents and lets requests wait.
//! Everything but [`pairs`] exists only in the WebAssembly module.

pub mod pairs;

#[cfg(target_arch = "wasm32")]
mod host;
#[cfg(target_arch = "wasm32")]
mod root;
#[cfg(target_arch = "wasm32")]
mod stream;

#[cfg(target_arch = "wasm32")]
mod entry {
    use gate_worker::Root;
    use gate_worker::host::ContextId;
    use proxy_wasm::traits::RootContext;
    use proxy_wasm::types::LogLevel;

    use crate::host::EnvoyHost;
    use crate::root::RootBinding;

    proxy_wasm::main! {{
        // The host drops lines above its own log level.
        proxy_wasm::set_log_level(LogLevel::Trace);
        proxy_wasm::set_root_context(|id| -> Box<dyn RootContext> {
            Box::new(RootBinding(Root::new(EnvoyHost, ContextId(id))))
        });
    }}
}

//! The module in another host than Envoy: the crate `proxy-wasm-host` runs it in wasmtime.
//!
//! This host has no network. A server is an answer that every callout to its cluster gets. It does not
//! have Envoy's foreign function `verify_signature` either, so the module checks all signatures.

mod exchange;
mod servers;

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use proxy_wasm_host::abi::v0_2_1::types::{Action, LogLevel};
use proxy_wasm_host::abi::v0_2_1::{
    CallScope, ContextId, Guest, GuestError, Host, LogContext, LogSink, PluginConfig, Started,
    StreamKind, VmServices,
};
use proxy_wasm_host::{Engine, Limits, Module};

pub use exchange::{Exchange, Refusal};
pub use servers::{Answer, Servers};

/// No request waits as long as this, and no call of the module takes as long.
const PATIENCE: Duration = Duration::from_secs(120);

/// The time between two ticks while a request waits.
const TICK: Duration = Duration::from_millis(1);

/// A compiled module.
pub struct Compiled {
    host: Host,
    module: Module,
}

impl Compiled {
    /// Reads and compiles a module.
    ///
    /// # Panics
    ///
    /// Panics if there is no module that this host can run.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let bytes = fs::read(path)
            .unwrap_or_else(|error| panic!("{}: {error}; `make build` builds it", path.display()));
        let engine = Engine::new().unwrap();
        Self {
            host: Host::new(&engine).unwrap(),
            module: Module::new(&engine, &bytes).unwrap(),
        }
    }

    /// Starts a virtual machine with this configuration of the filter and these environment variables.
    ///
    /// # Panics
    ///
    /// Panics if the filter refuses its configuration.
    #[must_use]
    pub fn start(
        &self,
        configuration: &str,
        environment: &[(&str, &str)],
        servers: Servers,
    ) -> Gate {
        let log = Arc::new(Log::default());
        let servers = Arc::new(servers);
        let environment = environment.iter().map(|(name, value)| {
            let bytes = |text: &str| text.as_bytes().to_vec();
            (bytes(name), bytes(value))
        });
        let services = VmServices::new(log.clone())
            .with_vm_id("bearer-gate")
            .with_environment(environment.collect())
            .with_callouts(servers.clone());
        let limits = Limits::new().with_cpu_time(PATIENCE);
        let mut guest = Guest::new(&self.host, &self.module, services, &limits).unwrap();
        let plugin = PluginConfig::new()
            .with_name("bearer-gate")
            .with_configuration(configuration);
        let root = match guest.start(plugin).unwrap() {
            Started::Serving(root) => root,
            refused @ Started::Refused { .. } => panic!("{refused:?}: {}", log.text()),
        };
        Gate {
            guest,
            root,
            servers,
            log,
        }
    }
}

/// A virtual machine with the filter.
pub struct Gate {
    guest: Guest,
    root: ContextId,
    servers: Arc<Servers>,
    log: Arc<Log>,
}

impl Gate {
    /// Passes a request through the filter, and gives its callouts their answers while the request waits.
    ///
    /// # Panics
    ///
    /// Panics if the filter traps, or lets the request wait too long.
    #[must_use]
    pub fn send(&mut self, exchange: Exchange) -> Exchange {
        let root = self.root;
        let count = exchange.header_count();
        let ((stream, action), mut exchange) = self.call(exchange, |scope| {
            let stream = scope.on_context_create(Some(root))?;
            scope.expect_stream_kind(stream, StreamKind::Http)?;
            Ok((stream, scope.on_request_headers(stream, count, true)?))
        });
        let end = Instant::now() + PATIENCE;
        while action == Action::Pause && exchange.is_waiting() {
            assert!(Instant::now() < end, "a request waits: {}", self.log());
            exchange = self.go_on(exchange);
        }
        let ((), exchange) = self.call(exchange, |scope| {
            scope.on_done(stream)?;
            scope.on_log(stream)?;
            scope.on_delete(stream)?;
            Ok(())
        });
        exchange
    }

    /// Answers an open callout, or lets time pass.
    fn go_on(&mut self, exchange: Exchange) -> Exchange {
        let root = self.root;
        if let Some((caller, callout, response)) = self.servers.next_response() {
            let deliver = |scope: &mut CallScope<'_, Exchange>| {
                scope.on_http_call_response(caller, callout, response)
            };
            return self.call(exchange, deliver).1;
        }
        thread::sleep(TICK);
        self.call(exchange, |scope| scope.on_tick(root)).1
    }

    /// Lends a request to the filter for some callbacks.
    fn call<R>(
        &mut self,
        exchange: Exchange,
        callbacks: impl FnOnce(&mut CallScope<'_, Exchange>) -> Result<R, GuestError>,
    ) -> (R, Exchange) {
        let (result, exchange) = self.guest.with(exchange, callbacks);
        let result = result.unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        (result, exchange)
    }

    /// The log of the filter.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }
}

/// Keeps what the filter logs.
#[derive(Default)]
struct Log(Mutex<String>);

impl Log {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl LogSink for Log {
    fn log(&self, _: LogContext<'_>, level: LogLevel, message: &[u8]) {
        let line = format!("{level:?}: {}\n", String::from_utf8_lossy(message));
        self.0.lock().unwrap().push_str(&line);
    }
}

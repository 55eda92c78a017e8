//! Envoy with the filter in front of an upstream.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::envoy::Envoy;
use super::issuer::Issuer;
use super::server::Server;

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A port on which nothing listens: connections to it are refused.
pub(crate) const NOBODY: u16 = 1;

/// How to set up Envoy. Start from [`Setup::new`] and change what the test is about.
pub(crate) struct Setup {
    /// The configuration of the filter. A string becomes a `StringValue`, anything else a `Struct`.
    pub(crate) config: Value,
    /// The number of workers.
    pub(crate) concurrency: u32,
    /// Clusters besides the upstream: names and ports.
    pub(crate) clusters: Vec<(String, u16)>,
    /// The filter's module.
    pub(crate) wasm: PathBuf,
    /// Fields to add to `vm_config`.
    pub(crate) vm_config: Value,
    /// Fields to add to the filter's `config`.
    pub(crate) plugin_config: Value,
    /// HTTP filters to use instead of the filter.
    pub(crate) instead: Option<Vec<Value>>,
    /// Fields to add to the route.
    pub(crate) route: Value,
    /// Fields to add to the configuration of the connection manager.
    pub(crate) connection_manager: Value,
    /// The transport socket of the listener; `null` if it has none.
    pub(crate) transport_socket: Value,
}

impl Setup {
    /// The filter with this configuration, in one worker.
    pub(crate) fn new(config: Value) -> Self {
        Self {
            config,
            concurrency: 1,
            clusters: Vec::new(),
            wasm: root().join("target/wasm32-wasip1/release/bearer_gate.wasm"),
            vm_config: json!({}),
            plugin_config: json!({}),
            instead: None,
            route: json!({}),
            connection_manager: json!({}),
            transport_socket: Value::Null,
        }
    }

    /// The filter with a configuration that admits the tokens of `issuer`.
    pub(crate) fn trusting(issuer: &Issuer) -> Self {
        Self::new(Issuer::config()).cluster("issuer", &issuer.server)
    }

    /// Replaces the configuration of the filter.
    pub(crate) fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// Sets the number of workers.
    pub(crate) fn workers(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Adds a cluster with this server.
    pub(crate) fn cluster(self, name: &str, server: &Server) -> Self {
        self.cluster_at(name, server.port)
    }

    /// Adds a cluster whose only host is this port of this machine.
    pub(crate) fn cluster_at(mut self, name: &str, port: u16) -> Self {
        self.clusters.push((name.to_owned(), port));
        self
    }

    /// Starts Envoy in front of an upstream whose answers describe the requests it gets.
    pub(crate) fn start(self) -> Gate {
        let upstream = Server::echo();
        let envoy = Envoy::start(&self.bootstrap(upstream.port), self.concurrency);
        Gate { envoy, upstream }
    }

    /// Starts Envoy with a configuration that it must refuse, and returns its log.
    pub(crate) fn refused(self) -> String {
        match Envoy::try_start(&self.bootstrap(NOBODY), self.concurrency) {
            Err(log) => log,
            Ok(envoy) => panic!("Envoy started with a wrong configuration:\n{}", envoy.log()),
        }
    }

    /// The HTTP filter in Envoy's configuration.
    pub(crate) fn filter(&self) -> Value {
        assert!(
            self.wasm.exists(),
            "{} is missing: build it with `make build`",
            self.wasm.display()
        );
        let (kind, value) = match &self.config {
            Value::String(_) => ("StringValue", &self.config),
            _ => ("Struct", &self.config),
        };
        let vm_config = json!({
            "vm_id": "bearer-gate",
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": self.wasm}},
        });
        let config = json!({
            "name": "bearer-gate",
            "failure_policy": "FAIL_RELOAD",
            "vm_config": merged(vm_config, &self.vm_config),
            "configuration": {
                "@type": format!("type.googleapis.com/google.protobuf.{kind}"),
                "value": value,
            },
        });
        json!({
            "name": "bearer-gate",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": merged(config, &self.plugin_config),
            },
        })
    }

    /// Envoy's complete configuration, with an upstream at this port.
    pub(crate) fn bootstrap(&self, upstream: u16) -> String {
        let mut clusters = vec![cluster("upstream", upstream)];
        clusters.extend(
            self.clusters
                .iter()
                .map(|(name, port)| cluster(name, *port)),
        );
        bootstrap(&self.filter_chain(), &clusters)
    }

    /// The filter chain of a listener that forwards requests to the cluster `upstream`.
    pub(crate) fn filter_chain(&self) -> Value {
        let mut filters = self.instead.clone().unwrap_or_else(|| vec![self.filter()]);
        filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            },
        }));
        let route = json!({
            "match": {"safe_regex": {"regex": ".*"}},
            "route": {"cluster": "upstream", "timeout": "0s"},
        });
        let connection_manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "test",
            "http_filters": filters,
            "route_config": {"virtual_hosts": [{
                "name": "all",
                "domains": ["*"],
                "routes": [merged(route, &self.route)],
            }]},
        });
        let mut chain = json!({"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": merged(connection_manager, &self.connection_manager),
        }]});
        if !self.transport_socket.is_null() {
            chain["transport_socket"] = self.transport_socket.clone();
        }
        chain
    }
}

/// The configuration of an Envoy with one listener.
pub(crate) fn bootstrap(filter_chain: &Value, clusters: &[Value]) -> String {
    bootstrap_of(&[("test", filter_chain.clone())], clusters)
}

/// The configuration of an Envoy with several listeners, given by name and filter chain.
pub(crate) fn bootstrap_of(listeners: &[(&str, Value)], clusters: &[Value]) -> String {
    let listener = |(name, filter_chain): &(&str, Value)| json!({"name": name, "address": address(0), "filter_chains": [filter_chain]});
    json!({
        "node": {"id": "test", "cluster": "test"},
        "admin": {"address": address(0)},
        "static_resources": {
            "listeners": listeners.iter().map(listener).collect::<Vec<_>>(),
            "clusters": clusters,
        },
    })
    .to_string()
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

/// The configuration of a cluster with one host on this machine.
pub(crate) fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "connect_timeout": "60s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
        },
    })
}

/// `object` with the members of `more` added, or replaced where the names are the same.
fn merged(mut object: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    object
}

/// Envoy with the filter, and the upstream behind it.
pub(crate) struct Gate {
    pub(crate) envoy: Envoy,
    pub(crate) upstream: Server,
}

impl Deref for Gate {
    type Target = Envoy;

    fn deref(&self) -> &Envoy {
        &self.envoy
    }
}

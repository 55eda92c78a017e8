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

/// How Envoy is to be set up. Start from [`Setup::new`] and change what the test is about.
pub(crate) struct Setup {
    /// The configuration of the filter: a string is handed over as a `StringValue`, all else as a
    /// `Struct`.
    pub(crate) config: Value,
    /// The number of workers.
    pub(crate) concurrency: u32,
    /// Clusters beside the upstream: their names and their ports.
    pub(crate) clusters: Vec<(String, u16)>,
    /// The filter's module.
    pub(crate) wasm: PathBuf,
    /// What is added to `vm_config`.
    pub(crate) vm_config: Value,
    /// What is added to the filter's `config`.
    pub(crate) plugin_config: Value,
    /// HTTP filters to use in place of the filter.
    pub(crate) instead: Option<Vec<Value>>,
    /// What is added to the route.
    pub(crate) route: Value,
    /// What is added to the configuration of the connection manager.
    pub(crate) connection_manager: Value,
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
        }
    }

    /// The filter in front of an issuer, whose tokens it admits.
    pub(crate) fn trusting(issuer: &Issuer) -> Self {
        Self::new(Issuer::config()).cluster("issuer", &issuer.server)
    }

    /// The same with another configuration of the filter.
    pub(crate) fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// The same with this many workers.
    pub(crate) fn workers(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// The same with one more cluster.
    pub(crate) fn cluster(mut self, name: &str, server: &Server) -> Self {
        self.clusters.push((name.to_owned(), server.port));
        self
    }

    /// Starts Envoy in front of an upstream that answers with what it was asked.
    pub(crate) fn start(self) -> Gate {
        let upstream = Server::echo();
        let envoy = Envoy::start(&self.bootstrap(upstream.port), self.concurrency);
        Gate { envoy, upstream }
    }

    /// Starts Envoy with a configuration that it must refuse; answers with its log.
    pub(crate) fn refused(self) -> String {
        match Envoy::try_start(&self.bootstrap(1), self.concurrency) {
            Err(log) => log,
            Ok(envoy) => panic!("Envoy started with a wrong configuration:\n{}", envoy.log()),
        }
    }

    /// The HTTP filter as Envoy's configuration has it.
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

    /// Envoy's whole configuration.
    pub(crate) fn bootstrap(&self, upstream: u16) -> String {
        let mut clusters = vec![cluster("upstream", upstream)];
        clusters.extend(
            self.clusters
                .iter()
                .map(|(name, port)| cluster(name, *port)),
        );
        bootstrap(&self.filter_chain(), &clusters)
    }

    /// The filter chain of a listener that hands requests on to the cluster `upstream`.
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
            "route": {"cluster": "upstream", "timeout": "30s"},
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
        json!({"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": merged(connection_manager, &self.connection_manager),
        }]})
    }
}

/// The configuration of an Envoy with one listener.
pub(crate) fn bootstrap(filter_chain: &Value, clusters: &[Value]) -> String {
    bootstrap_of(&[("test", filter_chain.clone())], clusters)
}

/// The configuration of an Envoy with several listeners, which have these names and filter chains.
pub(crate) fn bootstrap_of(listeners: &[(&str, Value)], clusters: &[Value]) -> String {
    let listener = |(name, filter_chain): &(&str, Value)| json!({"name": name, "address": address(0), "filter_chains": [filter_chain]});
    json!({
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
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}],
        },
    })
}

/// `object` with the members of `more`, which replace its own of the same names.
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

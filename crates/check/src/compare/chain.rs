//! The `jwt_authn` filters of a file, with the routes behind them.

use serde_json::Value;

use super::native::fields::{flag, get, list, text};
use crate::config_file::ConfigFile;
use crate::configuration::join;

const NATIVE: &str = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";

/// The `jwt_authn` filters that requests of one listener pass.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// Where they are in the file: a JSON path.
    pub(crate) path: String,
    pub(crate) filters: Vec<ChainFilter>,
    /// The route configuration, if the file has it.
    pub(crate) routes: Option<Value>,
    /// Whether Envoy normalizes paths before filters see them.
    pub(crate) normalizes_paths: bool,
    /// Whether Envoy merges adjacent slashes in paths.
    pub(crate) merges_slashes: bool,
}

/// A filter.
#[derive(Clone, Debug)]
pub(crate) struct ChainFilter {
    pub(crate) name: String,
    /// Whether it is off unless a route switches it on.
    pub(crate) off_by_default: bool,
    /// Its configuration, without `@type`.
    pub(crate) config: Value,
    /// Whether it is in a resource of its own.
    is_discovered: bool,
}

/// All chains in the documents of a file, each kind once.
pub(crate) fn find_all(documents: &[Value]) -> Vec<Chain> {
    let mut search = Search {
        documents,
        chains: Vec::new(),
    };
    for document in documents {
        if is_bare(document) {
            let filter = ChainFilter::new("envoy.filters.http.jwt_authn", document.clone());
            search.chains.push(Chain::alone("", filter));
        } else {
            search.visit(document, "", None);
        }
    }
    let mut chains = search.chains;
    // A resource that a chain uses is no chain of its own.
    let used: Vec<String> = chains
        .iter()
        .flat_map(|chain| &chain.filters)
        .filter(|filter| filter.is_discovered)
        .map(|filter| filter.name.clone())
        .collect();
    chains.retain(|chain| match chain.filters.as_slice() {
        [only] if !only.is_discovered && chain.routes.is_none() => !used.contains(&only.name),
        _ => true,
    });
    let mut different: Vec<Chain> = Vec::new();
    for chain in chains {
        if !different.iter().any(|known| known.is_like(&chain)) {
            different.push(chain);
        }
    }
    different
}

impl Chain {
    /// One filter, whose routes are not known.
    fn alone(path: &str, filter: ChainFilter) -> Self {
        Self {
            path: path.to_owned(),
            filters: vec![filter],
            routes: None,
            normalizes_paths: false,
            merges_slashes: false,
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        let configs = |chain: &Self| -> Vec<Value> {
            let filters = chain.filters.iter();
            filters.map(|filter| filter.config.clone()).collect()
        };
        configs(self) == configs(other) && self.routes == other.routes
    }
}

impl ChainFilter {
    fn new(name: &str, config: Value) -> Self {
        Self {
            name: name.to_owned(),
            off_by_default: false,
            config,
            is_discovered: false,
        }
    }
}

struct Search<'d> {
    documents: &'d [Value],
    chains: Vec<Chain>,
}

impl Search<'_> {
    fn visit(&mut self, value: &Value, path: &str, name: Option<&str>) {
        if let Some(config) = native_of(value) {
            let name = name.unwrap_or("envoy.filters.http.jwt_authn");
            let filter = ChainFilter::new(name, config);
            self.chains.push(Chain::alone(path, filter));
            return;
        }
        match value {
            Value::Object(members) => {
                let filters = self.filters(value);
                if !filters.is_empty() {
                    self.chains.push(Chain {
                        path: join(path, "http_filters"),
                        filters,
                        routes: self.routes(value),
                        normalizes_paths: flag(value, "normalize_path"),
                        merges_slashes: flag(value, "merge_slashes"),
                    });
                    return;
                }
                let name = get(value, "name").and_then(Value::as_str);
                for (key, member) in members {
                    self.visit(member, &join(path, key), name);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.visit(item, &format!("{path}[{index}]"), None);
                }
            }
            Value::String(embedded) if embedded.contains(NATIVE) && embedded.contains('\n') => {
                // A file inside the file, such as one in a ConfigMap.
                let file = ConfigFile::parse(embedded.as_bytes());
                let documents = file.into_iter().flat_map(|file| file.documents);
                // A text by itself is no file.
                let documents: Vec<Value> = documents.filter(|one| !one.is_string()).collect();
                for chain in find_all(&documents) {
                    let path = join(path, &chain.path);
                    self.chains.push(Chain { path, ..chain });
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The `jwt_authn` filters of a connection manager.
    fn filters(&self, manager: &Value) -> Vec<ChainFilter> {
        let filters = list(manager, "http_filters").into_iter();
        let native = filters.filter_map(|filter| {
            let name = text(filter, "name");
            let own = get(filter, "typed_config").and_then(native_of);
            let is_discovered = own.is_none() && get(filter, "config_discovery").is_some();
            let config = own.or_else(|| {
                let resource = is_discovered.then(|| {
                    self.find(&|one| {
                        let config = get(one, "typed_config").and_then(native_of);
                        config.filter(|_| text(one, "name") == name)
                    })
                });
                resource.flatten()
            })?;
            Some(ChainFilter {
                name,
                off_by_default: flag(filter, "disabled"),
                config,
                is_discovered,
            })
        });
        native.collect()
    }

    /// The route configuration of a connection manager.
    fn routes(&self, manager: &Value) -> Option<Value> {
        if let Some(routes) = get(manager, "route_config") {
            return Some(routes.clone());
        }
        let name = text(get(manager, "rds")?, "route_config_name");
        self.find(&|one| {
            let is_it = text(one, "name") == name && get(one, "virtual_hosts").is_some();
            is_it.then(|| one.clone())
        })
    }

    /// What `choose` makes of the first object for which it makes something.
    fn find(&self, choose: &dyn Fn(&Value) -> Option<Value>) -> Option<Value> {
        let mut documents = self.documents.iter();
        documents.find_map(|document| find_in(document, choose))
    }
}

fn find_in(value: &Value, choose: &dyn Fn(&Value) -> Option<Value>) -> Option<Value> {
    match value {
        Value::Object(members) => {
            choose(value).or_else(|| members.values().find_map(|one| find_in(one, choose)))
        }
        Value::Array(items) => items.iter().find_map(|one| find_in(one, choose)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// The configuration of `jwt_authn` that a message contains.
fn native_of(message: &Value) -> Option<Value> {
    let kind = message.get("@type")?.as_str()?;
    let mut config = if kind.ends_with(NATIVE) {
        message.clone()
    } else if kind.ends_with(".TypedStruct") && text(message, "type_url").ends_with(NATIVE) {
        get(message, "value")?.clone()
    } else {
        return None;
    };
    if let Some(members) = config.as_object_mut() {
        members.remove("@type");
    }
    Some(config)
}

/// Whether a document is a configuration of `jwt_authn` by itself.
fn is_bare(document: &Value) -> bool {
    let has = |name: &str| document.get(name).is_some();
    let others = [
        "@type",
        "kind",
        "static_resources",
        "filter_chains",
        "resources",
        "name",
    ];
    get(document, "providers").is_some_and(Value::is_object) && !others.iter().any(|name| has(name))
}

//! A bootstrap with nothing but the filters that are compared and their routes.

use serde_json::{Map, Value, json};

use super::chain::Chain;
use super::native::fields::{flag, get, list, text};
use super::provider_key::ProviderKeys;

const TYPE: &str = "type.googleapis.com/envoy.extensions.filters";

/// The bootstrap of an Envoy that runs the filters of `chain`, with `keys` in place of their keys. Every route leads to
/// the cluster `upstream`, which is at this port.
///
/// # Errors
///
/// That a key cannot be made.
pub(crate) fn bootstrap(
    chain: &Chain,
    keys: &mut ProviderKeys,
    upstream: u16,
) -> Result<Value, String> {
    let mut filters = Vec::new();
    for filter in &chain.filters {
        let mut config = keys.replace(&filter.config)?;
        if let Some(members) = config.as_object_mut() {
            let kind = format!("{TYPE}.http.jwt_authn.v3.JwtAuthentication");
            members.insert("@type".to_owned(), kind.into());
        }
        let mut entry = json!({"name": filter.name, "typed_config": config});
        if let Some(members) = entry.as_object_mut().filter(|_| filter.off_by_default) {
            members.insert("disabled".to_owned(), true.into());
        }
        filters.push(entry);
    }
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": format!("{TYPE}.http.router.v3.Router")},
    }));
    let names: Vec<&str> = chain
        .filters
        .iter()
        .map(|filter| filter.name.as_str())
        .collect();
    let manager = json!({
        "@type": format!("{TYPE}.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "compare",
        "http_filters": filters,
        "route_config": route_config(chain.routes.as_ref(), &names),
    });
    let address =
        |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let endpoint = json!({"endpoint": {"address": address(upstream)}});
    Ok(json!({
        "admin": {"address": address(0)},
        "static_resources": {
            "listeners": [{
                "name": "compare",
                "address": address(0),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }]}],
            }],
            "clusters": [{
                "name": "upstream",
                "load_assignment": {
                    "cluster_name": "upstream",
                    "endpoints": [{"lb_endpoints": [endpoint]}],
                },
            }],
        },
    }))
}

/// The routes that are compared: what they match and what they choose of the filters with these names.
fn route_config(routes: Option<&Value>, filters: &[&str]) -> Value {
    let Some(routes) = routes else {
        return json!({"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}],
        }]});
    };
    let hosts = list(routes, "virtual_hosts").into_iter().enumerate();
    let hosts = hosts.map(|(index, host)| {
        let routes = list(host, "routes").into_iter().map(|route| {
            let mut members = choices(route, filters);
            let matching = get(route, "match").cloned().unwrap_or_default();
            members.insert("match".to_owned(), matching);
            let action = json!({"cluster": "upstream", "timeout": "0s"});
            members.insert("route".to_owned(), action);
            Value::from(members)
        });
        let routes: Vec<Value> = routes.collect();
        let mut members = choices(host, filters);
        let domains: Vec<Value> = list(host, "domains").into_iter().cloned().collect();
        members.insert("name".to_owned(), format!("host-{index}").into());
        members.insert("domains".to_owned(), domains.into());
        members.insert("routes".to_owned(), routes.into());
        Value::from(members)
    });
    let hosts: Vec<Value> = hosts.collect();
    let mut members = choices(routes, filters);
    members.insert("virtual_hosts".to_owned(), hosts.into());
    members.into()
}

/// What a route, virtual host or route configuration chooses of the filters with these names.
fn choices(level: &Value, filters: &[&str]) -> Map<String, Value> {
    let configs = get(level, "typed_per_filter_config").and_then(Value::as_object);
    let configs = configs.into_iter().flatten();
    let kept: Map<String, Value> = configs
        .filter(|(name, _)| filters.contains(&name.as_str()))
        .map(|(name, config)| (name.clone(), config.clone()))
        .collect();
    let mut members = Map::new();
    if !kept.is_empty() {
        members.insert("typed_per_filter_config".to_owned(), kept.into());
    }
    members
}

/// The connection manager in such a bootstrap, also after its conversion.
pub(crate) fn manager(bootstrap: &Value) -> &Value {
    let path = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    bootstrap.pointer(path).unwrap_or(&Value::Null)
}

/// The names of the filters of this type in such a bootstrap, and whether they are off by default.
pub(crate) fn filters_of_type(bootstrap: &Value, kind: &str) -> Vec<(String, bool)> {
    let filters = list(manager(bootstrap), "http_filters").into_iter();
    let matching = filters.filter(|filter| {
        let config = get(filter, "typed_config");
        config.is_some_and(|config| text(config, "@type").ends_with(kind))
    });
    matching
        .map(|filter| (text(filter, "name"), flag(filter, "disabled")))
        .collect()
}

/// The configurations of `jwt_authn` in such a bootstrap.
pub(crate) fn filter_configs(bootstrap: &Value) -> Vec<&Value> {
    let filters = list(manager(bootstrap), "http_filters").into_iter();
    let configs = filters.filter_map(|filter| get(filter, "typed_config"));
    configs
        .filter(|config| text(config, "@type").ends_with(".JwtAuthentication"))
        .collect()
}

//! Routes of Envoy that are selected by what the filter changes.
//!
//! With `per_route_requirements` the filter judges a request by the route that Envoy has selected. Envoy
//! selects again when the filter removes or sets a header. If a route matches on that, the request may
//! be sent by another route than the one that was judged.

use gate::policy::{Location, Policy, Provider};
use serde_json::{Map, Value};

use crate::config_file::is_configuration;
use crate::configuration::join;
use crate::plugin::Plugin;

/// What a route matches on.
enum Matched<'v> {
    Header(&'v str),
    Parameter(&'v str),
    Cookie(&'v str),
    FilterState(&'v str),
}

/// Warns of each route in `document`, which is at `path`, that matches on something that the filter
/// removes or sets.
pub(crate) fn warnings(policy: &Policy, document: &Value, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    if policy.options.per_route_requirements && !is_configuration(document) {
        search(document, path, &mut |path, matched| {
            if let Some(what) = changed(policy, &matched) {
                warnings.push(format!(
                    "{path} matches on {what}: Envoy may send a request by another route than the \
                     one whose requirement was fulfilled"
                ));
            }
        });
    }
    warnings
}

/// Calls `found` for everything that routes in `value`, which is at `path`, match on.
fn search<'v>(value: &'v Value, path: &str, found: &mut impl FnMut(&str, Matched<'v>)) {
    match value {
        // Rules of the filter have matches too.
        Value::Object(object) if !Plugin::find_all(object).is_empty() => {}
        Value::Object(object) => {
            for matched in matched_by(object) {
                found(path, matched);
            }
            for (name, value) in object {
                // Other filters have their own ideas of a match.
                if !IGNORED.contains(&name.as_str()) {
                    search(value, &join(path, name), found);
                }
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                search(value, &format!("{path}[{index}]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The members of listeners, virtual hosts and routes that select no route.
const IGNORED: [&str; 8] = [
    "access_log",
    "accessLog",
    "http_filters",
    "httpFilters",
    "metadata",
    "typed_per_filter_config",
    "typedPerFilterConfig",
    "tracing",
];

/// What `object` matches on: a `Route`, an input of a matcher tree, or a part of the key of scoped
/// routes.
fn matched_by(object: &Map<String, Value>) -> Vec<Matched<'_>> {
    let mut matched = Vec::new();
    if let Some(Value::Object(route)) = object.get("match") {
        matched.extend(names(route, "headers", "headers", "name").map(Matched::Header));
        let parameters = names(route, "query_parameters", "queryParameters", "name");
        matched.extend(parameters.map(Matched::Parameter));
        matched.extend(names(route, "cookies", "cookies", "name").map(Matched::Cookie));
        let states = names(route, "filter_state", "filterState", "key");
        matched.extend(states.map(Matched::FilterState));
    }
    let kind = object.get("@type").and_then(Value::as_str);
    let kind = kind.and_then(|kind| kind.rsplit('.').next());
    match kind {
        Some("HttpRequestHeaderMatchInput") => {
            matched.extend(text(object, "header_name", "headerName").map(Matched::Header));
        }
        Some("HttpRequestQueryParamMatchInput") => {
            matched.extend(text(object, "query_param", "queryParam").map(Matched::Parameter));
        }
        Some("FilterStateInput") => {
            matched.extend(text(object, "key", "key").map(Matched::FilterState));
        }
        _ => {}
    }
    let extractor = member(object, "header_value_extractor", "headerValueExtractor");
    if let Some(extractor) = extractor.and_then(Value::as_object) {
        matched.extend(text(extractor, "name", "name").map(Matched::Header));
    }
    matched
}

/// The texts `name` of the objects in the list that has these two spellings.
fn names<'v>(
    object: &'v Map<String, Value>,
    snake: &str,
    camel: &str,
    name: &'static str,
) -> impl Iterator<Item = &'v str> {
    let list = member(object, snake, camel).and_then(Value::as_array);
    let entries = list.into_iter().flatten();
    entries.filter_map(move |entry| entry.get(name)?.as_str())
}

fn text<'v>(object: &'v Map<String, Value>, snake: &str, camel: &str) -> Option<&'v str> {
    member(object, snake, camel)?.as_str()
}

fn member<'v>(object: &'v Map<String, Value>, snake: &str, camel: &str) -> Option<&'v Value> {
    object.get(snake).or_else(|| object.get(camel))
}

/// What the filter changes of that which is matched; `None` if it leaves it as it is.
fn changed(policy: &Policy, matched: &Matched<'_>) -> Option<String> {
    let removes = |is_there: &dyn Fn(&Location) -> bool| {
        let mut providers = policy.providers.iter();
        providers.any(|provider| removes_token(provider, is_there))
    };
    match matched {
        Matched::Header(name) => {
            let name = name.to_ascii_lowercase();
            if policy.must_remove(name.as_bytes()) {
                return Some(format!("the header {name}, which clients may not send"));
            }
            let is_there = |location: &Location| match location {
                Location::Parameter(_) => name == ":path",
                Location::Header { .. } | Location::Cookie(_) => location.header() == Some(&name),
            };
            removes(&is_there)
                .then(|| format!("the header {name}, which changes when the token is removed"))
        }
        Matched::Parameter(name) => {
            let is_there =
                |location: &Location| matches!(location, Location::Parameter(one) if one == name);
            removes(&is_there).then(|| {
                format!("the query parameter {name}, which the filter removes with the token")
            })
        }
        Matched::Cookie(name) => {
            let is_there =
                |location: &Location| matches!(location, Location::Cookie(one) if one == name);
            removes(&is_there)
                .then(|| format!("the cookie {name}, which the filter removes with the token"))
        }
        Matched::FilterState(key) => {
            let key = key.strip_prefix("wasm.")?;
            let mut providers = policy.providers.iter();
            let is_set = providers.any(|provider| {
                let mut states = provider.forwarding.filter_state.iter();
                states.any(|state| state.target == key)
            });
            is_set.then(|| format!("the filter state wasm.{key}, which the filter sets"))
        }
    }
}

/// Whether the filter removes a token of `provider` from a place that `is_there` selects.
fn removes_token(provider: &Provider, is_there: &dyn Fn(&Location) -> bool) -> bool {
    !provider.forward && provider.locations.iter().any(|location| is_there(location))
}

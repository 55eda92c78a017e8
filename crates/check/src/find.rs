//! Where in a file configurations of the filter are.

use serde_json::{Map, Value};

use super::document::Document;
use crate::config::Environment;

/// A configuration in a file.
pub(super) struct Found {
    /// Where it is; empty where it is the whole file.
    pub(super) at: String,
    /// Its text; empty where there is none although there should be.
    pub(super) json: Vec<u8>,
    /// The environment variables that it sees.
    pub(super) variables: Variables,
}

/// The environment variables that a plugin sees.
#[derive(Clone, Default)]
pub(super) struct Variables {
    /// Those that it is given.
    given: Vec<(String, String)>,
    /// Those that it has from its host's environment; all, where nothing is said of them.
    of_host: Option<Vec<String>>,
}

impl Variables {
    /// Reads a variable; `host` is the environment of the host.
    pub(super) fn read(&self, name: &str, host: Environment<'_>) -> Option<String> {
        let given = self.given.iter().find(|(known, _)| known == name);
        if let Some((_, value)) = given {
            return Some(value.clone());
        }
        let of_host = self.of_host.as_ref();
        let named = of_host.is_none_or(|names| names.iter().any(|known| known == name));
        named.then(|| host(name))?
    }

    /// What Envoy's `vm_config` says of them.
    fn of_vm(vm: &Value) -> Self {
        let either = |value: &Value, snake: &str, camel: &str| {
            let field = value.get(snake).or_else(|| value.get(camel));
            field.cloned().unwrap_or_default()
        };
        let variables = either(vm, "environment_variables", "environmentVariables");
        let given = either(&variables, "key_values", "keyValues");
        let of_host = either(&variables, "host_env_keys", "hostEnvKeys");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let given = given.as_object().into_iter().flatten();
        let of_host = of_host.as_array().into_iter().flatten();
        Self {
            given: given
                .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
                .collect(),
            of_host: Some(of_host.filter_map(text).collect()),
        }
    }
}

/// Every configuration of the filter.
pub(super) fn configurations(documents: &[Document]) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let at = match kubernetes_name(&document.value) {
            Some(name) => name,
            None if documents.len() > 1 => format!("document {}", index.saturating_add(1)),
            None => String::new(),
        };
        if is_bare(&document.value) {
            let text = document.json.clone();
            let json = text.unwrap_or_else(|| document.value.to_string().into_bytes());
            let variables = Variables::default();
            found.push(Found {
                at,
                json,
                variables,
            });
        } else {
            search(&document.value, &at, &mut found);
        }
    }
    found
}

/// Whether a document is a configuration itself, and not something that has one in it.
pub(super) fn is_bare(document: &Value) -> bool {
    const OURS: [&str; 4] = ["providers", "rules", "requirement_map", "requirementMap"];
    const OTHERS: [&str; 5] = [
        "@type",
        "kind",
        "static_resources",
        "filter_chains",
        "resources",
    ];
    let has = |name: &&str| document.get(*name).is_some();
    OURS.iter().any(has) && !OTHERS.iter().any(has)
}

/// Looks for plugins in `value`, which is at `at`.
fn search(value: &Value, at: &str, found: &mut Vec<Found>) {
    match value {
        Value::Object(object) => {
            let plugins = plugins(object);
            if plugins.is_empty() {
                for (name, value) in object {
                    search(value, &join(at, name), found);
                }
            }
            for plugin in plugins.iter().filter(|plugin| plugin.is_ours()) {
                let at = join(at, &plugin.at);
                found.push(Found {
                    at,
                    json: plugin.json(),
                    variables: plugin.variables.clone(),
                });
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                let at = match kubernetes_name(value) {
                    Some(name) => join(at, &name),
                    None => format!("{at}[{index}]"),
                };
                search(value, &at, found);
            }
        }
        _ => {}
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        name.to_owned()
    } else {
        format!("{at}.{name}")
    }
}

/// The kind and the name of a Kubernetes object.
fn kubernetes_name(value: &Value) -> Option<String> {
    let kind = value.get("kind")?.as_str()?;
    value.get("apiVersion")?;
    let name = value.pointer("/metadata/name")?.as_str()?;
    Some(format!("{kind}/{name}"))
}

/// A wasm plugin, whosever it is.
struct Plugin<'v> {
    /// Where its configuration is in the object that describes it.
    at: String,
    /// What may tell whose it is: names and where its code comes from.
    about: Vec<&'v Value>,
    configuration: Option<&'v Value>,
    variables: Variables,
}

/// The plugins that `object` describes.
fn plugins(object: &Map<String, Value>) -> Vec<Plugin<'_>> {
    // Envoy's `PluginConfig`, wherever it is.
    if let Some(vm) = object.get("vm_config").or_else(|| object.get("vmConfig")) {
        return vec![Plugin {
            at: "configuration".to_owned(),
            about: [Some(vm), object.get("name")]
                .into_iter()
                .flatten()
                .collect(),
            configuration: object.get("configuration"),
            variables: Variables::of_vm(vm),
        }];
    }
    let spec = object.get("spec").and_then(Value::as_object);
    match (object.get("kind").and_then(Value::as_str), spec) {
        (Some("WasmPlugin"), Some(spec)) => vec![Plugin {
            at: "spec.pluginConfig".to_owned(),
            about: [
                spec.get("url"),
                spec.get("pluginName"),
                object.get("metadata"),
            ]
            .into_iter()
            .flatten()
            .collect(),
            configuration: spec.get("pluginConfig"),
            variables: Variables::default(),
        }],
        (Some("EnvoyExtensionPolicy"), Some(spec)) => {
            let wasm = spec.get("wasm").and_then(Value::as_array);
            let plugins = wasm.into_iter().flatten().enumerate();
            plugins
                .map(|(index, wasm)| plugin_of_gateway(index, wasm))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// One of the `wasm` of an `EnvoyExtensionPolicy`.
fn plugin_of_gateway(index: usize, wasm: &Value) -> Plugin<'_> {
    Plugin {
        at: format!("spec.wasm[{index}].config"),
        about: [wasm.get("name"), wasm.get("code")]
            .into_iter()
            .flatten()
            .collect(),
        configuration: wasm.get("config"),
        variables: Variables::default(),
    }
}

impl Plugin<'_> {
    /// Whether it is of this filter: it says so, or is configured like it.
    fn is_ours(&self) -> bool {
        let named = self.about.iter().any(|about| {
            let about = about.to_string().to_ascii_lowercase();
            about.contains("bearer-gate") || about.contains("bearer_gate")
        });
        named || {
            let json = serde_json::from_slice(&self.json()).unwrap_or(Value::Null);
            json.get("providers").is_some_and(Value::is_object)
        }
    }

    /// The configuration as the filter gets to see it.
    fn json(&self) -> Vec<u8> {
        let Some(configuration) = self.configuration else {
            return Vec::new();
        };
        // A message of protobuf: a string that holds the text, or a Struct.
        let inner = match configuration.get("@type") {
            Some(_) => configuration.get("value").unwrap_or(&Value::Null),
            None => configuration,
        };
        match inner {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            inner => inner.to_string().into_bytes(),
        }
    }
}

//! The configurations of the filter in a file.

use serde_json::Value;

use crate::config_file::{ConfigFile, is_configuration};
use crate::plugin::Plugin;
use crate::variables::Variables;

/// A configuration of the filter in a file.
pub(crate) struct Configuration {
    /// Its path in the file; empty if it is the whole file.
    pub(crate) path: String,
    /// Its text; empty if the plugin has no configuration.
    pub(crate) json: Vec<u8>,
    /// The environment variables that the filter sees.
    pub(crate) variables: Variables,
}

impl Configuration {
    /// All configurations of the filter in `file`.
    pub(crate) fn find_all(file: &ConfigFile) -> Vec<Self> {
        let mut found = Vec::new();
        for (path, document) in documents(file) {
            if is_configuration(document) {
                let text = file.json.clone();
                found.push(Self {
                    path,
                    json: text.unwrap_or_else(|| document.to_string().into_bytes()),
                    variables: Variables::default(),
                });
            } else {
                search(document, &path, &mut found);
            }
        }
        found
    }
}

/// The documents of `file` with their paths.
pub(crate) fn documents(file: &ConfigFile) -> impl Iterator<Item = (String, &Value)> {
    let documents = file.documents.iter().enumerate();
    documents.map(|(index, document)| {
        let path = match kubernetes_name(document) {
            Some(name) => name,
            None if file.documents.len() > 1 => {
                format!("document {}", index.saturating_add(1))
            }
            None => String::new(),
        };
        (path, document)
    })
}

/// Searches `value`, which is at `path`, for plugins.
fn search(value: &Value, path: &str, found: &mut Vec<Configuration>) {
    match value {
        Value::Object(object) => {
            let plugins = Plugin::find_all(object);
            if plugins.is_empty() {
                for (name, value) in object {
                    search(value, &join(path, name), found);
                }
            }
            for plugin in plugins.into_iter().filter(Plugin::is_this_filter) {
                found.push(Configuration {
                    path: join(path, &plugin.path),
                    json: plugin.json(),
                    variables: plugin.variables,
                });
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                let path = match kubernetes_name(value) {
                    Some(name) => join(path, &name),
                    None => format!("{path}[{index}]"),
                };
                search(value, &path, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The path of the member `name` of the object at `path`.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// `Kind/name` of a Kubernetes object.
fn kubernetes_name(value: &Value) -> Option<String> {
    let kind = value.get("kind")?.as_str()?;
    value.get("apiVersion")?;
    let name = value.pointer("/metadata/name")?.as_str()?;
    Some(format!("{kind}/{name}"))
}

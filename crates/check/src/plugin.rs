//! Wasm plugins in the resources of Envoy and Kubernetes.

use serde_json::{Map, Value};

use crate::variables::Variables;

/// A wasm plugin: this filter or another one.
pub(crate) struct Plugin<'v> {
    /// The path of its configuration in the object that describes the plugin.
    pub(crate) path: String,
    /// The environment variables that it sees.
    pub(crate) variables: Variables,
    /// Names and sources of code, which show what plugin it is.
    marks: Vec<&'v Value>,
    configuration: Option<&'v Value>,
}

impl<'v> Plugin<'v> {
    /// The plugins that `object` describes.
    pub(crate) fn find_all(object: &'v Map<String, Value>) -> Vec<Self> {
        // A `PluginConfig` of Envoy, wherever it is.
        if let Some(vm) = object.get("vm_config").or_else(|| object.get("vmConfig")) {
            return vec![Self {
                path: "configuration".to_owned(),
                variables: Variables::from_vm_config(vm),
                marks: present([Some(vm), object.get("name")]),
                configuration: object.get("configuration"),
            }];
        }
        let kind = object.get("kind").and_then(Value::as_str);
        let spec = object.get("spec").and_then(Value::as_object);
        match (kind, spec) {
            (Some("WasmPlugin"), Some(spec)) => vec![Self {
                path: "spec.pluginConfig".to_owned(),
                variables: Variables::default(),
                marks: present([
                    spec.get("url"),
                    spec.get("pluginName"),
                    object.get("metadata"),
                ]),
                configuration: spec.get("pluginConfig"),
            }],
            (Some("EnvoyExtensionPolicy"), Some(spec)) => {
                let wasm = spec.get("wasm").and_then(Value::as_array);
                let plugins = wasm.into_iter().flatten().enumerate();
                plugins
                    .map(|(index, wasm)| Self::from_extension_policy(index, wasm))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The plugin `spec.wasm[index]` of an `EnvoyExtensionPolicy`.
    fn from_extension_policy(index: usize, wasm: &'v Value) -> Self {
        Self {
            path: format!("spec.wasm[{index}].config"),
            variables: Variables::default(),
            marks: present([wasm.get("name"), wasm.get("code")]),
            configuration: wasm.get("config"),
        }
    }

    /// Whether it is this filter: by its name, its code or its configuration.
    pub(crate) fn is_this_filter(&self) -> bool {
        let is_named = self.marks.iter().any(|mark| {
            let mark = mark.to_string().to_ascii_lowercase();
            mark.contains("bearer-gate") || mark.contains("bearer_gate")
        });
        is_named || {
            let json = serde_json::from_slice(&self.json()).unwrap_or(Value::Null);
            json.get("providers").is_some_and(Value::is_object)
        }
    }

    /// The configuration as the filter receives it; empty if there is none.
    pub(crate) fn json(&self) -> Vec<u8> {
        let Some(configuration) = self.configuration else {
            return Vec::new();
        };
        // With `@type` it is a protobuf message: a string that holds the text, or a Struct.
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

fn present<const N: usize>(values: [Option<&Value>; N]) -> Vec<&Value> {
    values.into_iter().flatten().collect()
}

//! The dynamic metadata of the request to decide on.

use gate::request::{MetadataName, MetadataSource};
use serde_json::{Map, Value};

/// Metadata from the command line: values by filter and key.
#[derive(Default)]
pub(crate) struct TrialMetadata(Map<String, Value>);

impl TrialMetadata {
    /// Parses a JSON object such as `{"envoy.filters.http.mcp": {"method": "tools/list"}}`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(Value::Object(filters)) => Ok(Self(filters)),
            Ok(_) => Err("--dynamic-metadata: is not a JSON object".to_owned()),
            Err(error) => Err(format!("--dynamic-metadata: {error}")),
        }
    }
}

impl MetadataSource for TrialMetadata {
    fn value(&self, name: &MetadataName) -> Option<Vec<u8>> {
        let mut value = self.0.get(&name.filter)?;
        for key in &name.path {
            value = value.get(key)?;
        }
        let bytes = match value {
            Value::Null => Vec::new(),
            Value::Bool(truth) => vec![u8::from(*truth)],
            Value::String(text) => text.clone().into_bytes(),
            // Conditions do not look into these.
            Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string().into_bytes(),
        };
        (!bytes.is_empty()).then_some(bytes)
    }
}

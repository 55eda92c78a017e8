//! A file, parsed.

use gate_config::UniqueValue;
use serde_json::Value;

use crate::syntax_hint::hint;

/// A file: JSON, or YAML with one document or several.
pub(crate) struct ConfigFile {
    /// Its documents; only one if it is JSON.
    pub(crate) documents: Vec<Value>,
    /// Its text if it is JSON.
    pub(crate) json: Option<Vec<u8>>,
}

impl ConfigFile {
    /// Parses the content of a file.
    ///
    /// # Errors
    ///
    /// Why it is neither JSON nor YAML. The text shows no snippet of the file, which may contain a
    /// secret.
    pub(crate) fn parse(content: &[u8]) -> Result<Self, String> {
        let error = match serde_json::from_slice(content) {
            Ok(UniqueValue(value)) => return Ok(Self::json(content, value)),
            Err(error) => error,
        };
        if error.is_data() {
            // A name is repeated. In a configuration the filter's own error says where.
            let value = serde_json::from_slice(content).map_err(|error| error.to_string())?;
            return if is_configuration(&value) {
                Ok(Self::json(content, value))
            } else {
                Err(error.to_string())
            };
        }
        if looks_like_json(content) {
            let hint = hint(&String::from_utf8_lossy(content));
            return Err(format!("is not JSON: {error}{hint}"));
        }
        let text = str::from_utf8(content).map_err(|error| format!("is not UTF-8: {error}"))?;
        let options = serde_saphyr::options! { with_snippet: false };
        let documents: Vec<UniqueValue> =
            serde_saphyr::from_multiple_with_options(text, options)
                .map_err(|error| format!("is neither JSON nor YAML: {error}{}", hint(text)))?;
        Ok(Self {
            documents: documents
                .into_iter()
                .map(|UniqueValue(value)| value)
                .collect(),
            json: None,
        })
    }

    fn json(content: &[u8], value: Value) -> Self {
        Self {
            documents: vec![value],
            json: Some(content.to_vec()),
        }
    }
}

/// Whether `document` is itself a configuration of the filter, rather than something that contains
/// one.
pub(crate) fn is_configuration(document: &Value) -> bool {
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

/// Whether invalid JSON was meant to be JSON. YAML in flow style also begins with a brace, but seldom
/// quotes names.
fn looks_like_json(content: &[u8]) -> bool {
    let inside = content.trim_ascii_start().strip_prefix(b"{");
    inside.is_some_and(|inside| inside.trim_ascii_start().starts_with(b"\""))
}

//! The text of a file as values, whether JSON or YAML.

use serde_json::Value;

use crate::config::Unique;

/// A document of a file.
pub(super) struct Document {
    /// Its value.
    pub(super) value: Value,
    /// Its text, where it is JSON.
    pub(super) json: Option<Vec<u8>>,
}

/// Reads a file: a JSON text, or YAML with one document or several.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Document>, String> {
    let problem = match serde_json::from_slice(file) {
        Ok(Unique(value)) => return Ok(vec![of_json(file, value)]),
        Err(problem) => problem,
    };
    if problem.is_data() {
        // A name is given twice. Of a configuration the filter itself says where.
        let value = serde_json::from_slice(file).map_err(|problem| problem.to_string())?;
        let document = of_json(file, value);
        return if super::find::is_bare(&document.value) {
            Ok(vec![document])
        } else {
            Err(problem.to_string())
        };
    }
    if file.trim_ascii_start().starts_with(b"{") && serde_json_is_meant(file) {
        return Err(format!("is not JSON: {problem}"));
    }
    let text = str::from_utf8(file).map_err(|problem| format!("is not UTF-8: {problem}"))?;
    let options = serde_saphyr::options! {
        // It could show a secret.
        with_snippet: false,
    };
    let values: Vec<Unique> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|problem| format!("is neither JSON nor YAML: {problem}"))?;
    let of_yaml = |Unique(value)| Document { value, json: None };
    Ok(values.into_iter().map(of_yaml).collect())
}

fn of_json(file: &[u8], value: Value) -> Document {
    let json = Some(file.to_vec());
    Document { value, json }
}

/// Whether what begins with a brace is JSON with a mistake, and not YAML in its flow style: that
/// has no quotation marks around names.
fn serde_json_is_meant(file: &[u8]) -> bool {
    let inside = file.trim_ascii_start().strip_prefix(b"{");
    inside.is_some_and(|inside| inside.trim_ascii_start().starts_with(b"\""))
}

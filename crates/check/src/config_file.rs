//! A file, parsed.

use std::fmt;

use gate_config::UniqueValue;
use serde_json::Value;

use crate::syntax_hint::hint;

/// Why a file is neither JSON nor YAML.
#[derive(Debug)]
pub(crate) struct Unparsed {
    /// Line and column, both from 1.
    place: Option<(usize, usize)>,
    text: String,
}

impl Unparsed {
    /// The error of a parser of JSON, between two texts.
    fn json(before: &str, error: &serde_json::Error, after: &str) -> Self {
        let (line, column) = (error.line(), error.column());
        let error = error.to_string();
        let suffix = format!(" at line {line} column {column}");
        let error = error.strip_suffix(&suffix).unwrap_or(&error);
        Self {
            place: (line > 0).then_some((line, column.max(1))),
            text: format!("{before}{error}{after}"),
        }
    }

    /// The error of a parser of YAML.
    fn yaml(error: &serde_saphyr::Error, hint: &str) -> Self {
        let location = error.location();
        let place = location.and_then(|location| {
            let line = usize::try_from(location.line()).ok()?;
            Some((line, usize::try_from(location.column()).ok()?))
        });
        let mut text = error.to_string();
        if let Some((line, column)) = place {
            text = text.replace(&format!(" at line {line}, column {column}"), "");
        }
        // Advice for programmers.
        text = text.replace(", set DuplicateKeyPolicy in Options if acceptable", "");
        Self {
            place,
            text: format!("is neither JSON nor YAML: {text}{hint}"),
        }
    }

    /// The sentence about the file `name`, with line and column.
    pub(crate) fn in_file(&self, name: &str) -> String {
        match self.place {
            Some((line, column)) => format!("{name}:{line}:{column}: {}", self.text),
            None => format!("{name}: {}", self.text),
        }
    }
}

impl fmt::Display for Unparsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.place {
            Some((line, column)) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

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
    pub(crate) fn parse(content: &[u8]) -> Result<Self, Unparsed> {
        let error = match serde_json::from_slice(content) {
            Ok(UniqueValue(value)) => return Ok(Self::json(content, value)),
            Err(error) => error,
        };
        if error.is_data() {
            // A name is repeated. In a configuration the filter's own error says where.
            let value =
                serde_json::from_slice(content).map_err(|error| Unparsed::json("", &error, ""))?;
            return if is_configuration(&value) {
                Ok(Self::json(content, value))
            } else {
                Err(Unparsed::json("", &error, ""))
            };
        }
        if looks_like_json(content) {
            let hint = hint(&String::from_utf8_lossy(content));
            return Err(Unparsed::json("is not JSON: ", &error, hint));
        }
        let text = str::from_utf8(content).map_err(|_| Unparsed {
            place: None,
            text: "is not UTF-8".to_owned(),
        })?;
        let options = serde_saphyr::options! { with_snippet: false };
        let documents: Vec<UniqueValue> = serde_saphyr::from_multiple_with_options(text, options)
            .map_err(|error| Unparsed::yaml(&error, hint(text)))?;
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

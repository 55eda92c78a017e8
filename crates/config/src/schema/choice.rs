//! The schema of a choice between words.

use schemars::{Schema, json_schema};
use serde_json::json;

use super::object_schema::describe;

/// The schema of one of these words, each with its documentation.
pub(crate) fn choice(docs: &[&str], words: &[(&str, &[&str])]) -> Schema {
    let is_documented = words.iter().any(|(_, docs)| !docs.is_empty());
    let mut schema = if is_documented {
        let words = words.iter().map(|(word, docs)| {
            let mut schema = json_schema!({"type": "string", "const": word});
            describe(&mut schema, docs);
            schema
        });
        json_schema!({"oneOf": words.collect::<Vec<_>>()})
    } else {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        json_schema!({"type": "string", "enum": json!(words)})
    };
    describe(&mut schema, docs);
    schema
}

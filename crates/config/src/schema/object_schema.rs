//! The schema of an object.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// The schema of an object with known fields. Documentation is given line by line.
pub(crate) struct ObjectSchema<'g> {
    generator: &'g mut SchemaGenerator,
    schema: Schema,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl<'g> ObjectSchema<'g> {
    /// The schema of an object without fields.
    pub(crate) fn new(generator: &'g mut SchemaGenerator, title: &str, docs: &[&str]) -> Self {
        let mut schema = json_schema!({
            "type": "object",
            "title": title,
            "additionalProperties": false,
        });
        describe(&mut schema, docs);
        Self {
            generator,
            schema,
            properties: Map::new(),
            required: Vec::new(),
        }
    }

    /// Adds a field that must be given.
    pub(crate) fn required<T: JsonSchema>(mut self, name: &'static str, docs: &[&str]) -> Self {
        self.required.push(name);
        self.not_null::<T>(name, docs)
    }

    /// Adds a field that may be absent or null.
    pub(crate) fn optional<T: JsonSchema>(self, name: &'static str, docs: &[&str]) -> Self {
        self.not_null::<Option<T>>(name, docs)
    }

    /// Adds a field that may be absent but not null.
    pub(crate) fn not_null<T: JsonSchema>(self, name: &'static str, docs: &[&str]) -> Self {
        let schema = self.generator.subschema_for::<T>();
        self.with(name, schema, docs)
    }

    /// Adds a field that is not supported.
    pub(crate) fn unsupported(self, name: &str, docs: &[&str]) -> Self {
        let schema = json_schema!({"enum": [null, "", []], "deprecated": true});
        self.with(name, schema, docs)
    }

    fn with(mut self, name: &str, mut field: Schema, docs: &[&str]) -> Self {
        describe(&mut field, docs);
        self.properties.insert(name.to_owned(), field.to_value());
        self
    }

    /// The schema.
    pub(crate) fn into_schema(mut self) -> Schema {
        if !self.properties.is_empty() {
            self.schema
                .insert("properties".to_owned(), self.properties.into());
        }
        if !self.required.is_empty() {
            self.schema
                .insert("required".to_owned(), json!(self.required));
        }
        self.schema
    }
}

/// Adds a description of these lines to a schema, if there are any.
pub(super) fn describe(schema: &mut Schema, docs: &[&str]) {
    if !docs.is_empty() {
        let lines: Vec<&str> = docs.iter().map(|line| line.trim()).collect();
        schema.insert("description".to_owned(), lines.join(" ").into());
    }
}

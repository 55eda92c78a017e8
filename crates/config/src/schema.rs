//! The JSON Schema (2020-12) of the configuration, derived from the types that parse it.
//!
//! `docs/bearer-gate.schema.json` contains it. This module adds what the types do not express: the
//! second spelling of names, bounds of values, and which fields exclude each other. A null counts as
//! an absent field.

mod choice;
mod object_schema;
mod scalars;

use gate::verify::Algorithm;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::config::ConfigWire;
use super::spelling::camel;

pub(crate) use choice::choice;
pub(crate) use object_schema::ObjectSchema;

/// Fields of which exactly one must be given, by the object that they are in.
const ONE_OF: &[(&str, &[&str])] = &[
    (
        "ClaimCondition",
        &["exact", "any_of", "contains", "present"],
    ),
    ("Authorization", &["username", "token_environment_variable"]),
    ("ClaimCondition", CLAIM),
    ("ClaimToFilterState", CLAIM),
    ("ClaimToHeader", CLAIM),
    (
        "Match",
        &["prefix", "path", "path_separated_prefix", "safe_regex"],
    ),
    (
        "LocalJwks",
        &["inline_string", "inline_bytes", "environment_variable"],
    ),
    ("RemoteJwks", &["http_uri", "discovery"]),
    ("RequestHeader", &["value", "value_environment_variable"]),
    (
        "Requirement",
        &[
            "provider_name",
            "provider_and_audiences",
            "requires_any",
            "requires_all",
            "allow",
            "allow_missing",
            "allow_missing_or_failed",
            "extract_only_without_validation",
        ],
    ),
    (
        "ValueMatch",
        &["string_match", "bool_match", "present_match"],
    ),
    (
        "StringMatch",
        &["exact", "prefix", "suffix", "contains", "safe_regex"],
    ),
];

const CLAIM: &[&str] = &["claim_name", "claim_path"];

/// Fields of which at most one may be given.
const ONE_AT_MOST: &[(&str, &[&str])] = &[
    (
        "HeaderMatch",
        &[
            "string_match",
            "present_match",
            "exact_match",
            "prefix_match",
            "suffix_match",
            "contains_match",
            "safe_regex_match",
            "range_match",
        ],
    ),
    ("Provider", &["issuer", "issuers"]),
    ("Provider", &["remote_jwks", "local_jwks"]),
    ("Provider", &["profile", "types"]),
    ("QueryParameterMatch", &["string_match", "present_match"]),
    ("Rule", &["requires", "requirement_name"]),
];

/// Bounds of fields: the object, the field, the keyword and its value.
const BOUNDS: &[(&str, &str, &str, &str)] = &[
    ("ClaimCondition", "any_of", "minItems", "1"),
    (
        "ClaimToFilterState",
        "key",
        "pattern",
        r#""^[A-Za-z0-9_.-]+$""#,
    ),
    ("Config", "providers", "minProperties", "1"),
    ("Config", "resource_metadata", "minItems", "1"),
    ("Config", "resource_metadata", "maxItems", "64"),
    ("Config", "stat_prefix", "pattern", r#""^[!-~]*$""#),
    ("FromHeader", "value_prefix", "pattern", r#""^[ -~]*$""#),
    ("JwtCacheConfig", "jwt_max_token_size", "minimum", "1"),
    ("JwtCacheConfig", "jwt_max_token_size", "maximum", "65536"),
    (
        "Match",
        "path_separated_prefix",
        "pattern",
        r#""^[^?#]*[^/?#]$""#,
    ),
    ("MetadataMatch", "path", "minItems", "1"),
    ("MetadataMatch", "path", "maxItems", "8"),
    ("Provider", "algorithms", "minItems", "1"),
    ("Provider", "issuers", "minItems", "1"),
    ("Provider", "types", "minItems", "1"),
    ("Requirement", "acr_values", "minItems", "1"),
    ("Requirements", "requirements", "minItems", "1"),
    (
        "ResourceMetadata",
        "resource",
        "pattern",
        r#""^(https://[^/?#@]+|http://(localhost|127[.]0[.]0[.]1|\\[::1\\])(:[0-9]+)?)(/[^?#]*)?$""#,
    ),
    ("ResourceMetadata", "authorization_servers", "minItems", "1"),
    (
        "ResourceMetadata",
        "resource_documentation",
        "pattern",
        WEB_URL,
    ),
    (
        "ResourceMetadata",
        "resource_policy_uri",
        "pattern",
        WEB_URL,
    ),
    ("ResourceMetadata", "resource_tos_uri", "pattern", WEB_URL),
    ("ResourceMetadata", "jwks_uri", "pattern", WEB_URL),
    ("ResourceMetadata", "metadata_url", "pattern", WEB_URL),
    ("ResourceMetadata", "metadata_url", "maxLength", "1024"),
];

const WEB_URL: &str = r#""^https?://[^/?#@]+([/?#].*)?$""#;

/// Fields of which at least one must be given.
const ONE_AT_LEAST: &[(&str, &[&str])] =
    &[("Provider", &["remote_jwks", "local_jwks", "introspection"])];

/// The schema of the configuration.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let root = settings
        .into_generator()
        .into_root_schema_for::<ConfigWire>();
    let mut schema = root.to_value();
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        for (name, definition) in definitions {
            finish(name, definition);
        }
    }
    finish("Config", &mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "bearer-gate".into());
        let text = "The configuration of bearer-gate, an OAuth bearer token gate for Envoy.";
        root.insert("description".to_owned(), text.into());
    }
    schema
}

/// Adds to the schema of the object `name` what its type does not express.
fn finish(name: &str, schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    let Some(Value::Object(mut fields)) = schema.remove("properties") else {
        return;
    };
    for field in fields.values_mut() {
        tidy(field);
    }
    for (_, field, keyword, bound) in BOUNDS.iter().filter(|(owner, ..)| *owner == name) {
        let bound: Option<Value> = serde_json::from_str(bound).ok();
        if let (Some(Value::Object(field)), Some(bound)) = (fields.get_mut(*field), bound) {
            field.insert((*keyword).to_owned(), bound);
        }
    }
    if let Some(algorithms) = fields.get_mut("algorithms").and_then(Value::as_object_mut) {
        let names: Vec<_> = Algorithm::names().map(|(name, _)| *name).collect();
        algorithms.insert("items".to_owned(), json!({ "enum": names }));
    }
    fields.values_mut().for_each(accept_other_forms);
    let (mut all, mut twice) = (Vec::new(), Map::new());
    let mut spelt = fields.clone();
    for (snake, field) in fields {
        let camel = camel(&snake);
        if camel != snake {
            twice.insert(camel.clone(), json!({"properties": {snake: false}}));
            spelt.insert(camel, field);
        }
    }
    if let Some(Value::Array(required)) = schema.remove("required") {
        let required = required.iter().filter_map(Value::as_str);
        all.extend(required.map(|field| {
            let has = |name: String| json!({"required": [name]});
            match camel(field) {
                camel if camel == field => has(camel),
                camel => json!({"anyOf": [has(field.to_owned()), has(camel)]}),
            }
        }));
    }
    for (_, fields) in ONE_OF.iter().filter(|(owner, _)| *owner == name) {
        let one: Vec<Value> = fields.iter().map(|field| given(field)).collect();
        all.push(json!({ "oneOf": one }));
    }
    for (_, fields) in ONE_AT_MOST.iter().filter(|(owner, _)| *owner == name) {
        let mut one: Vec<Value> = fields.iter().map(|field| given(field)).collect();
        one.push(json!({"not": {"anyOf": one}}));
        all.push(json!({ "oneOf": one }));
    }
    for (_, fields) in ONE_AT_LEAST.iter().filter(|(owner, _)| *owner == name) {
        let any: Vec<Value> = fields.iter().map(|field| given(field)).collect();
        all.push(json!({ "anyOf": any }));
    }
    schema.insert("properties".to_owned(), spelt.into());
    if !all.is_empty() {
        schema.insert("allOf".to_owned(), all.into());
    }
    if !twice.is_empty() {
        schema.insert("dependentSchemas".to_owned(), twice.into());
    }
}

/// Removes defaults, which are always `null`, and line breaks from descriptions.
fn tidy(field: &mut Value) {
    let Some(field) = field.as_object_mut() else {
        return;
    };
    field.remove("default");
    if let Some(Value::String(text)) = field.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// Accepts what Envoy accepts, too: the only element of an array in its place, and booleans as text or
/// wrapped.
fn accept_other_forms(field: &mut Value) {
    let Some(field) = field.as_object_mut() else {
        return;
    };
    let is = |name: &str| match field.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(names)) => names.iter().any(|one| one == name),
        _ => false,
    };
    let (keywords, other): (&[&str], Option<Value>) = if is("array") {
        let only = field.get("items").map(|items| match items.get("type") {
            Some(Value::String(_)) => items.clone(),
            _ => json!({"allOf": [items, {"not": {"type": ["array", "null"]}}]}),
        });
        (&["type", "items", "minItems"], only)
    } else if is("boolean") {
        let forms = json!({"enum": ["true", "false", {"value": true}, {"value": false}]});
        (&["type"], Some(forms))
    } else {
        return;
    };
    let Some(other) = other else {
        return;
    };
    let mut usual = Map::new();
    for name in keywords {
        if let Some(keyword) = field.remove(*name) {
            usual.insert((*name).to_owned(), keyword);
        }
    }
    field.insert("anyOf".to_owned(), json!([usual, other]));
}

/// The schema of objects in which `field` has a value, in either spelling.
fn given(field: &str) -> Value {
    // An empty `claim_path` counts as absent.
    let nothing = match field {
        "claim_path" => json!({"enum": [null, []]}),
        _ => json!({"type": "null"}),
    };
    let has = |name: String| json!({"required": [name], "properties": {name: {"not": nothing}}});
    match camel(field) {
        camel if camel == field => has(camel),
        camel => json!({"anyOf": [has(field.to_owned()), has(camel)]}),
    }
}

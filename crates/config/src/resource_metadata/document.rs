//! A document of metadata.

use serde_json::Value;

/// The members that have fields of their own in the configuration (RFC 9728, section 2).
const REGISTERED: [&str; 12] = [
    "resource",
    "authorization_servers",
    "scopes_supported",
    "bearer_methods_supported",
    "resource_name",
    "resource_documentation",
    "resource_policy_uri",
    "resource_tos_uri",
    "jwks_uri",
    "resource_signing_alg_values_supported",
    "authorization_details_types_supported",
    "signed_metadata",
];

/// The members of a document, in order.
#[derive(Default)]
pub(super) struct Document(Vec<(String, Value)>);

impl Document {
    /// Adds a member, unless it has no value (RFC 9728, section 3.2).
    pub(super) fn add(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let is_empty = match &value {
            Value::Null => true,
            Value::Array(values) => values.is_empty(),
            _ => false,
        };
        if !is_empty {
            self.0.push((name.to_owned(), value));
        }
    }

    /// Adds a member that may be absent.
    pub(super) fn add_text(&mut self, name: &str, text: Option<String>) {
        self.add(name, text.map_or(Value::Null, Value::String));
    }

    /// Adds a member without its own field in the configuration.
    pub(super) fn add_other(&mut self, name: &str, value: Value) -> Result<(), String> {
        let is_known = REGISTERED.contains(&name) || self.0.iter().any(|(known, _)| known == name);
        if is_known {
            return Err(format!(
                "cannot have the member {name:?}: it has its own field"
            ));
        }
        self.add(name, value);
        Ok(())
    }

    /// The document as JSON without spaces.
    pub(super) fn into_json(self) -> String {
        let members = self.0.into_iter();
        let members = members.map(|(name, value)| format!("{}:{value}", Value::String(name)));
        let members: Vec<String> = members.collect();
        format!("{{{}}}", members.join(","))
    }
}

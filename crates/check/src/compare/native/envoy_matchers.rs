//! Envoy's `RouteMatch` and `StringMatcher`, which the gate implements, too.
//!
//! The tests of parity compare the gate's matchers with Envoy's, so they are not written a second time here.

use gate::policy::{Policy, StringMatcher};
use gate::request::Request;
use serde_json::{Map, Value, json};

/// A `RouteMatch`.
pub(crate) struct RouteMatch(Policy);

impl RouteMatch {
    /// Reads a `RouteMatch`.
    ///
    /// # Errors
    ///
    /// Which condition is not supported.
    pub(crate) fn parse(json: &Value) -> Result<Self, String> {
        let rules = json!([{"match": json, "requires": {"allow": {}}}]);
        parse(&json!({}), Some(rules)).map(Self)
    }

    /// Whether `request` matches.
    pub(crate) fn matches(&self, request: &Request<'_>) -> bool {
        let mut rules = self.0.rules.listed().iter();
        rules.any(|rule| rule.matcher.matches(request).unwrap_or(false))
    }
}

/// Reads the condition on the subject.
pub(super) fn subjects(json: &Value) -> Result<Option<StringMatcher>, String> {
    let policy = parse(&json!({"subjects": json}), None)?;
    let provider = policy.providers.first();
    Ok(provider.and_then(|provider| provider.subjects.clone()))
}

/// Parses a configuration of the gate with one provider that has these fields, and these rules.
fn parse(fields: &Value, rules: Option<Value>) -> Result<Policy, String> {
    let http_uri = json!({"uri": "https://issuer.example", "cluster": "issuer", "timeout": "1s"});
    let mut provider = Map::new();
    provider.insert("issuer".to_owned(), "https://issuer.example".into());
    provider.insert("remote_jwks".to_owned(), json!({"http_uri": http_uri}));
    for (name, value) in fields.as_object().into_iter().flatten() {
        provider.insert(name.clone(), value.clone());
    }
    let mut config = Map::new();
    config.insert("providers".to_owned(), json!({"p": provider}));
    if let Some(rules) = rules {
        config.insert("rules".to_owned(), rules);
    }
    let text = Value::from(config).to_string();
    gate_config::parse_json(text.as_bytes()).map_err(|error| error.to_string())
}

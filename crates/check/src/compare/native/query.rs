//! The query of a request, as `jwt_authn` reads and rewrites it.

use std::collections::BTreeMap;

use gate::http::percent_decoded;

/// Decoded parameters by name.
pub(super) struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    /// Reads the query of `:path`.
    pub(super) fn parse(target: &str) -> Self {
        let target = target.split('#').next().unwrap_or_default();
        let (_, query) = target.split_once('?').unwrap_or_default();
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let values = parameters.entry(decoded(name)).or_default();
            values.push(decoded(value));
        }
        Self(parameters)
    }

    /// The first value of a parameter.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        Some(self.0.get(name)?.first()?.as_str())
    }

    /// `target` without the parameter `name`. The others are written as they were decoded.
    pub(super) fn without(&self, name: &str, target: &str) -> String {
        let path = target.split('?').next().unwrap_or_default();
        let others = self.0.iter().filter(|(known, _)| *known != name);
        let parts = others.flat_map(|(name, values)| {
            let name = name.clone();
            values.iter().map(move |value| format!("{name}={value}"))
        });
        let query = parts.collect::<Vec<_>>().join("&");
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }
}

fn decoded(text: &str) -> String {
    let bytes: Vec<u8> = percent_decoded(text.as_bytes()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

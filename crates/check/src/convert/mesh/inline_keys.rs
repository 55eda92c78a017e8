//! A key set that is in a policy.

use gate::keys::{KeySet, KeyUses, Provenance};
use serde_json::Value;

use crate::convert::local_keys::{NOBODYS_KEYS, all_algorithms, list, other_uses};
use crate::convert::new_value::NewValue;

/// A key set, and what the gate has to be told about it.
#[derive(Debug)]
pub(super) struct InlineKeys {
    pub(super) keys: String,
    /// Why `keys` are not those of the policy.
    pub(super) problem: Option<String>,
    /// The values of `use` to be accepted, if keys have others than `sig`.
    pub(super) key_uses: Option<NewValue>,
    /// All algorithms, if the set has shared secrets.
    pub(super) algorithms: Option<NewValue>,
}

impl InlineKeys {
    pub(super) fn from_text(text: &str) -> Self {
        let set: Value = serde_json::from_str(text).unwrap_or_default();
        let mut uses = vec!["sig".to_owned()];
        uses.extend(other_uses(&set));
        let key_uses = (uses.len() > 1).then(|| {
            let uses = uses.iter().map(|name| NewValue::text(name));
            NewValue::List(uses.collect())
        });
        let is_secret = |key: &Value| key.get("kty").is_some_and(|kty| kty == "oct");
        let algorithms = list(&set).any(is_secret).then(all_algorithms);
        let usable = KeySet::parse_from(
            text.as_bytes(),
            Provenance::Configuration,
            &KeyUses::new(uses),
        );
        let problem = usable.err().map(|problem| {
            format!(
                "{problem}. This key, whose private key nobody has, stands in its place, so every token of this provider \
                 is refused: write the keys of the issuer here"
            )
        });
        let keys = if problem.is_some() {
            NOBODYS_KEYS
        } else {
            text
        };
        Self {
            keys: keys.to_owned(),
            problem,
            key_uses,
            algorithms,
        }
    }
}

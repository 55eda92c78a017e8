//! The tokens of the table.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use gate::time::Timestamp;
use serde_json::{Map, Value, json};

use super::native::provider::NativeProvider;
use super::pair::Pair;
use crate::mint::kind::Kind;
use crate::mint::minter::Minter;

/// How long good tokens are valid, unless the provider wants less.
const LIFETIME: Duration = Duration::from_hours(1);

/// The position of the filter, the provider, and the kind of token.
type TokenKey = (usize, String, &'static str);

/// Mints tokens, each once.
pub(crate) struct Tokens<'t> {
    pub(crate) pair: &'t Pair,
    pub(crate) now: Timestamp,
    minted: RefCell<BTreeMap<TokenKey, Option<String>>>,
}

impl<'t> Tokens<'t> {
    pub(crate) fn new(pair: &'t Pair, now: Timestamp) -> Self {
        Self {
            pair,
            now,
            minted: RefCell::default(),
        }
    }

    /// The token of this kind of the provider `name` of a filter; `None` if the kind makes no sense for it.
    ///
    /// # Errors
    ///
    /// That it cannot be signed.
    pub(crate) fn of_kind(
        &self,
        filter: usize,
        name: &str,
        (kind, kind_name): (Kind, &'static str),
    ) -> Result<Option<String>, String> {
        let key = (filter, name.to_owned(), kind_name);
        if let Some(token) = self.minted.borrow().get(&key) {
            return Ok(token.clone());
        }
        let claims = self.forwarded_claims(filter, name);
        let token = self.mint(filter, name, kind, &claims)?;
        self.minted.borrow_mut().insert(key, token.clone());
        Ok(token)
    }

    /// A token of this kind with these claims.
    ///
    /// # Errors
    ///
    /// That it cannot be signed.
    pub(crate) fn mint(
        &self,
        filter: usize,
        name: &str,
        kind: Kind,
        claims: &Map<String, Value>,
    ) -> Result<Option<String>, String> {
        let gate = self.pair.gate.get(filter);
        let found = gate.and_then(|gate| Some((gate, gate.policy.provider(name)?)));
        let (Some((gate, provider)), Some(key)) = (found, self.pair.keys.get(name)) else {
            return Ok(None);
        };
        let providers = gate.json.get("providers");
        let json = providers
            .and_then(|all| all.get(name))
            .unwrap_or(&Value::Null);
        // jwt_authn wants less than the longest lifetime.
        let half = provider
            .max_lifetime
            .map(|most| most.checked_div(2).unwrap_or_default());
        let minter = Minter {
            policy: &gate.policy,
            provider,
            json,
            pair: &key.pair,
            kid: &key.kid,
            lifetime: half.map_or(LIFETIME, |half| half.min(LIFETIME)),
            now: self.now,
        };
        minter.token(kind, claims)
    }

    /// Values for claims that become headers, except those that every token has.
    fn forwarded_claims(&self, filter: usize, name: &str) -> Map<String, Value> {
        self.claims_with(filter, name, &"minted".into())
    }

    /// This value for each claim that becomes a header, except those that every token has.
    pub(crate) fn claims_with(
        &self,
        filter: usize,
        name: &str,
        value: &Value,
    ) -> Map<String, Value> {
        let mut claims = Map::new();
        let provider = self.provider(filter, name);
        for (_, path) in provider.iter().flat_map(|provider| &provider.claim_headers) {
            let is_registered = [
                "iss", "aud", "sub", "iat", "nbf", "exp", "jti", "cnf", "scope",
            ]
            .contains(&path.as_str());
            if !is_registered {
                set(&mut claims, path, value);
            }
        }
        claims
    }

    /// The provider `name` of a filter.
    pub(crate) fn provider(&self, filter: usize, name: &str) -> Option<&'t NativeProvider> {
        let mut providers = self.pair.native.get(filter)?.providers.iter();
        providers.find(|provider| provider.name == name)
    }
}

/// Sets the claim at the dotted `path`.
fn set(claims: &mut Map<String, Value>, path: &str, value: &Value) {
    match path.split_once('.') {
        None => drop(claims.insert(path.to_owned(), value.clone())),
        Some((name, rest)) => {
            let inner = claims.entry(name).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

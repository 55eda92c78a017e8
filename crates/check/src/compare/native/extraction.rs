//! The tokens of a request.

use std::collections::BTreeMap;

use super::provider::NativeProvider;
use super::query::Query;
use crate::compare::header_list::HeaderList;

/// A token, and where it is.
pub(super) struct Extracted {
    pub(super) token: String,
    place: Place,
    /// The issuers whose tokens may be there; an empty one stands for all.
    issuers: Vec<String>,
}

/// Where a token is. The order is that of the search.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A header, and what its value contains before the token.
    Header(String, String),
    Parameter(String),
    Cookie(String),
}

impl Extracted {
    /// Whether a token of this issuer may be where it is.
    pub(super) fn allows(&self, issuer: &str) -> bool {
        let mut issuers = self.issuers.iter();
        issuers.any(|allowed| allowed.is_empty() || allowed == issuer)
    }

    /// Removes the token from the request. A cookie stays.
    pub(super) fn remove_from(&self, headers: &mut HeaderList) {
        match &self.place {
            Place::Header(name, _) => headers.remove(name),
            Place::Parameter(name) => {
                let target = headers.get(":path").to_owned();
                headers.set(":path", &Query::parse(&target).without(name, &target));
            }
            Place::Cookie(_) => {}
        }
    }
}

/// The tokens at all places of these providers, in the order in which they are found. The last one is verified first.
pub(super) fn extract(providers: &[&NativeProvider], headers: &HeaderList) -> Vec<Extracted> {
    let mut places: BTreeMap<Place, Vec<String>> = BTreeMap::new();
    for provider in providers {
        let named = provider.headers.iter();
        let named = named.map(|(name, prefix)| Place::Header(name.clone(), prefix.clone()));
        let parameters = provider.parameters.iter().cloned().map(Place::Parameter);
        let cookies = provider.cookies.iter().cloned().map(Place::Cookie);
        for place in named.chain(parameters).chain(cookies) {
            places
                .entry(place)
                .or_default()
                .push(provider.issuer.clone());
        }
    }
    let query = Query::parse(headers.get(":path"));
    let mut found = Vec::new();
    for (place, issuers) in places {
        let tokens = match &place {
            Place::Header(name, prefix) => headers
                .all(name)
                .filter_map(|value| after_prefix(value, prefix))
                .map(str::to_owned)
                .collect(),
            Place::Parameter(name) => query.first(name).map(str::to_owned).into_iter().collect(),
            Place::Cookie(name) => cookie(headers, name).into_iter().collect::<Vec<_>>(),
        };
        found.extend(tokens.into_iter().map(|token| Extracted {
            token,
            place: place.clone(),
            issuers: issuers.clone(),
        }));
    }
    found
}

/// The token in the value of a header: what follows the prefix, wherever that is.
fn after_prefix<'v>(value: &'v str, prefix: &str) -> Option<&'v str> {
    if prefix.is_empty() {
        return Some(value);
    }
    let (_, rest) = value.split_once(prefix)?;
    let is_part_of_token = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    match rest.find(is_part_of_token) {
        Some(start) => rest.get(start..),
        None => Some(value),
    }
}

fn cookie(headers: &HeaderList, name: &str) -> Option<String> {
    let mut pairs = headers.all("cookie").flat_map(|value| value.split(';'));
    let value = pairs.find_map(|pair| {
        let (known, value) = pair.trim_start().split_once('=')?;
        (known == name).then_some(value)
    })?;
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    Some(unquoted.unwrap_or(value).to_owned())
}

//! Parsing the JSON of lists in one pass, without building the document in memory.
//!
//! Anything that is not understood makes the whole list unusable, because it may revoke a token.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::list_reader::{ListFormat, ListReader};
use super::names::{HashKey, Kind, MAX_NAMES, Names, NamesBuilder};
use crate::fetching::ResponseBody;
use crate::time::Timestamp;

/// Parses a list. The names are hashed with `key`.
///
/// # Errors
///
/// The line and column of the problem, without any content of the list, or that it has too many names.
pub(super) fn parse(
    document: &ResponseBody<'_>,
    reader: &ListReader,
    key: HashKey,
) -> Result<Names, String> {
    let expected = most_names(document, reader.format);
    let mut names = NamesBuilder::new(key, expected);
    let mut deserializer = serde_json::Deserializer::from_reader(document.reader());
    let visitor = List {
        format: reader.format,
        names: &mut names,
    };
    // Accepts an object or an array. `deserialize_any` would bring the parser of every other value into the module.
    let parsed = deserializer.deserialize_struct("List", &[], visitor);
    parsed.and_then(|()| deserializer.end()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("it is not of the format {reader}: line {line}, column {column}")
    })?;
    let names = names.build();
    names.ok_or_else(|| format!("it has more than {MAX_NAMES} names"))
}

/// An upper bound of the number of names in a document.
fn most_names(document: &ResponseBody<'_>, format: ListFormat) -> usize {
    let quotes_in = |piece: Vec<u8>| piece.split(|byte| *byte == b'"').skip(1).count();
    let quotes = document
        .pieces()
        .map(quotes_in)
        .fold(0, usize::saturating_add);
    // A list encloses a name in two quotes. WSO2 has an object with at least one member for each, and
    // an entity that counts as two names has three members.
    let quotes_of_a_name = match format {
        ListFormat::List => 2,
        ListFormat::Wso2 => 4,
    };
    quotes.div_euclid(quotes_of_a_name)
}

/// The whole document.
struct List<'n> {
    format: ListFormat,
    names: &'n mut NamesBuilder,
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a revocation list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Self { format, names } = self;
        let mut seen: Vec<String> = Vec::new();
        let mut known = false;
        while let Some(member) = access.next_key::<String>()? {
            if seen.contains(&member) {
                return Err(A::Error::custom("a name occurs twice"));
            }
            if seen.len() >= MAX_MEMBERS {
                return Err(A::Error::custom("it has too many members"));
            }
            known |= match (format, member.as_str()) {
                (ListFormat::List, "tokens") => {
                    access.next_value_seed(Each::new(|Text(name)| names.add_token(&name)))?;
                    true
                }
                (ListFormat::List, "clients") => {
                    access.next_value_seed(Dates(Kind::Client, names))?;
                    true
                }
                (ListFormat::List, "subjects") => {
                    access.next_value_seed(Dates(Kind::Subject, names))?;
                    true
                }
                (ListFormat::List, _) => return Err(A::Error::custom("unknown member")),
                (ListFormat::Wso2, "revokedJWTList") => {
                    access.next_value_seed(Each::new(|token| add_token(names, &token)))?;
                    true
                }
                (ListFormat::Wso2, "revokedJWTConsumerKeyList") => {
                    access.next_value_seed(Each::new(|client: Client<'_>| {
                        let date = from_millis(&client.revocation_time);
                        names.add(Kind::Client, &client.consumer_key, date);
                    }))?;
                    true
                }
                (ListFormat::Wso2, "revokedJWTSubjectEntityList") => {
                    access.next_value_seed(Each::new(|entity| add_entity(names, &entity)))?;
                    true
                }
                (ListFormat::Wso2, _) => {
                    access.next_value::<IgnoredAny>()?;
                    false
                }
            };
            seen.push(member);
        }
        // An object without any of these members may be an error message of the server.
        if known {
            Ok(())
        } else {
            Err(A::Error::custom("it has none of the members of a list"))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if self.format != ListFormat::Wso2 {
            return Err(A::Error::custom("it is an array"));
        }
        while let Some(token) = access.next_element()? {
            add_token(self.names, &token);
        }
        Ok(())
    }
}

/// The largest number of members of a list.
const MAX_MEMBERS: usize = 64;

/// A text. It is copied only if it contains escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A token in a list of WSO2. Its `jwt_signature` is the `jti` of the token, if it has one. The
/// `expiry_time` is ignored: an expired token is refused anyway.
#[derive(Deserialize)]
struct WsoToken<'a> {
    #[serde(borrow, alias = "jwtSignature")]
    jwt_signature: Cow<'a, str>,
}

/// A client in a list of WSO2.
#[derive(Deserialize)]
struct Client<'a> {
    #[serde(borrow, alias = "consumerKey")]
    consumer_key: Cow<'a, str>,
    #[serde(alias = "revocationTime")]
    revocation_time: Number,
}

/// A user or a client in a list of WSO2, by the `sub` of its tokens.
#[derive(Deserialize)]
struct Owner<'a> {
    #[serde(borrow, alias = "entityId")]
    entity_id: Cow<'a, str>,
    #[serde(borrow, default, alias = "entityType")]
    entity_type: Option<Cow<'a, str>>,
    #[serde(alias = "revocationTime")]
    revocation_time: Number,
}

fn add_token(names: &mut NamesBuilder, token: &WsoToken<'_>) {
    names.add_token(&token.jwt_signature);
}

fn add_entity(names: &mut NamesBuilder, entity: &Owner<'_>) {
    let date = from_millis(&entity.revocation_time);
    names.add(Kind::Subject, &entity.entity_id, date);
    if entity.entity_type.as_deref() == Some("CLIENT_ID") {
        names.add(Kind::Client, &entity.entity_id, date);
    }
}

/// A time in milliseconds after the epoch, to the nearest millisecond.
fn from_millis(millis: &Number) -> Timestamp {
    if let Some(millis) = millis.as_u64() {
        return Timestamp::from_unix_millis(millis);
    }
    let secs = millis.as_f64().unwrap_or(f64::MAX) / 1000.0;
    Number::from_f64(secs).map_or(Timestamp::END, |secs| Timestamp::from_numeric_date(&secs))
}

/// Calls a function with each element of an array; `null` counts as an empty array.
struct Each<T, F>(F, PhantomData<T>);

impl<T, F: FnMut(T)> Each<T, F> {
    const fn new(action: F) -> Self {
        Self(action, PhantomData)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> DeserializeSeed<'de> for Each<T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        while let Some(element) = access.next_element()? {
            (self.0)(element);
        }
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// An object of names and times in seconds; `null` counts as an empty object.
struct Dates<'n>(Kind, &'n mut NamesBuilder);

impl<'de> DeserializeSeed<'de> for Dates<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Dates<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of times")
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some((Text(name), date)) = access.next_entry::<Text<'de>, Number>()? {
            let date = Timestamp::from_numeric_date(&date);
            self.1.add(self.0, &name, date);
        }
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

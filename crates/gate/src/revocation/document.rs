//! The JSON of lists, read in one pass and without keeping any of it.
//!
//! Whatever is not understood makes the whole list unusable: what it says may be that a token is
//! revoked.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::names::{Gathering, Kind, Names};
use super::{ListFormat, ListReader};
use crate::time::Timestamp;

/// Reads a list.
///
/// # Errors
///
/// Where it ceases to be one; nothing of what is in it.
pub(super) fn read(document: &[u8], reader: &ListReader) -> Result<Names, String> {
    let mut gathering = Gathering::new(reader.state.clone());
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let visitor = List {
        format: reader.format,
        gathering: &mut gathering,
    };
    let read = deserializer.deserialize_any(visitor);
    read.and_then(|()| deserializer.end()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("it is not of the format {reader}: line {line}, column {column}")
    })?;
    Ok(gathering.done())
}

/// The whole document.
struct List<'g> {
    format: ListFormat,
    gathering: &'g mut Gathering,
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a revocation list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Self { format, gathering } = self;
        let mut seen: Vec<String> = Vec::new();
        let mut known = false;
        while let Some(member) = access.next_key::<String>()? {
            if seen.contains(&member) || seen.len() > MOST_MEMBERS {
                return Err(A::Error::custom("a name occurs twice"));
            }
            known |= match (format, member.as_str()) {
                (ListFormat::List, "tokens") => {
                    access.next_value_seed(Each::new(|Text(name)| gathering.add_token(&name)))?;
                    true
                }
                (ListFormat::List, "clients") => {
                    access.next_value_seed(Dates(Kind::Client, gathering))?;
                    true
                }
                (ListFormat::List, "subjects") => {
                    access.next_value_seed(Dates(Kind::Subject, gathering))?;
                    true
                }
                (ListFormat::List, _) => return Err(A::Error::custom("a member is not known")),
                (ListFormat::Wso2, "revokedJWTList") => {
                    access.next_value_seed(Each::new(|token| add_token(gathering, &token)))?;
                    true
                }
                (ListFormat::Wso2, "revokedJWTConsumerKeyList") => {
                    access.next_value_seed(Each::new(|client: Client<'_>| {
                        let date = from_millis(&client.revocation_time);
                        gathering.add(Kind::Client, &client.consumer_key, date);
                    }))?;
                    true
                }
                (ListFormat::Wso2, "revokedJWTSubjectEntityList") => {
                    access.next_value_seed(Each::new(|entity| add_entity(gathering, &entity)))?;
                    true
                }
                (ListFormat::Wso2, _) => {
                    access.next_value::<IgnoredAny>()?;
                    false
                }
            };
            seen.push(member);
        }
        // What a server says of an error is an object as well.
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
            add_token(self.gathering, &token);
        }
        Ok(())
    }
}

/// How many members a list may have.
const MOST_MEMBERS: usize = 64;

/// A text, which is copied only if it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A token in a list of WSO2. Its `jwt_signature` is the token's `jti`, if it has one. When the token
/// expires is of no interest: it is refused then in any case.
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

/// A user or a client in a list of WSO2, by what `sub` of the tokens says.
#[derive(Deserialize)]
struct Owner<'a> {
    #[serde(borrow, alias = "entityId")]
    entity_id: Cow<'a, str>,
    #[serde(borrow, default, alias = "entityType")]
    entity_type: Option<Cow<'a, str>>,
    #[serde(alias = "revocationTime")]
    revocation_time: Number,
}

fn add_token(gathering: &mut Gathering, token: &WsoToken<'_>) {
    gathering.add_token(&token.jwt_signature);
}

fn add_entity(gathering: &mut Gathering, entity: &Owner<'_>) {
    let date = from_millis(&entity.revocation_time);
    gathering.add(Kind::Subject, &entity.entity_id, date);
    if entity.entity_type.as_deref() == Some("CLIENT_ID") {
        gathering.add(Kind::Client, &entity.entity_id, date);
    }
}

/// The time so many milliseconds after the epoch; a fraction of one counts as a whole one.
fn from_millis(millis: &Number) -> Timestamp {
    if let Some(millis) = millis.as_u64() {
        return Timestamp::from_unix_millis(millis);
    }
    let secs = millis.as_f64().unwrap_or(f64::MAX) / 1000.0;
    Number::from_f64(secs).map_or(Timestamp::END, |secs| Timestamp::from_numeric_date(&secs))
}

/// Does something with each element of an array as it is read; `null` has none.
struct Each<T, F>(F, PhantomData<T>);

impl<T, F: FnMut(T)> Each<T, F> {
    const fn new(action: F) -> Self {
        Self(action, PhantomData)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> DeserializeSeed<'de> for Each<T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<(), A::Error> {
        while let Some(element) = access.next_element()? {
            (self.0)(element);
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// An object of names and times in seconds.
struct Dates<'g>(Kind, &'g mut Gathering);

impl<'de> DeserializeSeed<'de> for Dates<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Dates<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of times")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some((Text(name), date)) = access.next_entry::<Text<'de>, Number>()? {
            let date = Timestamp::from_numeric_date(&date);
            self.1.add(self.0, &name, date);
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

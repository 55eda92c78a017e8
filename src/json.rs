//! JSON as strictly as a security decision needs it: one object, no name twice, bounded depth.
//!
//! Two parsers that disagree on a token's claims are an attack (RFC 8725, section 2.4; RFC 7519,
//! section 4 lets a parser reject duplicate names, and this one does).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep arrays and objects may be nested, the outermost object included.
pub const MAX_DEPTH: usize = 32;

/// Parses `bytes` as exactly one JSON object in UTF-8, without a name that occurs twice in it and
/// nested at most [`MAX_DEPTH`] deep. `None` for anything else.
#[must_use]
pub fn parse_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    parse_members(bytes, |_| true)
}

/// The same, but of the object's members only those are kept whose names are `wanted`. The others
/// are held to the same rules.
#[must_use]
pub fn parse_members(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Option<Map<String, Value>> {
    if is_too_deep(bytes) {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let map = deserializer.deserialize_map(UniqueNames(wanted)).ok()?;
    deserializer.end().ok().map(|()| map)
}

/// Whether the arrays and objects of a JSON text are nested deeper than is accepted.
fn is_too_deep(bytes: &[u8]) -> bool {
    // Of so few none can be too deep: that is quickly seen, and true of almost every text.
    let opening = bytes.iter().filter(|byte| matches!(byte, b'[' | b'{'));
    opening.count() > MAX_DEPTH && depth(bytes) > MAX_DEPTH
}

/// How deep the arrays and objects of a JSON text are nested, found without recursion. A text that
/// is not JSON gets some number; the parser refuses it afterwards.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// About how many bytes an object takes up beside itself. The depth of what was parsed bounds the
/// recursion.
#[must_use]
pub fn heap_bytes(object: &Map<String, Value>) -> usize {
    let nodes = object.len().div_ceil(MEMBERS_IN_NODE);
    let nodes = nodes.saturating_mul(NODE_BYTES);
    object.iter().fold(nodes, |sum, (name, value)| {
        sum.saturating_add(name.capacity())
            .saturating_add(value_heap_bytes(value))
    })
}

/// What a node of the map takes up, which has room for 11 members, and how many are in it at least
/// where there are several nodes.
const NODE_BYTES: usize = size_of::<String>()
    .saturating_add(size_of::<Value>())
    .saturating_mul(11)
    .saturating_add(16);
const MEMBERS_IN_NODE: usize = 6;

fn value_heap_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.capacity(),
        Value::Array(values) => {
            let places = values.capacity().saturating_mul(size_of::<Value>());
            let bytes = values.iter().map(value_heap_bytes);
            bytes.fold(places, usize::saturating_add)
        }
        Value::Object(object) => heap_bytes(object),
    }
}

/// An object none of whose own names occurs twice, and which of its members are wanted.
struct UniqueNames<W>(W);

impl<'de, W: Fn(&str) -> bool> Visitor<'de> for UniqueNames<W> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        let mut passed_over = BTreeSet::new();
        while let Some(Name(name)) = access.next_key()? {
            let is_new = if (self.0)(&name) {
                let value = access.next_value()?;
                map.insert(name.into_owned(), value).is_none()
            } else {
                access.next_value_seed(PassOver)?;
                passed_over.insert(name)
            };
            if !is_new {
                return Err(Error::custom("a name occurs twice"));
            }
        }
        Ok(map)
    }
}

/// A name, which is borrowed where it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

/// A value that is read as strictly as one that is kept, which `IgnoredAny` is not: it takes texts
/// that are not Unicode and numbers that are out of range.
#[derive(Clone, Copy)]
struct PassOver;

impl<'de> DeserializeSeed<'de> for PassOver {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PassOver {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_entry_seed(self, self)?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn only_one_object_with_unique_names_is_accepted() {
        for (json, accepted) in [
            (&br"{}"[..], true),
            (br#" {"a":1,"b":{"a":2}} "#, true),
            (br#"{"a":"[[[["}"#, true),
            (br#"{"a":1,"a":1}"#, false),
            (br#"{"a":1,"\u0061":2}"#, false),
            (br"[]", false),
            (br"null", false),
            (br#""{}""#, false),
            (br"", false),
            (br#"{"a":1}{"a":1}"#, false),
            (br#"{"a":1} x"#, false),
            (br#"{"a":1,}"#, false),
            (br"{'a':1}", false),
            (br#"{"a":NaN}"#, false),
            (br#"{"a":1e999}"#, false),
            (b"\xef\xbb\xbf{}", false),
            (b"{\"a\":\"\xff\"}", false),
            (b"{\"a\":\"\\ud800\"}", false),
            (b"{\"a\":\"\n\"}", false),
        ] {
            let shown = String::from_utf8_lossy(json);
            assert_eq!(parse_object(json).is_some(), accepted, "{shown}");
            // What is not kept is read no less strictly.
            let kept = parse_members(json, |_| false);
            assert_eq!(kept, accepted.then(Map::new), "{shown}");
        }
    }

    #[test]
    fn values_are_read_strictly_also_where_nobody_wants_them() {
        for (value, accepted) in [
            ("1e999", false),
            ("-1e999", false),
            ("1e-999", true),
            ("01", false),
            ("1.", false),
            ("18446744073709551616", true),
            ("nul", false),
            ("true", true),
            ("\"\\ud800\"", false),
            ("\"\\ud83d\\ude00\"", true),
            ("\"\\x\"", false),
            ("\"\u{1}\"", false),
            ("[1,]", false),
            ("[[],{\"a\":[null]}]", true),
            ("{\"\\ud800\":1}", false),
            ("{\"a\":1e999}", false),
            ("{1:1}", false),
            ("{\"a\":1,}", false),
        ] {
            let json = format!("{{\"a\":{value},\"b\":1}}");
            for wanted in ["a", "b", ""] {
                let parsed = parse_members(json.as_bytes(), |name| name == wanted);
                assert_eq!(parsed.is_some(), accepted, "{json} {wanted}");
            }
        }
        assert!(parse_members(br#"{"a":1,"b":2,"\u0061":3}"#, |name| name == "b").is_none());
        assert!(parse_members(b"{\"a\":\"\xff\"}", |_| false).is_none());
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(parse_object(nested(MAX_DEPTH - 1).as_bytes()).is_some());
        assert!(parse_object(nested(MAX_DEPTH).as_bytes()).is_none());
        assert!(parse_object(nested(1_000_000).as_bytes()).is_none());
        assert!(parse_object("[".repeat(1_000_000).as_bytes()).is_none());
    }

    proptest::proptest! {
        #[test]
        fn what_is_parsed_survives_a_round_trip(map: std::collections::BTreeMap<String, i64>) {
            let object: Map<String, Value> = map.into_iter().map(|(name, value)| (name, value.into())).collect();
            let text = serde_json::to_vec(&object).unwrap();
            proptest::prop_assert_eq!(parse_object(&text), Some(object));
        }

        #[test]
        fn the_wanted_members_are_those_of_the_whole(
            map: std::collections::BTreeMap<String, i64>,
            wanted: std::collections::BTreeSet<String>,
        ) {
            let some: Vec<String> = map.keys().step_by(2).cloned().chain(wanted).collect();
            let text = serde_json::to_vec(&map).unwrap();
            let mut whole = parse_object(&text).unwrap();
            whole.retain(|name, _| some.contains(name));
            let parsed = parse_members(&text, |name| some.iter().any(|one| one == name));
            proptest::prop_assert_eq!(parsed, Some(whole));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let whole = parse_object(&bytes);
            proptest::prop_assert_eq!(parse_members(&bytes, |_| false), whole.map(|_| Map::new()));
        }
    }
}

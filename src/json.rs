//! JSON as strictly as a security decision needs it: one object, no name twice, bounded depth.
//!
//! Two parsers that disagree on a token's claims are an attack (RFC 8725, section 2.4; RFC 7519,
//! section 4 lets a parser reject duplicate names, and this one does).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// How deep arrays and objects may be nested, the outermost object included.
pub const MAX_DEPTH: usize = 32;

/// Parses `bytes` as exactly one JSON object in UTF-8, without a name that occurs twice in it and
/// nested at most [`MAX_DEPTH`] deep. `None` for anything else.
#[must_use]
pub fn parse_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    if depth(bytes) > MAX_DEPTH {
        return None;
    }
    serde_json::from_slice(bytes)
        .ok()
        .map(|UniqueNames(map)| map)
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

/// An object none of whose own names occurs twice.
struct UniqueNames(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueNamesVisitor)
    }
}

struct UniqueNamesVisitor;

impl<'de> Visitor<'de> for UniqueNamesVisitor {
    type Value = UniqueNames;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<UniqueNames, A::Error> {
        let mut map = Map::new();
        while let Some((name, value)) = access.next_entry()? {
            if map.insert(name, value).is_some() {
                return Err(Error::custom("a name occurs twice"));
            }
        }
        Ok(UniqueNames(map))
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
            assert_eq!(
                parse_object(json).is_some(),
                accepted,
                "{}",
                String::from_utf8_lossy(json)
            );
        }
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
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = parse_object(&bytes);
        }
    }
}

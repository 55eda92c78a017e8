//! Strict JSON: exactly one object, unique names, bounded depth.
//!
//! If two parsers disagree about the claims of a token, an attacker can use the difference (RFC 8725,
//! section 2.4). RFC 7519, section 4 allows a parser to reject duplicate names, and this one does.

mod reader;

use serde::de::Deserializer;
use serde_json::{Map, Value};

use self::reader::{DuplicateNames, ObjectReader};

/// How deep arrays and objects may be nested, the outermost object included.
pub const MAX_DEPTH: usize = 32;

/// Parses `bytes` as exactly one JSON object in UTF-8. No name may occur twice in the object or in
/// any object nested in it, and the nesting is at most [`MAX_DEPTH`] deep. `None` if any of this
/// does not hold.
#[must_use]
pub fn parse_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    parse_members(bytes, |_| true)
}

/// Parses an object by the same rules, but returns only the members whose names `keep` selects.
#[must_use]
pub fn parse_members(bytes: &[u8], keep: impl Fn(&str) -> bool) -> Option<Map<String, Value>> {
    parse(bytes, &keep, DuplicateNames::Refused)
}

/// Like [`parse_members`], but a nested object may contain a name twice: the last one counts. The
/// names of the object itself must still be unique.
#[must_use]
pub fn parse_members_leniently(
    bytes: &[u8],
    keep: impl Fn(&str) -> bool,
) -> Option<Map<String, Value>> {
    parse(bytes, &keep, DuplicateNames::LastOneCounts)
}

fn parse(
    bytes: &[u8],
    keep: &dyn Fn(&str) -> bool,
    nested_duplicates: DuplicateNames,
) -> Option<Map<String, Value>> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let reader = ObjectReader {
        keep,
        nested_duplicates,
        max_depth: MAX_DEPTH,
    };
    let object = deserializer.deserialize_map(reader).ok()?;
    deserializer.end().ok()?;
    Some(object)
}

/// The approximate heap size of an object in bytes. The recursion is as deep as the nesting, which
/// is bounded for parsed objects.
#[must_use]
pub fn heap_bytes(object: &Map<String, Value>) -> usize {
    let nodes = object.len().div_ceil(MEMBERS_IN_NODE);
    let nodes = nodes.saturating_mul(NODE_BYTES);
    object.iter().fold(nodes, |sum, (name, value)| {
        sum.saturating_add(name.capacity())
            .saturating_add(value_heap_bytes(value))
    })
}

/// Size of a node of the map, which has room for 11 members.
const NODE_BYTES: usize = size_of::<String>()
    .saturating_add(size_of::<Value>())
    .saturating_mul(11)
    .saturating_add(16);

/// A node contains at least this many members if the map has several nodes.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            (br#"{"a":{"b":1,"b":2}}"#, false),
            (br#"{"a":[{"b":1,"c":{},"\u0062":2}]}"#, false),
            (br#"{"a":{"b":{"c":[]},"c":{"c":1,"d":1,"c":1}}}"#, false),
            (br#"{"a":{"b":{"c":1}},"b":[{"c":1},{"c":1}]}"#, true),
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
            let nothing_kept = parse_members(json, |_| false);
            assert_eq!(nothing_kept.is_some(), accepted, "{shown}");
        }
    }

    #[test]
    fn values_are_read_strictly_whether_or_not_they_are_kept() {
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
            assert_eq!(parse_object(json.as_bytes()).is_some(), accepted, "{json}");
            for wanted in ["a", "b", ""] {
                let found = parse_members(json.as_bytes(), |name| name == wanted);
                assert_eq!(found.is_some(), accepted, "{json} {wanted}");
            }
        }
        let repeated = br#"{"a":1,"b":2,"\u0061":3}"#;
        assert!(parse_members(repeated, |name| name == "b").is_none());
        assert!(parse_members(b"{\"a\":\"\xff\"}", |_| false).is_none());
    }

    #[test]
    fn only_selected_members_are_kept_and_they_are_kept_whole() {
        let json = br#"{"a":{"b":[1,{"c":"d"}]},"e":"f","\u0067":[true,null]}"#;
        let object = parse_members(json, |name| name != "e").unwrap();
        let kept = json!({"a": {"b": [1, {"c": "d"}]}, "g": [true, null]});
        assert_eq!(Value::Object(object), kept);
    }

    #[test]
    fn lenient_parsing_accepts_repeated_names_in_nested_objects_only() {
        let parse = |json: &str| parse_members_leniently(json.as_bytes(), |name| name == "a");
        for other in [r#""b":{"c":1,"c":2}"#, r#""b":[{"c":1,"c":2}]"#] {
            let json = format!(r#"{{"a":{{"d":[1],"d":2}},{other}}}"#);
            let object = parse(&json).unwrap();
            assert_eq!(Value::Object(object), json!({"a": {"d": 2}}));
        }
        assert_eq!(parse(r#"{"a":1,"a":1}"#), None);
        assert_eq!(parse(r#"{"a":1,"b":1,"b":1}"#), None);
        assert_eq!(parse(&nested(MAX_DEPTH)), None);
        assert_eq!(parse(r#"{"b":"\ud800"}"#), None);
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(parse_object(nested(MAX_DEPTH - 1).as_bytes()).is_some());
        assert!(parse_object(nested(MAX_DEPTH).as_bytes()).is_none());
        assert!(parse_object(nested(1_000_000).as_bytes()).is_none());
        assert!(parse_object("[".repeat(1_000_000).as_bytes()).is_none());
    }

    #[test]
    fn nesting_is_bounded_in_an_object_with_many_shallow_arrays() {
        for beside in 0..300 {
            for (levels, accepted) in [(MAX_DEPTH - 1, true), (MAX_DEPTH, false)] {
                let nested = nested(levels);
                let start = nested.strip_suffix('}').unwrap();
                let json = format!("{start},\"b\":[{}0]}}", "[],".repeat(beside));
                let found = parse_object(json.as_bytes());
                assert_eq!(found.is_some(), accepted, "{json}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_serialized_object_is_parsed_back(map: std::collections::BTreeMap<String, i64>) {
            let object: Map<String, Value> = map.into_iter().map(|(name, value)| (name, value.into())).collect();
            let text = serde_json::to_vec(&object).unwrap();
            proptest::prop_assert_eq!(parse_object(&text), Some(object));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let whole = parse_object(&bytes);
            let one_member = parse_members(&bytes, |name| name == "a");
            proptest::prop_assert_eq!(one_member.is_some(), whole.is_some());
        }
    }

    #[test]
    fn a_repeated_name_is_found_among_few_and_among_many() {
        for count in [1, 2, 15, 16, 17, 18, 40] {
            let members: Vec<String> = (0..count).map(|at| format!(r#""n{at}":{at}"#)).collect();
            let object = |members: &[String]| format!("{{{}}}", members.join(","));
            let parsed = parse_object(object(&members).as_bytes());
            assert_eq!(parsed.map(|parsed| parsed.len()), Some(count));
            for at in 0..count {
                // The second one is written with an escape.
                let twice = [&members[..], &[format!(r#""\u006e{at}":0"#)]].concat();
                assert_eq!(
                    parse_object(object(&twice).as_bytes()),
                    None,
                    "{at} of {count}"
                );
            }
        }
    }
}

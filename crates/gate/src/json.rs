//! JSON as strictly as a security decision needs it: one object, no name twice, bounded depth.
//!
//! Two parsers that disagree on a token's claims are an attack (RFC 8725, section 2.4; RFC 7519,
//! section 4 lets a parser reject duplicate names, and this one does).

mod members;
mod names;
mod values;

use serde::de::Deserializer;
use serde_json::{Map, Value};

use self::members::UniqueNames;

pub use self::members::{Member, Members, Unreadable};
pub use self::values::Plain;

/// How deep arrays and objects may be nested, the outermost object included.
pub const MAX_DEPTH: usize = 32;

/// Parses `bytes` as exactly one JSON object in UTF-8, without a name that occurs twice in it or in an
/// object within it, and nested at most [`MAX_DEPTH`] deep. `None` for anything else.
#[must_use]
pub fn parse_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut object = Map::new();
    read_object(bytes, &mut object).ok().map(|()| object)
}

/// The same, but `members` takes what it wants of the object. The rest is held to the same rules.
///
/// # Errors
///
/// [`Unreadable`] where [`parse_object`] answers `None`.
pub fn read_object<'de>(
    bytes: &'de [u8],
    members: &mut dyn Members<'de>,
) -> Result<(), Unreadable> {
    let text = str::from_utf8(bytes).map_err(|_| Unreadable)?;
    if is_too_deep(bytes) {
        return Err(Unreadable);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = deserializer.deserialize_map(UniqueNames(members));
    read.and_then(|()| deserializer.end())
        .map_err(|_| Unreadable)
}

impl Members<'_> for Map<String, Value> {
    fn take(&mut self, member: Member<'_, '_>) -> Result<(), Unreadable> {
        let name = member.name().to_owned();
        self.insert(name, member.whole()?);
        Ok(())
    }
}

/// Whether the arrays and objects of a JSON text are nested deeper than is accepted.
fn is_too_deep(bytes: &[u8]) -> bool {
    // Of so few none can be too deep: that is quickly seen, and true of almost every text.
    let opening = |bytes: &[u8]| {
        let ones = bytes.iter().map(|byte| u8::from(byte | 0x20 == b'{'));
        usize::from(ones.fold(0, u8::wrapping_add))
    };
    // So few bytes at a time that a byte can count them.
    let opening: usize = bytes.chunks(u8::MAX.into()).map(opening).sum();
    opening > MAX_DEPTH && depth(bytes) > MAX_DEPTH
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
            // What is not kept is read no less strictly.
            assert_eq!(read(json, "").is_some(), accepted, "{shown}");
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
            assert_eq!(parse_object(json.as_bytes()).is_some(), accepted, "{json}");
            for wanted in ["a", "b", ""] {
                let found = read(json.as_bytes(), wanted);
                assert_eq!(found.is_some(), accepted, "{json} {wanted}");
            }
        }
        assert!(read(br#"{"a":1,"b":2,"\u0061":3}"#, "b").is_none());
        assert!(read(b"{\"a\":\"\xff\"}", "").is_none());
    }

    #[test]
    fn plain_values_are_told_from_others() {
        for (value, plain) in [
            ("\"a\"", Plain::Text("a".into())),
            ("\"\\u0061\"", Plain::Text("a".into())),
            ("1", Plain::Number(1.into())),
            ("-1", Plain::Number((-1).into())),
            ("[]", Plain::Texts(Vec::new())),
            (
                "[\"a\",\"b\"]",
                Plain::Texts(vec!["a".to_owned(), "b".to_owned()]),
            ),
            ("[\"a\",1,\"b\"]", Plain::Other),
            ("[[\"a\"]]", Plain::Other),
            ("{\"a\":\"b\"}", Plain::Other),
            ("null", Plain::Other),
            ("true", Plain::Other),
        ] {
            let json = format!("{{\"a\":{value}}}");
            let found = read(json.as_bytes(), "a").and_then(|One(_, found)| found);
            assert_eq!(found.as_ref(), Some(&plain), "{value}");
            let value: Value = serde_json::from_str(value).unwrap();
            assert_eq!(Plain::from(&value), plain);
        }
    }

    fn read<'de>(json: &'de [u8], name: &'static str) -> Option<One<'de>> {
        let mut one = One(name, None);
        read_object(json, &mut one).ok().map(|()| one)
    }

    /// The one member that is asked for, by its name.
    struct One<'de>(&'static str, Option<Plain<'de>>);

    impl<'de> Members<'de> for One<'de> {
        fn take(&mut self, member: Member<'_, 'de>) -> Result<(), Unreadable> {
            if member.name() == self.0 {
                self.1 = Some(member.plain()?);
                Ok(())
            } else {
                member.pass_over()
            }
        }
    }

    #[test]
    fn a_member_that_is_not_read_makes_the_object_unreadable() {
        struct Careless;
        impl Members<'_> for Careless {
            fn take(&mut self, _: Member<'_, '_>) -> Result<(), Unreadable> {
                Ok(())
            }
        }
        assert_eq!(read_object(b"{}", &mut Careless), Ok(()));
        for json in [&br#"{"a":1}"#[..], br#"{"a":"b"}"#, br#"{"a":{},"b":{}}"#] {
            assert_eq!(read_object(json, &mut Careless), Err(Unreadable));
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(parse_object(nested(MAX_DEPTH - 1).as_bytes()).is_some());
        assert!(parse_object(nested(MAX_DEPTH).as_bytes()).is_none());
        assert!(parse_object(nested(1_000_000).as_bytes()).is_none());
        assert!(parse_object("[".repeat(1_000_000).as_bytes()).is_none());
    }

    #[test]
    fn nesting_is_bounded_however_much_there_is_beside_it() {
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
        fn what_is_parsed_survives_a_round_trip(map: std::collections::BTreeMap<String, i64>) {
            let object: Map<String, Value> = map.into_iter().map(|(name, value)| (name, value.into())).collect();
            let text = serde_json::to_vec(&object).unwrap();
            proptest::prop_assert_eq!(parse_object(&text), Some(object));
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let whole = parse_object(&bytes);
            proptest::prop_assert_eq!(read(&bytes, "a").is_some(), whole.is_some());
        }
    }

    #[test]
    fn a_name_that_occurs_twice_is_seen_among_few_and_among_many() {
        for count in [1, 2, 15, 16, 17, 18, 40] {
            let members: Vec<String> = (0..count).map(|at| format!(r#""n{at}":{at}"#)).collect();
            let object = |members: &[String]| format!("{{{}}}", members.join(","));
            let read = parse_object(object(&members).as_bytes());
            assert_eq!(read.map(|read| read.len()), Some(count));
            for at in 0..count {
                // The second one is written in another way.
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

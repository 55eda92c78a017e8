//! The payload of a token in the form from which Envoy's filter `header_to_metadata` makes dynamic metadata.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::encoding::encode_varint;
use serde_json::{Map, Value};

/// The longest value of a header that `header_to_metadata` reads: it ignores values of 8 KiB and more, and Base64 has a
/// multiple of four characters.
pub const MAX_HEADER_BYTES: usize = 8 * 1024 - 4;

/// `payload` as a `google.protobuf.Value` in Base64. Texts of the claims `space_delimited` become lists of their
/// words. Numbers are doubles, as in the metadata of `jwt_authn`.
pub(super) fn encode(payload: &Map<String, Value>, space_delimited: &[String]) -> String {
    let mut fields = Vec::new();
    for (name, member) in payload {
        let encoded = match member {
            Value::String(text) if space_delimited.contains(name) => words(text),
            _ => value(member),
        };
        push(&mut fields, ELEMENT, &entry(name, &encoded));
    }
    let mut message = Vec::new();
    push(&mut message, STRUCT_VALUE, &fields);
    STANDARD.encode(message)
}

// The keys of the fields: number and wire type. The messages of `prost-types` have the same form, but would take the module
// twice the space: it only decodes them elsewhere.

/// `Struct.fields` and `ListValue.values`, and the key of an entry of the former.
const ELEMENT: u8 = 0x0a;
/// The value of an entry of `Struct.fields`.
const ENTRY_VALUE: u8 = 0x12;
const NULL_VALUE: u8 = 0x08;
const NUMBER_VALUE: u8 = 0x11;
const STRING_VALUE: u8 = 0x1a;
const BOOL_VALUE: u8 = 0x20;
const STRUCT_VALUE: u8 = 0x2a;
const LIST_VALUE: u8 = 0x32;

/// The message `google.protobuf.Value`. The depth of a payload is bounded, and thereby this recursion.
fn value(json: &Value) -> Vec<u8> {
    let mut message = Vec::new();
    match json {
        Value::Null => message.extend([NULL_VALUE, 0]),
        Value::Bool(truth) => message.extend([BOOL_VALUE, u8::from(*truth)]),
        Value::Number(number) => {
            message.push(NUMBER_VALUE);
            message.extend(number.as_f64().unwrap_or_default().to_le_bytes());
        }
        Value::String(text) => push(&mut message, STRING_VALUE, text.as_bytes()),
        Value::Array(values) => {
            let mut list = Vec::new();
            for element in values {
                push(&mut list, ELEMENT, &value(element));
            }
            push(&mut message, LIST_VALUE, &list);
        }
        Value::Object(object) => {
            let mut fields = Vec::new();
            for (name, member) in object {
                push(&mut fields, ELEMENT, &entry(name, &value(member)));
            }
            push(&mut message, STRUCT_VALUE, &fields);
        }
    }
    message
}

/// The list of the words of `text`.
fn words(text: &str) -> Vec<u8> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    value(&words.collect())
}

/// An entry of a map: a name, and an encoded value.
fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    let mut entry = Vec::new();
    push(&mut entry, ELEMENT, name.as_bytes());
    push(&mut entry, ENTRY_VALUE, value);
    entry
}

/// Appends a field with a length.
fn push(message: &mut Vec<u8>, key: u8, content: &[u8]) {
    message.push(key);
    encode_varint(u64::try_from(content.len()).unwrap_or(u64::MAX), message);
    message.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::value::Kind;
    use serde_json::json;

    use super::*;

    fn encoded(payload: &Value, space_delimited: &[&str]) -> String {
        let names: Vec<String> = space_delimited
            .iter()
            .map(|&name| name.to_owned())
            .collect();
        encode(payload.as_object().unwrap(), &names)
    }

    #[test]
    fn the_encoding_is_that_of_protobuf() {
        let payload = json!({"b": "Zo\u{eb}", "a": 1});
        let bytes = STANDARD.decode(encoded(&payload, &[])).unwrap();
        let expected: [&[u8]; 5] = [
            // `struct_value` of 29 bytes.
            &[0x2a, 29],
            // An entry of 14 bytes: the key `a`, and a value of 9 bytes.
            &[0x0a, 14, 0x0a, 1, b'a', 0x12, 9],
            // `number_value`.
            &[0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
            // An entry of 11 bytes: the key `b`, and a value of 6 bytes.
            &[0x0a, 11, 0x0a, 1, b'b', 0x12, 6],
            // `string_value` of 4 bytes.
            &[0x1a, 4, b'Z', b'o', 0xc3, 0xab],
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn every_type_of_json_is_kept() {
        let payload = json!({
            "null": null, "yes": true, "text": "", "number": -1.5, "large": u64::MAX,
            "list": ["a", 1, [], {}], "object": {"a": {"b": [null]}},
        });
        let bytes = STANDARD.decode(encoded(&payload, &[])).unwrap();
        let decoded = prost_types::Value::decode(bytes.as_slice()).unwrap();
        assert_eq!(decoded.encode_to_vec(), bytes);
        assert_eq!(
            json_of(decoded),
            json!({
                "null": null, "yes": true, "text": "", "number": -1.5, "large": 18_446_744_073_709_551_615.0,
                "list": ["a", 1.0, [], {}], "object": {"a": {"b": [null]}},
            })
        );
    }

    /// What another implementation reads.
    fn json_of(value: prost_types::Value) -> Value {
        match value.kind.unwrap() {
            Kind::NullValue(_) => Value::Null,
            Kind::BoolValue(truth) => truth.into(),
            Kind::NumberValue(number) => number.into(),
            Kind::StringValue(text) => text.into(),
            Kind::ListValue(list) => list.values.into_iter().map(json_of).collect(),
            Kind::StructValue(object) => {
                let fields = object.fields.into_iter();
                fields.map(|(name, field)| (name, json_of(field))).collect()
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn another_implementation_reads_every_text(name: String, text: String) {
            let payload = json!({ &name: [text, { &name: &text }] });
            let bytes = STANDARD.decode(encoded(&payload, &[])).unwrap();
            let decoded = prost_types::Value::decode(bytes.as_slice()).unwrap();
            proptest::prop_assert_eq!(json_of(decoded), payload);
        }
    }

    #[test]
    fn a_text_of_words_becomes_a_list_if_the_operator_says_so() {
        let payload = json!({"scope": " a  b ", "other": "a b", "scp": ["a b"]});
        let expected = json!({"scope": ["a", "b"], "other": "a b", "scp": ["a b"]});
        let found = encoded(&payload, &["scope", "scp", "missing"]);
        assert_eq!(found, encoded(&expected, &[]));
    }
}

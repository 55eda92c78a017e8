//! The payload of a token in the form from which Envoy's filter `header_to_metadata` makes dynamic metadata.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use prost_types::value::Kind;
use serde_json::{Map, Value};

/// The longest value of a header that `header_to_metadata` reads: it ignores values of 8 KiB and more, and Base64 has a
/// multiple of four characters.
pub const MAX_HEADER_BYTES: usize = 8 * 1024 - 4;

/// `payload` as a `google.protobuf.Value` in Base64. Texts of the claims `space_delimited` become lists of their
/// words. Numbers are doubles, as in the metadata of `jwt_authn`.
pub(super) fn encode(payload: &Map<String, Value>, space_delimited: &[String]) -> String {
    let mut fields = structure(payload);
    for name in space_delimited {
        if let Some(Value::String(text)) = payload.get(name) {
            let words = text.split(' ').filter(|word| !word.is_empty());
            let words = words.map(|word| of_kind(Kind::StringValue(word.to_owned())));
            let list = prost_types::ListValue {
                values: words.collect(),
            };
            fields
                .fields
                .insert(name.clone(), of_kind(Kind::ListValue(list)));
        }
    }
    STANDARD.encode(of_kind(Kind::StructValue(fields)).encode_to_vec())
}

fn structure(object: &Map<String, Value>) -> prost_types::Struct {
    let mut fields = std::collections::BTreeMap::new();
    for (name, member) in object {
        fields.insert(name.clone(), value(member));
    }
    prost_types::Struct { fields }
}

/// The depth of a payload is bounded, and thereby this recursion.
fn value(json: &Value) -> prost_types::Value {
    of_kind(match json {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(*truth),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(values) => Kind::ListValue(prost_types::ListValue {
            values: values.iter().map(value).collect(),
        }),
        Value::Object(object) => Kind::StructValue(structure(object)),
    })
}

const fn of_kind(kind: Kind) -> prost_types::Value {
    prost_types::Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
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
        let Some(Kind::StructValue(decoded)) = decoded.kind else {
            panic!("it is an object");
        };
        assert_eq!(decoded, structure(payload.as_object().unwrap()));
        let kind = |name: &str| decoded.fields[name].kind.clone().unwrap();
        assert_eq!(kind("null"), Kind::NullValue(0));
        assert_eq!(kind("yes"), Kind::BoolValue(true));
        assert_eq!(kind("text"), Kind::StringValue(String::new()));
        assert_eq!(
            kind("large"),
            Kind::NumberValue(18_446_744_073_709_551_615.0)
        );
    }

    #[test]
    fn a_text_of_words_becomes_a_list_if_the_operator_says_so() {
        let payload = json!({"scope": " a  b ", "other": "a b", "scp": ["a b"]});
        let expected = json!({"scope": ["a", "b"], "other": "a b", "scp": ["a b"]});
        let found = encoded(&payload, &["scope", "scp", "missing"]);
        assert_eq!(found, encoded(&expected, &[]));
    }
}

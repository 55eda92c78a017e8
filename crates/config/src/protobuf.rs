//! Configurations of the type `google.protobuf.Struct`. Envoy's documentation says that plugins
//! receive them as JSON; they receive protobuf's binary form.

use prost::Message;
use prost_types::value::Kind;
use serde_json::{Map, Number, Value};

/// Decodes a Struct; `None` if the bytes are not one.
pub(crate) fn struct_to_json(bytes: &[u8]) -> Option<Value> {
    prost_types::Struct::decode(bytes).ok().map(object)
}

fn object(message: prost_types::Struct) -> Value {
    let mut fields = Map::new();
    for (name, field) in message.fields {
        fields.insert(name, value(field));
    }
    Value::Object(fields)
}

/// prost limits the depth of a message, and thereby this recursion.
fn value(message: prost_types::Value) -> Value {
    match message.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::NumberValue(number)) => {
            Number::from_f64(number).map_or(Value::Null, Value::Number)
        }
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::BoolValue(truth)) => Value::Bool(truth),
        Some(Kind::StructValue(message)) => object(message),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(value).collect(),
    }
}

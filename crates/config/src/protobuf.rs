//! A configuration that arrives as a `google.protobuf.Struct`. Envoy hands it over in protobuf's
//! binary form, whatever its documentation says.

use prost::Message;
use prost_types::value::Kind;
use serde_json::{Map, Number, Value};

/// The JSON of a Struct in its binary form, or `None` if the bytes are none.
pub(super) fn struct_to_json(bytes: &[u8]) -> Option<Value> {
    prost_types::Struct::decode(bytes).ok().map(object)
}

fn object(message: prost_types::Struct) -> Value {
    // To collect them would sort them, with all the code for that.
    let mut fields = Map::new();
    for (name, field) in message.fields {
        fields.insert(name, value(field));
    }
    Value::Object(fields)
}

/// prost bounds the depth of what it decodes, and so the recursion here.
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

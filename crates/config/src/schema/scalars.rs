//! The schemas of scalars, and of the types that contain others.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::entries::Entries;
use crate::requirement::{RequirementWire, Requires};
use crate::scalar::{
    AcrValue, Bytes, HeaderName, HttpUri, NonEmpty, OwnHeaderName, PositiveDuration,
    RESERVED_HEADERS, ScopeToken, Signed, Unsigned, UnsignedDuration,
};

/// Gives a type a schema that is inlined at every use.
macro_rules! scalar {
    ($type:ty, $name:literal, $schema:expr) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

scalar!(
    PositiveDuration,
    "Duration",
    json_schema!({"anyOf": [
        {
            "type": "string",
            "pattern": DURATION,
            "not": {"pattern": r"^0+(\.0+)?s$"},
        },
        duration_object(),
    ]})
);

scalar!(
    UnsignedDuration,
    "UnsignedDuration",
    json_schema!({"anyOf": [{"type": "string", "pattern": DURATION}, duration_object()]})
);

const DURATION: &str = r"^[0-9]+(\.[0-9]{1,9})?s$";

fn duration_object() -> Value {
    json!({
        "type": "object",
        "properties": {
            "seconds": {"type": ["integer", "string"]},
            "nanos": {"type": ["integer", "string"]},
        },
        "additionalProperties": false,
    })
}

scalar!(
    Unsigned,
    "Unsigned",
    json_schema!({
        "anyOf": [unsigned(), {
            "type": "object",
            "properties": {"value": unsigned()},
            "required": ["value"],
            "additionalProperties": false,
        }],
    })
);

fn unsigned() -> Value {
    json!({
        "type": ["integer", "string"],
        "minimum": 0,
        "maximum": u32::MAX,
        "pattern": "^[0-9]{1,10}$",
    })
}

scalar!(
    Signed,
    "Signed",
    json_schema!({
        "type": ["integer", "string"],
        "minimum": i64::MIN,
        "maximum": i64::MAX,
        "pattern": "^[+-]?[0-9]{1,18}$",
    })
);

scalar!(
    NonEmpty,
    "Text",
    json_schema!({"type": "string", "minLength": 1})
);

scalar!(
    Bytes,
    "Bytes",
    json_schema!({"type": "string", "pattern": "^[A-Za-z0-9+/_-]*={0,2}$"})
);

scalar!(
    HttpUri,
    "Uri",
    json_schema!({"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+([/?#]|$)"})
);

/// A pattern of header names.
const HEADER_NAME: &str = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

scalar!(
    HeaderName,
    "HeaderName",
    json_schema!({"type": "string", "pattern": format!("^:?{HEADER_NAME}")})
);

scalar!(
    OwnHeaderName,
    "OwnHeaderName",
    json_schema!({
        "type": "string",
        "pattern": format!("^{HEADER_NAME}"),
        "not": {"pattern": format!("^({})$", RESERVED_HEADERS.map(|(name, _)| in_any_case(name)).join("|"))},
    })
);

/// A pattern that matches `name` in any case.
fn in_any_case(name: &str) -> String {
    let letter = |letter: char| match letter.to_ascii_uppercase() {
        upper if upper == letter => letter.to_string(),
        upper => format!("[{letter}{upper}]"),
    };
    name.chars().map(letter).collect()
}

scalar!(
    AcrValue,
    "AcrValue",
    json_schema!({"type": "string", "pattern": r"^[!#-\[\]-~]+$"})
);

scalar!(
    ScopeToken,
    "Scope",
    json_schema!({"type": "string", "pattern": r"^[!#-\[\]-~]+$"})
);

impl JsonSchema for Requires {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        RequirementWire::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<RequirementWire>()
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": generator.subschema_for::<T>(),
        })
    }
}

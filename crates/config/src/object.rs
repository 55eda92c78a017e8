//! Objects with known fields.

use serde_json::{Map, Value};

use super::from_json::{self, FromJson};
use super::place::Place;
use super::spelling;

/// An object of the configuration, whose fields are being read.
pub(crate) struct Object<'o> {
    fields: &'o Map<String, Value>,
    at: &'o Place<'o>,
}

impl<'o> Object<'o> {
    /// The object `json`, which is at this place.
    pub(crate) fn new(json: &'o Value, at: &'o Place<'o>) -> Option<Self> {
        let fields = from_json::object(json, at)?;
        Some(Self { fields, at })
    }

    /// Reads the field `name` (in `snake_case`, as everywhere here), which must be given.
    // One copy of this and the next two for each type. Inlined, there would be one for each field.
    #[inline(never)]
    pub(crate) fn required<T: FromJson>(&self, name: &str) -> Option<T> {
        match self.given(name) {
            Some((spelling, value)) => T::from_json(value, &self.at.field(spelling)),
            None => self.at.field(name).refuse("missing field"),
        }
    }

    /// Reads the field `name`, which may be absent. A null counts as absent, as in protobuf's JSON form.
    #[inline(never)]
    pub(crate) fn optional<T: FromJson>(&self, name: &str) -> Option<T> {
        match self.given(name)? {
            (_, Value::Null) => None,
            (spelling, value) => T::from_json(value, &self.at.field(spelling)),
        }
    }

    /// Reads the field `name`, which may be absent but not null.
    #[inline(never)]
    pub(crate) fn not_null<T: FromJson>(&self, name: &str) -> Option<T> {
        let (spelling, value) = self.given(name)?;
        T::from_json(value, &self.at.field(spelling))
    }

    /// Refuses the field `name` of Envoy's message, which this filter cannot support, and gives advice. It
    /// may be absent, null, the empty string or the empty array.
    pub(crate) fn unsupported(&self, name: &str, advice: &str) {
        if let Some((spelling, value)) = self.given(name) {
            let is_empty = match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(values) => values.is_empty(),
                _ => false,
            };
            if !is_empty {
                self.at.field(spelling).report(advice);
            }
        }
    }

    /// Refuses fields other than those that are `known`.
    pub(crate) fn refuse_others(&self, known: &[&str]) {
        let known: Vec<String> = known.iter().flat_map(|name| spelling::all(name)).collect();
        for given in self.fields.keys().filter(|given| !known.contains(given)) {
            let expected = match known.as_slice() {
                [] => "there are no fields".to_owned(),
                [one] => format!("expected {one}"),
                [one, other] => format!("expected {one} or {other}"),
                all => format!("expected one of {}", all.join(", ")),
            };
            let problem = format!("unknown field, {expected}");
            self.at.field(given).report_unknown(&problem, &known);
        }
    }

    /// The field `name` as it is spelt, and its value. Reports a field that is given in both spellings.
    fn given(&self, name: &str) -> Option<(&'o String, &'o Value)> {
        let camel = spelling::camel(name);
        let first = self.fields.get_key_value(name);
        let second = self.fields.get_key_value(&camel);
        if first.is_some() && second.is_some() && camel != name {
            self.at.field(name).report("given twice");
        }
        first.or(second)
    }
}

/// Defines the type of an object in the configuration, its reader and its JSON Schema.
///
/// The strings are the name of the schema and its title. The documentation of a field is that in the
/// schema. A name in the configuration that cannot be that of the Rust field is after `=`. A field is
/// `required`, `optional` or `not_null`, which is optional without accepting null; the latter two make
/// it an `Option` of the type. `ignored` fields are read and dropped; `unsupported` ones are refused with
/// advice.
///
/// ```text
/// object! {
///     /// Where the key set is fetched.
///     pub(crate) struct RemoteJwksWire("RemoteJwks", "Remote key set") {
///         /// Where the key set is.
///         http_uri: optional HttpUriWire,
///         /// Which keys are used.
///         keys = "for": required NonEmpty,
///     }
///     ignored {
///         /// Accepted and ignored: the listener never waits for keys.
///         fast_listener: optional bool,
///     }
///     unsupported {
///         /// Not supported: a wasm filter has no access to files.
///         filename: "a wasm filter has no access to files",
///     }
/// }
/// ```
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        $visibility:vis struct $Wire:ident($name:literal, $title:literal) {
            $(
                $(#[doc = $field_doc:literal])*
                $field_visibility:vis $field:ident $(= $spelling:literal)?: $presence:ident $type:ty,
            )*
        }
        $(ignored {
            $(
                $(#[doc = $ignored_doc:literal])*
                $ignored:ident: optional $ignored_type:ty,
            )*
        })?
        $(unsupported {
            $(
                $(#[doc = $unsupported_doc:literal])*
                $unsupported:ident: $advice:expr,
            )*
        })?
    ) => {
        $(#[doc = $doc])*
        $visibility struct $Wire {
            $(
                $(#[doc = $field_doc])*
                $field_visibility $field: $crate::object::field_type!($presence $type),
            )*
        }

        impl $crate::from_json::FromJson for $Wire {
            fn from_json(
                json: &serde_json::Value,
                at: &$crate::place::Place<'_>,
            ) -> Option<Self> {
                let object = $crate::object::Object::new(json, at)?;
                object.refuse_others(&[
                    $($crate::object::field_name!($field $($spelling)?),)*
                    $($(stringify!($ignored),)*)?
                    $($(stringify!($unsupported),)*)?
                ]);
                $(
                    let $field = object.$presence::<$type>($crate::object::field_name!($field $($spelling)?));
                )*
                $($(object.optional::<$ignored_type>(stringify!($ignored));)*)?
                $($(object.unsupported(stringify!($unsupported), $advice);)*)?
                Some(Self { $($field: $crate::object::field_value!($presence $field),)* })
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl schemars::JsonSchema for $Wire {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::ObjectSchema::new(generator, $title, &[$($doc),*])
                    $(.$presence::<$type>(
                        $crate::object::field_name!($field $($spelling)?),
                        &[$($field_doc),*],
                    ))*
                    $($(.optional::<$ignored_type>(stringify!($ignored), &[$($ignored_doc),*]))*)?
                    $($(.unsupported(stringify!($unsupported), &[$($unsupported_doc),*]))*)?
                    .into_schema()
            }
        }
    };
}

/// The name of a field in the configuration.
macro_rules! field_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $spelling:literal) => {
        $spelling
    };
}

/// The type of a field.
macro_rules! field_type {
    (required $type:ty) => {
        $type
    };
    ($optional:ident $type:ty) => {
        Option<$type>
    };
}

/// The value of a field that has been read. One with a problem, which has been reported, counts as absent.
macro_rules! field_value {
    (required $field:ident) => {
        $field?
    };
    ($optional:ident $field:ident) => {
        $field
    };
}

pub(crate) use {field_name, field_type, field_value, object};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::choice::choice;
    use crate::problems::Problems;

    object! {
        struct Outer("Outer", "Outer") {
            /// A list.
            long_name: optional Vec<Inner>,
            /// A word.
            kind = "as": optional Kind,
        }
        ignored {
            /// Ignored.
            old_name: optional bool,
        }
        unsupported {
            /// Not supported.
            other_name: "use long_name",
        }
    }

    object! {
        struct Inner("Inner", "Inner") {
            /// The only field.
            only: required bool,
        }
    }

    object! {
        struct Nothing("Nothing", "Nothing") {}
    }

    choice! {
        enum Kind("Kind") {
            One = "one",
            Other = "other",
        }
    }

    fn read<T: FromJson>(json: &Value) -> Result<T, String> {
        let problems = Problems::default();
        let read = T::from_json(json, &Place::document(&problems));
        problems.result(read).map_err(|error| error.to_string())
    }

    fn error(json: &Value) -> String {
        read::<Outer>(json).err().unwrap_or_default()
    }

    #[test]
    fn an_object_is_read_in_either_spelling() {
        for name in ["long_name", "longName"] {
            let json = json!({name: [{"only": true}, {"only": false}], "as": "other"});
            let outer: Outer = read(&json).unwrap();
            let list = outer.long_name.unwrap();
            let only: Vec<bool> = list.iter().map(|inner| inner.only).collect();
            assert_eq!(only, [true, false]);
            assert!(matches!(outer.kind, Some(Kind::Other)));
        }
    }

    #[test]
    fn an_ignored_field_is_read_and_dropped() {
        assert_eq!(error(&json!({"oldName": true})), "");
        let wrong = error(&json!({"oldName": 5}));
        assert_eq!(wrong, "oldName: must be a boolean, not a number");
    }

    #[test]
    fn an_unsupported_field_must_have_no_value() {
        for nothing in [json!(null), json!(""), json!([])] {
            assert_eq!(error(&json!({"other_name": nothing})), "");
        }
        for something in [json!(false), json!(0), json!({}), json!([null]), json!("a")] {
            let error = error(&json!({"otherName": something}));
            assert_eq!(error, "otherName: use long_name");
        }
    }

    #[test]
    fn a_problem_names_the_place_and_what_is_expected_there() {
        for (json, expected) in [
            (json!(null), "must be an object, not null"),
            (json!([]), "must be an object, not an array"),
            (
                json!({"as": "third"}),
                "as: is not one of \"one\", \"other\"",
            ),
            (json!({"as": 2.5}), "as: must be a string, not a number"),
            (
                json!({"as": {"one": null}}),
                "as: must be a string, not an object",
            ),
            (json!({"longName": {}}), "longName.only: missing field"),
            (
                json!({"longName": 5}),
                "longName: must be an object, not a number",
            ),
            (
                json!({"longName": [], "long_name": []}),
                "long_name: given twice",
            ),
            (
                json!({"long_name": [{"only": true}, {}]}),
                "long_name[1].only: missing field",
            ),
            (
                json!({"long_name": [{"only": "yes"}]}),
                "long_name[0].only: must be a boolean, not a string",
            ),
            (
                json!({"long_name": [[true]]}),
                "long_name[0]: must be an object, not an array",
            ),
            (
                json!({"long_name": [{"only": true, "other": 1}]}),
                "long_name[0].other: unknown field, expected only",
            ),
            (
                json!({"": 1}),
                "unknown field, expected one of longName, long_name, as, oldName, old_name, \
                 otherName, other_name",
            ),
        ] {
            assert_eq!(error(&json), expected);
        }
        let nothing = read::<Nothing>(&json!({"x": 1})).err().unwrap();
        assert_eq!(nothing, "x: unknown field, there are no fields");
    }

    #[test]
    fn all_problems_are_reported() {
        let json = json!({
            "longName": [{"only": 1}, {"other": true}, {"only": true}],
            "as": null,
            "other_name": "a",
            "old_name": [],
        });
        let problems = [
            "longName[0].only: must be a boolean, not a number",
            "longName[1].other: unknown field, expected only",
            "longName[1].only: missing field",
            "old_name: must be a boolean, not an array",
            "other_name: use long_name",
        ];
        assert_eq!(error(&json), problems.join("\n"));
    }
}

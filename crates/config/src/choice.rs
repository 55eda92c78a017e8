//! Fields whose value is one of several words.

use serde_json::Value;

use super::from_json;
use super::list::quoted;
use super::place::Place;

/// Reads one of these words.
pub(crate) fn choose(json: &Value, at: &Place<'_>, words: &[&'static str]) -> Option<&'static str> {
    let text = from_json::text(json, at)?;
    let chosen = words.iter().find(|word| **word == text);
    if chosen.is_none() {
        let known = quoted(words.iter().copied());
        at.report(&format!("is not one of {known}"));
    }
    chosen.copied()
}

/// Defines an enum whose variants are words in the configuration, its reader and its JSON Schema. The
/// string after its name is the name of the schema.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        $visibility:vis enum $Wire:ident($name:literal) {
            $(
                $(#[doc = $variant_doc:literal])*
                $Variant:ident = $word:literal,
            )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy)]
        $visibility enum $Wire {
            $(
                $(#[doc = $variant_doc])*
                $Variant,
            )*
        }

        impl $crate::from_json::FromJson for $Wire {
            fn from_json(
                json: &serde_json::Value,
                at: &$crate::place::Place<'_>,
            ) -> Option<Self> {
                match $crate::choice::choose(json, at, &[$($word),*])? {
                    $($word => Some(Self::$Variant),)*
                    _ => None,
                }
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl schemars::JsonSchema for $Wire {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::schema::choice(&[$($doc),*], &[$(($word, &[$($variant_doc),*])),*])
            }
        }
    };
}

pub(crate) use choice;

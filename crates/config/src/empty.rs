//! The empty object.

use serde::Deserialize;

/// An object without fields.
#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Empty", title = "Empty")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct Empty {}

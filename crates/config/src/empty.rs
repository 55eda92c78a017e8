//! The empty object.

use super::object::object;

object! {
    /// An object without fields.
    pub(crate) struct Empty("Empty", "Empty") {}
}

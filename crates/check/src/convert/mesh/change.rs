//! What becomes of a resource.

use std::ops::Range;

use crate::convert::new_value::NewValue;

/// A change of a resource.
#[derive(Debug)]
pub(super) struct Change {
    /// The index of the resource.
    pub(super) resource: usize,
    /// What stands before it.
    pub(super) before: Vec<NewValue>,
    /// What stands in its place; nothing if it is deleted.
    pub(super) documents: Vec<NewValue>,
    /// The same, if only one member of the text changes.
    pub(super) edit: Option<Edit>,
    /// What stands in its place in a text with comments if there are no documents.
    pub(super) farewell: String,
}

/// A change of one member in the text.
#[derive(Debug)]
pub(super) struct Edit {
    /// Where its name is.
    pub(super) name: Range<usize>,
    /// Where its value is.
    pub(super) value: Range<usize>,
    pub(super) is_flow: bool,
    pub(super) new: NewValue,
    /// Comments before it.
    pub(super) notes: Vec<(String, NewValue)>,
}

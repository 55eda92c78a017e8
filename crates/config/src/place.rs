//! Places in a JSON value.

/// The path from a JSON value to a part of it. It grows at its front while an error returns from the
/// part to the whole document.
#[derive(Debug, Default)]
pub(crate) struct Place(String);

impl Place {
    /// The field `name` of the value.
    pub(crate) fn field(name: &str) -> Self {
        Self(format!(".{name}"))
    }

    /// The same place, seen from the object whose field `name` is the value.
    pub(crate) fn enter(&mut self, name: &str) {
        self.0 = format!(".{name}{}", self.0);
    }

    /// The same place, seen from the array whose element `index` is the value.
    pub(crate) fn enter_element(&mut self, index: usize) {
        self.0 = format!("[{index}]{}", self.0);
    }

    /// The path as text, such as `rules[0].match`.
    pub(crate) fn into_path(self) -> String {
        match self.0.strip_prefix('.') {
            Some(path) => path.to_owned(),
            None => self.0,
        }
    }
}

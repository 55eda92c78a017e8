//! A warning.

/// Something that is valid but dangerous, or has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// Its kind: the name of a section in `docs/warnings.md`.
    pub(crate) kind: &'static str,
    /// Where it is in the text of the file, in bytes.
    pub(crate) position: usize,
    /// One sentence.
    pub(crate) text: String,
}

impl Warning {
    pub(super) fn new(kind: &'static str, position: usize, text: impl Into<String>) -> Self {
        Self {
            kind,
            position,
            text: text.into(),
        }
    }

    /// Where the documentation explains it.
    pub(crate) fn link(&self) -> String {
        format!("docs/warnings.md#{}", self.kind)
    }
}

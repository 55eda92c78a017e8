//! Changes to a text, by position.

use std::ops::Range;

/// Changes that do not overlap. What they do not name stays byte for byte.
#[derive(Debug, Default)]
pub(super) struct Edits {
    edits: Vec<Edit>,
}

#[derive(Debug)]
struct Edit {
    range: Range<usize>,
    text: String,
}

impl Edits {
    /// Replaces the bytes of this range by `text`.
    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        self.edits.push(Edit { range, text });
    }

    /// Inserts `text` at this position, after what was inserted there before.
    pub(super) fn insert(&mut self, position: usize, text: String) {
        self.replace(position..position, text);
    }

    /// The bytes of `source` in this range with the changes inside it, which are then forgotten.
    ///
    /// # Errors
    ///
    /// Changes overlap.
    pub(super) fn take(&mut self, source: &str, range: Range<usize>) -> Result<String, String> {
        let is_inside =
            |edit: &Edit| edit.range.start >= range.start && edit.range.end <= range.end;
        let (mut inside, outside): (Vec<_>, Vec<_>) = std::mem::take(&mut self.edits)
            .into_iter()
            .partition(is_inside);
        self.edits = outside;
        // Stable: insertions at one position keep their order, and come before a replacement that
        // begins there.
        inside.sort_by_key(|edit| (edit.range.start, edit.range.end > edit.range.start));
        let mut text = String::new();
        let mut position = range.start;
        for edit in inside {
            let kept = source.get(position..edit.range.start);
            text.push_str(kept.ok_or("the layout of the file is too unusual to be edited")?);
            text.push_str(&edit.text);
            position = edit.range.end;
        }
        text.push_str(source.get(position..range.end).unwrap_or_default());
        Ok(text)
    }
}

//! Edits a YAML or JSON text and keeps everything else as it is.

use std::ops::Range;

use super::edits::Edits;
use super::layout::{begins_line, column, comment, indentation, line_end, line_start};
use super::new_value::{NewValue, quoted};
use crate::configuration::join;
use crate::source_tree::{Entry, Node};

/// A change of meaning that the operator has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Review {
    /// Where it is: a JSON path.
    pub(crate) path: String,
    /// What changes.
    pub(crate) text: String,
    /// Whether a comment in the text says so.
    pub(crate) has_comment: bool,
}

/// Something that cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The position in the text.
    pub(crate) position: usize,
    /// Where it is: a JSON path.
    pub(crate) path: String,
    /// Why it cannot be converted, and what to do.
    pub(crate) text: String,
}

/// A text, and the changes to it.
pub(super) struct Editor<'t> {
    pub(super) text: &'t str,
    /// Whether the text can have comments.
    comments: bool,
    pub(super) edits: Edits,
    pub(super) reviews: Vec<Review>,
    pub(super) refusals: Vec<Refusal>,
}

impl<'t> Editor<'t> {
    pub(super) fn new(text: &'t str, comments: bool) -> Self {
        Self {
            text,
            comments,
            edits: Edits::default(),
            reviews: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Says that something cannot be converted.
    pub(super) fn refuse(&mut self, position: usize, path: &str, text: &str) {
        self.refusals.push(Refusal {
            position,
            path: path.to_owned(),
            text: text.to_owned(),
        });
    }

    /// Marks what is at this position, with a comment above its line.
    pub(super) fn review(&mut self, position: usize, path: &str, text: &str) {
        let indent = indentation(self.text, position);
        let comment = self.note(path, text, indent);
        if !comment.is_empty() {
            self.edits.insert(line_start(self.text, position), comment);
        }
    }

    /// Records a review. Returns the comment for it, complete lines with this indentation; empty if the
    /// text cannot have comments.
    pub(super) fn note(&mut self, path: &str, text: &str, indent: usize) -> String {
        self.reviews.push(Review {
            path: path.to_owned(),
            text: text.to_owned(),
            has_comment: self.comments,
        });
        if self.comments {
            comment(&format!("REVIEW: {text}"), indent)
        } else {
            String::new()
        }
    }

    /// Replaces a value by one in flow style.
    pub(super) fn replace(&mut self, node: &Node, path: &str, value: &NewValue) {
        if self.is_editable(node, path) {
            let is_missing = node.range.is_empty();
            // A list in block style may be indented like the name before it; in flow style it must not.
            let is_block = !node.is_flow() && node.is_list();
            let space = if is_missing || is_block { " " } else { "" };
            let text = format!("{space}{}", value.flow());
            self.edits.replace(node.range.clone(), text);
        }
    }

    /// Whether what is inside the node can be changed.
    pub(super) fn is_editable(&mut self, node: &Node, path: &str) -> bool {
        if node.is_alias {
            self.refuse(
                node.range.start,
                path,
                "is an alias, and its converted form differs from the original: write the value out",
            );
        }
        !node.is_alias
    }

    /// Adds members to a map, after those that it keeps, each with its reviews, and deletes the members
    /// at the positions `deleted`.
    pub(super) fn change_map(
        &mut self,
        map: &Node,
        path: &str,
        deleted: &[usize],
        added: Vec<NewEntry>,
    ) {
        if (deleted.is_empty() && added.is_empty()) || !self.is_editable(map, path) {
            return;
        }
        let entries = map.entries();
        let is_kept = |(index, _): &(usize, &Entry)| !deleted.contains(index);
        let kept = entries.iter().enumerate().rfind(is_kept);
        let Some((_, last)) = kept else {
            self.replace_content(map, path, added);
            return;
        };
        if map.is_flow() {
            let multiline = begins_line(self.text, last.key_range.start);
            let indent = indentation(self.text, last.key_range.start);
            let mut text = String::new();
            for entry in added {
                for review in &entry.reviews {
                    let at = join(path, &entry.name);
                    self.review(last.key_range.start, &at, review);
                }
                let separator = if multiline {
                    format!(",\n{}", " ".repeat(indent))
                } else {
                    ", ".to_owned()
                };
                let value = if multiline {
                    entry.value.pretty(indent, self.step(map))
                } else {
                    entry.value.flow()
                };
                text.push_str(&separator);
                text.push_str(&quoted(&entry.name));
                text.push_str(": ");
                text.push_str(&value);
            }
            self.edits.insert(last.value.range.end, text);
        } else {
            let indent = entries
                .first()
                .map_or(0, |first| column(self.text, first.key_range.start));
            let mut text = String::new();
            for entry in added {
                text.push('\n');
                for review in &entry.reviews {
                    let at = join(path, &entry.name);
                    text.push_str(&self.note(&at, review, indent));
                }
                text.push_str(&" ".repeat(indent));
                text.push_str(&entry.value.block_member(&entry.name, indent));
            }
            self.edits
                .insert(line_end(self.text, last.value.range.end), text);
        }
        self.delete(entries, deleted, map.is_flow());
    }

    /// Replaces everything in a map.
    fn replace_content(&mut self, map: &Node, path: &str, added: Vec<NewEntry>) {
        for entry in &added {
            for review in &entry.reviews {
                let at = join(path, &entry.name);
                self.review(map.range.start, &at, review);
            }
        }
        let members = added.into_iter().map(|entry| (entry.name, entry.value));
        self.replace(map, path, &NewValue::Map(members.collect()));
    }

    /// The step of indentation inside a flow collection on several lines.
    pub(super) fn step(&self, node: &Node) -> usize {
        let first = node.entries().first().map(|entry| entry.key_range.start);
        let first = first.or_else(|| Some(node.items().first()?.range.start));
        let inner = first.map_or(0, |position| indentation(self.text, position));
        let outer = indentation(self.text, node.range.start);
        match inner.saturating_sub(outer) {
            0 => 2,
            step => step,
        }
    }

    /// Deletes the members at these positions; others are kept.
    fn delete(&mut self, entries: &[Entry], deleted: &[usize], flow: bool) {
        let mut index = 0_usize;
        while let Some(entry) = entries.get(index) {
            if !deleted.contains(&index) {
                index = index.saturating_add(1);
                continue;
            }
            let before = index.checked_sub(1).and_then(|index| entries.get(index));
            let mut last = entry;
            let mut next = None;
            while let Some(entry) = entries.get(index) {
                if !deleted.contains(&index) {
                    next = Some(entry);
                    break;
                }
                last = entry;
                index = index.saturating_add(1);
            }
            let range = self.deletion(entry, before, last, next, flow);
            self.edits.replace(range, String::new());
        }
    }

    /// What to cut out to delete the members from `first` to `last`, which stand between `before` and
    /// `next`.
    fn deletion(
        &self,
        first: &Entry,
        before: Option<&Entry>,
        last: &Entry,
        next: Option<&Entry>,
        flow: bool,
    ) -> Range<usize> {
        match (before, next) {
            (Some(before), _) if flow => before.value.range.end..last.value.range.end,
            (None, Some(next)) if flow => first.key_range.start..next.key_range.start,
            (None, Some(_)) => {
                // The first line of the map may begin with a dash, so its own indentation stays.
                let rest = line_end(self.text, last.value.range.end);
                let following = self.text.get(rest..).unwrap_or_default();
                let blank = following.len().saturating_sub(following.trim_start().len());
                first.key_range.start..rest.saturating_add(blank)
            }
            _ => {
                let start = line_start(self.text, first.key_range.start);
                let start = line_end(self.text, start.saturating_sub(1));
                start..line_end(self.text, last.value.range.end)
            }
        }
    }

    /// Adds an element to a list, after the one at `index`.
    pub(super) fn insert_after(
        &mut self,
        list: &Node,
        index: usize,
        path: &str,
        value: &NewValue,
        review: &str,
    ) {
        let Some(item) = list.items().get(index) else {
            return;
        };
        if !self.is_editable(list, path) {
            return;
        }
        let start = item.range.start;
        if list.is_flow() {
            self.review(start, path, review);
            let text = if begins_line(self.text, start) {
                let indent = indentation(self.text, start);
                let value = value.pretty(indent, self.step(item));
                format!(",\n{}{value}", " ".repeat(indent))
            } else {
                format!(", {}", value.flow())
            };
            self.edits.insert(item.range.end, text);
        } else {
            let before = self.text.get(..start).unwrap_or_default();
            let dash = before.rfind('-').unwrap_or(start);
            let indent = column(self.text, dash);
            let inner = indent.saturating_add(2);
            let comment = self.note(path, review, indent);
            let text = format!("\n{comment}{}- {}", " ".repeat(indent), value.block(inner));
            self.edits.insert(line_end(self.text, item.range.end), text);
        }
    }
}

/// A member to add to a map.
#[derive(Debug)]
pub(super) struct NewEntry {
    pub(super) name: String,
    pub(super) value: NewValue,
    pub(super) reviews: Vec<String>,
}

impl NewEntry {
    pub(super) fn new(name: &str, value: NewValue) -> Self {
        Self {
            name: name.to_owned(),
            value,
            reviews: Vec::new(),
        }
    }

    pub(super) fn review(mut self, text: &str) -> Self {
        self.reviews.push(text.to_owned());
        self
    }
}

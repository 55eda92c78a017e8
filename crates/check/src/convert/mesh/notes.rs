//! What the operator has to know about the conversion of a policy, at its place in the result.

use crate::convert::editor::{Refusal, Review};
use crate::convert::layout::comment;
use crate::convert::new_value::NewValue;

/// Marks a member of a map that stands for a comment. No resource has a name with it, because of the control
/// character.
const MARK: &str = "\u{1}";

/// How [`MARK`] begins a line of the rendered text.
const RENDERED_MARK: &str = "\"\\u0001";

/// The members of a map that is being written.
pub(super) type Members = Vec<(String, NewValue)>;

/// Collects what the operator has to know.
#[derive(Debug)]
pub(super) struct Notes {
    has_comments: bool,
    pub(super) reviews: Vec<Review>,
    /// What could not be converted, at its place in the original.
    pub(super) unconverted: Vec<Refusal>,
    /// Why nothing is converted.
    pub(super) refusals: Vec<Refusal>,
}

impl Notes {
    pub(super) fn new(has_comments: bool) -> Self {
        Self {
            has_comments,
            reviews: Vec::new(),
            unconverted: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Marks what `members` continue with, which is about `path`.
    pub(super) fn review(&mut self, members: &mut Members, path: &str, text: &str) {
        let index = self.reviews.len();
        self.reviews.push(Review {
            path: path.to_owned(),
            text: text.to_owned(),
            has_comment: self.has_comments,
        });
        if self.has_comments {
            members.push((format!("{MARK}{index}"), NewValue::text("")));
        }
    }

    /// Marks what `members` continue with, and lists that what is at `position` is not converted.
    pub(super) fn unconverted(
        &mut self,
        members: &mut Members,
        position: usize,
        path: &str,
        text: &str,
    ) {
        self.review(members, path, text);
        self.unconverted.push(Refusal {
            position,
            path: path.to_owned(),
            text: text.to_owned(),
        });
    }

    /// Says that the file cannot be converted because of what is at `position`.
    pub(super) fn refuse(&mut self, position: usize, path: &str, text: &str) {
        self.refusals.push(Refusal {
            position,
            path: path.to_owned(),
            text: text.to_owned(),
        });
    }

    /// The text of a value in block style with its comments. Its first line is indented by `indent` already.
    pub(super) fn render(&self, value: &NewValue, indent: usize) -> String {
        let block = format!("{}{}", " ".repeat(indent), value.block(indent));
        let mut rendered = String::new();
        // The dash of an element that begins with a comment goes before what follows the comment.
        let mut dash = "";
        for line in block.split('\n') {
            let content = line.trim_start();
            let mut column = line.len().saturating_sub(content.len());
            let member = content.trim_start_matches("- ");
            let own_dash = content.strip_suffix(member).unwrap_or_default();
            if own_dash.is_empty() {
                column = column.saturating_sub(dash.len());
            }
            if let Some(text) = self.marked(member) {
                if !own_dash.is_empty() {
                    dash = own_dash;
                }
                rendered.push_str(&comment(&format!("REVIEW: {text}"), column));
                continue;
            }
            rendered.push_str(&" ".repeat(column));
            rendered.push_str(dash);
            rendered.push_str(content);
            rendered.push('\n');
            dash = "";
        }
        let rendered = rendered.strip_suffix('\n').unwrap_or(&rendered);
        rendered.get(indent..).unwrap_or_default().to_owned()
    }

    /// The text of the comment that a rendered member stands for.
    fn marked(&self, member: &str) -> Option<&str> {
        let number = member.strip_prefix(RENDERED_MARK)?.split('"').next()?;
        let review = self.reviews.get(number.parse::<usize>().ok()?)?;
        Some(&review.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stands_before_the_member_or_the_element_that_it_is_about() {
        let mut notes = Notes::new(true);
        let mut item = Vec::new();
        notes.review(&mut item, "", "the element");
        notes.review(&mut item, "", "again");
        item.push(("a".to_owned(), NewValue::text("b")));
        notes.review(&mut item, "", "the member");
        item.push(("c".to_owned(), NewValue::literal("1")));
        let value = NewValue::map([("list", NewValue::List(vec![NewValue::Map(item)]))]);
        assert_eq!(
            notes.render(&value, 2),
            "list:\n  # REVIEW: the element\n  # REVIEW: again\n  - a: b\n    # REVIEW: the member\n    c: 1"
        );
    }
}

//! The text with changed resources.

use super::change::{Change, Edit};
use super::notes::Notes;
use super::resource::{Resource, value_of};
use crate::convert::edits::Edits;
use crate::convert::layout::{begins_line, column, comment, indentation, line_end, line_start};
use crate::convert::new_value::NewValue;
use crate::source_tree::Node;

/// A JSON text: one resource, or a `List` of several.
pub(super) fn json(documents: &[Node], resources: &[Resource<'_>], changes: &[Change]) -> String {
    let mut all = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        all.extend(replacement(index, resource, changes));
    }
    let was_list = documents
        .iter()
        .any(|document| document.get("items").is_some());
    let value = match all.pop() {
        Some(only) if all.is_empty() && !was_list => only,
        last => {
            all.extend(last);
            NewValue::map([
                ("apiVersion", NewValue::text("v1")),
                ("kind", NewValue::text("List")),
                ("items", NewValue::List(all)),
            ])
        }
    };
    format!("{}\n", value.pretty(0, 2))
}

/// What stands in the place of a resource.
fn replacement(index: usize, resource: &Resource<'_>, changes: &[Change]) -> Vec<NewValue> {
    let change = changes.iter().find(|change| change.resource == index);
    match change {
        Some(change) => change
            .before
            .iter()
            .chain(&change.documents)
            .cloned()
            .collect(),
        None => vec![value_of(resource.node)],
    }
}

/// A YAML text. Documents that are not changed stay byte for byte; a `List` with changes becomes documents.
///
/// # Errors
///
/// Changes overlap.
pub(super) fn yaml(
    text: &str,
    documents: &[Node],
    resources: &[Resource<'_>],
    changes: &[Change],
    notes: &Notes,
) -> Result<String, String> {
    let mut edits = Edits::default();
    for (number, document) in documents.iter().enumerate() {
        let own = resources.iter().enumerate();
        let own: Vec<(usize, &Resource<'_>)> = own
            .filter(|(_, resource)| resource.document == number)
            .collect();
        let change_of = |index: usize| changes.iter().find(|change| change.resource == index);
        let Some(change) = own.iter().find_map(|(index, _)| change_of(*index)) else {
            continue;
        };
        let is_list = own.iter().any(|(_, resource)| resource.in_list);
        if let Some(edit) = change
            .edit
            .as_ref()
            .filter(|edit| !is_list && !edit.is_flow)
        {
            for before in &change.before {
                let rendered = format!("{}\n---\n", notes.render(before, 0));
                edits.insert(document.range.start, rendered);
            }
            change_member(&mut edits, text, edit, notes);
            continue;
        }
        let mut parts = Vec::new();
        for (index, resource) in &own {
            let documents = replacement(*index, resource, changes);
            let farewell = change_of(*index).map_or("", |change| change.farewell.as_str());
            if documents.is_empty() && !farewell.is_empty() {
                parts.push(comment(farewell, 0).trim_end().to_owned());
            }
            parts.extend(documents.iter().map(|document| notes.render(document, 0)));
        }
        let range = document.range.start..line_end(text, document.range.end);
        edits.replace(range, parts.join("\n---\n"));
    }
    edits.take(text, 0..text.len())
}

/// Changes one member of a resource, with comments before it.
fn change_member(edits: &mut Edits, text: &str, edit: &Edit, notes: &Notes) {
    let start = edit.name.start;
    let indent = indentation(text, start);
    if !edit.notes.is_empty() {
        let comments = NewValue::Map(edit.notes.clone());
        let comments = notes.render(&comments, indent);
        let comments = format!("{}{comments}\n", " ".repeat(indent));
        edits.insert(line_start(text, start), comments);
    }
    let at = if begins_line(text, edit.value.start) {
        column(text, edit.value.start)
    } else {
        indent
    };
    let new = match &edit.new {
        NewValue::List(items) if !items.is_empty() && begins_line(text, edit.value.start) => {
            notes.render(&edit.new, at)
        }
        new => new.flow(),
    };
    edits.replace(edit.value.clone(), new);
}

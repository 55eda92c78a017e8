//! A file whose providers have the minted keys in place of their own.

use serde_json::Value;

use crate::positions::locate;
use crate::source_tree::{self, Node, Shape};

/// The key sets by the name of the provider.
pub(crate) type KeySets = [(String, Value)];

/// The text of a file in which each provider of the configurations at `paths` has its key set in
/// `local_jwks`. Everything else stays as it is, comments included.
///
/// # Errors
///
/// Why it cannot be edited.
pub(crate) fn insert(text: &str, paths: &[&str], key_sets: &KeySets) -> Result<String, String> {
    let tree = source_tree::parse(text).map_err(|error| error.text)?;
    let mut edits = Vec::new();
    for path in paths {
        let (_, node) = locate(&tree, path).ok_or("the configuration is not where it was found")?;
        let inner = node.get("value").filter(|_| node.type_url().is_some());
        let node = inner.unwrap_or(node);
        if node.is_map() {
            edit_providers(text, node, key_sets, &mut edits)?;
        } else {
            // The configuration is a text in a string.
            let inner = node.text().ok_or("the configuration is empty")?;
            let edited = insert(inner, &[""], key_sets)?;
            edits.push(string_replacement(text, node, &edited));
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    edits.dedup();
    let mut result = text.to_owned();
    for (range, new) in edits.into_iter().rev() {
        result.replace_range(range, &new);
    }
    Ok(result)
}

type Edit = (std::ops::Range<usize>, String);

fn edit_providers(
    text: &str,
    config: &Node,
    key_sets: &KeySets,
    edits: &mut Vec<Edit>,
) -> Result<(), String> {
    let providers = config
        .get("providers")
        .map(Node::entries)
        .unwrap_or_default();
    for entry in providers {
        let key_set = key_sets.iter().find(|(name, _)| *name == entry.key);
        let Some((_, key_set)) = key_set else {
            continue;
        };
        let provider = &entry.value;
        let source = ["remote_jwks", "local_jwks"];
        let Some(source) = source.iter().find_map(|name| provider.entry(name)) else {
            continue;
        };
        if config.is_alias || provider.is_alias {
            let name = &entry.key;
            return Err(format!(
                "the provider {name:?} is a YAML alias: write it out"
            ));
        }
        let quote = text.get(source.key_range.start..).unwrap_or_default();
        let quote = if quote.starts_with('"') { "\"" } else { "" };
        let keys = json_string(&key_set.to_string());
        let new = format!("{quote}local_jwks{quote}: {{\"inline_string\": {keys}}}");
        let (mut range, new) = replacement(text, &source.value, &new);
        range.start = source.key_range.start;
        edits.push((range, new));
    }
    Ok(())
}

/// The replacement of a node, which keeps the line break at its end.
fn replacement(text: &str, node: &Node, new: &str) -> Edit {
    let old = text.get(node.range.clone()).unwrap_or_default();
    let end = if old.ends_with('\n') { "\n" } else { "" };
    (node.range.clone(), format!("{new}{end}"))
}

/// The replacement of a string. A block scalar keeps its style and its indentation.
fn string_replacement(text: &str, node: &Node, new: &str) -> Edit {
    let old = text.get(node.range.clone()).unwrap_or_default();
    let is_quoted = old.starts_with(['"', '\'']);
    if is_quoted || matches!(node.shape, Shape::Scalar { plain: true, .. }) {
        return replacement(text, node, &json_string(new));
    }
    // The range begins at the indicator or in the first line of the content.
    let lines = if old.starts_with(['|', '>']) {
        let indicator = old
            .find('\n')
            .map_or(old.len(), |end| end.saturating_add(1));
        node.range.start.saturating_add(indicator)
    } else {
        let before = text.get(..node.range.start).unwrap_or_default();
        before.rfind('\n').map_or(0, |end| end.saturating_add(1))
    };
    let content = text.get(lines..node.range.end).unwrap_or_default();
    let first = content.lines().find(|line| !line.trim().is_empty());
    let is_space = |letter: &char| *letter == ' ';
    let indent: String = first
        .unwrap_or_default()
        .chars()
        .take_while(is_space)
        .collect();
    let new: Vec<String> = new
        .trim_end()
        .lines()
        .map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("{indent}{line}")
            }
        })
        .collect();
    let end = if old.ends_with('\n') { "\n" } else { "" };
    (lines..node.range.end, format!("{}{end}", new.join("\n")))
}

/// The text as a string of JSON, which is also one of YAML.
fn json_string(text: &str) -> String {
    Value::from(text).to_string()
}

//! Matches of `jwt_authn`'s rules.

use super::editor::{Editor, NewEntry};
use super::new_value::NewValue;
use super::regex;
use crate::source_tree::Node;

/// Members of Envoy's `RouteMatch` that `jwt_authn` does not look at. The gate would look at the first two,
/// and refuses the others.
pub(crate) const NOT_LOOKED_AT: [&str; 7] = [
    "grpc",
    "dynamic_metadata",
    "runtime_fraction",
    "tls_context",
    "filter_state",
    "cookies",
    "runtime",
];

/// Converts the match `node`, which is at `path`.
pub(super) fn convert(editor: &mut Editor<'_>, node: &Node, path: &str) {
    let mut deleted = Vec::new();
    let mut added = Vec::new();
    regex::convert(editor, node, path);
    for (index, entry) in node.entries().iter().enumerate() {
        let path = format!("{path}.{}", entry.key);
        if NOT_LOOKED_AT.iter().any(|name| entry.is_named(name)) {
            let text = format!(
                "`{}` is left out: jwt_authn does not look at it, so the rule has applied to requests without it, too",
                entry.key
            );
            editor.review(node.range.start, &path, &text);
            deleted.push(index);
        } else if entry.is_named("connect_matcher") {
            if node.get("headers").is_some() {
                let text = "rules of the gate do not select CONNECT requests by their kind: add a condition on the \
                            header :method to `headers`, and write prefix in place of connect_matcher";
                editor.refuse(entry.key_range.start, &path, text);
                continue;
            }
            let method = NewValue::map([
                ("name", NewValue::text(":method")),
                (
                    "string_match",
                    NewValue::map([("exact", NewValue::text("CONNECT"))]),
                ),
            ]);
            added.push(
                NewEntry::new("prefix", NewValue::text(""))
                    .review("prefix and the condition on :method stand for connect_matcher"),
            );
            added.push(NewEntry::new("headers", NewValue::List(vec![method])));
            deleted.push(index);
        } else if entry.is_named("path_match_policy") {
            let config = entry.value.get("typed_config");
            let template = config.and_then(|config| config.text_of("path_template"));
            match template.and_then(template_to_regex) {
                Some(regex) => {
                    let regex = NewValue::map([("regex", NewValue::Text(regex))]);
                    added.push(NewEntry::new("safe_regex", regex).review(
                        "this regular expression stands for the path template, which a wasm filter cannot use",
                    ));
                    deleted.push(index);
                }
                None => editor.refuse(
                    entry.key_range.start,
                    &path,
                    "is an extension of Envoy, which a wasm filter cannot use: write safe_regex",
                ),
            }
        }
    }
    editor.change_map(node, path, &deleted, added);
}

/// Whether every request with a path matches.
pub(super) fn matches_all(node: &Node) -> bool {
    let limits = ["headers", "query_parameters"];
    matches!(node.text_of("prefix"), Some("/" | ""))
        && limits
            .iter()
            .all(|name| node.get(name).is_none_or(Node::is_empty))
}

/// A regular expression for a path template of Envoy (`/users/{id}/*`).
pub(crate) fn template_to_regex(template: &str) -> Option<String> {
    const LITERAL: &str = "[a-zA-Z0-9-._~%!$&'()+,;:@=]";
    let one = format!("{LITERAL}+");
    let many = "[a-zA-Z0-9-._~%!$&'()+,;:@=/]*";
    let mut regex = String::new();
    let mut rest = template.strip_prefix('/')?;
    loop {
        let (segment, following) = match split_segment(rest) {
            Some((segment, following)) => (segment, Some(following)),
            None => (rest, None),
        };
        regex.push('/');
        let variable = segment
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'));
        let (pattern, suffix) = match variable {
            Some((inside, suffix)) => match inside.split_once('=') {
                Some((_, pattern)) => (pattern, suffix),
                None => ("*", suffix),
            },
            None => (segment, ""),
        };
        let pattern = format!("{pattern}{suffix}");
        let mut letters = pattern.as_str();
        while let Some(letter) = letters.chars().next() {
            if let Some(after) = letters.strip_prefix("**") {
                regex.push_str(many);
                letters = after;
            } else if let Some(after) = letters.strip_prefix('*') {
                regex.push_str(&one);
                letters = after;
            } else if letter == '{' || letter == '}' {
                return None;
            } else {
                if !letter.is_ascii_alphanumeric() && letter != '/' {
                    regex.push('\\');
                }
                regex.push(letter);
                letters = letters.get(letter.len_utf8()..)?;
            }
        }
        match following {
            Some(following) => rest = following,
            None => return Some(regex),
        }
    }
}

/// Splits a template at the first slash outside braces.
fn split_segment(template: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (index, letter) in template.char_indices() {
        match letter {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            '/' if depth == 0 => {
                return Some((
                    template.get(..index)?,
                    template.get(index.saturating_add(1)..)?,
                ));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_template_becomes_a_regular_expression() {
        let segment = "[a-zA-Z0-9-._~%!$&'()+,;:@=]+";
        let rest = "[a-zA-Z0-9-._~%!$&'()+,;:@=/]*";
        for (template, regex) in [
            ("/a.b/*", format!("/a\\.b/{segment}")),
            ("/users/{id}", format!("/users/{segment}")),
            ("/files/{path=**}", format!("/files/{rest}")),
            ("/x/{v=a/*}.json", format!("/x/a/{segment}\\.json")),
            ("/**", format!("/{rest}")),
        ] {
            assert_eq!(template_to_regex(template), Some(regex), "{template}");
        }
        assert_eq!(template_to_regex("users"), None);
    }
}

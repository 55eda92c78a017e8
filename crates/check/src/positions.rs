//! Where a JSON path is in a text.

use crate::source_tree::{Node, Shape};

/// The node at `path` in one of the documents, or the last one on the way to it, with the position of its
/// name.
pub(crate) fn locate<'n>(documents: &'n [Node], path: &str) -> Option<(usize, &'n Node)> {
    let (document, rest) = match documents {
        [only] => (only, path.strip_prefix("document 1").unwrap_or(path)),
        all => all.iter().enumerate().find_map(|(index, document)| {
            let number = format!("document {}", index.saturating_add(1));
            let rest = path
                .strip_prefix(&number)
                .filter(|rest| !starts_with_digit(rest));
            let by_name = || path.strip_prefix(&kubernetes_name(document)?);
            rest.or_else(by_name).map(|rest| (document, rest))
        })?,
    };
    let rest = kubernetes_name(document)
        .and_then(|name| rest.strip_prefix(&name))
        .unwrap_or(rest);
    Some(walk(document, document.range.start, rest))
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

/// Follows `path` from the node whose name is at `position`.
fn walk<'n>(node: &'n Node, position: usize, path: &str) -> (usize, &'n Node) {
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() {
        return (position, node);
    }
    match &node.shape {
        Shape::List { items, .. } => {
            for (index, item) in items.iter().enumerate() {
                let by_number = path.strip_prefix(&format!("[{index}]"));
                let by_name = || path.strip_prefix(&kubernetes_name(item)?);
                if let Some(rest) = by_number.or_else(by_name) {
                    return walk(item, item.range.start, rest);
                }
            }
            (position, node)
        }
        Shape::Map { entries, .. } => {
            let matching = entries.iter().filter_map(|entry| {
                let rest = path.strip_prefix(&entry.key)?;
                let ends = rest.is_empty() || rest.starts_with(['.', '[']);
                ends.then_some((entry, rest))
            });
            if let Some((entry, rest)) = matching.max_by_key(|(entry, _)| entry.key.len()) {
                return walk(&entry.value, entry.key_range.start, rest);
            }
            // A protobuf message around the configuration.
            match node.get("value").filter(|_| node.type_url().is_some()) {
                Some(value) => walk(value, position, path),
                None => (position, node),
            }
        }
        Shape::Scalar { .. } => (position, node),
    }
}

/// `Kind/name` of a Kubernetes object.
fn kubernetes_name(node: &Node) -> Option<String> {
    node.get("apiVersion")?;
    let name = node.get("metadata")?.text_of("name")?;
    Some(format!("{}/{name}", node.text_of("kind")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source_tree::parse;

    #[test]
    fn a_path_leads_to_its_place_or_as_near_as_possible() {
        let text = "a:\n  b.c:\n  - x: 1\n  - y: 2\nd:\n  \"@type\": T\n  value: {e: 3}\n";
        let documents = parse(text).unwrap();
        for (path, place) in [
            ("a", "a:"),
            ("a.b.c[1].y", "y: 2"),
            ("a.b.c[1].z", "y: 2"),
            ("d.e", "e: 3"),
            ("d.missing", "d:"),
            ("", "a:"),
        ] {
            let (position, _) = locate(&documents, path).unwrap();
            let rest = text.get(position..).unwrap();
            assert!(rest.starts_with(place), "{path}: {rest}");
        }
    }

    #[test]
    fn documents_and_kubernetes_objects_are_found() {
        let text = "apiVersion: v1\nkind: K\nmetadata: {name: n}\nspec: 1\n---\nother: 2\n";
        let documents = parse(text).unwrap();
        for (path, place) in [("K/n.spec", "spec: 1"), ("document 2.other", "other: 2")] {
            let (position, _) = locate(&documents, path).unwrap();
            let rest = text.get(position..).unwrap();
            assert!(rest.starts_with(place), "{path}: {rest}");
        }
    }
}

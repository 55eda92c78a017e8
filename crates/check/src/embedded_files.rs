//! Files inside a file, such as the `envoy.yaml` of a Kubernetes `ConfigMap`.

use crate::config_file::ConfigFile;
use crate::configuration::Configuration;
use crate::source_tree::{self, Node, Shape, line_and_column};

/// The content of a file, or what is inside it if only a file inside has the gate.
///
/// The rest is made of empty lines, so that everything keeps its line and column.
pub(crate) fn with_gate(content: Vec<u8>) -> Vec<u8> {
    let has_gate =
        ConfigFile::parse(&content).map(|file| !Configuration::find_all(&file).is_empty());
    let inside = match (has_gate, str::from_utf8(&content)) {
        (Ok(false), Ok(text)) => inside(text),
        (Ok(_) | Err(_), _) => None,
    };
    inside.map_or(content, String::into_bytes)
}

/// The blocks of a text that are files with the gate, each one a document; `None` if there are none.
fn inside(text: &str) -> Option<String> {
    let documents = source_tree::parse(text).ok()?;
    let mut blocks = Vec::new();
    for document in &documents {
        collect(document, text, &mut blocks);
    }
    if blocks.is_empty() {
        return None;
    }
    let lines = text.lines().enumerate().map(|(index, line)| {
        let number = index.saturating_add(1);
        let is_content = |(header, last): &(usize, usize)| number > *header && number <= *last;
        if blocks.iter().any(is_content) {
            line
        } else if blocks.iter().any(|(header, _)| number == *header) {
            "---"
        } else {
            ""
        }
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// Collects the line before each block that is a file with the gate, and its last line.
fn collect(node: &Node, text: &str, blocks: &mut Vec<(usize, usize)>) {
    if let Shape::Scalar {
        text: content,
        literal: true,
        ..
    } = &node.shape
        && has_filter(content)
    {
        let (first, _) = line_and_column(text, node.range.start);
        // The span begins at the indicator or at the content, and may end where the next line begins.
        let source = text.get(node.range.clone()).unwrap_or_default();
        let header = if source.starts_with('|') {
            first
        } else {
            first.saturating_sub(1)
        };
        let (last, column) = line_and_column(text, node.range.end);
        let last = if column == 1 {
            last.saturating_sub(1)
        } else {
            last
        };
        blocks.push((header, last));
    }
    for entry in node.entries() {
        collect(&entry.value, text, blocks);
    }
    for item in node.items() {
        collect(item, text, blocks);
    }
}

/// Whether a text is a file with the filter. A configuration by itself may be anyone's.
fn has_filter(text: &str) -> bool {
    let file = ConfigFile::parse(text.as_bytes());
    let found = file.map(|file| Configuration::find_all(&file));
    found.is_ok_and(|found| found.iter().any(|one| !one.path.is_empty()))
}

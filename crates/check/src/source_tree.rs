//! A YAML or JSON text as a tree whose nodes know their place in the text.
//!
//! JSON is YAML in flow style, so one parser reads both.

use std::collections::HashMap;
use std::ops::Range;

use gate_config::camel;
use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StructureStyle};
use serde_json::{Map, Value};

/// How many nodes aliases may stand for, so that a small file cannot become a huge tree.
const MOST_ALIASED_NODES: usize = 100_000;

/// A value in the text.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its bytes in the text. A block collection ends where its last element ends.
    pub(crate) range: Range<usize>,
    pub(crate) shape: Shape,
    /// Whether it is an alias of a node elsewhere, so that nothing inside it can be edited here.
    pub(crate) is_alias: bool,
    /// The number of nodes that it consists of.
    size: usize,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Scalar {
        text: String,
        /// Whether it is neither quoted nor a block scalar.
        plain: bool,
        /// Whether it is a literal block scalar.
        literal: bool,
    },
    List {
        items: Vec<Node>,
        flow: bool,
    },
    Map {
        entries: Vec<Entry>,
        flow: bool,
    },
}

/// A member of a map.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Where the key is in the text.
    pub(crate) key_range: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    /// The members of a map; none if it is something else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.shape {
            Shape::Map { entries, .. } => entries,
            Shape::Scalar { .. } | Shape::List { .. } => &[],
        }
    }

    /// The elements of a list; none if it is something else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.shape {
            Shape::List { items, .. } => items,
            Shape::Scalar { .. } | Shape::Map { .. } => &[],
        }
    }

    pub(crate) const fn is_map(&self) -> bool {
        matches!(self.shape, Shape::Map { .. })
    }

    pub(crate) const fn is_list(&self) -> bool {
        matches!(self.shape, Shape::List { .. })
    }

    /// Whether it is a collection in flow style, such as `{a: 1}`.
    pub(crate) const fn is_flow(&self) -> bool {
        matches!(
            self.shape,
            Shape::List { flow: true, .. } | Shape::Map { flow: true, .. }
        )
    }

    /// The text of a scalar that is not null.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        match &self.shape {
            Shape::Scalar { text, plain, .. } => {
                *plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Shape::List { .. } | Shape::Map { .. } => false,
        }
    }

    /// Whether it is null or an empty collection.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.shape {
            Shape::Scalar { .. } => self.is_null(),
            Shape::List { items, .. } => items.is_empty(),
            Shape::Map { entries, .. } => entries.is_empty(),
        }
    }

    /// Whether it is the scalar `true`.
    pub(crate) fn is_true(&self) -> bool {
        self.text() == Some("true")
    }

    /// The position of the member with this name in `snake_case`, which may also be spelled in
    /// lowerCamelCase.
    pub(crate) fn position(&self, snake: &str) -> Option<usize> {
        let mut entries = self.entries().iter();
        entries.position(|entry| entry.is_named(snake))
    }

    /// The member with this name, in either spelling.
    pub(crate) fn entry(&self, snake: &str) -> Option<&Entry> {
        self.entries().get(self.position(snake)?)
    }

    /// The value of the member with this name, in either spelling; `None` also if it is null.
    pub(crate) fn get(&self, snake: &str) -> Option<&Self> {
        let value = &self.entry(snake)?.value;
        (!value.is_null()).then_some(value)
    }

    /// The text of the member with this name.
    pub(crate) fn text_of(&self, snake: &str) -> Option<&str> {
        self.get(snake)?.text()
    }

    /// The type of a protobuf message: the last part of its `@type`.
    pub(crate) fn type_url(&self) -> Option<&str> {
        self.text_of("@type")
    }

    /// The value without its place.
    pub(crate) fn to_json(&self) -> Value {
        match &self.shape {
            Shape::Scalar { text, plain, .. } => {
                if self.is_null() {
                    return Value::Null;
                }
                match text.as_str() {
                    "true" if *plain => Value::Bool(true),
                    "false" if *plain => Value::Bool(false),
                    text if *plain => match serde_json::from_str(text) {
                        Ok(Value::Number(number)) => Value::Number(number),
                        _ => Value::String(text.to_owned()),
                    },
                    text => Value::String(text.to_owned()),
                }
            }
            Shape::List { items, .. } => items.iter().map(Self::to_json).collect(),
            Shape::Map { entries, .. } => {
                let members = entries.iter();
                let members = members.map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}

impl Entry {
    /// Whether this is its name, or the lowerCamelCase spelling of its name.
    pub(crate) fn is_named(&self, snake: &str) -> bool {
        self.key == snake || (snake.contains('_') && self.key == camel(snake))
    }
}

/// Line and column of `position`, both from 1.
pub(crate) fn line_and_column(text: &str, position: usize) -> (usize, usize) {
    let before = text.get(..position).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    let start = before
        .rfind('\n')
        .map_or(0, |index| index.saturating_add(1));
    let on_line = text.get(start..position).unwrap_or_default();
    (line, on_line.chars().count().saturating_add(1))
}

/// Why a text is not YAML.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    /// The position where reading stopped.
    pub(crate) position: usize,
    pub(crate) text: String,
}

/// The documents in `text`.
///
/// # Errors
///
/// Why it is not YAML.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder {
        text,
        open: Vec::new(),
        documents: Vec::new(),
        anchors: HashMap::new(),
        aliased: 0,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error: ScanError| SyntaxError {
            position: error.marker().byte_offset().unwrap_or_default(),
            text: error.info().clone(),
        })?;
        let position = span.start.byte_offset().unwrap_or_default();
        let accepted = builder.accept(event, &span);
        accepted.map_err(|text| SyntaxError { position, text })?;
    }
    Ok(builder.documents)
}

/// A collection that is not complete.
struct Open {
    start: usize,
    /// The end of what has been read of it.
    end: usize,
    anchor: usize,
    flow: bool,
    content: OpenContent,
}

enum OpenContent {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// The key whose value comes next.
        key: Option<(String, Range<usize>)>,
    },
}

struct Builder<'t> {
    text: &'t str,
    open: Vec<Open>,
    documents: Vec<Node>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
}

impl Builder<'_> {
    fn accept(&mut self, event: Event<'_>, span: &Span) -> Result<(), String> {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let node = self.scalar(text.into_owned(), style, range);
                self.complete(node, anchor);
            }
            Event::SequenceStart(style, anchor, _) => {
                self.begin(&range, style, anchor, OpenContent::List(Vec::new()));
            }
            Event::MappingStart(style, anchor, _) => {
                let content = OpenContent::Map {
                    entries: Vec::new(),
                    key: None,
                };
                self.begin(&range, style, anchor, content);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&range),
            Event::Alias(id) => {
                let target = self.anchors.get(&id);
                let target = target.ok_or("an alias refers to a node that contains it")?;
                let mut node = target.clone();
                self.aliased = self.aliased.saturating_add(node.size);
                if self.aliased > MOST_ALIASED_NODES {
                    return Err("aliases stand for too many values".to_owned());
                }
                node.range = range;
                node.is_alias = true;
                self.complete(node, 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn scalar(&self, text: String, style: ScalarStyle, range: Range<usize>) -> Node {
        let plain = style == ScalarStyle::Plain;
        let literal = style == ScalarStyle::Literal;
        let range = if plain && text.is_empty() {
            // A value that is not there: it is where the key ends.
            let before = self.text.get(..range.start).unwrap_or_default();
            let end = before.trim_end().len();
            end..end
        } else {
            let source = self.text.get(range.clone()).unwrap_or_default();
            range.start..range.start.saturating_add(source.trim_end().len())
        };
        Node {
            range,
            shape: Shape::Scalar {
                text,
                plain,
                literal,
            },
            is_alias: false,
            size: 1,
        }
    }

    fn begin(
        &mut self,
        range: &Range<usize>,
        style: StructureStyle,
        anchor: usize,
        content: OpenContent,
    ) {
        self.open.push(Open {
            start: range.start,
            end: range.end,
            anchor,
            flow: style == StructureStyle::Flow,
            content,
        });
    }

    fn end(&mut self, range: &Range<usize>) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let flow = open.flow;
        let (shape, first, size) = match open.content {
            OpenContent::List(items) => {
                let size = items.iter().map(|item| item.size).sum();
                let first = items.first().map(|item| self.dash(item.range.start));
                (Shape::List { items, flow }, first, size)
            }
            OpenContent::Map { entries, .. } => {
                let size = entries.iter().map(|entry| entry.value.size).sum();
                let first = entries.first().map(|entry| entry.key_range.start);
                (Shape::Map { entries, flow }, first, size)
            }
        };
        let range = if flow {
            open.start..range.end
        } else {
            first.unwrap_or(open.start)..open.end
        };
        let node = Node {
            range,
            shape,
            is_alias: false,
            size: usize::saturating_add(size, 1),
        };
        self.complete(node, open.anchor);
    }

    /// The position of the dash before the element at this position, where its list begins.
    fn dash(&self, position: usize) -> usize {
        let before = self.text.get(..position).unwrap_or_default().trim_end();
        match before.strip_suffix('-') {
            Some(before) => before.len(),
            None => position,
        }
    }

    /// Puts a complete node where it belongs.
    fn complete(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        parent.end = parent.end.max(node.range.end);
        match &mut parent.content {
            OpenContent::List(items) => items.push(node),
            OpenContent::Map { entries, key } => {
                if let Some((key, key_range)) = key.take() {
                    entries.push(Entry {
                        key,
                        key_range,
                        value: node,
                    });
                } else {
                    let name = match &node.shape {
                        Shape::Scalar { text, .. } => text.clone(),
                        Shape::List { .. } | Shape::Map { .. } => String::new(),
                    };
                    *key = Some((name, node.range));
                }
            }
        }
    }
}

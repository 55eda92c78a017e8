//! A value that the conversion writes, in an order that people read.

use serde_json::Value;

/// A value that is not in the text yet.
#[derive(Clone, Debug)]
pub(super) enum NewValue {
    Text(String),
    /// A scalar other than a string, such as `true`.
    Literal(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl NewValue {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn literal(text: &str) -> Self {
        Self::Literal(text.to_owned())
    }

    pub(super) fn map<const N: usize>(members: [(&str, Self); N]) -> Self {
        let members = members.into_iter();
        Self::Map(
            members
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    pub(super) fn from_json(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::text(text),
            Value::Object(members) => Self::Map(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), Self::from_json(value)))
                    .collect(),
            ),
            Value::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            other => Self::literal(&other.to_string()),
        }
    }

    const fn is_scalar(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Literal(_))
    }

    /// The value in flow style on one line. It is JSON, and YAML too.
    pub(super) fn flow(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Literal(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::flow).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(members) if members.is_empty() => "{}".to_owned(),
            Self::Map(members) => {
                let members = members.iter();
                let members: Vec<String> = members
                    .map(|(name, value)| format!("{}: {}", quoted(name), value.flow()))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
        }
    }

    /// The value in flow style on several lines, whose first one is indented by `indent` already.
    pub(super) fn pretty(&self, indent: usize, step: usize) -> String {
        let inner = indent.saturating_add(step);
        let (open, close, parts): (_, _, Vec<String>) = match self {
            Self::List(items) if !items.is_empty() => {
                let items = items.iter().map(|item| item.pretty(inner, step));
                ("[", "]", items.collect())
            }
            Self::Map(members) if !members.is_empty() => {
                let members = members.iter();
                let members = members.map(|(name, value)| {
                    format!("{}: {}", quoted(name), value.pretty(inner, step))
                });
                ("{", "}", members.collect())
            }
            other => return other.flow(),
        };
        let (before, after) = (" ".repeat(inner), " ".repeat(indent));
        let parts: Vec<String> = parts
            .into_iter()
            .map(|part| format!("{before}{part}"))
            .collect();
        format!("{open}\n{}\n{after}{close}", parts.join(",\n"))
    }

    /// The member `name` with this value in block style, whose first line is indented by `indent`
    /// already.
    pub(super) fn block_member(&self, name: &str, indent: usize) -> String {
        let name = plain_or_quoted(name);
        let inner = indent.saturating_add(2);
        match self {
            Self::Map(members) if !members.is_empty() => {
                let block = self.block(inner);
                format!("{name}:\n{}{block}", " ".repeat(inner))
            }
            Self::List(items) if !items.iter().all(Self::is_scalar) => {
                let block = self.block(indent);
                format!("{name}:\n{}{block}", " ".repeat(indent))
            }
            Self::Text(text) => format!("{name}: {}", plain_or_quoted(text)),
            other => format!("{name}: {}", other.flow()),
        }
    }

    /// The value in block style, whose first line is indented by `indent` already.
    pub(super) fn block(&self, indent: usize) -> String {
        let separator = format!("\n{}", " ".repeat(indent));
        match self {
            Self::Map(members) if !members.is_empty() => {
                let members = members.iter();
                let members: Vec<String> = members
                    .map(|(name, value)| value.block_member(name, indent))
                    .collect();
                members.join(&separator)
            }
            Self::List(items) if !items.is_empty() => {
                let inner = indent.saturating_add(2);
                let items: Vec<String> = items
                    .iter()
                    .map(|item| format!("- {}", item.block(inner)))
                    .collect();
                items.join(&separator)
            }
            Self::Text(text) => plain_or_quoted(text),
            other => other.flow(),
        }
    }
}

/// The text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// The text as YAML: without quotes where no reader could mistake it.
fn plain_or_quoted(text: &str) -> String {
    let first = text.chars().next();
    let plain = first.is_some_and(|first| first.is_ascii_alphabetic() || first == '/')
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

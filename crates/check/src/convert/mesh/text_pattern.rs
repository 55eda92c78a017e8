//! Patterns of texts with a star at one end, as Istio writes them.

use crate::convert::new_value::NewValue;

/// Texts that a value is compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TextPattern {
    /// Any text that is not empty.
    Any,
    Exact(String),
    Prefix(String),
    Suffix(String),
    /// Texts that match this regular expression as a whole.
    Regex(String),
}

impl TextPattern {
    /// The pattern that Istio writes as `text`.
    pub(super) fn from_istio(text: &str) -> Self {
        if text == "*" {
            Self::Any
        } else if let Some(suffix) = text.strip_prefix('*') {
            Self::Suffix(suffix.to_owned())
        } else if let Some(prefix) = text.strip_suffix('*') {
            Self::Prefix(prefix.to_owned())
        } else {
            Self::Exact(text.to_owned())
        }
    }

    /// Whether this text matches; `None` if that is not known here.
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        match self {
            Self::Any => Some(!text.is_empty()),
            Self::Exact(exact) => Some(text == exact),
            Self::Prefix(prefix) => Some(text.starts_with(prefix)),
            Self::Suffix(suffix) => Some(text.ends_with(suffix)),
            Self::Regex(_) => None,
        }
    }

    /// The string match of the gate.
    pub(super) fn to_string_match(&self, ignore_case: bool) -> NewValue {
        let (name, text) = match self {
            Self::Exact(text) => ("exact", text),
            Self::Prefix(text) => ("prefix", text),
            Self::Suffix(text) => ("suffix", text),
            Self::Any | Self::Regex(_) => {
                let regex = NewValue::map([("regex", NewValue::Text(self.regex()))]);
                return NewValue::map([("safe_regex", regex)]);
            }
        };
        let mut members = vec![(name.to_owned(), NewValue::text(text))];
        if ignore_case {
            members.push(("ignore_case".to_owned(), NewValue::literal("true")));
        }
        NewValue::Map(members)
    }

    /// A regular expression for the same texts.
    pub(super) fn regex(&self) -> String {
        match self {
            Self::Any => ".+".to_owned(),
            Self::Exact(text) => escaped(text),
            Self::Prefix(text) => format!("{}.*", escaped(text)),
            Self::Suffix(text) => format!(".*{}", escaped(text)),
            Self::Regex(regex) => regex.clone(),
        }
    }
}

/// A regular expression for this text.
pub(super) fn escaped(text: &str) -> String {
    let mut regex = String::new();
    for letter in text.chars() {
        if letter.is_ascii_punctuation() && !"/-_~:,@=&%!'\"<>`;#".contains(letter) {
            regex.push('\\');
        }
        regex.push(letter);
    }
    regex
}

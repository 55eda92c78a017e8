//! Patterns of paths in policies of a mesh.

use super::text_pattern::escaped;
use crate::convert::new_value::NewValue;

/// Paths, without query, that a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PathPattern {
    /// This path.
    Exact(String),
    /// Paths that begin so.
    Prefix(String),
    /// This path, and those below it.
    Segments(String),
    /// Paths that end so.
    Suffix(String),
    /// Paths that match this regular expression as a whole.
    Regex(String),
}

impl PathPattern {
    /// Whether a path matches; `None` if that is not known here.
    fn matches(&self, path: &str) -> Option<bool> {
        match self {
            Self::Exact(exact) => Some(path == exact),
            Self::Prefix(prefix) => Some(path.starts_with(prefix)),
            Self::Suffix(suffix) => Some(path.ends_with(suffix)),
            Self::Segments(above) => Some(is_below(path, above)),
            Self::Regex(_) => None,
        }
    }

    /// Whether every path of `other` is known to match.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (one, other) if one == other => true,
            (one, Self::Exact(path)) => one.matches(path) == Some(true),
            (Self::Prefix(prefix), Self::Prefix(longer) | Self::Segments(longer)) => {
                longer.starts_with(prefix)
            }
            (Self::Segments(above), Self::Segments(below)) => is_below(below, above),
            (Self::Segments(above), Self::Prefix(prefix)) => prefix
                .strip_prefix(above.as_str())
                .is_some_and(|rest| rest.starts_with('/')),
            (Self::Suffix(suffix), Self::Suffix(longer)) => longer.ends_with(suffix),
            _ => false,
        }
    }

    /// Whether no path is known to match both.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(path), other) | (other, Self::Exact(path)) => {
                other.matches(path) == Some(false)
            }
            (Self::Suffix(one), Self::Suffix(two)) => !one.ends_with(two) && !two.ends_with(one),
            (Self::Prefix(one), Self::Prefix(two)) => {
                !one.starts_with(two.as_str()) && !two.starts_with(one.as_str())
            }
            (Self::Segments(one), Self::Segments(two)) => {
                !is_below(one, two) && !is_below(two, one)
            }
            (Self::Segments(above), Self::Prefix(prefix))
            | (Self::Prefix(prefix), Self::Segments(above)) => {
                !above.starts_with(prefix.as_str()) && !is_below(prefix, above)
            }
            _ => false,
        }
    }

    /// The field of a match of the gate.
    pub(super) fn to_field(&self) -> (&'static str, NewValue) {
        match self {
            Self::Exact(path) => ("path", NewValue::text(path)),
            Self::Prefix(prefix) => ("prefix", NewValue::text(prefix)),
            Self::Segments(above) => ("path_separated_prefix", NewValue::text(above)),
            Self::Suffix(_) | Self::Regex(_) => {
                let regex = NewValue::map([("regex", NewValue::Text(self.regex()))]);
                ("safe_regex", regex)
            }
        }
    }

    /// A regular expression for the same paths.
    pub(super) fn regex(&self) -> String {
        match self {
            Self::Exact(path) => escaped(path),
            Self::Prefix(prefix) => format!("{}.*", escaped(prefix)),
            Self::Segments(above) => format!("{}(/.*)?", escaped(above)),
            Self::Suffix(suffix) => format!(".*{}", escaped(suffix)),
            Self::Regex(regex) => regex.clone(),
        }
    }
}

/// Whether `path` is `above` or below it.
fn is_below(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(path: &str) -> PathPattern {
        PathPattern::Exact(path.to_owned())
    }

    fn prefix(path: &str) -> PathPattern {
        PathPattern::Prefix(path.to_owned())
    }

    fn suffix(path: &str) -> PathPattern {
        PathPattern::Suffix(path.to_owned())
    }

    fn segments(path: &str) -> PathPattern {
        PathPattern::Segments(path.to_owned())
    }

    #[test]
    fn a_pattern_covers_what_only_has_paths_of_its_own() {
        for (wide, narrow) in [
            (prefix("/a"), prefix("/ab")),
            (prefix("/a"), exact("/ab")),
            (prefix("/a"), segments("/a")),
            (segments("/a"), exact("/a/b")),
            (segments("/a"), segments("/a/b")),
            (segments("/a"), prefix("/a/")),
            (suffix(".js"), exact("/x.js")),
            (suffix(".js"), suffix("x.js")),
        ] {
            assert!(wide.covers(&narrow), "{wide:?} {narrow:?}");
            assert!(!narrow.covers(&wide), "{narrow:?} {wide:?}");
            assert!(!wide.excludes(&narrow), "{wide:?} {narrow:?}");
        }
        assert!(!segments("/a").covers(&exact("/ab")));
        assert!(!segments("/a").covers(&prefix("/a")));
    }

    #[test]
    fn patterns_exclude_each_other_only_if_no_path_matches_both() {
        assert!(exact("/a").excludes(&exact("/b")));
        assert!(prefix("/a").excludes(&prefix("/b")));
        assert!(segments("/a").excludes(&segments("/ab")));
        assert!(segments("/a").excludes(&exact("/ab")));
        assert!(segments("/a").excludes(&prefix("/a;")));
        assert!(!segments("/a").excludes(&prefix("/a/b")));
        assert!(suffix(".js").excludes(&suffix(".css")));
        assert!(!prefix("/a").excludes(&suffix(".js")));
        assert!(prefix("/ab").excludes(&segments("/a")));
        assert!(!prefix("/a").excludes(&segments("/a")));
        assert!(!PathPattern::Regex("/a".to_owned()).excludes(&exact("/b")));
    }
}

//! Where a claim is in a payload.

use std::fmt;

use serde_json::{Map, Value};

/// The place of a claim: the names of the objects that contain it, then its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// The path of these names; `None` if there are none or one is empty.
    #[must_use]
    pub fn new(names: Vec<String>) -> Option<Self> {
        let complete = !names.is_empty() && names.iter().all(|name| !name.is_empty());
        complete.then_some(Self(names))
    }

    /// The path of a member of the payload itself.
    #[must_use]
    pub fn top_level(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// The member of the payload that is the claim, or contains it.
    #[must_use]
    pub fn root(&self) -> Option<&String> {
        self.0.first()
    }

    /// The names of the objects that contain the claim, then its own name.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether these are its first names.
    #[must_use]
    pub fn starts_with(&self, names: &[&str]) -> bool {
        let first = self.0.get(..names.len());
        first.is_some_and(|first| first == names)
    }

    /// The claim's value; `None` if the payload does not have it.
    #[must_use]
    pub fn find<'p>(&self, payload: &'p Map<String, Value>) -> Option<&'p Value> {
        let (first, rest) = self.0.split_first()?;
        let mut value = payload.get(first)?;
        for name in rest {
            value = value.as_object()?.get(name)?;
        }
        Some(value)
    }
}

impl fmt::Display for ClaimPath {
    /// The names, separated by dots.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_name_and_no_empty_one() {
        for (names, valid) in [
            (&["a"][..], true),
            (&["a", "b.c"], true),
            (&[], false),
            (&[""], false),
            (&["a", ""], false),
        ] {
            let path = ClaimPath::new(names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(path.is_some(), valid, "{names:?}");
        }
    }

    #[test]
    fn a_path_knows_its_names() {
        let names = ["a".to_owned(), "b.c".to_owned()];
        let path = ClaimPath::new(names.to_vec()).unwrap();
        assert_eq!(path.names(), names);
        assert_eq!(path.root(), Some(&names[0]));
        assert_eq!(path.to_string(), "a.b.c");
        for (start, expected) in [
            (&[][..], true),
            (&["a"], true),
            (&["a", "b.c"], true),
            (&["b.c"], false),
            (&["a", "b.c", "d"], false),
        ] {
            assert_eq!(path.starts_with(start), expected, "{start:?}");
        }
    }
}

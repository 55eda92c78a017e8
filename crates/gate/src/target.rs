//! The target of a request: path, query and fragment, split once.

use std::borrow::Cow;
use std::ops::Range;

/// The target of a request (RFC 9112, section 3.2), which Envoy gives as `:path`. It is split into its
/// parts when it is created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target<'h> {
    text: Cow<'h, [u8]>,
    path_end: usize,
    query: Range<usize>,
}

impl Target<'_> {
    /// The target as it was sent; empty if the request has none (`CONNECT`).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// The path without query and fragment.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        self.text.get(..self.path_end).unwrap_or_default()
    }

    /// The query without its `?` and without the fragment; empty if there is none.
    #[must_use]
    pub fn query(&self) -> &[u8] {
        self.text.get(self.query.clone()).unwrap_or_default()
    }

    /// The target without the parameters of the query that `removed` selects. Everything else stays as
    /// it was sent.
    #[must_use]
    pub fn without_parameters(&self, removed: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let kept: Vec<&[u8]> = self
            .query()
            .split(|byte| *byte == b'&')
            .filter(|parameter| !removed(parameter))
            .collect();
        let kept = kept.join(&b'&');
        let mark: &[u8] = if kept.is_empty() { b"" } else { b"?" };
        let fragment = self.text.get(self.query.end..).unwrap_or_default();
        [self.path(), mark, &kept, fragment].concat()
    }

    /// The same target, which no longer borrows the headers.
    #[must_use]
    pub fn into_owned(self) -> Target<'static> {
        Target {
            text: Cow::Owned(self.text.into_owned()),
            path_end: self.path_end,
            query: self.query,
        }
    }
}

impl<'h> From<Cow<'h, [u8]>> for Target<'h> {
    fn from(text: Cow<'h, [u8]>) -> Self {
        let find = |wanted: u8, end: usize| {
            let part = text.get(..end).unwrap_or_default();
            part.iter().position(|byte| *byte == wanted)
        };
        let end = find(b'#', text.len()).unwrap_or(text.len());
        let path_end = find(b'?', end).unwrap_or(end);
        let query = path_end.saturating_add(1).min(end)..end;
        Self {
            text,
            path_end,
            query,
        }
    }
}

impl<'h> From<&'h [u8]> for Target<'h> {
    fn from(text: &'h [u8]) -> Self {
        Cow::Borrowed(text).into()
    }
}

impl<'h, const N: usize> From<&'h [u8; N]> for Target<'h> {
    fn from(text: &'h [u8; N]) -> Self {
        text.as_slice().into()
    }
}

impl From<Vec<u8>> for Target<'_> {
    fn from(text: Vec<u8>) -> Self {
        Cow::<[u8]>::Owned(text).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_into_path_and_query() {
        for (target, path, query) in [
            ("", "", ""),
            ("/", "/", ""),
            ("/a?b=c", "/a", "b=c"),
            ("/a?", "/a", ""),
            ("/a?b?c", "/a", "b?c"),
            ("/a?b#c", "/a", "b"),
            ("/a#b?c", "/a", ""),
            ("?b", "", "b"),
            ("#", "", ""),
            ("*", "*", ""),
        ] {
            let split = Target::from(target.as_bytes());
            let parts = (split.path(), split.query());
            assert_eq!(parts, (path.as_bytes(), query.as_bytes()), "{target}");
            let owned = split.clone().into_owned();
            assert_eq!((owned.path(), owned.query()), parts, "{target}");
        }
    }

    #[test]
    fn removing_parameters_leaves_the_rest_as_it_was_sent() {
        for (target, rest) in [
            ("/a", "/a"),
            ("/a?t=1", "/a"),
            ("/a?t=1&b=%20", "/a?b=%20"),
            ("/a?b&t=1&&c#t=2", "/a?b&&c#t=2"),
            ("/a#t=1", "/a#t=1"),
        ] {
            let target = Target::from(target.as_bytes());
            let without = target.without_parameters(|parameter| parameter.starts_with(b"t="));
            assert_eq!(without, rest.as_bytes());
        }
    }

    proptest::proptest! {
        #[test]
        fn the_parts_are_what_a_search_finds(text: Vec<u8>) {
            let target = Target::from(text.as_slice());
            let before_fragment = text.split(|byte| *byte == b'#').next().unwrap();
            let mut parts = before_fragment.splitn(2, |byte| *byte == b'?');
            proptest::prop_assert_eq!(target.path(), parts.next().unwrap());
            proptest::prop_assert_eq!(target.query(), parts.next().unwrap_or_default());
        }
    }
}

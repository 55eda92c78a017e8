//! Sets of header names that a careless upstream cannot tell apart.

/// A set of header names in which `_` equals `-` and upper case equals lower case.
///
/// CGI, WSGI and many frameworks hand `x_user` and `x-user` to the application under one name. A client
/// that may send the one can speak for the other.
#[derive(Debug, Default)]
pub struct HeaderNames {
    /// In lower case, with `-` for `_`, and sorted.
    names: Vec<Vec<u8>>,
}

impl HeaderNames {
    /// The set of `names`.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter();
        let mut names: Vec<Vec<u8>> = names
            .map(|name| canonical(name.as_bytes()).collect())
            .collect();
        names.sort_unstable();
        names.dedup();
        Self { names }
    }

    /// Whether the set contains `name` in any spelling.
    #[must_use]
    pub fn contains(&self, name: &[u8]) -> bool {
        let found = self
            .names
            .binary_search_by(|known| known.iter().copied().cmp(canonical(name)));
        found.is_ok()
    }
}

/// The bytes of `name` in lower case, with `-` for `_`.
fn canonical(name: &[u8]) -> impl Iterator<Item = u8> {
    name.iter().map(|byte| match byte {
        b'_' => b'-',
        other => other.to_ascii_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_every_spelling() {
        for configured in ["x-user-id", "x_user_id", "X-User_Id"] {
            let names = HeaderNames::new(["y", configured, "a-b"]);
            for name in [
                "x-user-id",
                "x_user_id",
                "x_user-id",
                "x-user_id",
                "X_USER_ID",
                "X-User_Id",
            ] {
                assert!(names.contains(name.as_bytes()), "{configured} {name}");
            }
            for name in [
                "",
                "x",
                "x-user",
                "xuserid",
                "x-user-id-",
                "-x-user-id",
                "_x_user_id",
                "x--user-id",
                "x.user.id",
                "x-user-ie",
            ] {
                assert!(!names.contains(name.as_bytes()), "{configured} {name}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn the_set_contains_what_equals_one_of_its_names(
            names in proptest::collection::vec("[-_aA]{0,4}", 0..5),
            name in "[-_aA]{0,4}",
        ) {
            let plain = |name: &str| name.replace('_', "-").to_ascii_lowercase();
            let set = HeaderNames::new(names.iter().map(String::as_str));
            let expected = names.iter().any(|known| plain(known) == plain(&name));
            proptest::prop_assert_eq!(set.contains(name.as_bytes()), expected);
        }
    }
}

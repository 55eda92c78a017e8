//! Lists of names in errors.

/// How many names are listed.
const MAX_LISTED: usize = 12;

/// These names in quotation marks, separated by commas; only the first ones of a long list.
pub(crate) fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names = names.into_iter();
    let listed: Vec<String> = names
        .by_ref()
        .take(MAX_LISTED)
        .map(|name| format!("{name:?}"))
        .collect();
    let listed = listed.join(", ");
    match names.count() {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(quoted([]), "");
        assert_eq!(quoted(["a"]), "\"a\"");
        let twelve = ["a"; 12];
        assert!(!quoted(twelve).contains("more"));
        assert!(quoted(["a"; 14]).ends_with("\"a\" and 2 more"));
    }
}

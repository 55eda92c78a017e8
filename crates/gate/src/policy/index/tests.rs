use super::*;

fn stem(text: &str, whole: bool) -> Stem<'_> {
    Stem { text, whole }
}

/// The candidates for `path`. Few are expected, so that a search without an end fails too.
fn candidates(index: &Index, path: &str) -> Vec<usize> {
    index.candidates(path.as_bytes()).take(10).collect()
}

#[test]
fn only_stems_that_a_path_begins_with_are_candidates() {
    let stems = [
        stem("/orders/", false),
        stem("/orders", true),
        stem("", false),
        stem("/ORDERS/new", true),
        stem("/orders/", false),
        stem("/o", false),
        stem("/orders/new/", false),
        stem("/p", false),
    ];
    let index = Index::new(stems.into_iter());
    for (path, expected) in [
        ("", &[2][..]),
        ("/", &[2]),
        ("/o", &[2, 5]),
        ("/orders", &[1, 2, 5]),
        ("/Orders", &[1, 2, 5]),
        ("/orders/", &[0, 2, 4, 5]),
        ("/orders/new", &[0, 2, 3, 4, 5]),
        ("/orders/newer", &[0, 2, 4, 5]),
        ("/orders/new/x", &[0, 2, 4, 5, 6]),
        ("/ordinary", &[2, 5]),
        ("/pets", &[2, 7]),
        ("/z", &[2]),
    ] {
        assert_eq!(candidates(&index, path), expected, "{path}");
    }
    let none = Index::new(std::iter::empty());
    assert_eq!(candidates(&none, "/"), [0; 0]);
}

#[test]
fn rules_for_other_paths_are_not_examined() {
    let paths: Vec<String> = (0..1000).map(|number| format!("/api-{number}/")).collect();
    let index = Index::new(paths.iter().map(|path| stem(path, false)));
    assert_eq!(candidates(&index, "/api-77/orders/1"), [77]);
}

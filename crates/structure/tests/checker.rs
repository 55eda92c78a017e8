//! The checker, on small crates with and without cycles.

#![expect(clippy::unwrap_used, reason = "a test that lacks what it needs fails")]

use std::collections::BTreeSet;
use std::path::Path;

use gate_structure::{Crate, Import, Layers, cycles};

/// The imports of a crate of these files, each a path below `src` and its content.
fn imports(files: &[(&str, &str)]) -> Vec<Import> {
    let read = |path: &Path| {
        let (_, text) = files
            .iter()
            .find(|(file, _)| path == Path::new("src").join(file))?;
        Some((*text).to_owned())
    };
    Crate::read(Path::new("src/lib.rs"), &read)
        .unwrap()
        .imports()
}

/// The imports as `from -> to`, without the directory.
fn edges(files: &[(&str, &str)]) -> Vec<String> {
    let short = |path: &Path| path.strip_prefix("src").unwrap().display().to_string();
    let edges = imports(files).into_iter();
    edges
        .map(|import| format!("{} -> {}", short(&import.from), short(&import.to)))
        .collect()
}

const LIB: (&str, &str) = ("lib.rs", "mod a; mod b; mod c;");

#[test]
fn a_cycle_of_three_files_is_found_and_says_which_imports_make_it() {
    let found = cycles(&imports(&[
        LIB,
        ("a.rs", "use crate::b::B;\npub struct A;"),
        ("b.rs", "\nuse super::c::C; pub struct B;"),
        (
            "c.rs",
            "pub struct C; fn c() -> crate::a::A { crate::a::A }",
        ),
    ]));
    let [cycle] = found.as_slice() else {
        panic!("{found:?}");
    };
    let text = cycle.to_string();
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "These files import each other:",
            "  src/a.rs:1: crate::b::B is defined in src/b.rs",
            "  src/b.rs:2: super::c::C is defined in src/c.rs",
            "  src/c.rs:1: crate::a::A is defined in src/a.rs",
        ]
    );
}

#[test]
fn imports_in_one_direction_are_no_cycle() {
    let imports = imports(&[
        LIB,
        ("a.rs", "use crate::{b::B, c::C};"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "pub struct C;"),
    ]);
    assert_eq!(imports.len(), 3);
    assert!(cycles(&imports).is_empty());
}

#[test]
fn a_re_export_leads_to_the_file_that_defines_the_name() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a.rs", "mod b; mod c; pub use b::B; pub use c::C;"),
        ("a/b.rs", "pub struct B;"),
        ("a/c.rs", "use super::B; pub struct C(B);"),
    ];
    assert_eq!(
        edges(&files),
        ["a/c.rs -> a/b.rs", "a.rs -> a/b.rs", "a.rs -> a/c.rs"]
    );
    assert!(cycles(&imports(&files)).is_empty());
}

#[test]
fn a_child_that_imports_what_its_parent_defines_makes_a_cycle() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a.rs", "mod b; pub use b::B; pub struct A;"),
        ("a/b.rs", "pub struct B(super::A);"),
    ];
    assert_eq!(cycles(&imports(&files)).len(), 1);
}

#[test]
fn paths_are_found_wherever_they_are() {
    for a in [
        "use crate::b; fn f() { b::f() }",
        "use crate::b::{self as other}; fn f() { other::f() }",
        "fn f() { use crate::b; b::f() }",
        "fn f() -> crate::b::B {}",
        "fn f() { assert!(crate::b::f() == 1); }",
        "use crate::b::*;",
        "use crate::b::B as Other;",
        "mod inner { use super::super::b::B; }",
        "#[serde(with = \"crate::b::f\")] struct A;",
        "#[derive(crate::b::B)] struct A;",
        "impl crate::b::B for A {}",
        "use crate::b::generated_by_a_macro;",
        "use crate::c::b::B;",
    ] {
        let files = [
            LIB,
            ("a.rs", a),
            ("b.rs", "pub fn f() {} pub struct B;"),
            ("c.rs", "pub use crate::b;"),
        ];
        assert_eq!(edges(&files), ["a.rs -> b.rs"], "{a}");
    }
}

#[test]
fn code_in_tests_does_not_count() {
    for a in [
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(test)] mod no_such_file;",
        "#[cfg(test)] use crate::b::B;",
        "#[cfg(all(test, unix))] fn f() -> crate::b::B {}",
        "impl A { #[cfg(test)] fn f() -> crate::b::B {} }",
        "/// See [`crate::b::B`].\npub struct A;",
    ] {
        let files = [LIB, ("a.rs", a), ("b.rs", "pub struct B;"), ("c.rs", "")];
        assert_eq!(edges(&files), Vec::<String>::new(), "{a}");
    }
}

#[test]
fn names_of_other_crates_are_no_imports() {
    let files = [
        LIB,
        (
            "a.rs",
            "use std::fmt; use ::b::B; fn f() { fmt::Debug; Vec::new(); Self::b() }",
        ),
        ("b.rs", "pub struct B;"),
        ("c.rs", ""),
    ];
    assert_eq!(edges(&files), Vec::<String>::new());
}

#[test]
fn globs_that_import_each_other_end() {
    let files = [
        LIB,
        ("a.rs", "pub use crate::b::*; fn f() { nowhere::f() }"),
        ("b.rs", "pub use crate::a::*;"),
        ("c.rs", "use crate::a::nothing;"),
    ];
    assert_eq!(cycles(&imports(&files)).len(), 1);
}

#[test]
fn an_import_from_a_higher_layer_is_a_problem() {
    let imports = imports(&[
        LIB,
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "pub struct B;"),
        ("c.rs", "use crate::a::A;"),
    ]);
    let modules = BTreeSet::from(["a", "b", "c"].map(str::to_owned));
    let problems = |layers: &[&[&str]]| Layers(layers).problems(&modules, &imports);
    assert_eq!(problems(&[&["b"], &["a"], &["c"]]), Vec::<String>::new());
    assert_eq!(problems(&[&["a", "b", "c"]]), Vec::<String>::new());
    assert_eq!(
        problems(&[&["a"], &["b", "c"]]),
        ["src/a.rs:1: crate::b::B is defined in src/b.rs: `b` is in a layer above `a`"]
    );
    assert_eq!(
        problems(&[&["b"], &["a", "d"]]),
        ["the module `c` is in no layer", "there is no module `d`"]
    );
}

#[test]
fn a_missing_file_is_an_error() {
    let read = |path: &Path| (path == Path::new("src/lib.rs")).then(|| "mod a;".to_owned());
    let error = Crate::read(Path::new("src/lib.rs"), &read).err().unwrap();
    assert_eq!(error.to_string(), "src/a.rs: there is no such file");
}

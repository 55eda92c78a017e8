//! The module has the exports that the filter needs, and none that would be entered for nothing; and
//! it is small.

use std::fs;

use crate::support::root;

/// The callbacks that the linker leaves out.
fn left_out() -> Vec<String> {
    let script = fs::read_to_string(root().join("scripts/wasm-ld")).unwrap();
    let list = script.split('\'').nth(1).unwrap();
    list.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn no_callback_that_the_filter_implements_is_left_out() {
    let mut source = String::new();
    for entry in fs::read_dir(root().join("src/proxy")).unwrap() {
        source.push_str(&fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    for export in left_out() {
        let name = export.strip_prefix("proxy_on_").unwrap();
        for callback in [format!("fn on_{name}("), format!("fn on_http_{name}(")] {
            assert!(
                !source.contains(&callback),
                "{export} is needed: {callback}"
            );
        }
    }
}

fn module() -> Vec<u8> {
    fs::read(root().join("target/wasm32-wasip1/release/bearer_gate.wasm")).unwrap()
}

#[test]
fn the_module_is_below_1_mib() {
    const LIMIT: usize = 1024 * 1024;
    let bytes = module().len();
    assert!(
        bytes < LIMIT,
        "{bytes} bytes, and {LIMIT} are too many: docs/design.md says what keeps it small"
    );
}

#[test]
fn the_module_exports_what_it_needs_only() {
    let module = module();
    let exports = |name: &str| {
        module
            .windows(name.len())
            .any(|bytes| bytes == name.as_bytes())
    };
    for export in left_out() {
        assert!(!exports(&export), "{export}");
    }
    // Without these two a body would not wait with its request.
    for needed in ["proxy_on_request_body", "proxy_on_request_trailers"] {
        assert!(exports(needed), "{needed}");
    }
}

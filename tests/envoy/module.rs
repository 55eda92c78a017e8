//! The module is small. It has the exports that the filter needs and none that Envoy would call for
//! nothing.

use std::collections::HashSet;
use std::fs;

use wasmparser::{Import, KnownCustom, Operator, Parser, Payload, TypeRef};

use crate::support::root;

/// The callbacks that the linker does not export.
fn left_out() -> Vec<String> {
    let script = fs::read_to_string(root().join("scripts/wasm-ld")).unwrap();
    let list = script.split('\'').nth(1).unwrap();
    list.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn no_callback_that_the_filter_implements_is_left_out() {
    let mut source = String::new();
    for entry in fs::read_dir(root().join("src")).unwrap() {
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
fn the_module_is_below_1_25_mib() {
    const LIMIT: usize = 1280 * 1024;
    let bytes = module().len();
    assert!(
        bytes < LIMIT,
        "{bytes} bytes; the limit is {LIMIT}: docs/design.md says what keeps the module small"
    );
}

#[test]
fn the_module_exports_only_what_it_needs() {
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

/// An engine ignores all hints if one of them does not belong to a branch.
#[test]
fn every_branch_hint_belongs_to_a_branch() {
    /// Half of the branches that requests reach.
    const MANY: usize = 500;
    let module = module();
    let mut imported = 0;
    let mut bodies = Vec::new();
    let mut hints = Vec::new();
    for payload in Parser::new(0).parse_all(&module) {
        match payload.unwrap() {
            Payload::ImportSection(imports) => {
                let is_function = |import: &Import| matches!(import.ty, TypeRef::Func(_));
                let imports = imports.into_imports().map(Result::unwrap);
                imported = imports.filter(is_function).count();
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::BranchHints(functions) = section.as_known() {
                    assert!(bodies.is_empty(), "hints come before the code");
                    hints.extend(functions.into_iter().map(Result::unwrap));
                }
            }
            _ => {}
        }
    }
    let mut found = 0;
    for function in hints {
        let body = &bodies[usize::try_from(function.func).unwrap() - imported];
        let branches: HashSet<u64> = body
            .get_operators_reader()
            .unwrap()
            .into_iter_with_offsets()
            .map(Result::unwrap)
            .filter(|(operator, _)| matches!(operator, Operator::If { .. } | Operator::BrIf { .. }))
            .map(|(_, at)| at - body.range().start)
            .collect();
        for hint in function.hints {
            let at = u64::from(hint.unwrap().func_offset);
            assert!(branches.contains(&at), "function {}, {at}", function.func);
            found += 1;
        }
    }
    assert!(found > MANY, "{found} hints");
}

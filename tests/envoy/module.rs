//! The module is small. It has the exports that the filter needs and none that Envoy would call for
//! nothing.

use std::fs;

use wasmparser::{ExternalKind, FunctionBody, Operator, Parser, Payload, TypeRef};

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
fn the_module_stays_small() {
    const LIMIT: usize = 1152 * 1024;
    let bytes = module().len();
    assert!(
        bytes < LIMIT,
        "{bytes} bytes; the limit is {LIMIT}: docs/design.md says what keeps the module small"
    );
}

/// The operators of a function.
fn operators<'b>(body: &FunctionBody<'b>) -> Vec<Operator<'b>> {
    let operators = body.get_operators_reader().unwrap().into_iter();
    operators.map(Result::unwrap).collect()
}

/// How many bytes V8 could inline into a function of the module, as it decides without `--liftoff`: twice its size and at
/// least 50, less what it has inlined. The calls with which the function begins come first:
/// `scripts/module/compile-as-is.mjs` puts them there, in `if (0) { call ... }`.
fn inlining_budget(body: &FunctionBody, size_of: impl Fn(u32) -> usize) -> usize {
    let mut budget = (2 * body.as_bytes().len()).max(50);
    let operators = operators(body);
    if let [
        Operator::I32Const { value: 0 },
        Operator::If { .. },
        dead @ ..,
    ] = operators.as_slice()
    {
        for operator in dead {
            match operator {
                Operator::Call { function_index } if size_of(*function_index) < budget => {
                    budget -= size_of(*function_index);
                }
                Operator::Call { .. } => {}
                _ => return budget,
            }
        }
    }
    budget
}

/// How many loops of a function V8 could unroll without knowing how often they run: those without inner loops, except if they begin as
/// `scripts/module/compile-as-is.mjs` makes them, with `if (0) { six divisions }`.
fn loops_to_unroll(body: &FunctionBody) -> usize {
    let operators = operators(body);
    let mut found = 0;
    // For each construct that is open: whether V8 could unroll it, were it to end here.
    let mut open = Vec::new();
    for (index, operator) in operators.iter().enumerate() {
        match operator {
            Operator::Loop { .. } => {
                open.fill(false);
                open.push(!is_long(&operators[index..]));
            }
            Operator::Block { .. } | Operator::If { .. } => open.push(false),
            Operator::End => found += usize::from(open.pop() == Some(true)),
            _ => {}
        }
    }
    found
}

/// Whether a loop that begins with these operators is made too long to be unrolled.
fn is_long(operators: &[Operator]) -> bool {
    let dead = operators.get(1..28).unwrap_or_default();
    let divisions = dead.iter().filter(|one| matches!(one, Operator::I32DivS));
    let [condition, branch, .., end] = dead else {
        return false;
    };
    matches!(condition, Operator::I32Const { value: 0 })
        && matches!(branch, Operator::If { .. })
        && matches!(end, Operator::End)
        && divisions.count() == 6
}

/// The functions that the module imports, and those that it defines.
fn functions(module: &[u8]) -> (usize, Vec<FunctionBody<'_>>) {
    let mut imported = 0;
    let mut defined = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::ImportSection(section) => {
                let imports = section.into_imports().map(Result::unwrap);
                imported += imports
                    .filter(|import| matches!(import.ty, TypeRef::Func(_)))
                    .count();
            }
            Payload::CodeSectionEntry(body) => defined.push(body),
            _ => {}
        }
    }
    (imported, defined)
}

#[test]
fn v8_can_inline_only_the_smallest_functions() {
    let module = module();
    let (imported, functions) = functions(&module);
    let size_of = |index: u32| {
        let index = usize::try_from(index).unwrap().checked_sub(imported);
        index.map_or(usize::MAX, |index| functions[index].as_bytes().len())
    };
    for (index, body) in functions.iter().enumerate() {
        let has_calls = operators(body)
            .iter()
            .any(|operator| matches!(operator, Operator::Call { .. }));
        let left = inlining_budget(body, size_of);
        assert!(
            !has_calls || left < 40,
            "function {index}: {left} bytes could be inlined"
        );
    }
}

#[test]
fn v8_unrolls_no_loop_of_unknown_length() {
    let module = module();
    let (_, functions) = functions(&module);
    assert_eq!(functions.iter().map(loops_to_unroll).sum::<usize>(), 0);
}

/// What the module must export, and what happens in Envoy without it. Envoy takes a callback that is
/// missing for one that the filter does not want, and goes on without a word.
const NEEDED: [(&str, ExternalKind, &str); 12] = {
    const FUNCTION: ExternalKind = ExternalKind::Func;
    [
        (
            "proxy_on_request_headers",
            FUNCTION,
            "every request passes without a decision",
        ),
        (
            "proxy_on_request_body",
            FUNCTION,
            "a body goes on while its request waits for keys",
        ),
        (
            "proxy_on_request_trailers",
            FUNCTION,
            "trailers go on while their request waits for keys",
        ),
        (
            "proxy_on_configure",
            FUNCTION,
            "Envoy starts with any configuration, and the filter never reads it",
        ),
        (
            "proxy_on_context_create",
            FUNCTION,
            "the filter traps at the first callback, since it knows no context",
        ),
        (
            "proxy_on_http_call_response",
            FUNCTION,
            "no key set, revocation list or introspection answer ever arrives",
        ),
        (
            "proxy_on_tick",
            FUNCTION,
            "nothing is fetched, and requests that wait are never answered",
        ),
        (
            "proxy_on_delete",
            FUNCTION,
            "streams that ended stay in memory and in the waiting room",
        ),
        (
            "_initialize",
            FUNCTION,
            "the SDK has no root context of the filter and uses one that does nothing",
        ),
        (
            "proxy_on_memory_allocate",
            FUNCTION,
            "Envoy has no place for what it hands over, and refuses the module",
        ),
        (
            "proxy_abi_version_0_2_1",
            FUNCTION,
            "Envoy does not know how to call the module, and refuses it",
        ),
        (
            "memory",
            ExternalKind::Memory,
            "Envoy cannot read what the module hands over",
        ),
    ]
};

/// What `module` exports.
fn exports(module: &[u8]) -> Vec<(String, ExternalKind)> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(section) = payload.unwrap() {
            let exports = section.into_iter().map(Result::unwrap);
            found.extend(exports.map(|export| (export.name.to_owned(), export.kind)));
        }
    }
    found
}

#[test]
fn the_module_exports_everything_that_decisions_depend_on() {
    let exports = exports(&module());
    for (name, kind, without) in NEEDED {
        assert!(
            exports.contains(&(name.to_owned(), kind)),
            "{name} is not exported. Without it, {without}."
        );
    }
    // With a second one, the order of the exports would decide how Envoy calls the module.
    let versions = exports
        .iter()
        .filter(|(name, _)| name.starts_with("proxy_abi_version_"));
    assert_eq!(versions.count(), 1);
}

#[test]
fn the_module_exports_only_what_it_needs() {
    let exports = exports(&module());
    for left_out in left_out() {
        let found = exports.iter().any(|(name, _)| *name == left_out);
        assert!(!found, "{left_out}");
    }
}

/// The list of callbacks to leave out and the list of those that are needed have nothing in common.
#[test]
fn no_needed_export_is_left_out() {
    let left_out = left_out();
    for (name, _, without) in NEEDED {
        assert!(
            !left_out.iter().any(|one| one == name),
            "scripts/wasm-ld leaves out {name}. Without it, {without}."
        );
    }
}

//! The HTTP filter around a configuration.

use super::editor::Editor;
use super::layout::{column, indentation, line_end, moved};
use super::native::Needs;
use super::new_value::NewValue;
use super::provider::Payload;
use crate::source_tree::Node;

const NATIVE_NAME: &str = "envoy.filters.http.jwt_authn";
pub(super) const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const STRUCT: &str = "type.googleapis.com/google.protobuf.Struct";
const HEADER_TO_METADATA: &str =
    "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config";

/// The name of the gate in place of `name`, which a filter of `jwt_authn` has.
pub(super) fn new_name(name: &str) -> String {
    name.replace(NATIVE_NAME, "bearer-gate")
}

/// The name of the filter that moves payloads into metadata, behind the gate of this name.
pub(super) fn payload_filter_name(gate: &str) -> String {
    format!("{gate}-payload")
}

/// The messages around the configuration: all members of the filter's `typed_config` except the configuration
/// itself, with a mark where it belongs.
fn envelope(module: &str, variables: &[String]) -> NewValue {
    let code = NewValue::map([("filename", NewValue::text(module))]);
    let mut vm = vec![
        ("vm_id".to_owned(), NewValue::text("bearer-gate")),
        (
            "runtime".to_owned(),
            NewValue::text("envoy.wasm.runtime.v8"),
        ),
        ("code".to_owned(), NewValue::map([("local", code)])),
    ];
    if !variables.is_empty() {
        let names = variables.iter().map(|name| NewValue::text(name)).collect();
        let keys = NewValue::map([("host_env_keys", NewValue::List(names))]);
        vm.push(("environment_variables".to_owned(), keys));
    }
    let configuration = NewValue::map([
        ("@type", NewValue::text(STRUCT)),
        ("value", NewValue::literal(MARK)),
    ]);
    let plugin = NewValue::map([
        ("name", NewValue::text("bearer-gate")),
        ("failure_policy", NewValue::text("FAIL_RELOAD")),
        ("vm_config", NewValue::Map(vm)),
        ("configuration", configuration),
    ]);
    NewValue::map([("@type", NewValue::text(WASM)), ("config", plugin)])
}

/// Stands for the configuration. No configuration contains it, because of the control character.
const MARK: &str = "\u{1}";

/// Replaces the message `outer` by the gate with the converted configuration `native`, which is `outer` itself
/// or a part of it.
///
/// # Errors
///
/// Changes overlap.
pub(super) fn wrap(
    editor: &mut Editor<'_>,
    outer: &Node,
    native: &Node,
    path: &str,
    module: &str,
    needs: &Needs,
) -> Result<(), String> {
    let envelope = envelope(module, &needs.variables);
    let text = editor.text;
    let (range, wrapped) = if outer.is_flow() || native.is_flow() {
        let body = editor.edits.take(text, native.range.clone())?;
        editor.review(outer.range.start, path, &needs.general);
        let own = indentation(text, native.range.start);
        let base = indentation(text, outer.range.start);
        let step = editor.step(outer);
        let value = if body.contains('\n') {
            let target = base.saturating_add(step.saturating_mul(3));
            let body = moved(&body, difference(target, own));
            envelope.pretty(base, step).replace(MARK, &body)
        } else {
            envelope.flow().replace(MARK, &body)
        };
        (outer.range.clone(), value)
    } else {
        // A comment behind the last value belongs to it.
        let end = line_end(text, native.range.end);
        let body = editor.edits.take(text, native.range.start..end)?;
        let own = column(text, native.range.start);
        let base = column(text, outer.range.start);
        let target = base.saturating_add(6);
        let body = moved(&body, difference(target, own));
        let comment = editor.note(path, &needs.general, target);
        let body = format!("\n{comment}{}{body}", " ".repeat(target));
        let value = envelope.block(base).replace(&format!(" {MARK}"), &body);
        (outer.range.start..end, value)
    };
    // What was changed in the outer message only, such as its type, is replaced as a whole.
    editor.edits.take(text, range.clone())?;
    editor.edits.replace(range, wrapped);
    Ok(())
}

fn difference(target: usize, own: usize) -> isize {
    let signed = |number: usize| isize::try_from(number).unwrap_or(isize::MAX);
    signed(target).saturating_sub(signed(own))
}

/// The configuration of the filter that moves payloads into metadata.
fn payload_config(payloads: &[Payload]) -> NewValue {
    let rules = payloads.iter().map(|payload| {
        let pair = NewValue::map([
            ("metadata_namespace", NewValue::text(NATIVE_NAME)),
            ("key", NewValue::text(&payload.key)),
            ("type", NewValue::text("PROTOBUF_VALUE")),
            ("encode", NewValue::text("BASE64")),
        ]);
        NewValue::map([
            ("header", NewValue::text(&payload.header)),
            ("on_header_present", pair),
            ("remove", NewValue::literal("true")),
        ])
    });
    NewValue::map([
        ("@type", NewValue::text(HEADER_TO_METADATA)),
        ("request_rules", NewValue::List(rules.collect())),
    ])
}

/// The filter that moves payloads into metadata, behind the gate of this name.
pub(super) fn payload_filter(gate: &str, payloads: &[Payload], disabled: bool) -> NewValue {
    let mut members = vec![("name".to_owned(), NewValue::Text(payload_filter_name(gate)))];
    if disabled {
        members.push(("disabled".to_owned(), NewValue::literal("true")));
    }
    members.push(("typed_config".to_owned(), payload_config(payloads)));
    NewValue::Map(members)
}

//! The settings around a configuration: failure policy and VM.

use super::warning::Warning;
use crate::source_tree::Node;

/// Warns of a `PluginConfig`.
pub(super) fn check(plugin: &Node, warnings: &mut Vec<Warning>) {
    let at = plugin.range.start;
    let policy = plugin.entry("failure_policy");
    let place = policy.map_or(at, |entry| entry.key_range.start);
    let name = policy.and_then(|entry| entry.value.text());
    if name == Some("FAIL_OPEN") || plugin.get("fail_open").is_some_and(Node::is_true) {
        warnings.push(Warning::new(
            "fail-open",
            place,
            "requests pass unchecked while the filter does not work",
        ));
    } else if name != Some("FAIL_RELOAD") {
        warnings.push(Warning::new(
            "fail-reload",
            place,
            "without failure_policy FAIL_RELOAD a worker whose VM has failed refuses every request until Envoy is restarted",
        ));
    }
    let vm = plugin.get("vm_config");
    if vm
        .and_then(|vm| vm.text_of("vm_id"))
        .unwrap_or_default()
        .is_empty()
    {
        let place = vm.map_or(at, |vm| vm.range.start);
        warnings.push(Warning::new(
            "vm-id",
            place,
            "without vm_id the filter shares its key sets with every other module that has none",
        ));
    }
}

//! `PerRouteConfig`: what routes, virtual hosts and route configurations choose of `jwt_authn`.

use std::ops::Range;

use super::chosen::{Choice, Inherited, PerFilter, is_route};
use super::editor::{Editor, NewEntry};
use super::filter::{new_name, payload_filter_name};
use super::new_value::{NewValue, quoted};
use super::requirement_names::RequirementNames;
use crate::configuration::join;
use crate::source_tree::Node;

const FILTER_CONFIG: &str = "type.googleapis.com/envoy.config.route.v3.FilterConfig";

/// Converts the choices of routes.
pub(super) struct RouteConversion<'c> {
    pub(super) names: RequirementNames<'c>,
}

impl RouteConversion<'_> {
    /// Converts all routes in `node`, which is at `path`.
    pub(super) fn convert(&self, editor: &mut Editor<'_>, node: &Node, path: &str) {
        self.visit(editor, node, path, &Inherited::default());
    }

    fn visit(&self, editor: &mut Editor<'_>, node: &Node, path: &str, inherited: &Inherited) {
        let mut deleted = Vec::new();
        let own = self.own(editor, node, path, &mut deleted);
        if is_route(node) {
            self.route(editor, node, path, inherited, own, &deleted);
            return;
        }
        if !own.is_empty() {
            let text =
                "every route below names the requirement now; a new route has to name it, too";
            editor.review(node.range.start, path, text);
        }
        let inherited = inherited.with(own);
        editor.change_map(node, path, &deleted, Vec::new());
        for entry in node.entries() {
            let path = join(path, &entry.key);
            self.visit(editor, &entry.value, &path, &inherited);
        }
        for (index, item) in node.items().iter().enumerate() {
            self.visit(editor, item, &format!("{path}[{index}]"), &inherited);
        }
    }

    /// The choices in the `typed_per_filter_config` of `node`, which are removed. If nothing is left, its
    /// position is added to `deleted`.
    fn own(
        &self,
        editor: &mut Editor<'_>,
        node: &Node,
        path: &str,
        deleted: &mut Vec<usize>,
    ) -> Vec<Choice> {
        let mut choices = Vec::new();
        let position = node.position("typed_per_filter_config");
        let configs = node.entry("typed_per_filter_config");
        let (Some(position), Some(configs)) = (position, configs) else {
            return choices;
        };
        let path = format!("{path}.{}", configs.key);
        let configs = &configs.value;
        let mut removed = Vec::new();
        let mut added = Vec::new();
        for (index, entry) in configs.entries().iter().enumerate() {
            let filters = self.names.filters;
            let Some(kind) = PerFilter::parse(entry, filters) else {
                continue;
            };
            let name = self.name(&entry.key);
            match kind {
                PerFilter::Switch => {
                    let switch = entry.value.to_json();
                    let quote = entry_quote(editor.text, &entry.key_range);
                    let new = if quote { quoted(&name) } else { name.clone() };
                    editor.edits.replace(entry.key_range.clone(), new);
                    // Without the gate, a client could send the payload itself.
                    let payload = payload_filter_name(&name);
                    added.push(NewEntry::new(&payload, NewValue::from_json(&switch)));
                }
                PerFilter::Requirement(_) | PerFilter::Disabled => {
                    removed.push(index);
                    let is_disabled = matches!(kind, PerFilter::Disabled);
                    // A filter that is not in this file may be off by default. If it is not, this changes nothing.
                    let is_elsewhere = !filters.contains(&entry.key) && !is_disabled;
                    if filters.is_off_by_default(&entry.key) || is_elsewhere {
                        let switch = switch(is_disabled);
                        added.push(NewEntry::new(&name, switch.clone()));
                        added.push(NewEntry::new(&payload_filter_name(&name), switch));
                    }
                    choices.extend(Choice::parse(entry, filters));
                }
            }
        }
        if removed.len() == configs.entries().len() && added.is_empty() {
            deleted.push(position);
        } else {
            editor.change_map(configs, &path, &removed, added);
        }
        choices
    }

    fn name(&self, name: &str) -> String {
        let kept_names = &self.names.filters.kept_names;
        if kept_names.iter().any(|kept| kept == name) {
            name.to_owned()
        } else {
            new_name(name)
        }
    }

    /// Writes the choice of a route into its metadata, and deletes the members at the positions `deleted`.
    fn route(
        &self,
        editor: &mut Editor<'_>,
        node: &Node,
        path: &str,
        inherited: &Inherited,
        own: Vec<Choice>,
        deleted: &[usize],
    ) {
        self.refuse_choices_of_clusters(editor, node, path);
        let choices = inherited.with(own).0;
        let mut added = Vec::new();
        match self.names.of_route(&choices) {
            Ok(Some(name)) => added.extend(choose(editor, node, path, &name)),
            Ok(None) => {}
            Err(text) => editor.refuse(node.range.start, path, text),
        }
        editor.change_map(node, path, deleted, added);
    }

    /// Choices of weighted clusters cannot be converted.
    fn refuse_choices_of_clusters(&self, editor: &mut Editor<'_>, route: &Node, path: &str) {
        let clusters = route
            .get("route")
            .and_then(|action| action.get("weighted_clusters"))
            .and_then(|weighted| weighted.get("clusters"));
        for cluster in clusters.map(Node::items).unwrap_or_default() {
            let configs = cluster.get("typed_per_filter_config");
            let entries = configs.map(Node::entries).unwrap_or_default();
            for entry in entries {
                if PerFilter::parse(entry, self.names.filters).is_some() {
                    editor.refuse(
                        entry.key_range.start,
                        &format!("{path}.route.weighted_clusters.clusters"),
                        "the gate judges a request by its route, not by the cluster that Envoy draws: move the \
                         PerRouteConfig to the route",
                    );
                }
            }
        }
    }
}

/// Names the requirement in the metadata of a route. Returns the metadata if the route has none yet.
fn choose(
    editor: &mut Editor<'_>,
    route: &Node,
    path: &str,
    requirement: &str,
) -> Option<NewEntry> {
    let name = NewValue::map([("requirement_name", NewValue::text(requirement))]);
    let filters = |name| NewValue::map([("bearer_gate", name)]);
    let Some(metadata) = route.get("metadata") else {
        let metadata = NewValue::map([("filter_metadata", filters(name))]);
        return Some(NewEntry::new("metadata", metadata));
    };
    let path = format!("{path}.metadata");
    if let Some(filters) = metadata.get("filter_metadata") {
        let path = format!("{path}.filter_metadata");
        editor.change_map(
            filters,
            &path,
            &[],
            vec![NewEntry::new("bearer_gate", name)],
        );
    } else {
        let entry = NewEntry::new("filter_metadata", filters(name));
        editor.change_map(metadata, &path, &[], vec![entry]);
    }
    None
}

/// A `FilterConfig` that switches a filter on or off.
fn switch(disabled: bool) -> NewValue {
    let kind = ("@type", NewValue::text(FILTER_CONFIG));
    if disabled {
        NewValue::map([kind, ("disabled", NewValue::literal("true"))])
    } else {
        NewValue::map([kind, ("config", NewValue::Map(Vec::new()))])
    }
}

/// Whether the key at this place is quoted.
fn entry_quote(text: &str, range: &Range<usize>) -> bool {
    let key = text.get(range.clone()).unwrap_or_default();
    key.starts_with(['"', '\''])
}

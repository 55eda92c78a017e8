//! `PerRouteConfig`: what routes, virtual hosts and route configurations choose of `jwt_authn`.

use std::ops::Range;

use super::editor::{Editor, NewEntry};
use super::filter::{new_name, payload_filter_name};
use super::new_value::{NewValue, quoted};
use super::requirement::DISABLED;
use crate::configuration::join;
use crate::source_tree::{Entry, Node};

const FILTER_CONFIG: &str = "type.googleapis.com/envoy.config.route.v3.FilterConfig";

/// What a route chooses of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    /// The name of the filter.
    filter: String,
    /// The requirement.
    requirement: String,
}

/// What the routes of a file choose.
#[derive(Debug, Default)]
pub(super) struct RouteChoices {
    /// Filters of which a route chooses a requirement.
    pub(super) named: Vec<String>,
    /// Filters that a route switches off by `PerRouteConfig`.
    pub(super) disabled: Vec<String>,
    /// Whether something is to be converted.
    pub(super) any: bool,
    /// Whether routes are discovered, so that they are not in the file.
    pub(super) elsewhere: bool,
}

impl RouteChoices {
    /// Collects what is chosen anywhere in `node`.
    pub(super) fn collect(&mut self, node: &Node) {
        let discovered = ["rds", "scoped_routes", "vhds"];
        self.elsewhere |= discovered.iter().any(|name| node.get(name).is_some());
        if let Some(configs) = node.get("typed_per_filter_config") {
            for entry in configs.entries() {
                match PerFilter::parse(entry) {
                    Some(PerFilter::Requirement(_)) => {
                        self.any = true;
                        self.named.push(entry.key.clone());
                    }
                    Some(PerFilter::Disabled) => {
                        self.any = true;
                        self.disabled.push(entry.key.clone());
                    }
                    Some(PerFilter::Switch) => self.any = true,
                    None => {}
                }
            }
        }
        for entry in node.entries() {
            self.collect(&entry.value);
        }
        for item in node.items() {
            self.collect(item);
        }
    }
}

/// A member of `typed_per_filter_config` that concerns `jwt_authn`.
enum PerFilter {
    /// The requirement of this name.
    Requirement(String),
    /// `disabled` of `PerRouteConfig`.
    Disabled,
    /// `FilterConfig` without a configuration: the filter is switched on or off.
    Switch,
}

impl PerFilter {
    fn parse(entry: &Entry) -> Option<Self> {
        let config = &entry.value;
        let kind = config.type_url()?;
        if kind.ends_with("envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig") {
            return Some(Self::from_message(config));
        }
        if kind.ends_with(".TypedStruct") {
            let native = config.text_of("type_url")?;
            let is_native =
                native.ends_with("envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig");
            return is_native.then(|| Self::from_message(config.get("value").unwrap_or(config)));
        }
        if !kind.ends_with("envoy.config.route.v3.FilterConfig") {
            return None;
        }
        let inner = config
            .get("config")
            .filter(|inner| inner.type_url().is_some());
        match inner {
            Some(inner) if inner.type_url()?.contains("jwt_authn.v3.PerRouteConfig") => {
                Some(Self::from_message(inner))
            }
            None if entry.key.contains("jwt_authn") => Some(Self::Switch),
            _ => None,
        }
    }

    fn from_message(message: &Node) -> Self {
        match message.text_of("requirement_name") {
            Some(name) if !name.is_empty() => Self::Requirement(name.to_owned()),
            _ => Self::Disabled,
        }
    }
}

/// Converts the choices of routes.
pub(super) struct RouteConversion<'c> {
    /// Filters that are switched off unless a route switches them on.
    pub(super) off_by_default: &'c [String],
    /// Filters whose names stay, because they are names of other resources, too.
    pub(super) kept_names: &'c [String],
}

/// What a level above a route has chosen.
#[derive(Clone, Default)]
struct Inherited(Vec<Choice>);

impl Inherited {
    fn with(&self, own: Vec<Choice>) -> Self {
        let mut all = own;
        for choice in &self.0 {
            if !all.iter().any(|one| one.filter == choice.filter) {
                all.push(choice.clone());
            }
        }
        Self(all)
    }
}

impl RouteConversion<'_> {
    /// Converts all routes in `node`, which is at `path`.
    pub(super) fn convert(&self, editor: &mut Editor<'_>, node: &Node, path: &str) {
        self.visit(editor, node, path, &Inherited::default());
    }

    fn visit(&self, editor: &mut Editor<'_>, node: &Node, path: &str, inherited: &Inherited) {
        let is_route = node.get("match").is_some_and(Node::is_map)
            && [
                "route",
                "redirect",
                "direct_response",
                "filter_action",
                "non_forwarding_action",
            ]
            .iter()
            .any(|action| node.entry(action).is_some());
        let mut deleted = Vec::new();
        let own = self.own(editor, node, path, &mut deleted);
        if is_route {
            convert_route(editor, node, path, inherited, own, &deleted);
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
            let Some(kind) = PerFilter::parse(entry) else {
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
                    if self.off_by_default.contains(&entry.key) {
                        let switch = switch(is_disabled);
                        added.push(NewEntry::new(&name, switch.clone()));
                        added.push(NewEntry::new(&payload_filter_name(&name), switch));
                        if is_disabled {
                            continue;
                        }
                    }
                    choices.push(Choice {
                        filter: entry.key.clone(),
                        requirement: match kind {
                            PerFilter::Requirement(name) => name,
                            PerFilter::Disabled | PerFilter::Switch => DISABLED.to_owned(),
                        },
                    });
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
        if self.kept_names.iter().any(|kept| kept == name) {
            name.to_owned()
        } else {
            new_name(name)
        }
    }
}

/// Writes the choice of a route into its metadata, and deletes the members at the positions `deleted`.
fn convert_route(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    inherited: &Inherited,
    own: Vec<Choice>,
    deleted: &[usize],
) {
    let clusters = node
        .get("route")
        .and_then(|action| action.get("weighted_clusters"))
        .and_then(|weighted| weighted.get("clusters"));
    if let Some(clusters) = clusters {
        refuse_choices_of_clusters(editor, clusters, path);
    }
    let choices = inherited.with(own).0;
    let mut added = Vec::new();
    if let Some(first) = choices.first() {
        let mut others = choices.iter();
        if others.any(|choice| choice.requirement != first.requirement) {
            editor.refuse(
                node.range.start,
                path,
                "several jwt_authn filters have different requirements for this route, and its metadata names one \
                 for all of them: give the requirements one name in both filters",
            );
        }
        added.extend(choose(editor, node, path, &first.requirement));
    }
    editor.change_map(node, path, deleted, added);
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

/// Choices of weighted clusters cannot be converted.
fn refuse_choices_of_clusters(editor: &mut Editor<'_>, clusters: &Node, path: &str) {
    for cluster in clusters.items() {
        let configs = cluster.get("typed_per_filter_config");
        let entries = configs.map(Node::entries).unwrap_or_default();
        for entry in entries {
            if PerFilter::parse(entry).is_some() {
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

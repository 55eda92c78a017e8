//! The filters of a file whose configuration is one of `jwt_authn`.

use super::recognition::native_of;
use crate::source_tree::Node;

/// A filter whose configuration is one of `jwt_authn`.
#[derive(Clone, Debug)]
pub(super) struct NativeFilter {
    /// The name by which routes choose of it: if the configuration is inside another filter, such as a composite
    /// filter, that of the outer filter.
    pub(super) name: String,
    /// Whether it is off unless a route switches it on.
    pub(super) is_off_by_default: bool,
    /// Whether it does more than what routes choose.
    pub(super) has_rules: bool,
    /// Whether it has requirements for routes.
    pub(super) has_unnamed_requirements: bool,
    /// Where the list of filters is that it is in.
    pub(super) list: Option<usize>,
}

/// The filters of a file.
#[derive(Debug, Default)]
pub(super) struct NativeFilters {
    pub(super) all: Vec<NativeFilter>,
    /// Names that other resources have, too, so that they stay.
    pub(super) kept_names: Vec<String>,
}

/// A filter in a list of HTTP filters.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedFilter<'n> {
    /// The message with its name and its configuration.
    pub(super) message: &'n Node,
    /// The list.
    pub(super) list: &'n Node,
    /// Its position in the list.
    pub(super) index: usize,
}

impl<'n> ListedFilter<'n> {
    /// The element of `list` at `index`, if it is an HTTP filter.
    pub(super) fn parse(list: &'n Node, index: usize) -> Option<Self> {
        let message = list.items().get(index)?;
        let config = message.get("typed_config")?;
        let is_network = config
            .type_url()
            .is_some_and(|kind| kind.contains(".filters.network."));
        // A resource has a name and a configuration, too, and its type.
        let is_resource = message.type_url().is_some();
        let is_filter = message.text_of("name").is_some() && !is_network && !is_resource;
        is_filter.then_some(Self {
            message,
            list,
            index,
        })
    }
}

impl NativeFilters {
    /// Collects the filters in `node`.
    pub(super) fn collect(&mut self, node: &Node) {
        self.visit(node, None);
    }

    /// Whether a filter with this name is off by default.
    pub(super) fn is_off_by_default(&self, name: &str) -> bool {
        let mut filters = self.all.iter();
        filters.any(|filter| filter.name == name && filter.is_off_by_default)
    }

    /// Whether a filter with this name is in the file.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.all.iter().any(|filter| filter.name == name)
    }

    fn visit(&mut self, node: &Node, outer: Option<ListedFilter<'_>>) {
        if let Some(name) = node.text_of("name") {
            if let Some(native) = node.get("typed_config").and_then(native_of) {
                let message = outer.map_or(node, |outer| outer.message);
                self.all.push(NativeFilter {
                    name: message.text_of("name").unwrap_or(name).to_owned(),
                    is_off_by_default: message.get("disabled").is_some_and(Node::is_true),
                    has_rules: native.get("rules").is_some_and(|rules| !rules.is_empty()),
                    has_unnamed_requirements: !unnamed_requirements(native).is_empty(),
                    list: outer.map(|outer| outer.list.range.start),
                });
            }
            if node.get("config_discovery").is_some() {
                self.kept_names.push(name.to_owned());
            }
        }
        for entry in node.entries() {
            self.visit(&entry.value, outer);
        }
        for (index, item) in node.items().iter().enumerate() {
            self.visit(item, outer.or_else(|| ListedFilter::parse(node, index)));
        }
    }
}

/// The requirements of the configuration `native` that no rule names, so that routes do.
pub(super) fn unnamed_requirements(native: &Node) -> Vec<&str> {
    let rules = native.get("rules").map(Node::items).unwrap_or_default();
    let by_rules: Vec<&str> = rules
        .iter()
        .filter_map(|rule| rule.text_of("requirement_name"))
        .collect();
    let map = native.get("requirement_map").map(Node::entries);
    let names = map.unwrap_or_default().iter().map(|entry| &*entry.key);
    names.filter(|name| !by_rules.contains(name)).collect()
}

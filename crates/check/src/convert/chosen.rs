//! What routes, virtual hosts and route configurations choose of filters.

use super::native_filters::NativeFilters;
use super::requirement::DISABLED;
use crate::source_tree::{Entry, Node};

/// What a route chooses of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The name of the filter.
    pub(super) filter: String,
    /// The requirement.
    pub(super) requirement: String,
}

impl Choice {
    /// The choice in this member of `typed_per_filter_config`, if it is one. To switch off a filter that is off by
    /// default is none.
    pub(super) fn parse(entry: &Entry, filters: &NativeFilters) -> Option<Self> {
        let requirement = match PerFilter::parse(entry, filters)? {
            PerFilter::Requirement(name) => name,
            PerFilter::Disabled if filters.is_off_by_default(&entry.key) => return None,
            PerFilter::Disabled => DISABLED.to_owned(),
            PerFilter::Switch => return None,
        };
        Some(Self {
            filter: entry.key.clone(),
            requirement,
        })
    }
}

/// A member of `typed_per_filter_config` that concerns `jwt_authn`.
#[derive(Debug)]
pub(super) enum PerFilter {
    /// The requirement of this name.
    Requirement(String),
    /// `disabled` of `PerRouteConfig`.
    Disabled,
    /// `FilterConfig` without a configuration: the filter is switched on or off.
    Switch,
}

impl PerFilter {
    pub(super) fn parse(entry: &Entry, filters: &NativeFilters) -> Option<Self> {
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
        let is_native = entry.key.contains("jwt_authn") || filters.contains(&entry.key);
        match inner {
            Some(inner) if inner.type_url()?.contains("jwt_authn.v3.PerRouteConfig") => {
                Some(Self::from_message(inner))
            }
            None if is_native => Some(Self::Switch),
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

/// What a level above a route has chosen.
#[derive(Clone, Debug, Default)]
pub(super) struct Inherited(pub(super) Vec<Choice>);

impl Inherited {
    /// The same with the choices of the level below, which count more.
    pub(super) fn with(&self, own: Vec<Choice>) -> Self {
        let mut all = own;
        for choice in &self.0 {
            if !all.iter().any(|one| one.filter == choice.filter) {
                all.push(choice.clone());
            }
        }
        Self(all)
    }
}

/// What the routes of a file choose.
#[derive(Debug, Default)]
pub(super) struct RouteChoices {
    /// Filters of which a route chooses a requirement.
    pub(super) named: Vec<String>,
    /// Filters that a route switches off by `PerRouteConfig`.
    pub(super) disabled: Vec<String>,
    /// What each route chooses, with what it inherits.
    pub(super) routes: Vec<Vec<Choice>>,
    /// Whether something is to be converted.
    pub(super) any: bool,
    /// Whether routes are discovered, so that they are not in the file.
    pub(super) elsewhere: bool,
}

impl RouteChoices {
    /// Collects what is chosen anywhere in `node`.
    pub(super) fn collect(&mut self, node: &Node, filters: &NativeFilters) {
        self.visit(node, filters, &Inherited::default());
    }

    fn visit(&mut self, node: &Node, filters: &NativeFilters, inherited: &Inherited) {
        let discovered = ["rds", "scoped_routes", "vhds"];
        self.elsewhere |= discovered.iter().any(|name| node.get(name).is_some());
        let mut own = Vec::new();
        let configs = node.get("typed_per_filter_config").map(Node::entries);
        for entry in configs.unwrap_or_default() {
            match PerFilter::parse(entry, filters) {
                Some(PerFilter::Requirement(_)) => self.named.push(entry.key.clone()),
                Some(PerFilter::Disabled) => self.disabled.push(entry.key.clone()),
                Some(PerFilter::Switch) => {}
                None => continue,
            }
            self.any = true;
            own.extend(Choice::parse(entry, filters));
        }
        let inherited = inherited.with(own);
        if is_route(node) {
            self.routes.push(inherited.0.clone());
        }
        for entry in node.entries() {
            self.visit(&entry.value, filters, &inherited);
        }
        for item in node.items() {
            self.visit(item, filters, &inherited);
        }
    }
}

/// Whether this is a route.
pub(super) fn is_route(node: &Node) -> bool {
    const ACTIONS: [&str; 5] = [
        "route",
        "redirect",
        "direct_response",
        "filter_action",
        "non_forwarding_action",
    ];
    let mut actions = ACTIONS.iter();
    node.get("match").is_some_and(Node::is_map)
        && actions.any(|action| node.entry(action).is_some())
}

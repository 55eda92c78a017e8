//! A configuration of `jwt_authn` becomes one of the gate.

use super::editor::{Editor, NewEntry};
use super::location;
use super::matcher;
use super::native_filters::unnamed_requirements;
use super::new_value::NewValue;
use super::provider::{self, Payload, ProviderFacts};
use super::requirement::{self, DISABLED, RequirementFacts};
use super::requirement_names::CommonName;
use super::surroundings::Surroundings;
use crate::configuration::join;
use crate::source_tree::Node;

/// What else the file needs because of a configuration.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// What `header_to_metadata` has to move.
    pub(super) payloads: Vec<Payload>,
    /// The environment variables that the filter reads.
    pub(super) variables: Vec<String>,
    /// What differs for every such configuration.
    pub(super) general: String,
}

/// How routes of the file use the filter.
#[derive(Clone, Debug)]
pub(super) struct RouteUse {
    /// A route of this file names a requirement.
    pub(super) names: bool,
    /// A route of this file switches the filter off.
    pub(super) disables: bool,
    /// The file refers to routes elsewhere.
    pub(super) elsewhere: bool,
    /// Requirements under names that other filters know, too.
    pub(super) common_names: Vec<CommonName>,
}

/// Converts the configuration `node`, which is at `path`. It may contain `@type`, which is left out.
pub(super) fn convert(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    surroundings: &Surroundings<'_>,
    routes: &RouteUse,
) -> Needs {
    let field = |name: &str| join(path, name);
    let entries = node.get("providers").map(Node::entries);
    let mut providers = ProviderFacts::new(entries.unwrap_or_default());
    let mut requirements = RequirementFacts {
        takers: location::takers(entries.unwrap_or_default()),
        ..RequirementFacts::default()
    };
    let mut added = Vec::new();
    let mut deleted: Vec<usize> = node.position("@type").into_iter().collect();
    if let Some(map) = node.get("providers") {
        if editor.is_editable(map, &field("providers")) {
            for entry in map.entries() {
                let path = format!("{}.{}", field("providers"), entry.key);
                provider::convert(editor, entry, &path, surroundings, &mut providers);
            }
        }
    } else {
        editor.refuse(
            node.range.start,
            &field("providers"),
            "is missing: without a provider the gate has nothing to check, so take the filter out",
        );
    }
    if let Some(rules) = node
        .entry("filter_state_rules")
        .filter(|entry| !entry.value.is_empty())
    {
        editor.refuse(
            rules.key_range.start,
            &field("filter_state_rules"),
            "a wasm filter cannot read filter state safely: name the requirement in the routes (PerRouteConfig) \
             before you convert",
        );
    }
    rules(
        editor,
        node,
        path,
        &mut requirements,
        &mut deleted,
        &mut added,
    );
    requirement_map(editor, node, path, &mut requirements);
    let unnamed = unnamed_requirements(node);
    if routes.names || routes.disables || !unnamed.is_empty() {
        let mut text = "routes name their requirement in `filter_metadata.bearer_gate.requirement_name`, where \
                        PerRouteConfig was. A request with a client's copy of a header that the gate sets is refused \
                        with 400"
            .to_owned();
        if !routes.names && !unnamed.is_empty() {
            text.push_str(". No rule and no route in this file names ");
            text.push_str(&unnamed.join(", "));
            text.push_str(": convert the routes that do, too");
        }
        added
            .push(NewEntry::new("per_route_requirements", NewValue::literal("true")).review(&text));
        let entries = entries_for_routes(node, routes);
        if entries.iter().any(|entry| entry.name == DISABLED) {
            requirements.opens = true;
        }
        let map = node.entry("requirement_map");
        match map.filter(|entry| entry.value.is_map()) {
            Some(map) => {
                editor.change_map(&map.value, &field("requirement_map"), &[], entries);
            }
            None if entries.is_empty() => {}
            None => {
                let entries = entries.into_iter().map(|entry| (entry.name, entry.value));
                let map = NewValue::Map(entries.collect());
                added.push(NewEntry::new("requirement_map", map));
            }
        }
    }
    editor.change_map(node, path, &deleted, added);
    Needs {
        general: general(&providers, &requirements),
        payloads: providers.payloads,
        variables: providers.variables,
    }
}

/// Converts the rules.
fn rules(
    editor: &mut Editor<'_>,
    node: &Node,
    path: &str,
    facts: &mut RequirementFacts,
    deleted: &mut Vec<usize>,
    added: &mut Vec<NewEntry>,
) {
    let given = node.entry("rules").filter(|entry| !entry.value.is_empty());
    let Some(rules) = given else {
        facts.opens = true;
        deleted.extend(node.position("rules"));
        let all = NewValue::map([("match", NewValue::map([("prefix", NewValue::text("/"))]))]);
        added.push(NewEntry::new("rules", NewValue::List(vec![all])).review(
            "as in jwt_authn without rules, a request whose route names no requirement passes without a token. \
             Without this rule each would need a token of any provider",
        ));
        return;
    };
    let mut all_matched = false;
    for (index, rule) in rules.value.items().iter().enumerate() {
        let path = join(path, &format!("{}[{index}]", rules.key));
        let mut removed = Vec::new();
        if let Some(entry) = rule.entry("match") {
            matcher::convert(editor, &entry.value, &format!("{path}.{}", entry.key));
            all_matched |= matcher::matches_all(&entry.value);
        }
        if let Some(entry) = rule.entry("requires") {
            requirement::convert(
                editor,
                &entry.value,
                &format!("{path}.{}", entry.key),
                facts,
            );
        } else if rule.get("requirement_name").is_none() {
            facts.opens = true;
            removed.extend(rule.position("requirement_name"));
        }
        editor.change_map(rule, &path, &removed, Vec::new());
    }
    if !all_matched {
        facts.opens = true;
        added.push(NewEntry::new("unmatched_requests", NewValue::text("allow")).review(
            "as in jwt_authn, requests that no rule matches pass without a token. Better: delete this line, and add \
             a rule for each path that is open",
        ));
    }
}

/// What routes name besides the requirements that the map has.
fn entries_for_routes(node: &Node, routes: &RouteUse) -> Vec<NewEntry> {
    let requirement = |name: &str| {
        let mut entries = node.get("requirement_map")?.entries().iter();
        entries.find(|entry| entry.key == name)
    };
    let mut entries = Vec::new();
    for common in &routes.common_names {
        let value = match common.requirement.as_deref() {
            None => requirement::open(),
            Some(name) => match requirement(name) {
                Some(entry) => requirement::converted(&entry.value),
                None if name == DISABLED => requirement::open(),
                // An unknown name refuses every request, as in jwt_authn.
                None => continue,
            },
        };
        entries.push(NewEntry::new(&common.name, value));
    }
    let is_needed = routes.disables || !routes.names || routes.elsewhere;
    if is_needed && requirement(DISABLED).is_none() {
        entries.push(requirement::open_entry());
    }
    entries
}

/// Converts the requirement map.
fn requirement_map(editor: &mut Editor<'_>, node: &Node, path: &str, facts: &mut RequirementFacts) {
    let Some(map) = node.entry("requirement_map") else {
        return;
    };
    for entry in map.value.entries() {
        let path = join(path, &format!("{}.{}", map.key, entry.key));
        requirement::convert(editor, &entry.value, &path, facts);
    }
}

/// What differs for every configuration like this.
fn general(providers: &ProviderFacts, requirements: &RequirementFacts) -> String {
    let mut text = "what every configuration changes (README.md, \"Different from jwt_authn\"):\n\
        - a malformed credential, several tokens in one request, or a very long text for a regular expression is \
          answered with 400, not 401 (or 200, where one of the tokens is good); bodies are JSON, and challenges have the \
          error codes of RFC 6750\n\
        - 401 for tokens with a `typ` other than JWT and at+jwt, with `crit`, with `iat` in the future, with `exp: 0`, \
          of more than 16384 bytes, and with `cnf` unless the client proves what they are bound to; 400 or 401 for \
          bad base64url and a fourth part\n\
        - `Bearer` is compared without case; white space in cookies is ignored\n\
        - keys with another `use` or `key_ops`, private keys and RSA keys below 2048 bits are skipped; a key \
          verifies only with its own algorithm\n\
        - clients' copies of headers that the gate sets are removed, also if spelled with `_`, and so is \
          x-jwt-signature-verified; Envoy chooses the route again when the gate changes headers"
        .to_owned();
    if requirements.opens {
        text.push_str(
            "\n- a path such as `//`, `/../`, `;` or `%2f` never matches what lets requests pass without a token: 401",
        );
    }
    if requirements.admits_failed {
        text.push_str(
            "\n- where allow_missing_or_failed lets requests pass, one with several tokens passes as one without a token",
        );
    }
    if providers.has_remote_keys {
        text.push_str(
            "\n- while keys cannot be fetched: 503 with Retry-After, not 401; an unknown `kid` waits for one shared \
             refetch; `Cache-Control: max-age` shortens cache_duration; key sets above 1 MiB fail",
        );
    }
    text
}

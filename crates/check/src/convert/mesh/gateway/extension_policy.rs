//! The `EnvoyExtensionPolicy` that takes the place of a `SecurityPolicy`.

use super::super::gate_rule::GateRule;
use super::super::general::GENERAL;
use super::super::module::Module;
use super::super::notes::{Members, Notes};
use super::super::problem::Problem;
use super::super::resource::{Resource, value_of};
use super::jwt::Jwt;
use crate::convert::new_value::NewValue;
use crate::source_tree::Node;

const API: &str = "gateway.envoyproxy.io/v1alpha1";

/// The fields of a `spec` that say what a policy applies to.
const TARGETS: [(&str, &str); 4] = [
    ("target_ref", "targetRef"),
    ("target_refs", "targetRefs"),
    ("target_selectors", "targetSelectors"),
    ("merge_type", "mergeType"),
];

/// What a policy is made from.
pub(super) struct Source<'s, 'n> {
    pub(super) policy: &'s Resource<'n>,
    pub(super) jwt: &'s Jwt<'n>,
    pub(super) rules: &'s [GateRule],
    /// What the rules do not say.
    pub(super) problems: &'s [Problem],
    pub(super) module: &'s Module,
    /// Whether nothing is left of the `SecurityPolicy`.
    pub(super) is_replaced: bool,
}

/// The kinds of what a policy applies to.
pub(super) fn targets<'n>(policy: &Resource<'n>) -> impl Iterator<Item = &'n str> {
    let single = policy.spec("target_ref").into_iter();
    let lists = ["target_refs", "target_selectors"].map(|name| policy.spec(name));
    let lists = lists.into_iter().flatten().flat_map(Node::items);
    single
        .chain(lists)
        .filter_map(|target| target.text_of("kind"))
}

impl Source<'_, '_> {
    /// The policy.
    pub(super) fn to_document(&self, notes: &mut Notes) -> NewValue {
        let name = format!("bearer-gate-{}", self.policy.name);
        let path = format!("EnvoyExtensionPolicy {name}");
        let mut spec = Members::new();
        for problem in self.problems {
            notes.unconverted(&mut spec, problem.position, &path, &problem.text);
        }
        if targets(self.policy).any(|kind| kind == "Gateway" || kind == "ListenerSet") {
            let text = "a route with a SecurityPolicy of its own was not checked by this one. Now it is, unless it has an \
                        EnvoyExtensionPolicy of its own";
            notes.review(&mut spec, &path, text);
        } else if self.is_replaced {
            let text = "the SecurityPolicy is gone, so that one of the Gateway, if there is one, now counts for these routes";
            notes.review(&mut spec, &path, text);
        }
        for (snake, camel) in TARGETS {
            if let Some(value) = self.policy.spec(snake) {
                spec.push((camel.to_owned(), value_of(value)));
            }
        }
        let mut image = Members::new();
        self.module.write(&mut image, notes, &path, "");
        let code = NewValue::map([
            ("type", NewValue::text("Image")),
            ("image", NewValue::Map(image)),
        ]);
        let wasm = NewValue::map([
            ("name", NewValue::text("bearer-gate")),
            ("failOpen", NewValue::literal("false")),
            ("code", code),
            ("config", self.configuration(notes, &path)),
        ]);
        spec.push(("wasm".to_owned(), NewValue::List(vec![wasm])));
        NewValue::map([
            ("apiVersion", NewValue::text(API)),
            ("kind", NewValue::text("EnvoyExtensionPolicy")),
            ("metadata", self.policy.metadata(&name)),
            ("spec", NewValue::Map(spec)),
        ])
    }

    fn configuration(&self, notes: &mut Notes, path: &str) -> NewValue {
        let mut config = Members::new();
        notes.review(&mut config, path, GENERAL);
        let providers = self.jwt.to_providers(notes, &self.policy.path());
        config.push(("providers".to_owned(), providers));
        let names = self.jwt.names();
        let rules = self.rules.iter();
        let rules = rules
            .map(|rule| rule.to_value(notes, path, &names, self.jwt.is_open))
            .collect();
        if self.policy.spec("authorization").is_some() {
            let text = "these rules are those of authorization. A claim of type StringArray may also be a single string; \
                        a scope is looked for in scope and scp. A request without a token gets 401, not 403";
            notes.review(&mut config, path, text);
        }
        config.push(("rules".to_owned(), NewValue::List(rules)));
        NewValue::Map(config)
    }
}

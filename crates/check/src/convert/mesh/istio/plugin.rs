//! The `WasmPlugin` that takes the place of policies of Istio.

use super::super::address::Address;
use super::super::general::GENERAL;
use super::super::module::Module;
use super::super::notes::{Members, Notes};
use super::super::problem::Problem;
use super::super::resource::Resource;
use super::jwt_rule::JwtRule;
use super::rules::Rules;
use super::scope::{self, Scope};
use crate::convert::new_value::NewValue;

const API: &str = "extensions.istio.io/v1alpha1";

/// What a plugin is made from.
pub(super) struct Source<'s, 'n> {
    /// The first policy of its scope.
    pub(super) policy: &'s Resource<'n>,
    pub(super) scope: &'s Scope,
    /// What tokens must be like, with the servers that keys are fetched from.
    pub(super) providers: &'s [(JwtRule<'n>, Option<Address>)],
    pub(super) rules: &'s Rules,
    pub(super) module: &'s Module,
    /// Whether a `RequestAuthentication` stays behind the gate, and looks at tokens, too.
    pub(super) is_first: bool,
    /// What the rules do not say.
    pub(super) others: &'s [Problem],
}

/// The name of the plugin for a policy of this name.
pub(super) fn name(policy: &str) -> String {
    if policy.contains("bearer-gate") {
        policy.to_owned()
    } else {
        format!("bearer-gate-{policy}")
    }
}

impl Source<'_, '_> {
    /// The plugin.
    pub(super) fn to_document(&self, notes: &mut Notes) -> NewValue {
        let name = name(self.policy.name);
        let path = format!("WasmPlugin {name}");
        let mut spec = Members::new();
        for problem in self.others {
            notes.unconverted(&mut spec, problem.position, &path, &problem.text);
        }
        self.write_place(&mut spec, notes, &path);
        self.module.write(&mut spec, notes, &path, "oci://");
        let text = |text| NewValue::text(text);
        spec.push(("phase".to_owned(), text("AUTHN")));
        notes.review(
            &mut spec,
            &path,
            "Istio before 1.27 does not know FAIL_RELOAD and needs FAIL_CLOSE; never use FAIL_OPEN",
        );
        spec.push(("failStrategy".to_owned(), text("FAIL_RELOAD")));
        spec.push(("pluginName".to_owned(), text("bearer-gate")));
        spec.push(("pluginConfig".to_owned(), self.configuration(notes, &path)));
        NewValue::map([
            ("apiVersion", text(API)),
            ("kind", text("WasmPlugin")),
            ("metadata", self.policy.metadata(&name)),
            ("spec", NewValue::Map(spec)),
        ])
    }

    /// Writes the workloads.
    fn write_place(&self, spec: &mut Members, notes: &mut Notes, path: &str) {
        if self.scope.names_targets() {
            let text = "a waypoint has no cluster for the issuer unless something refers to it: docs/istio.md, \"Name the \
                        issuer\"";
            notes.review(spec, path, text);
        }
        scope::write(spec, self.policy);
        if self.scope.is_everything() {
            let text = "the policy selects no workload, so the plugin also sees the requests that workloads send: give it \
                        `match: [{mode: SERVER}]` unless the namespace has gateways";
            notes.review(spec, path, text);
        } else if !self.scope.is_gateway() {
            let text = "only requests that the workload receives, as before. If these are gateways, delete `match`: it would \
                        keep the gate out of them";
            notes.review(spec, path, text);
            let server = NewValue::map([("mode", NewValue::text("SERVER"))]);
            spec.push(("match".to_owned(), NewValue::List(vec![server])));
        }
    }

    fn configuration(&self, notes: &mut Notes, path: &str) -> NewValue {
        let mut config = Members::new();
        notes.review(&mut config, path, GENERAL);
        config.push(("share".to_owned(), NewValue::text("worker")));
        let mut providers = Members::new();
        for (rule, server) in self.providers {
            let provider = rule.to_provider(server.as_ref(), self.is_first, notes);
            providers.push((rule.name.clone(), provider));
        }
        config.push(("providers".to_owned(), NewValue::Map(providers)));
        let names: Vec<String> = self
            .providers
            .iter()
            .map(|(rule, _)| rule.name.clone())
            .collect();
        let rules = self.rules.list.iter();
        let rules: Vec<NewValue> = rules
            .map(|rule| rule.to_value(notes, path, &names, false))
            .collect();
        let text = if self.rules.is_complete {
            "these rules ask for the tokens that the AuthorizationPolicies of the same workloads asked for. What none of \
             them allows gets 401, not 403. If a policy for more or other workloads allows requests, add a rule for them. \
             CORS preflights need a rule, or bypass_cors_preflight"
        } else {
            "as in Istio, requests without a token pass unless a rule asks for one; bad tokens get 401"
        };
        notes.review(&mut config, path, text);
        config.push(("rules".to_owned(), NewValue::List(rules)));
        let rules = &self.rules.list;
        if rules.iter().all(|rule| rule.tokens.missing) {
            config.push((
                "bypass_cors_preflight".to_owned(),
                NewValue::literal("true"),
            ));
        }
        NewValue::Map(config)
    }
}

//! `RequestAuthentication` and `AuthorizationPolicy` of Istio become a `WasmPlugin`.

mod authorization_policy;
mod branch;
mod condition;
mod issuer;
mod jwt_rule;
mod left_policy;
mod plugin;
mod rules;
mod scope;

use super::address::Address;
use super::change::Change;
use super::module::Module;
use super::notes::Notes;
use super::problem::Problem;
use super::resource::{Resource, texts};
use crate::convert::new_value::NewValue;
use crate::source_tree::Node;
use authorization_policy::AuthorizationPolicy;
use condition::ProviderFacts;
use jwt_rule::JwtRule;
use rules::Rules;
use scope::Scope;

/// How routes of Istio name claims of tokens.
const CLAIM_ROUTE: &str = "@request.auth.claims";

/// Whether there are policies that look at tokens.
pub(super) fn has_policies(resources: &[Resource<'_>]) -> bool {
    let mut policies = resources.iter().filter(|resource| is_converted(resource));
    policies.any(|resource| {
        resource.kind == "RequestAuthentication"
            || AuthorizationPolicy::parse(*resource, &mut Notes::new(false)).has_tokens()
    })
}

/// Whether the resource is one that is converted.
fn is_converted(resource: &Resource<'_>) -> bool {
    let api = resource.node.text_of("api_version").unwrap_or_default();
    api.starts_with("security.istio.io/")
        && ["RequestAuthentication", "AuthorizationPolicy"].contains(&resource.kind)
}

/// Converts the policies of Istio among `resources`.
pub(super) fn convert(
    resources: &[Resource<'_>],
    module: &Module,
    notes: &mut Notes,
) -> Vec<Change> {
    let mut authentications = Vec::new();
    let mut policies = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        if !is_converted(resource) {
        } else if resource.kind == "RequestAuthentication" {
            authentications.push((index, *resource));
        } else {
            policies.push((index, AuthorizationPolicy::parse(*resource, notes)));
        }
    }
    if let Some((_, policy)) = policies.first()
        && authentications.is_empty()
    {
        let text = "there is no RequestAuthentication beside it: name all files with policies of these workloads in one \
                    command";
        notes.refuse(
            policy.resource.node.range.start,
            &policy.resource.path(),
            text,
        );
    }
    if !notes.refusals.is_empty() {
        return Vec::new();
    }
    Conversion {
        resources,
        module,
        authentications,
        policies,
    }
    .convert(notes)
}

/// The policies of some files.
struct Conversion<'c, 'n> {
    resources: &'c [Resource<'n>],
    module: &'c Module,
    authentications: Vec<(usize, Resource<'n>)>,
    policies: Vec<(usize, AuthorizationPolicy<'n>)>,
}

impl Conversion<'_, '_> {
    fn convert(&self, notes: &mut Notes) -> Vec<Change> {
        let all = self.authentications.iter();
        let scopes = distinct(all.map(|(_, policy)| Scope::for_policy(policy)));
        let with_tokens = self
            .policies
            .iter()
            .filter(|(_, policy)| policy.has_tokens());
        let with_tokens: Vec<_> = with_tokens.collect();
        let foreign: Vec<_> = with_tokens
            .iter()
            .filter(|(_, policy)| !scopes.contains(&policy.scope))
            .collect();
        // A RequestAuthentication for all workloads stays if only some of them have policies that look at tokens.
        let stays = |scope: &Scope| {
            let mut foreign = foreign.iter();
            !with_tokens.iter().any(|(_, policy)| policy.scope == *scope)
                && foreign.any(|(_, policy)| scope.is_around(&policy.scope))
        };
        let (staying, replaced): (Vec<_>, Vec<_>) = scopes.iter().partition(|scope| stays(scope));
        let is_around = |inner: &Scope| staying.iter().any(|scope| scope.is_around(inner));
        let inner = distinct(foreign.iter().map(|(_, policy)| policy.scope.clone()));
        let inner: Vec<&Scope> = inner.iter().filter(|scope| is_around(scope)).collect();
        let mut changes = Vec::new();
        let mut known = Vec::new();
        for scope in replaced.into_iter().chain(inner.iter().copied()) {
            let is_replaced = scopes.contains(scope);
            let is_own = |other: &Scope| {
                if is_replaced {
                    other == scope
                } else {
                    staying.contains(&other) && other.is_around(scope)
                }
            };
            let own = self.authentications.iter();
            let own = own.filter(|(_, policy)| is_own(&Scope::for_policy(policy)));
            let policies = self
                .policies
                .iter()
                .filter(|(_, policy)| policy.scope == *scope);
            let group = Group {
                scope,
                authentications: own.copied().collect(),
                is_replaced,
                policies: policies.collect(),
                others: others(self.resources, &self.authentications, scope, &is_own),
            };
            changes.extend(group.convert(self.resources, self.module, &mut known, notes));
        }
        for (index, policy) in foreign {
            if !inner.contains(&&policy.scope) {
                changes.push(left_policy::foreign(*index, policy, notes));
            }
        }
        changes
    }
}

fn distinct(scopes: impl Iterator<Item = Scope>) -> Vec<Scope> {
    let mut distinct = Vec::new();
    for scope in scopes {
        if !distinct.contains(&scope) {
            distinct.push(scope);
        }
    }
    distinct
}

/// What the plugin of `scope` has to do with other resources.
fn others(
    resources: &[Resource<'_>],
    authentications: &[(usize, Resource<'_>)],
    scope: &Scope,
    is_own: &dyn Fn(&Scope) -> bool,
) -> Vec<Problem> {
    let mut others = Vec::new();
    for (_, other) in authentications {
        let other_scope = Scope::for_policy(other);
        if !is_own(&other_scope) && other_scope.may_overlap(scope) {
            others.push(Problem {
                position: other.node.range.start,
                text: format!(
                    "{} has another selector. If it applies to the same workloads, they get two gates, and each refuses \
                     the tokens of the other: convert again with one selector",
                    other.path()
                ),
            });
        }
    }
    for resource in resources {
        if let Some(position) = claim_route(resource.node) {
            others.push(Problem {
                position,
                text: format!(
                    "{} routes by {CLAIM_ROUTE}, which the gate does not set: forward the claim in a header \
                     (claim_to_headers with clear_route_cache) and match on that",
                    resource.path()
                ),
            });
        }
    }
    others
}

/// Where a resource routes by claims.
fn claim_route(node: &Node) -> Option<usize> {
    let entries = node.entries().iter();
    let mut found = entries.filter_map(|entry| {
        let is_claim = entry.key.starts_with(CLAIM_ROUTE);
        let position = is_claim.then_some(entry.key_range.start);
        position.or_else(|| claim_route(&entry.value))
    });
    found
        .next()
        .or_else(|| node.items().iter().find_map(claim_route))
}

/// Policies for the same workloads.
struct Group<'g, 'n> {
    scope: &'g Scope,
    authentications: Vec<(usize, Resource<'n>)>,
    /// Whether the plugin takes the place of the authentications.
    is_replaced: bool,
    policies: Vec<&'g (usize, AuthorizationPolicy<'n>)>,
    others: Vec<Problem>,
}

impl Group<'_, '_> {
    fn convert(
        mut self,
        resources: &[Resource<'_>],
        module: &Module,
        known: &mut Vec<(Option<String>, Address)>,
        notes: &mut Notes,
    ) -> Vec<Change> {
        let claims: Vec<&str> = self
            .policies
            .iter()
            .flat_map(|(_, policy)| policy.claims())
            .collect();
        let mut providers: Vec<(JwtRule<'_>, Option<Address>)> = Vec::new();
        for (_, authentication) in &self.authentications {
            for mut rule in JwtRule::collect(authentication, &claims) {
                if providers.iter().any(|(other, _)| other.name == rule.name) {
                    let namespace = authentication.namespace.unwrap_or_default();
                    rule.name = format!("{namespace}-{}", rule.name);
                }
                let server = rule.server(notes);
                providers.push((rule, server));
            }
        }
        let Some((_, first)) = self.authentications.first().copied() else {
            return Vec::new();
        };
        if providers.is_empty() {
            let text = "has no jwtRules, so there is nothing to check";
            notes.refuse(first.node.range.start, &first.path(), text);
            return Vec::new();
        }
        let facts: Vec<ProviderFacts> = providers
            .iter()
            .map(|(rule, _)| rule.facts.clone())
            .collect();
        let policies: Vec<&AuthorizationPolicy<'_>> =
            self.policies.iter().map(|(_, policy)| policy).collect();
        let Some(mut rules) = Rules::for_policies(&policies, &facts) else {
            let text = "its AuthorizationPolicies overlap in too many ways for rules of the gate: give them fewer patterns";
            notes.refuse(first.node.range.start, &first.path(), text);
            return Vec::new();
        };
        let mut policies = self.policies.iter().map(|(_, policy)| policy.resource);
        let named_by = if self.is_replaced {
            first
        } else {
            policies.next().unwrap_or(first)
        };
        let plugin_name = plugin::name(named_by.name);
        let mut changes = Vec::new();
        for (index, policy) in self
            .policies
            .iter()
            .filter(|(_, policy)| policy.has_tokens())
        {
            let own = |problem: &Problem| policy.resource.node.range.contains(&problem.position);
            let problems = std::mem::take(&mut rules.problems);
            let (own, others) = problems.into_iter().partition(own);
            rules.problems = others;
            let left = left_policy::LeftPolicy {
                index: *index,
                policy,
                problems: own,
                plugin: &plugin_name,
            };
            let (change, unsaid) = left.convert(&facts, notes);
            changes.push(change);
            self.others.extend(unsaid);
        }
        // Policies without conditions on tokens are not changed, so that the plugin says what concerns them.
        self.others.append(&mut rules.problems);
        let mut documents = issuers(&providers, &named_by, resources, known, notes);
        let source = plugin::Source {
            policy: &named_by,
            scope: self.scope,
            providers: &providers,
            rules: &rules,
            module,
            is_first: !self.is_replaced,
            others: &self.others,
        };
        documents.push(source.to_document(notes));
        if !self.is_replaced {
            if let Some(change) = changes.first_mut() {
                change.before = documents;
            }
            return changes;
        }
        for (index, authentication) in &self.authentications {
            changes.push(Change {
                resource: *index,
                before: Vec::new(),
                documents: std::mem::take(&mut documents),
                edit: None,
                farewell: format!(
                    "{} is in the WasmPlugin {plugin_name}",
                    authentication.path()
                ),
            });
        }
        changes
    }
}

/// Resources that make the servers known that keys are fetched from, unless they are `known`.
fn issuers(
    providers: &[(JwtRule<'_>, Option<Address>)],
    policy: &Resource<'_>,
    resources: &[Resource<'_>],
    known: &mut Vec<(Option<String>, Address)>,
    notes: &mut Notes,
) -> Vec<NewValue> {
    let entries = resources.iter();
    let entries = entries.filter(|resource| resource.kind == "ServiceEntry");
    let hosts: Vec<&str> = entries
        .flat_map(|entry| texts(entry.spec("hosts")))
        .collect();
    let mut documents = Vec::new();
    for server in providers.iter().filter_map(|(_, server)| server.as_ref()) {
        let namespace = policy.namespace.map(str::to_owned);
        let place = (namespace, server.clone());
        let has_entry = hosts.contains(&server.host.as_str()) || issuer::is_in_cluster(server);
        if !has_entry && !known.contains(&place) {
            documents.extend(issuer::documents(server, policy, notes));
            known.push(place);
        }
    }
    documents
}

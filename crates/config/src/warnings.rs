//! What is valid but most likely a mistake.

mod issuers;

use std::rc::Rc;

use gate::binding::{CertificateFormat, XfccElement};
use gate::policy::{
    ClientCertificate, Enforcement, NonceUse, Policy, Provider, RequirementKind, RequirementNode,
    SenderConstraint,
};

/// The warnings about a policy, each with its JSON path. `resources` are the paths of the protected
/// resources.
pub(crate) fn find(policy: &Policy, resources: &[String]) -> Vec<String> {
    let requirements = requirements(policy);
    let mut warnings = Vec::new();
    find_about_reports(policy, &mut warnings);
    for scope in ["offline_access", "openid"] {
        let asks = |node: &&(String, Rc<RequirementNode>)| asks_for(&node.1, scope);
        if let Some((path, _)) = requirements.iter().find(asks) {
            warnings.push(format!(
                "{path}: the scope {scope:?} concerns only client and authorization server, but challenges \
                 ask for it"
            ));
        }
    }
    let mut providers: Vec<&Rc<Provider>> = policy.providers.iter().collect();
    for (_, node) in &requirements {
        collect_providers(node, &mut providers);
    }
    for (resource, path) in policy.resources.all().iter().zip(resources) {
        let accepts = |audience: &String| resource.identifier.is_audience(audience);
        let mut audiences = providers.iter().flat_map(|one| &one.audiences);
        if !resource.require_audience && !audiences.any(accepts) {
            warnings.push(format!(
                "{path}.resource: no provider has it among its audiences"
            ));
        }
    }
    issuers::find(policy, &requirements, &mut warnings);
    let reads_inner_actor = |node: &&(String, Rc<RequirementNode>)| reads_inner_actor(&node.1);
    if let Some((path, _)) = requirements.iter().find(reads_inner_actor) {
        warnings.push(format!(
            "{path}: only the outermost act may decide; the act in it describes earlier actors (RFC 8693, \
             section 4.1)"
        ));
    }
    find_about_proofs(policy, &mut warnings);
    if let ClientCertificate::Header(header) = &policy.options.client_certificate {
        if header.format == CertificateFormat::Xfcc(XfccElement::First) {
            warnings.push(
                "client_certificate.element: a client can forge the first element, unless a proxy in front \
                 removes the header: APPEND_FORWARD of Envoy does not"
                    .to_owned(),
            );
        }
        let ignores = |one: &&Rc<Provider>| one.sender_constraint == SenderConstraint::Ignore;
        if providers.iter().all(ignores) {
            warnings.push(
                "client_certificate: is not used, because the sender_constraint of every provider is \
                 \"ignore\""
                    .to_owned(),
            );
        }
    }
    warnings
}

/// The warnings about refusals that are only reported.
fn find_about_reports(policy: &Policy, warnings: &mut Vec<String>) {
    if policy.options.enforcement == Enforcement::Report {
        warnings.push("report_only: nothing is refused, so the filter protects nothing".to_owned());
        return;
    }
    for (index, rule) in policy.rules.listed().iter().enumerate() {
        if rule.enforcement == Enforcement::Report {
            warnings.push(format!(
                "rules[{index}].report_only: the rule refuses nothing"
            ));
        }
    }
}

/// The warnings about proofs of possession.
fn find_about_proofs(policy: &Policy, warnings: &mut Vec<String>) {
    let Some(dpop) = &policy.options.dpop else {
        return;
    };
    if dpop.nonce != NonceUse::Off && dpop.nonce_keys.is_none() {
        let text = "dpop.nonce: without nonce_key_environment_variable each Envoy accepts only its own nonces";
        warnings.push(text.to_owned());
    }
    let takes_any = |one: &Rc<Provider>| one.offers_dpop() && one.audiences.is_empty();
    if policy.options.public_urls.is_empty() && policy.providers.iter().any(takes_any) {
        warnings.push(
            "dpop: without public_urls and audiences, the Host header of the client decides which server a \
             proof is for"
                .to_owned(),
        );
    }
}

/// The requirements with their paths, each once.
fn requirements(policy: &Policy) -> Vec<(String, Rc<RequirementNode>)> {
    let named = policy.requirements.iter().map(|(name, requirement)| {
        (
            format!("requirement_map.{name}"),
            Rc::clone(&requirement.root),
        )
    });
    let mut found: Vec<(String, Rc<RequirementNode>)> = named.collect();
    for (index, rule) in policy.rules.listed().iter().enumerate() {
        let root = &rule.requirement.root;
        if !found.iter().any(|(_, known)| Rc::ptr_eq(known, root)) {
            found.push((format!("rules[{index}].requires"), Rc::clone(root)));
        }
    }
    found
}

fn asks_for(node: &RequirementNode, scope: &str) -> bool {
    let conditions = &node.conditions;
    let mut scopes = conditions.scopes.iter().chain(&conditions.any_scope);
    scopes.any(|one| one == scope) || node.parts().iter().any(|part| asks_for(part, scope))
}

/// Whether a condition is on an actor before the one that acts now.
fn reads_inner_actor(node: &RequirementNode) -> bool {
    let mut claims = node.conditions.claims.iter();
    claims.any(|claim| claim.path.starts_with(&["act", "act"]))
        || node.parts().iter().any(reads_inner_actor)
}

fn collect_providers<'n>(node: &'n RequirementNode, found: &mut Vec<&'n Rc<Provider>>) {
    if let RequirementKind::Provider(provider) = &node.kind {
        found.push(provider);
    }
    for part in node.parts() {
        collect_providers(part, found);
    }
}

//! `SecurityPolicy` of Envoy Gateway becomes an `EnvoyExtensionPolicy`.

mod authorization;
mod cluster;
mod extension_policy;
mod jwt;
mod left_policy;
mod proxy;

use super::change::Change;
use super::module::Module;
use super::notes::Notes;
use super::resource::Resource;
use cluster::Cluster;
use jwt::Jwt;

/// Whether the resource is one that is converted.
pub(super) fn is_converted(resource: &Resource<'_>) -> bool {
    let api = resource.node.text_of("api_version").unwrap_or_default();
    api.starts_with("gateway.envoyproxy.io/")
        && resource.kind == "SecurityPolicy"
        && resource.spec("jwt").is_some()
}

/// Converts the policies of Envoy Gateway among `resources`.
pub(super) fn convert(
    resources: &[Resource<'_>],
    module: &Module,
    notes: &mut Notes,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut has_oidc = false;
    let mut last = None;
    for (index, resource) in resources.iter().enumerate() {
        if !is_converted(resource) {
            continue;
        }
        let Some(change) = policy(index, resource, resources, module, &mut clusters, notes) else {
            continue;
        };
        has_oidc |= resource.spec("oidc").is_some();
        last = Some(resource);
        changes.push(change);
    }
    if let (Some(change), Some(policy)) = (changes.last_mut(), last)
        && !clusters.is_empty()
    {
        let proxy = proxy::document(policy, &clusters, has_oidc, notes);
        change.documents.push(proxy);
    }
    changes
}

/// Converts one policy. The clusters that it needs are added to `clusters`.
fn policy(
    index: usize,
    resource: &Resource<'_>,
    resources: &[Resource<'_>],
    module: &Module,
    clusters: &mut Vec<Cluster>,
    notes: &mut Notes,
) -> Option<Change> {
    let path = resource.path();
    let position = resource.node.range.start;
    if extension_policy::targets(resource).any(|kind| kind == "TCPRoute") {
        let text = "applies to a TCPRoute, which has no requests with tokens";
        notes.refuse(position, &path, text);
        return None;
    }
    let jwt = Jwt::parse(resource, resources, notes)?;
    let authorization = authorization::Authorization::parse(resource, &jwt);
    let Some(rules) = authorization.rules(&jwt) else {
        let text = "its authorization rules overlap in too many ways for rules of the gate: give them fewer patterns";
        notes.refuse(position, &path, text);
        return None;
    };
    for cluster in jwt.clusters() {
        if !clusters.contains(cluster) {
            clusters.push(cluster.clone());
        }
    }
    let left = left_policy::document(resource, &authorization);
    let mut problems = rules.problems.clone();
    problems.extend(jwt.problems.iter().cloned());
    let source = extension_policy::Source {
        policy: resource,
        jwt: &jwt,
        rules: &rules.list,
        problems: &problems,
        module,
        is_replaced: left.is_none(),
    };
    let mut documents = vec![source.to_document(notes)];
    documents.extend(left);
    Some(Change {
        resource: index,
        before: Vec::new(),
        documents,
        edit: None,
        farewell: String::new(),
    })
}

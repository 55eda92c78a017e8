//! Warnings about issuers and templates of issuers.

use std::rc::Rc;

use gate::policy::{
    ClaimPath, ClaimTest, Policy, Provider, RequirementKind, RequirementNode, Rules,
};

/// Finds templates that are compared exactly, and those whose tenants no requirement limits. `requirements` are those of
/// the policy with their paths.
pub(super) fn find(
    policy: &Policy,
    requirements: &[(String, Rc<RequirementNode>)],
    warnings: &mut Vec<String>,
) {
    for provider in &policy.providers {
        let only = provider.issuers.only_issuer();
        if only.is_some_and(|issuer| issuer.contains(['{', '}'])) {
            warnings.push(format!(
                "providers.{}.issuer: is compared exactly, with its braces: put templates into issuers",
                provider.name
            ));
        }
        let mut checked: Vec<&ClaimPath> = Vec::new();
        for claim in provider.issuers.claims() {
            if checked.contains(&claim) {
                continue;
            }
            checked.push(claim);
            let takes_any = |node: &RequirementNode| takes_any(node, provider, claim);
            let found = match &policy.rules {
                Rules::AnyProvider(requirement) if takes_any(&requirement.root) => {
                    Some("providers")
                }
                _ => {
                    let mut nodes = requirements.iter();
                    let open = nodes.find(|(_, node)| takes_any(node));
                    open.map(|(path, _)| path.as_str())
                }
            };
            if let Some(path) = found {
                warnings.push(format!(
                    "{path}: accepts tokens of {:?} with any {claim}: list the accepted ones in the claims of a \
                     requirement",
                    provider.name
                ));
            }
        }
    }
}

/// Whether `node` accepts tokens of `provider` whatever their `claim` is.
fn takes_any(node: &RequirementNode, provider: &Provider, claim: &ClaimPath) -> bool {
    let mut conditions = node.conditions.claims.iter();
    let is_limited =
        conditions.any(|one| one.path == *claim && !matches!(one.test, ClaimTest::Present(_)));
    let takes = match &node.kind {
        RequirementKind::Provider(other) => other.index == provider.index,
        _ => node
            .parts()
            .iter()
            .any(|part| takes_any(part, provider, claim)),
    };
    takes && !is_limited
}

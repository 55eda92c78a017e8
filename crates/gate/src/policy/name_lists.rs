//! The names of the headers and claims that a policy reads or sets.

use std::rc::Rc;

use super::{
    ClaimPath, IntrospectedTokens, Options, Provider, Requirement, Rules, TokenProfile,
    UserAuthentication,
};
use crate::dpop::PROOF_HEADER;
use crate::introspection::COMPARED_CLAIMS;
use crate::revocation::NAMING_CLAIMS;

/// The headers that tokens, proofs or certificates are read from or that rules match.
pub(super) fn read_headers(
    providers: &[Rc<Provider>],
    rules: &Rules,
    options: &Options,
) -> Vec<String> {
    let of_tokens = token_headers(providers).map(str::to_owned);
    let of_rules = rules.listed().iter();
    let of_rules = of_rules.flat_map(|rule| rule.matcher.header_names().cloned());
    let of_proofs = options.dpop.as_ref().map(|_| PROOF_HEADER.to_owned());
    let of_certificate = options.client_certificate.header().map(str::to_owned);
    let names = of_tokens.chain(of_rules).chain(of_proofs);
    sorted(names.chain(of_certificate).collect())
}

/// The headers that tokens are read from.
pub(super) fn token_headers(providers: &[Rc<Provider>]) -> impl Iterator<Item = &str> {
    let locations = providers.iter().flat_map(|provider| &provider.locations);
    locations.filter_map(|location| location.header())
}

/// The members of a payload that issuers, profiles, conditions, forwarding, revocation or introspection read.
pub(super) fn read_claims(
    providers: &[Rc<Provider>],
    rules: &Rules,
    named: &[(String, Requirement)],
) -> Vec<String> {
    let mut paths = Vec::new();
    for requirement in all_requirements(rules, named) {
        requirement.root.collect_claims(&mut paths);
    }
    let scopes = all_requirements(rules, named).any(|one| one.root.needs_scopes());
    for provider in providers {
        paths.extend(provider.issuers.claims());
        paths.extend(provider.forwarding.claims());
        if scopes {
            paths.extend(&provider.scope_claims);
        }
    }
    let mut claims: Vec<String> = paths
        .into_iter()
        .filter_map(ClaimPath::root)
        .cloned()
        .collect();
    if all_requirements(rules, named).any(|one| one.root.needs_user_authentication()) {
        claims.extend(UserAuthentication::CLAIMS.map(str::to_owned));
    }
    if providers.iter().any(|one| one.profile.is_some()) {
        claims.extend(TokenProfile::CLAIMS.map(str::to_owned));
    }
    if providers.iter().any(|one| one.revocation.is_some()) {
        claims.extend(NAMING_CLAIMS.map(str::to_owned));
    }
    let introspects_jwts = |provider: &Rc<Provider>| {
        let endpoint = provider.introspection.as_ref();
        endpoint.is_some_and(|endpoint| endpoint.tokens == IntrospectedTokens::All)
    };
    if providers.iter().any(introspects_jwts) {
        claims.extend(COMPARED_CLAIMS.map(str::to_owned));
    }
    sorted(claims)
}

/// The headers that the filter may set.
pub(super) fn own_headers(providers: &[Rc<Provider>], status_headers: &[String]) -> Vec<String> {
    let forwardings = providers.iter().map(|provider| &provider.forwarding);
    let forwarded = forwardings.flat_map(|forwarding| forwarding.headers());
    sorted(forwarded.chain(status_headers).cloned().collect())
}

/// The headers that mark claims as unverified.
pub(super) fn status_headers(rules: &Rules, named: &[(String, Requirement)]) -> Vec<String> {
    let mut headers = Vec::new();
    for requirement in all_requirements(rules, named) {
        requirement.root.collect_status_headers(&mut headers);
    }
    sorted(headers)
}

/// The named requirements and those of the rules.
fn all_requirements<'r>(
    rules: &'r Rules,
    named: &'r [(String, Requirement)],
) -> impl Iterator<Item = &'r Requirement> {
    let named = named.iter().map(|(_, requirement)| requirement);
    named.chain(rules.listed().iter().map(|rule| &rule.requirement))
}

/// Sorts names and removes repetitions.
fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

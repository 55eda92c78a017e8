//! The scopes that a challenge names.

use super::fields::Fields;

/// The scopes that a client without a token should ask for: of alternatives, those of the first one that needs any.
pub(crate) fn needed(node: Fields<'_>) -> Vec<&str> {
    let mut scopes = own(node);
    if let Some(list) = node.object("requires_any") {
        let alternatives = list.list("requirements").into_iter();
        let mut needs = alternatives.map(|one| needed(Fields(one)));
        add(&mut scopes, needs.find(|needed| !needed.is_empty()));
    }
    if let Some(list) = node.object("requires_all") {
        for part in list.list("requirements") {
            add(&mut scopes, Some(needed(Fields(part))));
        }
    }
    scopes
}

/// The scopes of a requirement without those of its parts: all of `scopes`, and the first of `any_scope` unless one of
/// those is among them.
pub(crate) fn own(node: Fields<'_>) -> Vec<&str> {
    let mut scopes = Vec::new();
    add(&mut scopes, Some(node.texts("scopes")));
    let any = node.texts("any_scope");
    if !any.iter().any(|one| scopes.contains(one)) {
        add(&mut scopes, any.first().map(|first| vec![*first]));
    }
    scopes
}

/// The scopes that a client should ask for if its token lacks `lacking` for a part of a requirement: also those for
/// what stands around that part.
pub(crate) fn completed(node: Fields<'_>, lacking: &str) -> String {
    let mut scopes = if node.has("requires_any") {
        own(node)
    } else {
        needed(node)
    };
    add(&mut scopes, Some(lacking.split(' ').collect()));
    scopes.join(" ")
}

fn add<'s>(scopes: &mut Vec<&'s str>, more: Option<Vec<&'s str>>) {
    for scope in more.into_iter().flatten() {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
}

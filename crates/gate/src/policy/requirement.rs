//! Requirements: what a request must bring to pass.

use std::rc::Rc;

use super::claim_path::ClaimPath;
use super::conditions::TokenConditions;
use super::location::Location;
use super::provider::Provider;
use super::scope_list::ScopeList;
use super::user_authentication::UserAuthentication;

/// What a request must bring, and where tokens for it may be.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// What it must bring. Every use of a named requirement shares one node.
    pub root: Rc<RequirementNode>,
    /// The providers whose tokens it may take, in their order; one may occur twice.
    pub providers: Vec<Rc<Provider>>,
    /// All places that may hold a token for it, without repetition.
    pub locations: Vec<Rc<Location>>,
    /// Whether it may need several tokens, from different places.
    pub takes_several: bool,
    /// The scopes that a challenge asks for, separated by spaces; empty if it needs none.
    pub challenge_scope: String,
}

impl Requirement {
    /// The requirement that `root` describes.
    #[must_use]
    pub fn new(root: RequirementNode) -> Self {
        let mut providers = Vec::new();
        root.collect_providers(&mut providers);
        let mut locations: Vec<Rc<Location>> = Vec::new();
        for location in providers.iter().flat_map(|provider| &provider.locations) {
            if !locations.contains(location) {
                locations.push(Rc::clone(location));
            }
        }
        Self {
            takes_several: root.has_all(),
            challenge_scope: root.challenge_scope(),
            root: Rc::new(root),
            providers,
            locations,
        }
    }

    /// A token of any of these providers.
    #[must_use]
    pub fn any_of(providers: &[Rc<Provider>]) -> Self {
        Self::new(RequirementKind::any_of(providers).into())
    }

    /// Nothing at all.
    #[must_use]
    pub fn nothing() -> Self {
        Self::new(RequirementKind::Nothing.into())
    }
}

/// A requirement, or a part of one.
#[derive(Clone, Debug)]
pub struct RequirementNode {
    /// Whose token is required.
    pub kind: RequirementKind,
    /// What every token that fulfils it must also say.
    pub conditions: TokenConditions,
}

/// Whose token a request must bring.
#[derive(Clone, Debug)]
pub enum RequirementKind {
    /// Nobody's.
    Nothing,
    /// One of this provider.
    Provider(Rc<Provider>),
    /// One of these must be fulfilled.
    Any(Vec<RequirementNode>, Fallback),
    /// All of these must be fulfilled.
    All(Vec<RequirementNode>),
    /// None; the claims of an unverified token are forwarded.
    ExtractOnly(Extract),
}

/// What happens to a request that fulfils none of the alternatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fallback {
    /// It is refused.
    None,
    /// It passes if it has no token.
    AllowMissing,
    /// It passes.
    AllowMissingOrFailed,
}

/// How the claims of an unverified token are forwarded.
#[derive(Clone, Debug)]
pub struct Extract {
    /// Whose tokens are read: the provider whose issuer the token names, or one without an issuer.
    pub providers: Vec<Rc<Provider>>,
    /// The header that is then set to `false`.
    pub status_header: Option<String>,
}

impl From<RequirementKind> for RequirementNode {
    fn from(kind: RequirementKind) -> Self {
        let conditions = TokenConditions::default();
        Self { kind, conditions }
    }
}

impl RequirementKind {
    /// A token of any of these providers.
    #[must_use]
    pub fn any_of(providers: &[Rc<Provider>]) -> Self {
        let leaf = |provider: &Rc<Provider>| Self::Provider(Rc::clone(provider)).into();
        Self::Any(providers.iter().map(leaf).collect(), Fallback::None)
    }
}

impl RequirementNode {
    fn collect_providers(&self, found: &mut Vec<Rc<Provider>>) {
        match &self.kind {
            RequirementKind::Nothing => {}
            RequirementKind::Provider(provider) => found.push(Rc::clone(provider)),
            RequirementKind::Any(nodes, _) | RequirementKind::All(nodes) => {
                for node in nodes {
                    node.collect_providers(found);
                }
            }
            RequirementKind::ExtractOnly(extract) => found.extend_from_slice(&extract.providers),
        }
    }

    fn has_all(&self) -> bool {
        match &self.kind {
            RequirementKind::All(_) => true,
            RequirementKind::Any(nodes, _) => nodes.iter().any(Self::has_all),
            _ => false,
        }
    }

    /// Whether any part asks for scopes.
    pub(super) fn needs_scopes(&self) -> bool {
        self.conditions.has_scopes() || self.parts().iter().any(Self::needs_scopes)
    }

    /// The scopes with which a client without a token should ask for one, separated by spaces. Of
    /// alternatives, those of the first one that needs any.
    fn challenge_scope(&self) -> String {
        let mut found = ScopeList::default();
        self.collect_scopes(&mut found);
        found.join()
    }

    fn collect_scopes<'n>(&'n self, found: &mut ScopeList<'n>) {
        self.conditions.collect_scopes(found);
        match &self.kind {
            RequirementKind::Any(nodes, _) => {
                if let Some(node) = nodes.iter().find(|node| node.needs_scopes()) {
                    node.collect_scopes(found);
                }
            }
            RequirementKind::All(nodes) => {
                for node in nodes {
                    node.collect_scopes(found);
                }
            }
            RequirementKind::Nothing
            | RequirementKind::Provider(_)
            | RequirementKind::ExtractOnly(_) => {}
        }
    }

    /// The scopes with which a client should ask for another token if its token lacks the scopes
    /// `lacking` for one part: also those for the other parts, so that one new token is enough.
    #[must_use]
    pub fn completed_scope(&self, lacking: &str) -> String {
        let mut found = ScopeList::default();
        match &self.kind {
            RequirementKind::Any(..) => self.conditions.collect_scopes(&mut found),
            _ => self.collect_scopes(&mut found),
        }
        for scope in lacking.split(' ') {
            found.add(scope);
        }
        found.join()
    }

    /// Whether any part asks for an authentication of the user.
    pub(super) fn needs_user_authentication(&self) -> bool {
        let mut parts = self.parts().iter();
        !self.conditions.authentication.is_empty() || parts.any(Self::needs_user_authentication)
    }

    /// The authentication for which a client should send its user back to the authorization server if
    /// its token lacks `lacking` for one part: one that also meets the other parts, so that once is enough.
    #[must_use]
    pub fn completed_authentication(&self, lacking: UserAuthentication) -> UserAuthentication {
        let demand = lacking.and(&self.conditions.authentication);
        match &self.kind {
            RequirementKind::All(nodes) => nodes
                .iter()
                .fold(demand, |demand, node| node.completed_authentication(demand)),
            _ => demand,
        }
    }

    /// Collects the claims that conditions read.
    pub(super) fn collect_claims<'n>(&'n self, found: &mut Vec<&'n ClaimPath>) {
        found.extend(self.conditions.claims.iter().map(|claim| &claim.path));
        for part in self.parts() {
            part.collect_claims(found);
        }
    }

    /// Collects the headers that mark claims as unverified.
    pub(super) fn collect_status_headers(&self, found: &mut Vec<String>) {
        if let RequirementKind::ExtractOnly(extract) = &self.kind {
            found.extend(extract.status_header.clone());
        }
        for part in self.parts() {
            part.collect_status_headers(found);
        }
    }

    /// The requirements that it consists of.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match &self.kind {
            RequirementKind::Any(nodes, _) | RequirementKind::All(nodes) => nodes,
            _ => &[],
        }
    }
}

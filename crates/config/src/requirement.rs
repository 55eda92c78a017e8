//! Requirements: what a request must bring to pass.

use std::rc::Rc;

use gate::policy::{
    Extract, Fallback, Provider, Requirement, RequirementKind, RequirementNode, TokenConditions,
};
use serde_json::Value;

use super::conditions::{self, ClaimConditionWire};
use super::empty::Empty;
use super::from_json::FromJson;
use super::object::object;
use super::place::Place;
use super::providers::Providers;
use super::scalar::{AcrValue, NonEmpty, OwnHeaderName, PositiveDuration, ScopeToken};
use super::user_authentication;

/// How deep requirements may be nested.
const MAX_DEPTH: usize = 8;

/// The error for an empty requirement. In Envoy it lets every request pass; an empty value of a template
/// must not.
const EMPTY: &str =
    "is empty: name what is required, or write {\"allow\": {}} to let every request pass";

/// Envoy's name for the header that marks claims as unverified.
const STATUS_HEADER: &str = "x-jwt-signature-verified";

object! {
    pub(crate) struct RequirementWire("Requirement", "Requirement") {
        /// A token of this provider.
        provider_name: optional NonEmpty,
        /// A token of a provider, for other audiences than the provider's.
        provider_and_audiences: optional ProviderAndAudiencesWire,
        /// One of these must be fulfilled.
        requires_any: optional ListWire,
        /// All of these must be fulfilled.
        requires_all: optional ListWire,
        /// Every request passes, with or without a token; no token is read.
        allow: optional Empty,
        /// A request without a token passes; a token must be valid.
        allow_missing: optional Empty,
        /// Every request passes; a valid token is forwarded.
        allow_missing_or_failed: optional Empty,
        /// Every request passes; the claims of an unverified token are forwarded.
        extract_only_without_validation: optional ExtractWire,
        /// Authentication context classes, the preferred one first; `acr` must be one of them (RFC 9470).
        acr_values: optional Vec<AcrValue>,
        /// The longest time since the user was authenticated, `auth_time` (RFC 9470); whole seconds.
        max_authentication_age: optional PositiveDuration,
        /// Scopes, all of which the token must have.
        scopes: optional Vec<ScopeToken>,
        /// Scopes, one of which the token must have.
        any_scope: optional Vec<ScopeToken>,
        /// Conditions on claims; all must hold.
        claims: optional Vec<ClaimConditionWire>,
    }
}

object! {
    struct ProviderAndAudiencesWire("ProviderAndAudiences", "Provider and audiences") {
        /// The provider.
        provider_name: required NonEmpty,
        /// Audiences of which `aud` must contain one, instead of the provider's.
        audiences: optional Vec<NonEmpty>,
    }
}

object! {
    struct ListWire("Requirements", "Requirements") {
        /// The requirements; at least one.
        requirements: required Vec<RequirementWire>,
    }
}

object! {
    struct ExtractWire("ExtractOnly", "Extraction") {
        /// The header that is then set to `"false"`; `"-"` for none. Default
        /// `"x-jwt-signature-verified"`.
        verification_status_header: optional String,
    }
}

/// The requirement of a rule, for which null is a mistake of its own.
pub(crate) struct Requires(pub(crate) RequirementWire);

impl FromJson for Requires {
    fn from_json(json: &Value, at: &Place<'_>) -> Option<Self> {
        match json {
            Value::Null => at.refuse(EMPTY),
            given => RequirementWire::from_json(given, at).map(Self),
        }
    }
}

impl RequirementWire {
    /// Builds the requirement at this place.
    pub(crate) fn build(self, at: &Place<'_>, providers: &Providers) -> Option<Requirement> {
        let builder = Builder { providers };
        let root = builder.node(at, self, &[], MAX_DEPTH)?;
        Some(Requirement::new(root))
    }

    /// The fallback that this stands for among alternatives: `None` unless it consists of
    /// `allow_missing` or `allow_missing_or_failed` alone.
    fn fallback(&self) -> Fallback {
        match self {
            Self {
                provider_name: None,
                provider_and_audiences: None,
                requires_any: None,
                requires_all: None,
                allow: None,
                allow_missing,
                allow_missing_or_failed,
                extract_only_without_validation: None,
                acr_values: None,
                max_authentication_age: None,
                scopes: None,
                any_scope: None,
                claims: None,
            } => match (allow_missing, allow_missing_or_failed) {
                (Some(_), None) => Fallback::AllowMissing,
                (None, Some(_)) => Fallback::AllowMissingOrFailed,
                _ => Fallback::None,
            },
            _ => Fallback::None,
        }
    }
}

/// Builds requirements that refer to these providers.
struct Builder<'p> {
    providers: &'p Providers,
}

impl Builder<'_> {
    /// Builds the requirement at this place. `siblings` are the providers named by the alternatives next
    /// to it. It may be nested `depth` levels deep.
    fn node(
        &self,
        at: &Place<'_>,
        mut wire: RequirementWire,
        siblings: &[Rc<Provider>],
        depth: usize,
    ) -> Option<RequirementNode> {
        let Some(depth) = depth.checked_sub(1) else {
            return at.refuse(&format!(
                "requirements are nested more than {MAX_DEPTH} deep"
            ));
        };
        let authentication = user_authentication::build(
            at,
            wire.acr_values.take(),
            wire.max_authentication_age.take(),
        );
        let (scopes, any_scope, claims) = (
            wire.scopes.take(),
            wire.any_scope.take(),
            wire.claims.take(),
        );
        let is_conditional = !authentication.is_empty()
            || [&scopes, &any_scope]
                .into_iter()
                .flatten()
                .any(|scopes| !scopes.is_empty())
            || claims.as_ref().is_some_and(|claims| !claims.is_empty());
        let conditions = conditions::build(at, authentication, scopes, any_scope, claims);
        // As in Envoy: among alternatives these fields concern the providers of the alternatives,
        // elsewhere all providers.
        let covered = if siblings.is_empty() {
            self.providers.all()
        } else {
            siblings
        };
        let nodes = self.nodes(at, wire, covered, &conditions, depth);
        let mut given = nodes.into_iter();
        match (given.next(), given.next()) {
            (Some(node), None) => node,
            (None, _) if !is_conditional => at.refuse(EMPTY),
            (None, _) => {
                at.refuse("conditions on a token need provider_name or another requirement")
            }
            (Some(_), Some(_)) => at.refuse(
                "has more than one of provider_name, provider_and_audiences, requires_any, \
                 requires_all, allow, allow_missing, allow_missing_or_failed and \
                 extract_only_without_validation",
            ),
        }
    }

    /// Builds a requirement of each kind that `wire` gives; `None` for one that cannot be built. Exactly
    /// one kind is valid.
    fn nodes(
        &self,
        at: &Place<'_>,
        wire: RequirementWire,
        covered: &[Rc<Provider>],
        conditions: &TokenConditions,
        depth: usize,
    ) -> Vec<Option<RequirementNode>> {
        let node = |kind| RequirementNode {
            kind,
            conditions: conditions.clone(),
        };
        // A token that fails the conditions has failed, so they belong inside the fallback.
        let optional = |fallback| {
            let inner = node(RequirementKind::any_of(covered));
            RequirementKind::Any(vec![inner], fallback).into()
        };
        let mut nodes = Vec::new();
        if let Some(name) = wire.provider_name {
            let provider = self.providers.find(&name.0, &at.field("provider_name"));
            nodes.push(provider.map(|provider| node(RequirementKind::Provider(provider))));
        }
        if let Some(wire) = wire.provider_and_audiences {
            let provider = self.with_audiences(&at.field("provider_and_audiences"), wire);
            nodes.push(provider.map(|provider| node(RequirementKind::Provider(provider))));
        }
        if let Some(list) = wire.requires_any {
            let alternatives = self.alternatives(&at.field("requires_any"), list, depth);
            nodes.push(Some(node(alternatives)));
        }
        if let Some(list) = wire.requires_all {
            let wires = list.requirements.into_iter().enumerate().collect();
            let all = self.list(&at.field("requires_all"), wires, &[], depth);
            nodes.push(Some(node(RequirementKind::All(all))));
        }
        if wire.allow.is_some() {
            if !conditions.is_empty() {
                at.field("allow")
                    .report("lets every request pass, so the other conditions have no effect");
            }
            nodes.push(Some(RequirementKind::Nothing.into()));
        }
        if wire.allow_missing.is_some() {
            nodes.push(Some(optional(Fallback::AllowMissing)));
        }
        if wire.allow_missing_or_failed.is_some() {
            nodes.push(Some(optional(Fallback::AllowMissingOrFailed)));
        }
        if let Some(wire) = wire.extract_only_without_validation {
            let at = at.field("extract_only_without_validation");
            if !conditions.is_empty() {
                at.report("conditions on an unverified token prove nothing");
            }
            nodes.push(Some(node(RequirementKind::ExtractOnly(Extract {
                providers: covered.to_vec(),
                status_header: status_header(&at, &wire),
            }))));
        }
        nodes
    }

    /// Builds the field `requirements` of the object at this place, given with the positions of its
    /// elements.
    fn list(
        &self,
        at: &Place<'_>,
        wires: Vec<(usize, RequirementWire)>,
        siblings: &[Rc<Provider>],
        depth: usize,
    ) -> Vec<RequirementNode> {
        let at = at.field("requirements");
        if wires.is_empty() {
            at.report("must not be empty");
        }
        let mut nodes = Vec::new();
        for (index, wire) in wires {
            if let Some(node) = self.node(&at.element(index), wire, siblings, depth) {
                nodes.push(node);
            }
        }
        nodes
    }

    /// Builds the alternatives of a `requires_any`. Next to alternatives that name providers,
    /// `allow_missing` and `allow_missing_or_failed` are their fallback.
    fn alternatives(&self, at: &Place<'_>, list: ListWire, depth: usize) -> RequirementKind {
        let names = list.requirements.iter().filter_map(|wire| {
            let audiences = wire.provider_and_audiences.as_ref();
            let with_audiences = audiences.map(|wire| &wire.provider_name);
            wire.provider_name.as_ref().or(with_audiences)
        });
        let known = names.filter_map(|name| self.providers.get(&name.0));
        let siblings: Vec<Rc<Provider>> = known.cloned().collect();
        let wires = list.requirements.into_iter().enumerate();
        let (fallbacks, alternatives): (Vec<_>, Vec<_>) =
            wires.partition(|(_, wire)| !siblings.is_empty() && wire.fallback() != Fallback::None);
        let fallback = fallbacks.iter().map(|(_, wire)| wire.fallback()).max();
        let nodes = self.list(at, alternatives, &siblings, depth);
        RequirementKind::Any(nodes, fallback.unwrap_or(Fallback::None))
    }

    /// The provider, or a copy of it that accepts other audiences.
    fn with_audiences(
        &self,
        at: &Place<'_>,
        wire: ProviderAndAudiencesWire,
    ) -> Option<Rc<Provider>> {
        let name = &wire.provider_name.0;
        let provider = self.providers.find(name, &at.field("provider_name"))?;
        let audiences = wire.audiences.unwrap_or_default();
        if audiences.is_empty() {
            return Some(provider);
        }
        Some(Rc::new(Provider {
            audiences: audiences.into_iter().map(|audience| audience.0).collect(),
            ..(*provider).clone()
        }))
    }
}

/// Builds the header that `extract_only_without_validation` at this place sets; `-` stands for none.
fn status_header(at: &Place<'_>, wire: &ExtractWire) -> Option<String> {
    match wire.verification_status_header.as_deref() {
        Some("-") => None,
        None | Some("") => Some(STATUS_HEADER.to_owned()),
        Some(name) => {
            let name = OwnHeaderName::parse(name, &at.field("verification_status_header"))?;
            Some(name.0)
        }
    }
}

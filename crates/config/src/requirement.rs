//! Requirements: what a request must bring to be let through.

use std::rc::Rc;

use serde::Deserialize;

use super::claim::{ClaimPath, ClaimTermWire, Terms, TermsWire};
use super::error::ConfigError;
use super::location::Location;
use super::provider::Provider;
use super::scalar::{NonEmpty, OwnHeaderName, ScopeToken};
use super::text::Empty;

/// How deep requirements may be nested.
const MAX_DEPTH: usize = 8;

/// The header that says that claims come from a token that nobody verified, as Envoy names it.
const STATUS_HEADER: &str = "x-jwt-signature-verified";

/// What a request must bring, and where that may be.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// What it must bring. Where it is used by its name it is the same one everywhere.
    pub tree: Rc<Tree>,
    /// All places where tokens for it may be, each once.
    pub locations: Vec<Rc<Location>>,
    /// The only one of them, where that is `Authorization: Bearer`.
    pub bearer: Option<Rc<Location>>,
    /// Whether it may take more than one token, from different places, to fulfil it.
    pub takes_several: bool,
}

impl Requirement {
    /// What `tree` asks for.
    pub(crate) fn new(tree: Tree) -> Self {
        let mut providers = Vec::new();
        tree.collect_providers(&mut providers);
        let mut locations: Vec<Rc<Location>> = Vec::new();
        for location in providers.iter().flat_map(|provider| &provider.locations) {
            if !locations.contains(location) {
                locations.push(Rc::clone(location));
            }
        }
        let bearer = match locations.as_slice() {
            [only] if only.is_authorization() => Some(Rc::clone(only)),
            _ => None,
        };
        Self {
            bearer,
            takes_several: tree.has_all(),
            tree: Rc::new(tree),
            locations,
        }
    }

    /// A token of any one of these providers.
    pub(super) fn any_of(providers: &[Rc<Provider>]) -> Self {
        Self::new(Kind::Any(leaves(providers), Lenience::None).into())
    }

    /// Nothing at all.
    pub(super) fn nothing() -> Self {
        Self::new(Kind::Nothing.into())
    }
}

/// A requirement of each of these providers.
fn leaves(providers: &[Rc<Provider>]) -> Vec<Tree> {
    let leaf = |provider: &Rc<Provider>| Kind::Provider(Rc::clone(provider)).into();
    providers.iter().map(leaf).collect()
}

/// A requirement without its context.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Whose token.
    pub kind: Kind,
    /// What every token that fulfils it must say besides.
    pub terms: Terms,
}

/// Whose token a request must bring.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Nobody's.
    Nothing,
    /// One of this provider.
    Provider(Rc<Provider>),
    /// One of these must be fulfilled.
    Any(Vec<Tree>, Lenience),
    /// All of these must be fulfilled.
    All(Vec<Tree>),
    /// Whatever; the claims of a token are passed on as if it were good.
    ExtractOnly(Extract),
}

/// What becomes of a request that fulfils none of the alternatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lenience {
    /// It is refused.
    None,
    /// It passes if it has no token.
    Missing,
    /// It passes.
    MissingOrFailed,
}

/// How claims are passed on that nobody verified.
#[derive(Clone, Debug)]
pub struct Extract {
    /// Whose tokens are taken: the provider whose issuer the token names, or one without issuer.
    pub providers: Vec<Rc<Provider>>,
    /// The header that then says `false`.
    pub status_header: Option<String>,
}

impl From<Kind> for Tree {
    fn from(kind: Kind) -> Self {
        let terms = Terms::default();
        Self { kind, terms }
    }
}

impl Tree {
    fn collect_providers(&self, found: &mut Vec<Rc<Provider>>) {
        match &self.kind {
            Kind::Nothing => {}
            Kind::Provider(provider) => found.push(Rc::clone(provider)),
            Kind::Any(trees, _) | Kind::All(trees) => {
                for tree in trees {
                    tree.collect_providers(found);
                }
            }
            Kind::ExtractOnly(extract) => found.extend_from_slice(&extract.providers),
        }
    }

    fn has_all(&self) -> bool {
        match &self.kind {
            Kind::All(_) => true,
            Kind::Any(trees, _) => trees.iter().any(Self::has_all),
            _ => false,
        }
    }

    /// Whether scopes are asked for anywhere, and the claims that conditions are on.
    pub(super) fn collect_claims<'t>(&'t self, scopes: &mut bool, found: &mut Vec<&'t ClaimPath>) {
        *scopes |= !self.terms.scopes.is_empty() || !self.terms.any_scope.is_empty();
        found.extend(self.terms.claims.iter().map(|term| &term.path));
        if let Kind::Any(trees, _) | Kind::All(trees) = &self.kind {
            for tree in trees {
                tree.collect_claims(scopes, found);
            }
        }
    }

    /// The headers that say that claims were not verified.
    pub(super) fn collect_status_headers(&self, found: &mut Vec<String>) {
        match &self.kind {
            Kind::Any(trees, _) | Kind::All(trees) => {
                for tree in trees {
                    tree.collect_status_headers(found);
                }
            }
            Kind::ExtractOnly(extract) => found.extend(extract.status_header.clone()),
            _ => {}
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Requirement", title = "Requirement")
)]
#[serde(deny_unknown_fields)]
pub(super) struct RequirementWire {
    /// A token of this provider.
    #[serde(default, alias = "providerName")]
    provider_name: Option<NonEmpty>,
    /// A token of a provider for other audiences than its own.
    #[serde(default, alias = "providerAndAudiences")]
    provider_and_audiences: Option<ProviderAndAudiencesWire>,
    /// One of these must be fulfilled.
    #[serde(default, alias = "requiresAny")]
    requires_any: Option<ListWire>,
    /// All of these must be fulfilled.
    #[serde(default, alias = "requiresAll")]
    requires_all: Option<ListWire>,
    /// A token, if there is one, must be good; none will do.
    #[serde(default, alias = "allowMissing")]
    allow_missing: Option<Empty>,
    /// Whatever: a token that is good is passed on, a bad one or none will do.
    #[serde(default, alias = "allowMissingOrFailed")]
    allow_missing_or_failed: Option<Empty>,
    /// Whatever: the claims of a token are passed on as if it were good.
    #[serde(default, alias = "extractOnlyWithoutValidation")]
    extract_only_without_validation: Option<ExtractWire>,
    /// Scopes that the token must all have.
    #[serde(default)]
    scopes: Option<Vec<ScopeToken>>,
    /// Scopes of which the token must have one.
    #[serde(default, alias = "anyScope")]
    any_scope: Option<Vec<ScopeToken>>,
    /// Conditions on claims that must all hold.
    #[serde(default)]
    claims: Option<Vec<ClaimTermWire>>,
}

impl RequirementWire {
    /// What this says of requests that others beside it do not admit, if it says nothing else.
    fn lenience(&self) -> Lenience {
        match self {
            Self {
                provider_name: None,
                provider_and_audiences: None,
                requires_any: None,
                requires_all: None,
                allow_missing,
                allow_missing_or_failed,
                extract_only_without_validation: None,
                scopes: None,
                any_scope: None,
                claims: None,
            } => match (allow_missing, allow_missing_or_failed) {
                (Some(_), None) => Lenience::Missing,
                (None, Some(_)) => Lenience::MissingOrFailed,
                _ => Lenience::None,
            },
            _ => Lenience::None,
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ProviderAndAudiences", title = "Provider and audiences")
)]
#[serde(deny_unknown_fields)]
struct ProviderAndAudiencesWire {
    /// The provider.
    #[serde(alias = "providerName")]
    provider_name: NonEmpty,
    /// What `aud` must contain one of, in place of the provider's audiences.
    #[serde(default)]
    audiences: Option<Vec<NonEmpty>>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Requirements", title = "Requirements")
)]
#[serde(deny_unknown_fields)]
struct ListWire {
    /// The requirements; at least one.
    requirements: Vec<RequirementWire>,
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ExtractOnly", title = "Extraction")
)]
#[serde(deny_unknown_fields)]
struct ExtractWire {
    /// The header that then says `"false"`; `"-"` for none. Default `"x-jwt-signature-verified"`.
    #[serde(default, alias = "verificationStatusHeader")]
    verification_status_header: Option<String>,
}

/// Builds a requirement; `path` is where it is.
pub(super) fn build(
    path: &str,
    wire: RequirementWire,
    providers: &[Rc<Provider>],
) -> Result<Requirement, ConfigError> {
    let builder = Builder { providers };
    Ok(Requirement::new(builder.tree(
        path,
        wire,
        &[],
        MAX_DEPTH,
    )?))
}

struct Builder<'p> {
    providers: &'p [Rc<Provider>],
}

impl Builder<'_> {
    /// Builds the requirement at `path`. `siblings` are the providers that the alternatives beside
    /// it name, and `depth` how deep it may be nested.
    fn tree(
        &self,
        path: &str,
        wire: RequirementWire,
        siblings: &[Rc<Provider>],
        depth: usize,
    ) -> Result<Tree, ConfigError> {
        let Some(depth) = depth.checked_sub(1) else {
            let problem = format!("requirements are nested more than {MAX_DEPTH} deep");
            return Err(ConfigError::new(path, problem));
        };
        let terms = TermsWire {
            scopes: wire.scopes,
            any_scope: wire.any_scope,
            claims: wire.claims,
        };
        let mut terms = terms.build(path)?;
        let mut kinds = Vec::new();
        if let Some(name) = wire.provider_name {
            kinds.push(Kind::Provider(self.provider(path, &name.0)?));
        }
        if let Some(wire) = wire.provider_and_audiences {
            kinds.push(self.with_audiences(&format!("{path}.provider_and_audiences"), wire)?);
        }
        if let Some(list) = wire.requires_any {
            let path = format!("{path}.requires_any.requirements");
            kinds.push(self.alternatives(&path, list, depth)?);
        }
        if let Some(list) = wire.requires_all {
            let path = format!("{path}.requires_all.requirements");
            let wires = list.requirements.into_iter().enumerate().collect();
            kinds.push(Kind::All(self.list(&path, wires, &[], depth)?));
        }
        // As in Envoy: beside alternatives it is for their providers, otherwise for all.
        let covered = if siblings.is_empty() {
            self.providers
        } else {
            siblings
        };
        let lenient = [
            (wire.allow_missing, Lenience::Missing),
            (wire.allow_missing_or_failed, Lenience::MissingOrFailed),
        ];
        for lenience in lenient
            .into_iter()
            .filter_map(|(wire, lenience)| wire.and(Some(lenience)))
        {
            // A token that the terms refuse has failed: they belong inside.
            let kind = Kind::Any(leaves(covered), Lenience::None);
            let terms = std::mem::take(&mut terms);
            kinds.push(Kind::Any(vec![Tree { kind, terms }], lenience));
        }
        if let Some(wire) = wire.extract_only_without_validation {
            let path = format!("{path}.extract_only_without_validation");
            if !terms.is_empty() {
                let problem = "scopes and claims of a token that is not verified say nothing";
                return Err(ConfigError::new(path, problem));
            }
            kinds.push(Kind::ExtractOnly(Extract {
                providers: covered.to_vec(),
                status_header: status_header(&path, &wire)?,
            }));
        }
        let mut given = kinds.into_iter();
        match (given.next(), given.next()) {
            (Some(kind), None) => Ok(Tree { kind, terms }),
            (None, _) if terms.is_empty() => Ok(Kind::Nothing.into()),
            (None, _) => Err(ConfigError::new(
                path,
                "scopes and claims need provider_name or another requirement beside them",
            )),
            (Some(_), Some(_)) => Err(ConfigError::new(
                path,
                "has more than one of provider_name, provider_and_audiences, requires_any, \
                 requires_all, allow_missing, allow_missing_or_failed and \
                 extract_only_without_validation",
            )),
        }
    }

    fn list(
        &self,
        path: &str,
        wires: Vec<(usize, RequirementWire)>,
        siblings: &[Rc<Provider>],
        depth: usize,
    ) -> Result<Vec<Tree>, ConfigError> {
        if wires.is_empty() {
            return Err(ConfigError::new(path, "must not be empty"));
        }
        wires
            .into_iter()
            .map(|(index, wire)| self.tree(&format!("{path}[{index}]"), wire, siblings, depth))
            .collect()
    }

    /// The alternatives of a `requires_any`. `allow_missing` and `allow_missing_or_failed` beside
    /// others say what becomes of a request that none of those admits.
    fn alternatives(&self, path: &str, list: ListWire, depth: usize) -> Result<Kind, ConfigError> {
        let names = list.requirements.iter().filter_map(|wire| {
            let audiences = wire.provider_and_audiences.as_ref();
            let with_audiences = audiences.map(|wire| &wire.provider_name);
            wire.provider_name.as_ref().or(with_audiences)
        });
        let known = |name: &NonEmpty| self.providers.iter().find(|known| known.name == name.0);
        let siblings: Vec<Rc<Provider>> = names.filter_map(known).cloned().collect();
        let wires = list.requirements.into_iter().enumerate();
        let (bare, proper): (Vec<_>, Vec<_>) =
            wires.partition(|(_, wire)| !siblings.is_empty() && wire.lenience() != Lenience::None);
        let lenience = bare.iter().map(|(_, wire)| wire.lenience()).max();
        let trees = self.list(path, proper, &siblings, depth)?;
        Ok(Kind::Any(trees, lenience.unwrap_or(Lenience::None)))
    }

    fn provider(&self, path: &str, name: &str) -> Result<Rc<Provider>, ConfigError> {
        let known = self.providers.iter().find(|known| known.name == name);
        known.map(Rc::clone).ok_or_else(|| {
            let problem = format!("there is no provider {name:?}");
            ConfigError::new(format!("{path}.provider_name"), problem)
        })
    }

    /// A provider whose tokens must be for other audiences than the provider itself says.
    fn with_audiences(
        &self,
        path: &str,
        wire: ProviderAndAudiencesWire,
    ) -> Result<Kind, ConfigError> {
        let provider = self.provider(path, &wire.provider_name.0)?;
        let audiences = wire.audiences.unwrap_or_default();
        if audiences.is_empty() {
            return Ok(Kind::Provider(provider));
        }
        Ok(Kind::Provider(Rc::new(Provider {
            audiences: audiences.into_iter().map(|audience| audience.0).collect(),
            ..(*provider).clone()
        })))
    }
}

/// The header that `extract_only_without_validation` sets; `-` stands for none.
fn status_header(path: &str, wire: &ExtractWire) -> Result<Option<String>, ConfigError> {
    match wire.verification_status_header.as_deref() {
        Some("-") => Ok(None),
        None | Some("") => Ok(Some(STATUS_HEADER.to_owned())),
        Some(name) => OwnHeaderName::parse(name)
            .map(|name| Some(name.0))
            .map_err(|problem| {
                ConfigError::new(format!("{path}.verification_status_header"), problem)
            }),
    }
}

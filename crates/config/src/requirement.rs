//! Requirements: what a request must bring to pass.

use std::rc::Rc;

use gate::policy::{
    Extract, Fallback, Provider, Requirement, RequirementKind, RequirementNode, TokenConditions,
};
use serde::de::{Deserialize, Deserializer, Error};

use super::conditions::{self, ClaimConditionWire};
use super::empty::Empty;
use super::error::ConfigError;
use super::list::quoted;
use super::scalar::{NonEmpty, OwnHeaderName, ScopeToken};

/// How deep requirements may be nested.
const MAX_DEPTH: usize = 8;

/// What an empty requirement is told. In Envoy it lets every request pass; an empty value of a template
/// must not.
const EMPTY: &str =
    "is empty: name what is required, or write {\"allow\": {}} to let every request pass";

/// Envoy's name for the header that marks claims as unverified.
const STATUS_HEADER: &str = "x-jwt-signature-verified";

#[derive(serde::Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Requirement", title = "Requirement")
)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequirementWire {
    /// A token of this provider.
    #[serde(default, alias = "providerName")]
    provider_name: Option<NonEmpty>,
    /// A token of a provider, for other audiences than the provider's.
    #[serde(default, alias = "providerAndAudiences")]
    provider_and_audiences: Option<ProviderAndAudiencesWire>,
    /// One of these must be fulfilled.
    #[serde(default, alias = "requiresAny")]
    requires_any: Option<ListWire>,
    /// All of these must be fulfilled.
    #[serde(default, alias = "requiresAll")]
    requires_all: Option<ListWire>,
    /// Every request passes, with or without a token; no token is read.
    #[serde(default)]
    allow: Option<Empty>,
    /// A request without a token passes; a token must be valid.
    #[serde(default, alias = "allowMissing")]
    allow_missing: Option<Empty>,
    /// Every request passes; a valid token is forwarded.
    #[serde(default, alias = "allowMissingOrFailed")]
    allow_missing_or_failed: Option<Empty>,
    /// Every request passes; the claims of an unverified token are forwarded.
    #[serde(default, alias = "extractOnlyWithoutValidation")]
    extract_only_without_validation: Option<ExtractWire>,
    /// Scopes that the token must all have.
    #[serde(default)]
    scopes: Option<Vec<ScopeToken>>,
    /// Scopes of which the token must have one.
    #[serde(default, alias = "anyScope")]
    any_scope: Option<Vec<ScopeToken>>,
    /// Conditions on claims; all must hold.
    #[serde(default)]
    claims: Option<Vec<ClaimConditionWire>>,
}

#[derive(serde::Deserialize)]
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
    /// Audiences of which `aud` must contain one, instead of the provider's.
    #[serde(default)]
    audiences: Option<Vec<NonEmpty>>,
}

#[derive(serde::Deserialize)]
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

#[derive(serde::Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "ExtractOnly", title = "Extraction")
)]
#[serde(deny_unknown_fields)]
struct ExtractWire {
    /// The header that is then set to `"false"`; `"-"` for none. Default
    /// `"x-jwt-signature-verified"`.
    #[serde(default, alias = "verificationStatusHeader")]
    verification_status_header: Option<String>,
}

/// Deserializes a requirement whose field is given, so that null is an error.
pub(crate) fn not_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RequirementWire>, D::Error> {
    match Option::deserialize(deserializer)? {
        None => Err(D::Error::custom(EMPTY)),
        given => Ok(given),
    }
}

impl RequirementWire {
    /// Builds the requirement at `path`.
    pub(crate) fn build(
        self,
        path: &str,
        providers: &[Rc<Provider>],
    ) -> Result<Requirement, ConfigError> {
        let builder = Builder { providers };
        let root = builder.node(path, self, &[], MAX_DEPTH)?;
        Ok(Requirement::new(root))
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
    providers: &'p [Rc<Provider>],
}

impl Builder<'_> {
    /// Builds the requirement at `path`. `siblings` are the providers named by the alternatives next
    /// to it. It may be nested `depth` levels deep.
    fn node(
        &self,
        path: &str,
        mut wire: RequirementWire,
        siblings: &[Rc<Provider>],
        depth: usize,
    ) -> Result<RequirementNode, ConfigError> {
        let Some(depth) = depth.checked_sub(1) else {
            let problem = format!("requirements are nested more than {MAX_DEPTH} deep");
            return Err(ConfigError::new(path, problem));
        };
        let conditions = conditions::build(
            path,
            wire.scopes.take(),
            wire.any_scope.take(),
            wire.claims.take(),
        )?;
        // As in Envoy: among alternatives these fields concern the providers of the alternatives,
        // elsewhere all providers.
        let covered = if siblings.is_empty() {
            self.providers
        } else {
            siblings
        };
        let nodes = self.nodes(path, wire, covered, &conditions, depth)?;
        let mut given = nodes.into_iter();
        match (given.next(), given.next()) {
            (Some(node), None) => Ok(node),
            (None, _) if conditions.is_empty() => Err(ConfigError::new(path, EMPTY)),
            (None, _) => Err(ConfigError::new(
                path,
                "scopes and claims need provider_name or another requirement beside them",
            )),
            (Some(_), Some(_)) => Err(ConfigError::new(
                path,
                "has more than one of provider_name, provider_and_audiences, requires_any, \
                 requires_all, allow, allow_missing, allow_missing_or_failed and \
                 extract_only_without_validation",
            )),
        }
    }

    /// Builds a requirement of each kind that `wire` gives. Exactly one is valid.
    fn nodes(
        &self,
        path: &str,
        wire: RequirementWire,
        covered: &[Rc<Provider>],
        conditions: &TokenConditions,
        depth: usize,
    ) -> Result<Vec<RequirementNode>, ConfigError> {
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
            let provider = self.provider(path, &name.0)?;
            nodes.push(node(RequirementKind::Provider(provider)));
        }
        if let Some(wire) = wire.provider_and_audiences {
            let path = format!("{path}.provider_and_audiences");
            let provider = self.with_audiences(&path, wire)?;
            nodes.push(node(RequirementKind::Provider(provider)));
        }
        if let Some(list) = wire.requires_any {
            let path = format!("{path}.requires_any.requirements");
            nodes.push(node(self.alternatives(&path, list, depth)?));
        }
        if let Some(list) = wire.requires_all {
            let path = format!("{path}.requires_all.requirements");
            let wires = list.requirements.into_iter().enumerate().collect();
            nodes.push(node(RequirementKind::All(self.list(
                &path,
                wires,
                &[],
                depth,
            )?)));
        }
        if wire.allow.is_some() {
            if !conditions.is_empty() {
                let problem =
                    "lets every request pass, so scopes and claims beside it have no effect";
                return Err(ConfigError::new(format!("{path}.allow"), problem));
            }
            nodes.push(RequirementKind::Nothing.into());
        }
        if wire.allow_missing.is_some() {
            nodes.push(optional(Fallback::AllowMissing));
        }
        if wire.allow_missing_or_failed.is_some() {
            nodes.push(optional(Fallback::AllowMissingOrFailed));
        }
        if let Some(wire) = wire.extract_only_without_validation {
            let path = format!("{path}.extract_only_without_validation");
            if !conditions.is_empty() {
                let problem = "scopes and claims of an unverified token prove nothing";
                return Err(ConfigError::new(path, problem));
            }
            nodes.push(node(RequirementKind::ExtractOnly(Extract {
                providers: covered.to_vec(),
                status_header: status_header(&path, &wire)?,
            })));
        }
        Ok(nodes)
    }

    /// Builds the requirements at `path`, given with their positions.
    fn list(
        &self,
        path: &str,
        wires: Vec<(usize, RequirementWire)>,
        siblings: &[Rc<Provider>],
        depth: usize,
    ) -> Result<Vec<RequirementNode>, ConfigError> {
        if wires.is_empty() {
            return Err(ConfigError::new(path, "must not be empty"));
        }
        wires
            .into_iter()
            .map(|(index, wire)| self.node(&format!("{path}[{index}]"), wire, siblings, depth))
            .collect()
    }

    /// Builds the alternatives of a `requires_any`. Next to alternatives that name providers,
    /// `allow_missing` and `allow_missing_or_failed` are their fallback.
    fn alternatives(
        &self,
        path: &str,
        list: ListWire,
        depth: usize,
    ) -> Result<RequirementKind, ConfigError> {
        let names = list.requirements.iter().filter_map(|wire| {
            let audiences = wire.provider_and_audiences.as_ref();
            let with_audiences = audiences.map(|wire| &wire.provider_name);
            wire.provider_name.as_ref().or(with_audiences)
        });
        let known = |name: &NonEmpty| self.providers.iter().find(|known| known.name == name.0);
        let siblings: Vec<Rc<Provider>> = names.filter_map(known).cloned().collect();
        let wires = list.requirements.into_iter().enumerate();
        let (fallbacks, alternatives): (Vec<_>, Vec<_>) =
            wires.partition(|(_, wire)| !siblings.is_empty() && wire.fallback() != Fallback::None);
        let fallback = fallbacks.iter().map(|(_, wire)| wire.fallback()).max();
        let nodes = self.list(path, alternatives, &siblings, depth)?;
        Ok(RequirementKind::Any(
            nodes,
            fallback.unwrap_or(Fallback::None),
        ))
    }

    fn provider(&self, path: &str, name: &str) -> Result<Rc<Provider>, ConfigError> {
        let known = self.providers.iter().find(|known| known.name == name);
        known.map(Rc::clone).ok_or_else(|| {
            let known = self.providers.iter().map(|known| known.name.as_str());
            let problem = format!("is not one of the providers {}", quoted(known));
            ConfigError::new(format!("{path}.provider_name"), problem)
        })
    }

    /// The provider, or a copy of it that accepts other audiences.
    fn with_audiences(
        &self,
        path: &str,
        wire: ProviderAndAudiencesWire,
    ) -> Result<Rc<Provider>, ConfigError> {
        let provider = self.provider(path, &wire.provider_name.0)?;
        let audiences = wire.audiences.unwrap_or_default();
        if audiences.is_empty() {
            return Ok(provider);
        }
        Ok(Rc::new(Provider {
            audiences: audiences.into_iter().map(|audience| audience.0).collect(),
            ..(*provider).clone()
        }))
    }
}

/// Builds the header that `extract_only_without_validation` at `path` sets; `-` stands for none.
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

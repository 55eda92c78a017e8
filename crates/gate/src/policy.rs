//! Everything that decisions go by: providers, requirements and rules, and their logic.

mod audience_condition;
mod claim_checks;
mod claim_path;
mod client_certificate;
mod conditions;
mod dpop_policy;
mod enforcement;
mod forwarding;
mod header_names;
mod header_policy;
mod index;
mod introspection_endpoint;
mod issuer_template;
mod issuers;
mod key_source;
mod location;
mod matcher;
mod metadata_matcher;
mod name_lists;
mod options;
mod path;
mod pattern;
mod protected_resource;
mod protected_resources;
mod provider;
mod public_urls;
mod requirement;
mod requirement_place;
mod response_body;
mod revocation_source;
mod rules;
mod scope_list;
mod sender_constraint;
mod share;
mod string_matcher;
mod token_profile;
mod user_authentication;
mod web_url;

use std::rc::Rc;

pub use audience_condition::AudienceCondition;
pub use claim_path::ClaimPath;
pub use client_certificate::{CertificateHeader, ClientCertificate, TrustedPeers};
pub use conditions::{ClaimCondition, ClaimTest, TokenConditions};
pub use dpop_policy::{DpopPolicy, NonceUse, UpstreamToken};
pub use enforcement::{Enforcement, StreamEnd};
pub use forwarding::{ClaimTarget, Forwarding, HeaderClaim, PayloadMetadata, TextEncoding};
pub use header_names::HeaderNames;
pub use header_policy::HeaderPolicy;
pub use introspection_endpoint::{IntrospectedTokens, IntrospectionEndpoint};
pub use issuer_template::{IssuerTemplate, NotAnIssuerTemplate};
pub use issuers::Issuers;
pub use key_source::KeySource;
pub(crate) use location::BEARER;
pub use location::Location;
pub use matcher::{Condition, HeaderMatcher, Matcher, PathMatcher, QueryMatcher};
pub use metadata_matcher::{MetadataCondition, MetadataMatcher};
use name_lists::{own_headers, read_claims, read_headers, status_headers, token_headers};
pub use options::Options;
pub use path::is_ambiguous;
pub use pattern::{MAX_TEXT_BYTES, Pattern, PatternError, TextTooLong};
pub use protected_resource::{
    MAX_METADATA_URL, Metadata, NotAResourceIdentifier, ProtectedResource, ResourceIdentifier,
};
pub use protected_resources::ProtectedResources;
pub use provider::{CacheLimits, Provider};
pub use public_urls::PublicUrls;
pub use requirement::{Extract, Fallback, Requirement, RequirementKind, RequirementNode};
pub use requirement_place::RequirementPlace;
pub use response_body::ResponseBody;
pub use revocation_source::{OnUnavailable, RevocationSource};
pub use rules::{Rule, RuleList, Rules};
pub use sender_constraint::SenderConstraint;
pub use share::Share;
pub use string_matcher::{Comparison, StringMatcher};
pub use token_profile::TokenProfile;
pub use user_authentication::UserAuthentication;
pub use web_url::{NotAWebUrl, WebUrl};

use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;
use crate::token::MAX_TOKEN_BYTES;

/// The providers, requirements, rules and options of one filter.
#[derive(Debug)]
pub struct Policy {
    /// The known issuers, in the order of their names; at least one.
    pub providers: Vec<Rc<Provider>>,
    /// Which requirement applies to a request.
    pub rules: Rules,
    /// Named requirements, for rules and routes.
    pub requirements: Vec<(String, Requirement)>,
    /// The protected resources (RFC 9728).
    pub resources: ProtectedResources,
    /// Settings that concern all requests.
    pub options: Options,
    /// What is valid but most likely a mistake, each with its JSON path.
    pub warnings: Vec<String>,
    /// The headers that the filter may set, in lower case and sorted. A client's copies of them never
    /// reach the upstream, see [`Policy::must_remove`].
    pub own_headers: Vec<String>,
    /// The headers that mark claims as unverified.
    pub status_headers: Vec<String>,
    /// The members of a payload that decisions or forwarding read, besides the registered claims.
    pub read_claims: Vec<String>,
    /// The headers that decisions read besides `authorization` and pseudo-headers, in lower case and
    /// sorted.
    read_headers: Vec<String>,
    own_spellings: HeaderNames,
    token_spellings: HeaderNames,
    longest_token: usize,
    introspects: bool,
    reads_dynamic_metadata: bool,
    has_reported_rules: bool,
}

impl Policy {
    /// The policy of these parts.
    #[must_use]
    pub fn new(
        providers: Vec<Rc<Provider>>,
        rules: Rules,
        requirements: Vec<(String, Requirement)>,
        resources: ProtectedResources,
        options: Options,
    ) -> Self {
        let token_bytes = providers.iter().map(|provider| provider.cache.token_bytes);
        let status_headers = status_headers(&rules, &requirements);
        let own_headers = own_headers(&providers, &status_headers);
        Self {
            longest_token: token_bytes.fold(MAX_TOKEN_BYTES, usize::max),
            reads_dynamic_metadata: reads_dynamic_metadata(&rules),
            has_reported_rules: has_reported_rules(&rules),
            introspects: providers.iter().any(|one| one.introspection.is_some()),
            own_spellings: HeaderNames::new(own_headers.iter().map(String::as_str)),
            token_spellings: HeaderNames::new(token_headers(&providers)),
            own_headers,
            status_headers,
            read_headers: read_headers(&providers, &rules, &options),
            read_claims: read_claims(&providers, &rules, &requirements),
            providers,
            rules,
            requirements,
            warnings: Vec::new(),
            resources,
            options,
        }
    }

    /// Whether decisions need the header `name`, which is not a field of a [`Request`].
    #[must_use]
    pub fn reads(&self, name: &[u8]) -> bool {
        let headers = &self.read_headers;
        let found = headers.binary_search_by(|other| other.as_bytes().cmp(name));
        found.is_ok() || self.must_remove(name)
    }

    /// Whether the header `name` must not reach the upstream as the client sent it: it is one that the
    /// filter may set, in any spelling that an upstream may take for it, or another spelling of one
    /// that tokens are read from, whose token nobody would have checked.
    #[must_use]
    pub fn must_remove(&self, name: &[u8]) -> bool {
        let is_exact = |header: &str| header.as_bytes().eq_ignore_ascii_case(name);
        self.own_spellings.contains(name)
            || (self.token_spellings.contains(name)
                && !token_headers(&self.providers).any(is_exact))
    }

    /// Removes what [`Policy::must_remove`] selects from `request`. Returns the names as they were sent,
    /// each once; the same headers must be removed from what the upstream receives.
    ///
    /// # Errors
    ///
    /// [`Reason::Header`] if there is such a header and routes name requirements, unless refusals are only reported. Envoy selected the
    /// route with the header and would select another one without it, whose requirement nobody has
    /// asked for.
    pub fn remove_client_headers(&self, request: &mut Request) -> Result<Vec<String>, Reason> {
        let names = request.forget_headers(|name| self.must_remove(name));
        match self.forged_header(&names) {
            Some(reason) if self.options.enforcement == Enforcement::Refuse => Err(reason),
            Some(_) | None => Ok(names),
        }
    }

    /// Why a request is refused from which headers with these names were removed, also if that is only
    /// reported; `None` if it is not.
    #[must_use]
    pub fn forged_header(&self, names: &[String]) -> Option<Reason> {
        let name = names
            .first()
            .filter(|_| self.options.per_route_requirements)?;
        Some(Reason::Header { name: name.clone() })
    }

    /// Whether a refusal of `request` by `requirement` is only reported, and the request passes. If no requirement
    /// applied, it is `None`.
    ///
    /// A rule never lets an [ambiguous](is_ambiguous) path pass that way: the upstream may take it for one that
    /// another rule protects.
    #[must_use]
    pub fn reports_only(&self, request: &Request<'_>, requirement: Option<&Requirement>) -> bool {
        let by_rule = || requirement.is_some_and(|one| self.is_reported(one));
        self.options.enforcement == Enforcement::Report
            || (by_rule() && !is_ambiguous(request.path()))
    }

    /// Whether `requirement` is that of a rule whose refusals are only reported.
    #[must_use]
    pub fn is_reported(&self, requirement: &Requirement) -> bool {
        let mut rules = self.rules.listed().iter();
        self.has_reported_rules
            && rules.any(|rule| {
                rule.enforcement == Enforcement::Report
                    && std::ptr::eq(&raw const rule.requirement, requirement)
            })
    }

    /// Whether a stream that `requirement` admits ends with its token. Where refusals are only reported, none does.
    #[must_use]
    pub fn ends_streams(&self, requirement: &Requirement) -> bool {
        self.options.stream_end == StreamEnd::WithToken
            && self.options.enforcement == Enforcement::Refuse
            && !self.is_reported(requirement)
    }

    /// Whether any refusal may be only reported.
    #[must_use]
    pub fn may_report_only(&self) -> bool {
        self.options.enforcement == Enforcement::Report || self.has_reported_rules
    }

    /// The requirement of this name.
    #[must_use]
    pub fn requirement(&self, name: &[u8]) -> Option<&Requirement> {
        let mut named = self.requirements.iter();
        named
            .find(|(known, _)| known.as_bytes() == name)
            .map(|(_, requirement)| requirement)
    }

    /// Where `requirement`, which is one of this policy, is in the configuration; `None` if it is nowhere, because there
    /// are no rules.
    #[must_use]
    pub fn place(&self, requirement: &Requirement) -> Option<RequirementPlace<'_>> {
        let is_it = |one: &Requirement| std::ptr::eq(one, requirement);
        let mut rules = self.rules.listed().iter();
        if let Some(index) = rules.position(|rule| is_it(&rule.requirement)) {
            return Some(RequirementPlace::Rule(index));
        }
        let mut named = self.requirements.iter();
        let (name, _) = named.find(|(_, one)| is_it(one))?;
        Some(RequirementPlace::Named(name))
    }

    /// The provider of this name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Rc<Provider>> {
        self.providers.iter().find(|provider| provider.name == name)
    }

    /// The longest token that is examined, in bytes.
    #[must_use]
    pub const fn longest_token(&self) -> usize {
        self.longest_token
    }

    /// Whether `Authorization: DPoP` is taken for tokens of `provider`: proofs are checked, or the provider
    /// leaves that to something behind the gate.
    #[must_use]
    pub fn takes_dpop(&self, provider: &Provider) -> bool {
        self.options.dpop.is_some() || provider.sender_constraint == SenderConstraint::Ignore
    }

    /// The nonce that clients should use in their proofs at `now`; `None` if proofs need none.
    #[must_use]
    pub fn nonce(&self, now: Timestamp) -> Option<String> {
        let nonces = self.options.dpop.as_ref()?.nonces()?;
        Some(nonces.issue(now))
    }

    /// Whether any provider has an introspection endpoint.
    #[must_use]
    pub const fn introspects(&self) -> bool {
        self.introspects
    }

    /// Whether rules depend on dynamic metadata.
    #[must_use]
    pub const fn reads_dynamic_metadata(&self) -> bool {
        self.reads_dynamic_metadata
    }

    /// The number of providers that requests can wait for: with remote keys, a revocation list or an
    /// introspection endpoint.
    #[must_use]
    pub fn awaited_providers(&self) -> usize {
        let awaited = |provider: &&Rc<Provider>| {
            matches!(provider.keys, KeySource::Remote(_))
                || provider.revocation.is_some()
                || provider.introspection.is_some()
        };
        self.providers.iter().filter(awaited).count()
    }

    /// Whether a request passes that no rule matches.
    #[must_use]
    pub const fn allows_unmatched(&self) -> bool {
        matches!(
            self.rules,
            Rules::Listed {
                allow_unmatched: true,
                ..
            }
        )
    }

    /// Calls `decide` with each requirement that applies to `request`, in order, until it returns a
    /// decision. Usually the first one decides; `decide` returns `None` to skip a requirement that
    /// would let the request pass without a token on the strength of an
    /// [ambiguous](is_ambiguous) path.
    ///
    /// # Errors
    ///
    /// [`Reason::Requirement`] if the route names an unknown requirement, and [`Reason::TooLong`] if it
    /// is not known whether a rule matches. The rules after that one are not tried: it may be the one
    /// that protects what they open.
    pub fn first_decision<'p, D>(
        &'p self,
        request: &Request,
        mut decide: impl FnMut(&'p Requirement) -> Option<D>,
    ) -> Result<Option<D>, Reason> {
        if let Some(name) = &request.requirement_name
            && self.options.per_route_requirements
        {
            let of_route = self.requirement(name).ok_or_else(|| Reason::Requirement {
                name: String::from_utf8_lossy(name).into_owned(),
            })?;
            if let Some(decision) = decide(of_route) {
                return Ok(Some(decision));
            }
        }
        match &self.rules {
            Rules::AnyProvider(requirement) => Ok(decide(requirement)),
            Rules::Listed { rules, .. } => {
                for rule in rules.matching(request) {
                    let rule = rule.map_err(|too_long| Reason::TooLong {
                        bytes: too_long.bytes,
                        limit: MAX_TEXT_BYTES,
                    })?;
                    let decision = decide(&rule.requirement);
                    if decision.is_some() {
                        return Ok(decision);
                    }
                }
                Ok(None)
            }
        }
    }
}

/// Whether the refusals of any rule are only reported.
fn has_reported_rules(rules: &Rules) -> bool {
    let mut rules = rules.listed().iter();
    rules.any(|rule| rule.enforcement == Enforcement::Report)
}

/// Whether rules depend on dynamic metadata.
fn reads_dynamic_metadata(rules: &Rules) -> bool {
    let mut matchers = rules.listed().iter().map(|rule| &rule.matcher);
    matchers.any(|matcher| !matcher.metadata.is_empty())
}

//! The inputs of a decision.

use std::cell::RefCell;
use std::hash::RandomState;

use gate::credential::{self, Credential};
use gate::decision::{Context, Decided, Decision, decide, decide_by};
use gate::dpop::ProofKeys;
use gate::policy::{
    IntrospectedTokens, Policy, Provider, Requirement, RequirementKind, RequirementNode,
};
use gate::reason::Reason;
use gate::request::Request;
use gate::time::Timestamp;
use gate::token_cache::TokenCache;
use gate::verify::Engine;

use crate::engine;
use crate::given::Given;
use crate::inspected_token::InspectedToken;
use crate::refusal::Refusal;

/// The inputs of a decision. Signatures are verified as in Envoy, and no token is cached.
pub(crate) struct Inputs<'i> {
    pub(crate) policy: &'i Policy,
    pub(crate) request: &'i Request<'i>,
    pub(crate) given: &'i Given,
    now: Timestamp,
    engine: Engine,
    tokens: RefCell<TokenCache>,
    proof_keys: RefCell<ProofKeys>,
}

impl<'i> Inputs<'i> {
    pub(crate) fn new(
        policy: &'i Policy,
        request: &'i Request<'i>,
        given: &'i Given,
        now: Timestamp,
    ) -> Self {
        Self {
            policy,
            request,
            given,
            now,
            engine: engine::envoy(),
            tokens: RefCell::new(TokenCache::new(0, RandomState::new())),
            proof_keys: RefCell::default(),
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            resources: self.given,
            engine: &self.engine,
            tokens: &self.tokens,
            proof_keys: &self.proof_keys,
        }
    }

    /// The time of the decision.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The engine that verifies signatures.
    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Decides the request.
    pub(crate) fn decide(&self) -> Decided<'i> {
        decide(self.policy, self.request, &self.context(), self.now)
    }

    /// Decides the request by one node of a requirement.
    pub(crate) fn decide_by(&self, node: &RequirementNode) -> Decision {
        let requirement = Requirement::new(node.clone());
        let context = self.context();
        decide_by(&requirement, self.policy, self.request, &context, self.now)
    }

    /// Explains why `node` refuses the request; `None` if its parts explain it.
    pub(crate) fn explain(&self, node: &RequirementNode, reason: &Reason) -> Option<String> {
        let provider = match &node.kind {
            RequirementKind::Provider(provider) => provider,
            RequirementKind::Nothing
            | RequirementKind::Any(..)
            | RequirementKind::All(_)
            | RequirementKind::ExtractOnly(_) => self.refused_by_conditions(node, reason)?,
        };
        let audience = self.policy.resources.audience_condition(self.request);
        let refusal = Refusal {
            reason,
            policy: self.policy,
            request: self.request,
            provider,
            conditions: &node.conditions,
            now: self.now,
            resources: audience.required().collect(),
            token: self.token_for(provider),
            keys: self.given.key_set(provider),
        };
        Some(refusal.explain())
    }

    /// The provider whose token does not fulfil the conditions of `node` itself.
    fn refused_by_conditions<'n>(
        &self,
        node: &'n RequirementNode,
        reason: &Reason,
    ) -> Option<&'n Provider> {
        let mut providers = Vec::new();
        collect_providers(node, &mut providers);
        providers.into_iter().find(|provider| {
            let token = self.token_for(provider);
            let payload = token.as_ref().and_then(InspectedToken::payload);
            payload.is_some_and(|payload| {
                let checked = node.conditions.check(provider, payload, self.now);
                match (checked, reason) {
                    // The reason also names what other parts of the requirement need.
                    (Err(Reason::Scope { .. }), Reason::Scope { .. })
                    | (Err(Reason::UserAuthentication { .. }), Reason::UserAuthentication { .. }) => true,
                    (checked, reason) => checked.as_ref() == Err(reason),
                }
            })
        })
    }

    /// The token of the request at the locations of `provider`.
    fn token_for(&self, provider: &Provider) -> Option<InspectedToken> {
        let takes_dpop = self.policy.takes_dpop(provider);
        let found = credential::locate(self.request, &provider.locations, takes_dpop).ok()?;
        let Credential { text, .. } = found.first()?;
        let response = self.given.response(provider);
        let all = provider.introspection.as_ref();
        let all = all.is_some_and(|endpoint| endpoint.tokens == IntrospectedTokens::All);
        Some(InspectedToken::parse(text).with_response(response.as_deref(), all))
    }
}

fn collect_providers<'n>(node: &'n RequirementNode, found: &mut Vec<&'n Provider>) {
    match &node.kind {
        RequirementKind::Provider(provider) => found.push(provider),
        RequirementKind::Any(nodes, _) | RequirementKind::All(nodes) => {
            for node in nodes {
                collect_providers(node, found);
            }
        }
        RequirementKind::Nothing | RequirementKind::ExtractOnly(_) => {}
    }
}

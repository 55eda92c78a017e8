//! The inputs of a decision.

use std::cell::RefCell;
use std::hash::RandomState;

use gate::claims::Claims;
use gate::credential::{self, Credential};
use gate::decision::{Context, Decided, Decision, check_sender, decide, decide_by};
use gate::dpop::ProofKeys;
use gate::policy::{
    IntrospectedTokens, Policy, Provider, Requirement, RequirementKind, RequirementNode,
    TokenConditions,
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

    /// Checks only that the sender has proven what the token `credential` is bound to. `response` has the claims of the
    /// introspection response about it, if there is one.
    pub(crate) fn check_sender(
        &self,
        provider: &Provider,
        credential: &Credential<'_>,
        response: Option<&Claims>,
    ) -> Result<(), Reason> {
        let (policy, request) = (self.policy, self.request);
        let token = (credential, response);
        check_sender(provider, token, policy, request, &self.context(), self.now)
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
        Some(self.describe(provider, &node.conditions, reason))
    }

    /// The facts behind a refusal by `provider` or by `conditions` on its token.
    pub(crate) fn describe(
        &self,
        provider: &Provider,
        conditions: &TokenConditions,
        reason: &Reason,
    ) -> String {
        let audience = self.policy.resources.audience_condition(self.request);
        let refusal = Refusal {
            reason,
            policy: self.policy,
            request: self.request,
            provider,
            conditions,
            now: self.now,
            resources: audience.required().collect(),
            token: self.token_for(provider),
            keys: self.given.key_set(provider),
        };
        refusal.explain()
    }

    /// The provider whose token does not fulfil the conditions of `node` itself.
    pub(crate) fn refused_by_conditions<'n>(
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
    pub(crate) fn credential(&self, provider: &Provider) -> Option<Credential<'_>> {
        let takes_dpop = self.policy.takes_dpop(provider);
        let found = credential::locate(self.request, &provider.locations, takes_dpop);
        found.ok()?.into_iter().next()
    }

    /// What is in the token of the request at the locations of `provider`.
    pub(crate) fn token_for(&self, provider: &Provider) -> Option<InspectedToken> {
        let Credential { text, .. } = self.credential(provider)?;
        let response = self.given.response(provider);
        let all = provider.introspection.as_ref();
        let all = all.is_some_and(|endpoint| endpoint.tokens == IntrospectedTokens::All);
        Some(InspectedToken::parse(&text).with_response(response.as_deref(), all))
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

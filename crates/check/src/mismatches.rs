//! Everything about a token that a provider or a requirement does not accept. The filter stops at the first check
//! that fails.
//!
//! Each check is a function of the gate.

use gate::claims::Claims;
use gate::credential::Credential;
use gate::decision::Resources;
use gate::fetching::Availability;
use gate::introspection::{TokenStatus, contradiction};
use gate::policy::{
    IntrospectedTokens, KeySource, Provider, RequirementKind, RequirementNode, TokenConditions,
};
use gate::reason::{Reason, ReasonKind};
use gate::token::{Signed, Token, resembles_jwt};
use serde_json::{Map, Value};

use crate::claim_failures::{self, ClaimCheck};
use crate::inputs::Inputs;
use crate::inspected_token::InspectedToken;

/// A check that a token fails.
pub(crate) struct ProviderMismatch {
    /// The name of the provider whose token it is.
    pub(crate) provider: String,
    /// The reason for which the filter would refuse the request if no other check failed.
    pub(crate) reason: Reason,
    /// The facts.
    pub(crate) text: String,
}

/// All checks that the token of the request fails: those of `node` and, if it asks for a token, those of the provider
/// and of the requirements around it, which have the conditions `outer`. `reason` is the one for which the filter
/// refuses the request by `node`, if it does.
pub(crate) fn all<'n>(
    inputs: &Inputs<'_>,
    node: &'n RequirementNode,
    outer: &[&'n TokenConditions],
    reason: Option<&Reason>,
) -> Vec<ProviderMismatch> {
    let (provider, found) = if let RequirementKind::Provider(provider) = &node.kind {
        let conditions = [&[&node.conditions][..], outer].concat();
        let provider = &**provider;
        (provider, find(inputs, provider, &conditions))
    } else {
        let provider = reason.and_then(|reason| inputs.refused_by_conditions(node, reason));
        let Some(provider) = provider else {
            return Vec::new();
        };
        let conditions = &node.conditions;
        let found = find_conditions(inputs, provider, conditions);
        (provider, found)
    };
    let found = found.into_iter().map(|mismatch| {
        let conditions = mismatch.conditions.unwrap_or(&node.conditions);
        ProviderMismatch {
            provider: provider.name.clone(),
            text: inputs.describe(provider, conditions, &mismatch.reason),
            reason: mismatch.reason,
        }
    });
    found.collect()
}

/// A failed check.
struct Mismatch<'m> {
    /// The reason for which the filter would refuse the request if no other check failed.
    reason: Reason,
    /// The conditions that are not fulfilled; `None` if the provider does not accept the token.
    conditions: Option<&'m TokenConditions>,
}

/// All checks of `provider` and `conditions` that the token of the request fails; none if it carries no token.
fn find<'m>(
    inputs: &Inputs<'_>,
    provider: &Provider,
    conditions: &[&'m TokenConditions],
) -> Vec<Mismatch<'m>> {
    let mut found = Found::default();
    if let Some(credential) = inputs.credential(provider) {
        let search = Search { inputs, provider };
        search.token(&credential, &mut found);
        search.conditions(conditions, &mut found);
    }
    found.0
}

/// The parts of `conditions` that a token of `provider` does not fulfil.
fn find_conditions<'m>(
    inputs: &Inputs<'_>,
    provider: &Provider,
    conditions: &'m TokenConditions,
) -> Vec<Mismatch<'m>> {
    let mut found = Found::default();
    Search { inputs, provider }.conditions(&[conditions], &mut found);
    found.0
}

/// Whether two reasons are about the same check.
pub(crate) fn is_same_check(one: &Reason, other: &Reason) -> bool {
    let names_claim = matches!(one.kind(), ReasonKind::Claims | ReasonKind::ClaimMissing);
    one.kind() == other.kind() && (!names_claim || one == other)
}

/// The failed checks, each once.
#[derive(Default)]
struct Found<'m>(Vec<Mismatch<'m>>);

impl<'m> Found<'m> {
    fn note(&mut self, result: Result<(), Reason>, conditions: Option<&'m TokenConditions>) {
        if let Err(reason) = result
            && !self
                .0
                .iter()
                .any(|known| is_same_check(&known.reason, &reason))
        {
            self.0.push(Mismatch { reason, conditions });
        }
    }

    fn note_all(&mut self, reasons: Vec<Reason>) {
        for reason in reasons {
            self.note(Err(reason), None);
        }
    }
}

/// Checks the token of a request against a provider.
#[derive(Clone, Copy)]
struct Search<'s> {
    inputs: &'s Inputs<'s>,
    provider: &'s Provider,
}

impl Search<'_> {
    fn token(self, credential: &Credential<'_>, found: &mut Found<'_>) {
        let text = &*credential.text;
        let introspection = self.provider.introspection.as_ref();
        let is_introspected = match Token::parse(text, self.inputs.policy.longest_token()) {
            Ok((token, signed)) => {
                let tokens = introspection.map(|endpoint| endpoint.tokens);
                let is_introspected = tokens == Some(IntrospectedTokens::All);
                self.jwt(&token, &signed, text, is_introspected, found);
                if is_introspected {
                    self.response(Some(&token), found);
                }
                is_introspected
            }
            Err(Reason::MalformedToken) if introspection.is_some() && !resembles_jwt(text) => {
                self.response(None, found);
                true
            }
            Err(reason) => {
                let is_readable = reason.kind() != ReasonKind::MalformedToken;
                found.note(Err(reason), None);
                let token = InspectedToken::parse(text);
                let payload = token.payload().filter(|_| is_readable);
                if let Some(payload) = payload {
                    self.claims(payload, Provider::check_claims, found);
                }
                false
            }
        };
        let response = self.inputs.given.response(self.provider);
        let response = response.as_ref().filter(|_| is_introspected);
        // What an introspected token is bound to is not known without the response.
        if response.is_some() || !is_introspected {
            let response = response.map(|response| &response.claims);
            found.note(
                self.inputs
                    .check_sender(self.provider, credential, response),
                None,
            );
        }
    }

    fn jwt(
        self,
        token: &Token,
        signed: &Signed<'_>,
        text: &str,
        introspected: bool,
        found: &mut Found<'_>,
    ) {
        let header_policy = &self.provider.header_policy;
        let has_no_keys = matches!(self.provider.keys, KeySource::None);
        if has_no_keys && introspected {
            found.note(header_policy.check_type(token), None);
            self.claims(&token.payload, Provider::check_present_claims, found);
        } else {
            found.note(header_policy.check(token), None);
            found.note(header_policy.check_type(token), None);
            self.claims(&token.payload, Provider::check_claims, found);
            found.note(self.signature(token, signed), None);
        }
        if let Availability::Ready { value: list, .. } =
            self.inputs.given.revocations(self.provider)
            && list.revokes(token, text)
        {
            found.note(Err(Reason::Revoked), None);
        }
    }

    /// Checks that a key of the provider verifies the signature, if the keys are known.
    fn signature(self, token: &Token, signed: &Signed<'_>) -> Result<(), Reason> {
        let Some(keys) = self.inputs.given.key_set(self.provider) else {
            return Ok(());
        };
        let engine = self.inputs.engine();
        let (algorithm, kid) = (token.algorithm, token.kid.as_deref());
        let mut candidates = keys.candidates(algorithm, kid, engine).peekable();
        if candidates.peek().is_none() {
            return Err(Reason::UnknownKey {
                kid: token.kid.clone(),
                alg: algorithm.name(),
            });
        }
        let input = signed.input.as_bytes();
        let verifies = candidates.any(|key| {
            let by = engine.verify(&key.public, algorithm, input, &signed.signature);
            by.is_some()
        });
        if verifies {
            return Ok(());
        }
        let kid = token.kid.clone();
        Err(Reason::Signature { kid })
    }

    /// Checks the introspection response about `token`; `None` is an opaque token.
    fn response(self, token: Option<&Token>, found: &mut Found<'_>) {
        let response = match self.inputs.given.introspection(self.provider, "") {
            TokenStatus::Active(response) => response,
            TokenStatus::Inactive => return found.note(Err(Reason::Inactive), None),
            TokenStatus::Pending | TokenStatus::Unavailable { .. } => return,
        };
        self.claims(
            &response.payload,
            Provider::check_introspected_claims,
            found,
        );
        let claim = token.and_then(|token| contradiction(&token.claims, &token.payload, &response));
        if let Some(claim) = claim {
            found.note(Err(Reason::Contradiction { claim }), None);
        }
        if let Availability::Ready { value: list, .. } =
            self.inputs.given.revocations(self.provider)
            && list.revokes_claims(&response.payload, response.claims.issued_at)
        {
            found.note(Err(Reason::Revoked), None);
        }
    }

    /// Checks the registered claims, and that the token is meant for the resource of the request.
    fn claims(self, payload: &Map<String, Value>, check: ClaimCheck, found: &mut Found<'_>) {
        let claims = match Claims::from_object(payload) {
            Ok(claims) => claims,
            Err(reason) => return found.note(Err(reason), None),
        };
        let now = self.inputs.now();
        found.note_all(claim_failures::find(
            self.provider,
            &claims,
            payload,
            now,
            check,
        ));
        let (policy, request) = (self.inputs.policy, self.inputs.request);
        let audience = policy.resources.audience_condition(request);
        found.note(audience.check(&claims), None);
    }

    /// Checks each part of `all` by itself.
    fn conditions<'m>(self, all: &[&'m TokenConditions], found: &mut Found<'m>) {
        let token = self.inputs.token_for(self.provider);
        let Some(payload) = token.as_ref().and_then(InspectedToken::payload) else {
            return;
        };
        let now = self.inputs.now();
        for conditions in all {
            for part in parts(conditions) {
                found.note(part.check(self.provider, payload, now), Some(conditions));
            }
        }
    }
}

/// The conditions one by one, so that each can be checked by itself.
fn parts(conditions: &TokenConditions) -> Vec<TokenConditions> {
    let mut parts = vec![
        TokenConditions {
            authentication: conditions.authentication.clone(),
            ..TokenConditions::default()
        },
        TokenConditions {
            scopes: conditions.scopes.clone(),
            any_scope: conditions.any_scope.clone(),
            ..TokenConditions::default()
        },
    ];
    let claims = conditions.claims.iter();
    parts.extend(claims.map(|claim| TokenConditions {
        claims: vec![claim.clone()],
        ..TokenConditions::default()
    }));
    parts
}

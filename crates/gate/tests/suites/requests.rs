//! A gate to send the requests of a suite to.

use std::cell::RefCell;
use std::hash::RandomState;

use gate::decision::{Context, Decision, Resources, decide};
use gate::fetching::Availability;
use gate::introspection::TokenStatus;
use gate::keys::KeySet;
use gate::policy::{Policy, Provider, Requirement};
use gate::reason::{Reason, ReasonKind};
use gate::request::Request;
use gate::revocation::RevocationList;
use gate::time::Timestamp;
use gate::token_cache::TokenCache;
use gate::verify::Engine;
use serde_json::{Value, json};

/// The policy of this configuration. Secrets from the environment are `secret`.
pub(crate) fn policy_with(config: &Value) -> Policy {
    let environment = |_: &str| Some("secret".to_owned());
    gate_config::parse(config.to_string().as_bytes(), &environment).unwrap()
}

/// The policy with this provider only.
pub(crate) fn policy_of(provider: &Value) -> Policy {
    policy_with(&json!({ "providers": {"p": provider} }))
}

/// Decides requests with the keys of the configuration.
pub(crate) struct Gate {
    now: Timestamp,
    introspection: TokenStatus,
}

impl Resources for Gate {
    fn keys(&self, _: &Provider) -> Availability<KeySet> {
        Availability::Pending
    }

    fn revocations(&self, _: &Provider) -> Availability<RevocationList> {
        Availability::Pending
    }

    fn introspection(&self, _: &Provider, _: &str) -> TokenStatus {
        self.introspection.clone()
    }
}

impl Gate {
    /// A gate whose clock shows `now` (in Unix seconds), and which waits for introspection.
    pub(crate) fn at(now: u64) -> Self {
        Self {
            now: Timestamp::from_unix_secs(now),
            introspection: TokenStatus::Pending,
        }
    }

    /// The same with this answer of the introspection endpoint.
    pub(crate) fn introspecting(self, introspection: TokenStatus) -> Self {
        Self {
            introspection,
            ..self
        }
    }

    /// Why `request` is refused, and by which requirement; `None` if it passes. A request that waits is refused
    /// for what it waits for.
    pub(crate) fn decide<'p>(
        &self,
        policy: &'p Policy,
        request: &Request,
    ) -> Option<(Reason, Option<&'p Requirement>)> {
        let context = Context {
            resources: self,
            engine: &Engine::software(),
            tokens: &RefCell::new(TokenCache::new(16, RandomState::new())),
            proof_keys: &RefCell::default(),
        };
        let decided = decide(policy, request, &context, self.now);
        match decided.decision {
            Decision::Deny(reason) => Some((reason, decided.requirement)),
            Decision::Wait(wait) => Some((wait.unavailable, decided.requirement)),
            Decision::Pass | Decision::Admit(_) => None,
        }
    }

    /// Why a request with this bearer token is refused; `None` if it passes.
    pub(crate) fn refusal(&self, policy: &Policy, token: &str) -> Option<ReasonKind> {
        let request = Request {
            method: b"GET".into(),
            target: b"/".into(),
            authorization: vec![format!("Bearer {token}").into_bytes().into()],
            ..Request::default()
        };
        self.decide(policy, &request)
            .map(|(reason, _)| reason.kind())
    }
}

//! What the tests of the decision share: a gate with scripted resources, and a short form of its
//! decisions.

use std::cell::RefCell;
use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use gate::admission::{Admission, HeaderChange};
use gate::decision::{Context, Decided, Decision, Dependency, Resources, Wait, decide};
use gate::dpop::ProofKeys;
use gate::fetching::Availability;
use gate::introspection::{self, TokenStatus};
use gate::keys::KeySet;
use gate::policy::{Policy, Provider};
use gate::reason::{Reason, ReasonKind};
use gate::request::Request;
use gate::revocation::{ListFormat, ListReader, RevocationList};
use gate::time::Timestamp;
use gate::token_cache::TokenCache;
use gate::verify::Engine;
use serde_json::{Value, json};

/// The time at which tests decide, in seconds since the Unix epoch.
pub(crate) const NOW: u64 = 1_700_000_000;

/// The time `secs` seconds after the Unix epoch.
pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

type Lookup<T> = Box<dyn Fn(&Provider) -> Availability<T>>;
type StatusLookup = Box<dyn Fn(&Provider, &str) -> TokenStatus>;

/// Resources that answer as a test says, and record what was looked up.
struct Scripted {
    keys: Lookup<KeySet>,
    revocations: Lookup<RevocationList>,
    introspection: StatusLookup,
    lookups: RefCell<Vec<String>>,
}

impl Scripted {
    fn record(&self, what: &str, provider: &Provider) {
        let lookup = format!("{what} of {}", provider.name);
        self.lookups.borrow_mut().push(lookup);
    }
}

impl Resources for Scripted {
    fn keys(&self, provider: &Provider) -> Availability<KeySet> {
        self.record("keys", provider);
        (self.keys)(provider)
    }

    fn revocations(&self, provider: &Provider) -> Availability<RevocationList> {
        self.record("revocations", provider);
        (self.revocations)(provider)
    }

    fn introspection(&self, provider: &Provider, token: &str) -> TokenStatus {
        self.record(&format!("introspection of {token}"), provider);
        (self.introspection)(provider, token)
    }
}

/// What decisions draw on. Everything is pending unless a test says otherwise.
pub(crate) struct Gate {
    resources: Scripted,
    engine: Engine,
    tokens: RefCell<TokenCache>,
    proof_keys: RefCell<ProofKeys>,
    now: Timestamp,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            resources: Scripted {
                keys: Box::new(|_| Availability::Pending),
                revocations: Box::new(|_| Availability::Pending),
                introspection: Box::new(|_, _| TokenStatus::Pending),
                lookups: RefCell::default(),
            },
            engine: Engine::software(),
            tokens: RefCell::new(TokenCache::new(16, RandomState::new())),
            proof_keys: RefCell::default(),
            now: at(NOW),
        }
    }

    pub(crate) fn keys(self, keys: impl Fn(&Provider) -> Availability<KeySet> + 'static) -> Self {
        let keys = Box::new(keys);
        let resources = Scripted {
            keys,
            ..self.resources
        };
        Self { resources, ..self }
    }

    pub(crate) fn revocations(
        self,
        revocations: impl Fn(&Provider) -> Availability<RevocationList> + 'static,
    ) -> Self {
        let revocations = Box::new(revocations);
        let resources = Scripted {
            revocations,
            ..self.resources
        };
        Self { resources, ..self }
    }

    pub(crate) fn introspection(
        self,
        introspection: impl Fn(&Provider, &str) -> TokenStatus + 'static,
    ) -> Self {
        let introspection = Box::new(introspection);
        let resources = Scripted {
            introspection,
            ..self.resources
        };
        Self { resources, ..self }
    }

    pub(crate) fn engine(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    pub(crate) fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    pub(crate) fn cached_tokens(&self) -> usize {
        self.tokens.borrow().len()
    }

    /// What was looked up since the last call, in order.
    pub(crate) fn lookups(&self) -> Vec<String> {
        self.resources.lookups.take()
    }

    pub(crate) fn decided<'p>(&self, policy: &'p Policy, request: &Request) -> Decided<'p> {
        decide(policy, request, &self.context(), self.now)
    }

    /// What decisions are made with.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            resources: &self.resources,
            engine: &self.engine,
            tokens: &self.tokens,
            proof_keys: &self.proof_keys,
        }
    }

    pub(crate) fn decision(&self, policy: &Policy, request: &Request) -> Decision {
        self.decided(policy, request).decision
    }

    pub(crate) fn decide(&self, policy: &Policy, request: &Request) -> Outcome {
        self.decision(policy, request).into()
    }
}

/// A decision without the facts of its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass,
    Admit(Admission),
    Deny(ReasonKind),
    Wait {
        on: Vec<Dependency>,
        timeout: Duration,
        unavailable: ReasonKind,
    },
}

impl From<Decision> for Outcome {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Pass => Self::Pass,
            Decision::Admit(admission) => Self::Admit(admission),
            Decision::Deny(reason) => Self::Deny(reason.kind()),
            Decision::Wait(Wait {
                on,
                timeout,
                unavailable,
            }) => Self::Wait {
                on,
                timeout,
                unavailable: unavailable.kind(),
            },
        }
    }
}

impl Outcome {
    /// The admission of a valid `Authorization: Bearer` token that is not forwarded.
    pub(crate) fn admitted() -> Self {
        Self::Admit(Admission {
            verified: true,
            headers: vec![HeaderChange::Remove("authorization".to_owned())],
            ..Admission::default()
        })
    }

    /// The wait for the keys of the only provider of [`provider`].
    pub(crate) fn waits_for(on: Dependency) -> Self {
        Self::Wait {
            on: vec![on],
            timeout: Duration::from_secs(3),
            unavailable: ReasonKind::KeysUnavailable,
        }
    }

    pub(crate) fn is_admitted(&self) -> bool {
        matches!(self, Self::Admit(admission) if admission.verified)
    }

    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Deny(_))
    }
}

/// The reason of a refusal, with its facts.
pub(crate) fn denied(decision: Decision) -> Reason {
    match decision {
        Decision::Deny(reason) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

/// The policy of this configuration.
pub(crate) fn policy(config: &Value) -> Policy {
    gate_config::parse_json(config.to_string().as_bytes()).unwrap()
}

/// A provider with a remote key set, whose timeout is three seconds.
pub(crate) fn provider() -> Value {
    json!({
        "issuer": "https://issuer.example",
        "audiences": ["https://api.example"],
        "remote_jwks": {
            "http_uri": {"uri": "https://issuer.example/jwks", "cluster": "issuer", "timeout": "3s"},
        },
    })
}

/// The same for a configuration that takes secrets from the environment: each is `secret`.
pub(crate) fn policy_with_secrets(config: &Value) -> Policy {
    let environment = |_: &str| Some("secret".to_owned());
    gate_config::parse(config.to_string().as_bytes(), &environment).unwrap()
}

/// The policy of this provider, which is named `p`. Proofs are checked if it accepts no token without.
pub(crate) fn policy_of(provider: &Value) -> Policy {
    let mut config = json!({"providers": {"p": provider}});
    if provider["sender_constraint"] == "dpop" {
        config["dpop"] = json!({});
    }
    policy(&config)
}

/// The payload that [`provider`] accepts.
pub(crate) fn payload() -> Value {
    json!({"iss": "https://issuer.example", "aud": "https://api.example", "exp": NOW + 3600})
}

/// `object` with the members of `changes`.
pub(crate) fn with(object: &Value, changes: &Value) -> Value {
    let mut object = object.clone();
    for (name, value) in changes.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// A token that [`provider`] accepts, signed by the key `rsa`.
pub(crate) fn good() -> String {
    gate_fixtures::rs256(&json!({"alg": "RS256", "kid": "rsa"}), &payload())
}

/// A request for `/` with this bearer token.
pub(crate) fn bearing(token: &str) -> Request<'static> {
    Request {
        method: b"GET".into(),
        target: b"/".into(),
        authorization: vec![format!("Bearer {token}").into_bytes().into()],
        ..Request::default()
    }
}

/// A request for `target` with these headers.
pub(crate) fn request<'h>(target: &'h str, headers: &[(&'h str, &'h str)]) -> Request<'h> {
    let headers = headers.iter().copied().chain([(":path", target)]);
    let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    Request::from_headers(headers)
}

/// This key set, which no newer one will replace soon.
pub(crate) fn key_set(document: &str) -> Availability<KeySet> {
    Availability::Ready {
        value: Rc::new(KeySet::parse(document.as_bytes()).unwrap()),
        newer_possible: false,
    }
}

/// The key set of the fixtures.
pub(crate) fn ready(_: &Provider) -> Availability<KeySet> {
    key_set(&gate_fixtures::key_set())
}

/// The same, but a newer one may arrive.
pub(crate) fn newer_possible(_: &Provider) -> Availability<KeySet> {
    Availability::Ready {
        value: Rc::new(KeySet::parse(gate_fixtures::key_set().as_bytes()).unwrap()),
        newer_possible: true,
    }
}

/// The revocation list of this document.
pub(crate) fn revocation_list(document: &Value) -> Availability<RevocationList> {
    let reader = ListReader {
        format: ListFormat::List,
        state: RandomState::new(),
    };
    let list = RevocationList::parse(document.to_string().as_bytes(), &reader);
    Availability::Ready {
        value: Rc::new(list.unwrap()),
        newer_possible: false,
    }
}

/// The status of an active token with this introspection response.
pub(crate) fn active(response: &Value) -> TokenStatus {
    let response = introspection::read(response.to_string().as_bytes());
    TokenStatus::Active(Rc::new(response.unwrap().unwrap()))
}

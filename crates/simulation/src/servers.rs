//! The servers of a story: what they publish, and what happens to them.

use std::collections::BTreeSet;

use fastrand::Rng;
use gate_simulator::{Process, Received, Response};
use serde_json::json;

use crate::action::Action;
use crate::plan::{INTROSPECTION_CLUSTER, Plan, keys_cluster, list_cluster};
use crate::server::{Mode, Server};
use crate::tokens::{ISSUERS, KIDS, Kind, OPAQUE_TOKENS, TOKENS, jwk, opaque_text};

/// The servers of a story.
pub(crate) struct Servers {
    /// The key servers by issuer, which publish `kid`s.
    pub(crate) keys: Vec<Server<BTreeSet<&'static str>>>,
    /// The revocation lists by issuer, which publish `jti`s.
    pub(crate) lists: Vec<Option<Server<BTreeSet<String>>>>,
    /// The introspection endpoint, which knows the active tokens.
    pub(crate) endpoint: Option<Server<BTreeSet<usize>>>,
}

impl Servers {
    /// Starts the servers of a story.
    pub(crate) fn start(process: &Process, plan: &Plan, rng: &mut Rng) -> Self {
        let all: BTreeSet<_> = KIDS.into_iter().collect();
        let mut keys = Vec::new();
        let mut lists = Vec::new();
        for issuer in 0..ISSUERS {
            // Not every server sends tags.
            let has_tags = rng.bool();
            let cluster = keys_cluster(issuer);
            let seed = rng.u64(..);
            let respond = move |kids: &_, received: &_| key_set(kids, received, has_tags);
            keys.push(Server::start(process, cluster, all.clone(), seed, respond));
            lists.push(plan.revocation[issuer].then(|| {
                let cluster = list_cluster(issuer);
                let none = BTreeSet::new();
                let respond =
                    move |list: &_, received: &_| revocation_list(list, received, has_tags);
                Server::start(process, cluster, none, rng.u64(..), respond)
            }));
        }
        let endpoint = plan.introspection.then(|| {
            let cluster = INTROSPECTION_CLUSTER.to_owned();
            let active = [0, 1].into_iter().collect();
            Server::start(process, cluster, active, rng.u64(..), introspection)
        });
        Self {
            keys,
            lists,
            endpoint,
        }
    }

    /// Takes a step that concerns a server. Returns what has happened; `None` if nothing has.
    pub(crate) fn act(&self, action: Action, process: &Process, rng: &mut Rng) -> Option<String> {
        match action {
            Action::BreakServer => {
                let mode = Mode::BAD[rng.usize(0..Mode::BAD.len())];
                Some(self.set_mode(mode, rng))
            }
            Action::HealServer => Some(self.set_mode(Mode::Well, rng)),
            Action::Rotate => self.rotate(process, rng),
            Action::Revoke => self.revoke(process, rng),
            Action::ChangeActiveTokens => self.change_active_tokens(process, rng),
            _ => None,
        }
    }

    /// Changes how one server reacts.
    fn set_mode(&self, mode: Mode, rng: &mut Rng) -> String {
        let kind = rng.u8(0..3);
        let issuer = rng.usize(0..ISSUERS);
        let cluster = match (kind, &self.lists[issuer], &self.endpoint) {
            (0, Some(list), _) => {
                // A list may have 64 MiB. To copy that takes longer than the rest of the story.
                let mode = match mode {
                    Mode::SaysTooMuch => Mode::TalksNonsense,
                    mode => mode,
                };
                list.set_mode(mode);
                list.cluster()
            }
            (1, _, Some(endpoint)) => {
                endpoint.set_mode(mode);
                endpoint.cluster()
            }
            _ => {
                self.keys[issuer].set_mode(mode);
                self.keys[issuer].cluster()
            }
        };
        format!("{cluster}: {mode:?}")
    }

    fn rotate(&self, process: &Process, rng: &mut Rng) -> Option<String> {
        let server = &self.keys[rng.usize(0..ISSUERS)];
        let kids: BTreeSet<_> = KIDS.into_iter().filter(|_| rng.bool()).collect();
        if kids.is_empty() {
            return None;
        }
        let event = format!("{} publishes {kids:?}", server.cluster());
        server.publish(process.elapsed(), kids);
        Some(event)
    }

    /// Revokes a token, or takes its revocation back.
    fn revoke(&self, process: &Process, rng: &mut Rng) -> Option<String> {
        let signed = TOKENS.iter().filter_map(|token| match &token.kind {
            Kind::Signed { issuer, jti, .. } => Some((*issuer, jti)),
            _ => None,
        });
        let signed: Vec<_> = signed.collect();
        let (issuer, jti) = signed[rng.usize(0..signed.len())];
        let list = self.lists[issuer].as_ref()?;
        let mut revoked = list.published();
        if !revoked.remove(jti) {
            revoked.insert(jti.clone());
        }
        let event = format!("{} publishes {revoked:?}", list.cluster());
        list.publish(process.elapsed(), revoked);
        Some(event)
    }

    /// Activates an opaque token, or deactivates it.
    fn change_active_tokens(&self, process: &Process, rng: &mut Rng) -> Option<String> {
        let endpoint = self.endpoint.as_ref()?;
        let mut active = endpoint.published();
        let number = rng.usize(0..OPAQUE_TOKENS);
        if !active.remove(&number) {
            active.insert(number);
        }
        let event = format!("the opaque tokens {active:?} are active");
        endpoint.publish(process.elapsed(), active);
        Some(event)
    }

    /// Lets all servers become well.
    pub(crate) fn heal(&self) {
        for keys in &self.keys {
            keys.set_mode(Mode::Well);
        }
        for list in self.lists.iter().flatten() {
            list.set_mode(Mode::Well);
        }
        if let Some(endpoint) = &self.endpoint {
            endpoint.set_mode(Mode::Well);
        }
    }

    /// The clusters of the servers whose documents workers share.
    pub(crate) fn document_clusters(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.iter().map(Server::cluster);
        let lists = self.lists.iter().flatten().map(Server::cluster);
        keys.chain(lists)
    }
}

fn key_set(kids: &BTreeSet<&'static str>, received: &Received, has_tags: bool) -> Response {
    let keys: Vec<_> = kids.iter().map(|kid| jwk(kid)).collect();
    let kids: Vec<_> = kids.iter().copied().collect();
    let tag = format!("\"{}\"", kids.join("-"));
    let tag = has_tags.then_some(tag.as_str());
    document(&json!({"keys": keys}).to_string(), tag, received)
}

fn revocation_list(revoked: &BTreeSet<String>, received: &Received, has_tags: bool) -> Response {
    let names: Vec<_> = revoked.iter().map(String::as_str).collect();
    let tag = format!("\"{}\"", names.join("-"));
    let tag = has_tags.then_some(tag.as_str());
    document(&json!({"tokens": revoked}).to_string(), tag, received)
}

/// The response with a document and its tag, if there is one, or 304 to a request that knows the tag.
fn document(body: &str, tag: Option<&str>, received: &Received) -> Response {
    match tag {
        None => Response::new(200, body),
        Some(tag) if received.header("if-none-match") == Some(tag) => {
            Response::new(304, "").header("etag", tag)
        }
        Some(tag) => Response::new(200, body).header("etag", tag),
    }
}

fn introspection(active: &BTreeSet<usize>, received: &Received) -> Response {
    let body = String::from_utf8_lossy(&received.body);
    let mut numbers = active.iter();
    let is_active =
        numbers.any(|number| body.contains(&format!("token={}&", opaque_text(*number))));
    Response::new(200, json!({"active": is_active}).to_string())
}

//! The filter on a simulated host.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate_simulator::{
    ClientCertificate, Listener, Outcome, Process, Received, Reply, Response, Worker,
};
use serde_json::Value;

use crate::case::{Case, Request, Served, World};
use crate::signatures;

/// How long the filter has for its first fetches.
const START: Duration = Duration::from_secs(2);

/// When requests arrive, in seconds since the epoch: the simulated clock, after that time.
pub(crate) const NOW: i64 = 1_700_000_002;

/// The longest time that a request may wait.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long the filter does not ask again after an endpoint has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    Forwarded {
        /// Sorted by their names.
        headers: Vec<(String, String)>,
        filter_state: Vec<(String, String)>,
        clears_route: bool,
    },
    Answered {
        status: u16,
        headers: BTreeMap<String, String>,
        body: String,
    },
    /// It is neither forwarded nor answered.
    Stuck,
    Panicked(&'static str),
}

/// What endpoints were asked: cluster and token, and when.
type Asked = Rc<RefCell<BTreeMap<(String, String), Duration>>>;

/// The filter with the configuration of a case.
pub(crate) struct Trial {
    process: Process,
    listener: Listener,
    world: World,
    asked: Asked,
    _worker: Worker,
}

impl Trial {
    /// Starts the filter. `None` if it refuses the configuration.
    pub(crate) fn start(case: &Case) -> Option<Self> {
        let process = Process::new(1);
        if case.host_verifies {
            process.set_verify_signature(signatures::verify);
        }
        for (name, value) in &case.world.environment {
            process.set_environment_variable(name, value);
        }
        let asked = Asked::default();
        for (cluster, served) in &case.world.documents {
            process.serve_always(cluster, response(served));
        }
        for (cluster, answers) in &case.world.introspection {
            let (answers, asked) = (answers.clone(), Rc::clone(&asked));
            let name = cluster.clone();
            process.serve(cluster, move |received| {
                let token = token(received);
                let answer = answers.get(&token).cloned();
                let answer = answer.unwrap_or_else(|| Served::ok(r#"{"active": false}"#));
                asked
                    .borrow_mut()
                    .insert((name.clone(), token), received.at);
                Reply::from(response(&answer))
            });
        }
        let worker = process.start_worker();
        let listener = worker.listen(&case.world.configuration.to_string())?;
        process.advance(START);
        if case.world.proofs_are_full {
            for key in process.shared_keys("bearer_gate.replay.") {
                process.set_shared(&key, &full());
            }
        }
        Some(Self {
            process,
            listener,
            world: case.world.clone(),
            asked,
            _worker: worker,
        })
    }

    /// Lets time pass. What the filter remembers of introspection is forgotten.
    pub(crate) fn pause(&self, seconds: u64) {
        if seconds > 0 {
            self.process.advance(Duration::from_secs(seconds));
            self.asked.borrow_mut().clear();
        }
    }

    /// The answers that the filter remembers now.
    pub(crate) fn remembered(&self) -> Vec<(String, String)> {
        let now = self.process.elapsed();
        let is_remembered = |cluster: &str, token: &str, at: Duration| {
            let answers = self.world.introspection.get(cluster);
            let Some(answer) = answers.and_then(|answers| answers.get(token)) else {
                return true;
            };
            let members: Option<Value> = serde_json::from_str(&answer.body).ok();
            let is_answer = members
                .as_ref()
                .is_some_and(|one| one["active"].is_boolean());
            if answer.status != 200 || !is_answer {
                return now < at + AFTER_FAILURE;
            }
            let expires = members.and_then(|one| one["exp"].as_f64());
            let date = self.process.now().unix_millis() as f64 / 1000.0;
            expires.is_none_or(|expires| expires > date)
        };
        let asked = self.asked.borrow();
        let remembered = asked
            .iter()
            .filter(|((cluster, token), at)| is_remembered(cluster, token, **at));
        remembered.map(|(asked, _)| asked.clone()).collect()
    }

    /// Sends a request. Returns what became of it, and the time of the decision in milliseconds since the epoch.
    pub(crate) fn send(&self, request: &Request) -> (Observed, i128) {
        let headers = request.headers.iter();
        let headers: Vec<(&str, &str)> = headers
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let route = request.route_requirement.as_deref();
        let sent = match &request.certificate {
            Some(digest) => {
                let digest = &hex(digest);
                let uri = request.peer.as_deref();
                let certificate = ClientCertificate { digest, uri };
                let listener = &self.listener;
                listener.request_with_certificate(&headers, route, &certificate)
            }
            None => self.listener.request_on_route(&headers, route),
        };
        if sent.outcome() == Outcome::Paused {
            let _ = self
                .process
                .advance_until(PATIENCE, || sent.outcome() != Outcome::Paused);
        }
        let now = i128::from(self.process.now().unix_millis());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let observed = match sent.outcome() {
            Outcome::Answered(answer) => Observed::Answered {
                status: answer.status,
                headers: joined(answer.headers.iter()),
                body: answer.body.into_owned(),
            },
            Outcome::Forwarded => {
                let state = sent.filter_state().into_iter();
                Observed::Forwarded {
                    headers: sent
                        .headers()
                        .into_iter()
                        .map(|(name, value)| (name, text(value)))
                        .collect(),
                    filter_state: state.map(|(key, value)| (key, text(value))).collect(),
                    clears_route: sent.is_route_cleared(),
                }
            }
            Outcome::Paused | Outcome::Ended(_) | Outcome::Lost => Observed::Stuck,
        };
        sent.end();
        (observed, now)
    }
}

/// Used proofs, as many as are remembered: 256 in each part of the memory, which has 20 bytes for each, with the second in
/// which it is forgotten at the end.
fn full() -> Vec<u8> {
    let proofs = (0..=u8::MAX).map(|number| [[number; 16].as_slice(), &[0xff; 4]].concat());
    proofs.collect::<Vec<_>>().concat()
}

/// Headers, with one line for each value of the same header.
fn joined<'h>(
    headers: impl Iterator<Item = &'h (&'static str, Cow<'static, str>)>,
) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let values = joined.entry((*name).to_owned()).or_default();
        if !values.is_empty() {
            values.push('\n');
        }
        values.push_str(value);
    }
    joined
}

/// A digest as Envoy writes it.
fn hex(digest: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(digest).unwrap_or_default();
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}

fn response(served: &Served) -> Response {
    Response::new(served.status, served.body.clone())
}

/// The token of a request to an endpoint: a form.
fn token(received: &Received) -> String {
    let form = String::from_utf8_lossy(&received.body).into_owned();
    let fields = form.split('&').filter_map(|field| field.split_once('='));
    let token = fields
        .filter(|(name, _)| *name == "token")
        .map(|(_, value)| value)
        .next();
    let token = token.unwrap_or_default().replace('+', " ");
    percent_encoding::percent_decode_str(&token)
        .decode_utf8_lossy()
        .into_owned()
}

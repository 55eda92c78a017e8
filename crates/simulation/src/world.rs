//! A process, its servers and its clients, and what must hold after every event.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use gate_simulator::{Listener, Outcome, Process, Received, Response, Worker};
use serde_json::json;

use crate::action::Action;
use crate::model::{Expected, Servers, Times, expected};
use crate::open_request::OpenRequest;
use crate::plan::{self, INTROSPECTION_CLUSTER, Plan, keys_cluster, list_cluster};
use crate::server::{Mode, Server};
use crate::signatures::verify_signature;
use crate::story::Story;
use crate::tokens::{ISSUERS, KIDS, Kind, OPAQUE_TOKENS, TOKENS, Token, jwk, opaque_text};

/// A process, its servers and its clients.
pub(crate) struct World {
    plan: Plan,
    rng: Rng,
    process: Process,
    servers: Servers,
    workers: Vec<LivingWorker>,
    open: RefCell<Vec<OpenRequest>>,
    requests: Cell<usize>,
    last_worker: usize,
    listeners: Cell<usize>,
    deaths: usize,
    disturbed: Option<Duration>,
    story: Rc<Story>,
}

struct LivingWorker {
    number: usize,
    worker: Worker,
    listeners: Vec<NumberedListener>,
    /// Replaced listeners. Envoy keeps their roots for as long as requests belong to them.
    draining: Vec<NumberedListener>,
}

struct NumberedListener {
    number: usize,
    listener: Listener,
}

/// The most entries of shared data for each document: the document, the state of its fetch, and one for each kind of
/// log line. Some lines belong to no document.
const ENTRIES_PER_DOCUMENT: usize = 7;

impl World {
    pub(crate) fn new(seed: u64, story: Rc<Story>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let plan = Plan::new(&mut rng);
        let process = Process::new(rng.u64(..));
        process.set_verify_signature(verify_signature);
        process.set_environment_variable("SECRET", "secret");
        let servers = servers(&process, &plan, &mut rng);
        let mut world = Self {
            rng,
            process,
            servers,
            workers: Vec::new(),
            open: RefCell::default(),
            requests: Cell::new(0),
            last_worker: 0,
            listeners: Cell::new(0),
            deaths: 0,
            disturbed: None,
            story,
            plan,
        };
        world.tell(format_args!("{:?}", world.plan));
        for _ in 0..world.plan.workers {
            world.start_worker();
        }
        world
    }

    fn tell(&self, event: fmt::Arguments<'_>) {
        self.story.tell(self.process.elapsed(), event);
    }

    /// Takes all steps of the story, and then lets everything recover.
    ///
    /// # Errors
    ///
    /// Which promise was broken.
    pub(crate) fn play(&mut self) -> Result<(), String> {
        for _ in 0..self.plan.steps {
            let action = Action::random(&mut self.rng);
            self.act(action)?;
            self.check()?;
            self.check_shared_data()?;
            self.remove_drained();
        }
        self.recover()
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Request => self.request(),
            Action::Burst => {
                for _ in 0..self.rng.usize(2..20) {
                    self.request()?;
                }
                Ok(())
            }
            Action::PassMilliseconds => {
                let time = Duration::from_millis(self.rng.u64(1..600));
                self.pass(time)
            }
            Action::PassSeconds => {
                let time = Duration::from_millis(self.rng.u64(600..15_000));
                self.pass(time)
            }
            Action::PassMinutes => {
                let time = Duration::from_secs(self.rng.u64(15..200));
                self.pass(time)
            }
            Action::Disconnect => {
                self.disconnect();
                Ok(())
            }
            Action::BreakServer => {
                let mode = Mode::BAD[self.rng.usize(0..Mode::BAD.len())];
                self.set_mode(mode);
                Ok(())
            }
            Action::HealServer => {
                self.set_mode(Mode::Well);
                Ok(())
            }
            Action::Rotate => {
                self.rotate();
                Ok(())
            }
            Action::Revoke => {
                self.revoke();
                Ok(())
            }
            Action::ChangeActiveTokens => {
                self.change_active_tokens();
                Ok(())
            }
            Action::KillWorker => {
                self.kill_worker();
                Ok(())
            }
            Action::ReplaceConfiguration => {
                self.replace_configuration();
                Ok(())
            }
            Action::LoseSwaps => {
                let count = self.rng.u32(1..4);
                self.tell(format_args!(
                    "the next {count} swaps of shared data are lost"
                ));
                self.process.lose_swaps(count);
                Ok(())
            }
            Action::SetClock => {
                self.set_clock();
                Ok(())
            }
        }
    }

    // Clients.

    fn request(&mut self) -> Result<(), String> {
        let worker = &self.workers[self.rng.usize(0..self.workers.len())];
        let listener = self.rng.usize(0..worker.listeners.len());
        let token = &TOKENS[self.rng.usize(0..TOKENS.len())];
        self.send(worker, listener, token);
        self.check()
    }

    /// Sends a request with a token to a listener. Returns its number.
    fn send(&self, worker: &LivingWorker, listener: usize, token: &'static Token) {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        let at_arrival = expected(token, &self.servers, &self.times());
        let NumberedListener {
            listener,
            number: listener_number,
        } = &worker.listeners[listener];
        let request = listener.get("/", Some(&token.text));
        let outcome = match request.outcome() {
            Outcome::Paused => "waits".to_owned(),
            Outcome::Forwarded => "passes".to_owned(),
            Outcome::Lost => "is lost".to_owned(),
            Outcome::Answered(answer) => format!("gets {}", answer.status),
        };
        let (worker, name) = (worker.number, &token.name);
        self.tell(format_args!(
            "request {number} to worker {worker} with the {name} {outcome}"
        ));
        self.open.borrow_mut().push(OpenRequest {
            number,
            request,
            token,
            arrived: self.process.elapsed(),
            worker,
            listener: *listener_number,
            at_arrival,
        });
    }

    fn disconnect(&mut self) {
        let mut open = self.open.borrow_mut();
        if open.is_empty() {
            return;
        }
        let index = self.rng.usize(0..open.len());
        let request = open.swap_remove(index);
        let number = request.number;
        self.tell(format_args!("the client of request {number} disconnects"));
        request.request.end();
    }

    // Servers.

    fn set_mode(&mut self, mode: Mode) {
        let kind = self.rng.u8(0..3);
        let issuer = self.rng.usize(0..ISSUERS);
        let process = &self.process;
        let cluster = match (kind, &self.servers.lists[issuer], &self.servers.endpoint) {
            (0, Some(list), _) => {
                list.set_mode(process, mode);
                list.cluster()
            }
            (1, _, Some(endpoint)) => {
                endpoint.set_mode(process, mode);
                endpoint.cluster()
            }
            _ => {
                let keys = &self.servers.keys[issuer];
                keys.set_mode(process, mode);
                keys.cluster()
            }
        };
        self.tell(format_args!("{cluster}: {mode:?}"));
    }

    fn rotate(&mut self) {
        let issuer = self.rng.usize(0..ISSUERS);
        let kids: BTreeSet<_> = KIDS.into_iter().filter(|_| self.rng.bool()).collect();
        if kids.is_empty() {
            return;
        }
        let server = &self.servers.keys[issuer];
        self.tell(format_args!("{} publishes {kids:?}", server.cluster()));
        server.publish(self.process.elapsed(), kids);
    }

    fn revoke(&mut self) {
        let signed = TOKENS.iter().filter_map(|token| match &token.kind {
            Kind::Signed { issuer, jti, .. } => Some((*issuer, jti)),
            _ => None,
        });
        let signed: Vec<_> = signed.collect();
        let (issuer, jti) = signed[self.rng.usize(0..signed.len())];
        let Some(list) = &self.servers.lists[issuer] else {
            return;
        };
        let mut revoked = list.published();
        if !revoked.remove(jti) {
            revoked.insert(jti.clone());
        }
        self.tell(format_args!("{} publishes {revoked:?}", list.cluster()));
        list.publish(self.process.elapsed(), revoked);
    }

    fn change_active_tokens(&mut self) {
        let Some(endpoint) = &self.servers.endpoint else {
            return;
        };
        let mut active = endpoint.published();
        let number = self.rng.usize(0..OPAQUE_TOKENS);
        if !active.remove(&number) {
            active.insert(number);
        }
        self.tell(format_args!("the opaque tokens {active:?} are active"));
        endpoint.publish(self.process.elapsed(), active);
    }

    // The process.

    fn start_worker(&mut self) {
        self.last_worker += 1;
        let number = self.last_worker;
        let worker = self.process.start_worker();
        let listen = |variant| self.listen(&worker, variant);
        let listeners = (0..self.plan.listeners).map(listen).collect();
        self.tell(format_args!("worker {number} starts"));
        self.workers.push(LivingWorker {
            number,
            worker,
            listeners,
            draining: Vec::new(),
        });
    }

    fn listen(&self, worker: &Worker, variant: usize) -> NumberedListener {
        let configuration = self.plan.configuration(variant);
        let listener = worker.listen(&configuration);
        let listener = listener.expect("the configuration is good");
        let number = self.listeners.get() + 1;
        self.listeners.set(number);
        NumberedListener { number, listener }
    }

    fn kill_worker(&mut self) {
        let index = self.rng.usize(0..self.workers.len());
        let dead = self.workers.swap_remove(index);
        self.tell(format_args!("worker {} dies", dead.number));
        dead.worker.kill();
        self.open
            .borrow_mut()
            .retain(|request| request.worker != dead.number);
        self.deaths += 1;
        self.disturbed = Some(self.process.elapsed());
        self.start_worker();
    }

    fn replace_configuration(&mut self) {
        let index = self.rng.usize(0..self.workers.len());
        let variant = self.rng.usize(0..4);
        let listener = self.rng.usize(0..self.plan.listeners);
        let number = self.workers[index].number;
        self.tell(format_args!(
            "worker {number} gets another configuration ({variant})"
        ));
        let new = self.listen(&self.workers[index].worker, variant);
        let worker = &mut self.workers[index];
        let old = std::mem::replace(&mut worker.listeners[listener], new);
        worker.draining.push(old);
    }

    /// Removes the replaced listeners that no request belongs to.
    fn remove_drained(&mut self) {
        let open = self.open.borrow();
        let in_use = |listener: &NumberedListener| {
            open.iter()
                .any(|request| request.listener == listener.number)
        };
        for worker in &mut self.workers {
            for drained in worker.draining.extract_if(.., |listener| !in_use(listener)) {
                self.story.tell(
                    self.process.elapsed(),
                    format_args!("worker {} removes a replaced configuration", worker.number),
                );
                drained.listener.remove();
                self.disturbed = Some(self.process.elapsed());
            }
        }
    }

    fn set_clock(&mut self) {
        let by = Duration::from_secs(self.rng.u64(1..3600));
        if self.rng.bool() {
            self.tell(format_args!("the clock is set forward by {by:?}"));
            self.process.set_clock_forward(by);
        } else {
            self.tell(format_args!("the clock is set back by {by:?}"));
            self.process.set_clock_back(by);
        }
    }

    // Time and checks.

    /// Lets time pass, and checks everything after every event.
    fn pass(&self, time: Duration) -> Result<(), String> {
        let end = self.process.elapsed() + time;
        let broken = RefCell::new(None);
        let is_broken = || {
            let result = self.check();
            let is_broken = result.is_err();
            *broken.borrow_mut() = result.err();
            is_broken
        };
        let _ = self.process.advance_until(time, is_broken);
        if let Some(broken) = broken.into_inner() {
            return Err(broken);
        }
        self.process
            .advance(end.saturating_sub(self.process.elapsed()));
        self.check()
    }

    fn times(&self) -> Times {
        Times {
            now: self.process.elapsed(),
            wall: self.process.now().unix_millis() / 1000,
            disturbed: self.disturbed,
        }
    }

    /// Checks what must hold at any time.
    fn check(&self) -> Result<(), String> {
        let times = self.times();
        let mut open = self.open.borrow_mut();
        let mut result = Ok(());
        open.retain(|request| {
            let settled = request.check(&self.servers, &times);
            let is_settled = *settled.as_ref().unwrap_or(&true);
            if is_settled {
                request.request.end();
            }
            if let Err(broken) = settled {
                result = Err(broken);
            }
            !is_settled
        });
        result?;
        let waiting = i64::try_from(open.len()).unwrap_or(i64::MAX);
        let gauge = self.process.metric("bearer_gate.waiting");
        if self.deaths == 0 && gauge != waiting {
            return Err(format!(
                "{waiting} requests wait, but the gauge says {gauge}"
            ));
        }
        let documents =
            (0..ISSUERS).flat_map(|issuer| [keys_cluster(issuer), list_cluster(issuer)]);
        for cluster in documents {
            let fetches = self.process.in_flight(&cluster);
            if fetches > 1 {
                return Err(format!("{fetches} fetches from {cluster} at the same time"));
            }
        }
        Ok(())
    }

    /// Checks that shared data does not grow with time.
    fn check_shared_data(&self) -> Result<(), String> {
        let keys = self.process.shared_keys("");
        if keys.len() > ENTRIES_PER_DOCUMENT * (2 * ISSUERS) {
            return Err(format!("{} entries of shared data: {keys:?}", keys.len()));
        }
        Ok(())
    }

    /// All servers become well. After the longest backoff every decision is definite and right.
    fn recover(&mut self) -> Result<(), String> {
        self.tell(format_args!("all servers become well"));
        for keys in &self.servers.keys {
            keys.set_mode(&self.process, Mode::Well);
        }
        for list in self.servers.lists.iter().flatten() {
            list.set_mode(&self.process, Mode::Well);
        }
        if let Some(endpoint) = &self.servers.endpoint {
            endpoint.set_mode(&self.process, Mode::Well);
        }
        self.pass(RECOVERY)?;
        for worker in &self.workers {
            for listener in 0..worker.listeners.len() {
                for token in &*TOKENS {
                    if expected(token, &self.servers, &self.times()) == Expected::Either {
                        return Err(format!(
                            "after the recovery, the {} may still be decided either way",
                            token.name
                        ));
                    }
                    self.send(worker, listener, token);
                }
            }
        }
        self.check()?;
        self.pass(plan::TIMEOUT)
    }
}

/// The time after which everything must have recovered.
const RECOVERY: Duration = Duration::from_secs(200);

/// Starts the servers of a story.
fn servers(process: &Process, plan: &Plan, rng: &mut Rng) -> Servers {
    let all: BTreeSet<_> = KIDS.into_iter().collect();
    let keys = (0..ISSUERS).map(|issuer| {
        Server::start(
            process,
            keys_cluster(issuer),
            all.clone(),
            rng.u64(..),
            key_set,
        )
    });
    let keys = keys.collect();
    let lists = (0..ISSUERS).map(|issuer| {
        plan.revocation[issuer].then(|| {
            let none = BTreeSet::new();
            Server::start(
                process,
                list_cluster(issuer),
                none,
                rng.u64(..),
                revocation_list,
            )
        })
    });
    let lists = lists.collect();
    let endpoint = plan.introspection.then(|| {
        let active = [0, 1].into_iter().collect();
        let cluster = INTROSPECTION_CLUSTER.to_owned();
        Server::start(process, cluster, active, rng.u64(..), introspection)
    });
    Servers {
        keys,
        lists,
        endpoint,
    }
}

fn key_set(kids: &BTreeSet<&'static str>, received: &Received) -> Response {
    let keys: Vec<_> = kids.iter().map(|kid| jwk(kid)).collect();
    tagged(
        &json!({"keys": keys}).to_string(),
        &format!("\"{kids:?}\"").replace("\", \"", "-"),
        received,
    )
}

fn revocation_list(revoked: &BTreeSet<String>, received: &Received) -> Response {
    let tag = format!(
        "\"{}\"",
        revoked.iter().cloned().collect::<Vec<_>>().join("-")
    );
    tagged(&json!({"tokens": revoked}).to_string(), &tag, received)
}

/// The response with a tag, or 304 to a request that knows it.
fn tagged(body: &str, tag: &str, received: &Received) -> Response {
    if received.header("if-none-match") == Some(tag) {
        Response::new(304, "").header("etag", tag)
    } else {
        Response::new(200, body).header("etag", tag)
    }
}

fn introspection(active: &BTreeSet<usize>, received: &Received) -> Response {
    let body = String::from_utf8_lossy(&received.body);
    let mut numbers = active.iter();
    let is_active =
        numbers.any(|number| body.contains(&format!("token={}&", opaque_text(*number))));
    Response::new(200, json!({"active": is_active}).to_string())
}

//! A process, its servers and its clients, and what must hold after every event.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use gate::fetching::Publication;
use gate::revocation::RevocationList;
use gate_simulator::{Listener, Outcome, Process, Request, Worker};

use crate::action::Action;
use crate::disturbances::Disturbances;
use crate::living_worker::{LivingWorker, NumberedListener};
use crate::model::{Expected, Times, expected, expected_with, settled_at};
use crate::open_request::OpenRequest;
use crate::plan::{self, INTROSPECTION_CLUSTER, Plan, RECENT, USED_PROOFS, VARIANTS};
use crate::proofs::Proofs;
use crate::servers::Servers;
use crate::signatures::verify_signature;
use crate::story::Story;
use crate::tokens::{BOUND_TOKENS, ISSUERS, OPAQUE_TOKENS, TOKENS, Token};

/// A process, its servers and its clients.
pub(crate) struct World {
    plan: Plan,
    rng: Rng,
    process: Process,
    servers: Servers,
    workers: Vec<LivingWorker>,
    open: RefCell<Vec<OpenRequest>>,
    /// Requests that have passed and whose streams go on.
    streams: RefCell<Vec<OpenRequest>>,
    /// When the wall clock was set last.
    clock_set: Duration,
    requests: Cell<usize>,
    last_worker: usize,
    listeners: Cell<usize>,
    deaths: usize,
    /// When a worker died last in the middle of a write; zero if none has.
    writer_died: Duration,
    disturbances: Disturbances,
    /// How many swaps were lost when that was last noted.
    lost_swaps: Cell<usize>,
    proofs: Proofs,
    story: Rc<Story>,
}

/// The most entries of shared data for each key set: the set, the state of its fetch, and one for each kind of
/// log line. Some lines belong to no document.
const ENTRIES_PER_KEY_SET: usize = 7;

/// The most entries for each revocation list, which is shared in several parts.
const ENTRIES_PER_LIST: usize = ENTRIES_PER_KEY_SET - 1 + RevocationList::PARTS;

/// The most streams that are open at the same time.
const MOST_STREAMS: usize = 30;

/// How many texts are introspected: the opaque tokens, and the garbage.
const OPAQUE_TEXTS: usize = OPAQUE_TOKENS + 1;

/// The most bytes of shared data. A key set here has 1.2 KiB, and a list less.
const SHARED_BYTES: usize = 64 * 1024;

/// The entries of shared data with used proofs.
const PROOF_ENTRIES: usize = VARIANTS * USED_PROOFS / 64;

/// The most bytes of such an entry: 256 proofs of 20 bytes.
const PROOF_ENTRY_BYTES: usize = 256 * 20;

impl World {
    pub(crate) fn new(seed: u64, story: Rc<Story>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let plan = Plan::new(seed, &mut rng).with_mode(&mut Rng::with_seed(!seed));
        let process = Process::new(rng.u64(..));
        process.set_verify_signature(verify_signature);
        process.set_environment_variable("SECRET", "secret");
        let servers = Servers::start(&process, &plan, &mut rng);
        let mut world = Self {
            rng,
            process,
            servers,
            workers: Vec::new(),
            open: RefCell::default(),
            streams: RefCell::default(),
            clock_set: Duration::ZERO,
            requests: Cell::new(0),
            last_worker: 0,
            listeners: Cell::new(0),
            deaths: 0,
            writer_died: Duration::ZERO,
            disturbances: Disturbances::default(),
            lost_swaps: Cell::new(0),
            proofs: Proofs::new(!plan.is_separate()),
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
            self.check_memory()?;
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
                let time = Duration::from_secs(self.rng.u64(15..100));
                self.pass(time)
            }
            Action::Disconnect => {
                self.disconnect();
                Ok(())
            }
            Action::BreakServer
            | Action::HealServer
            | Action::Rotate
            | Action::Revoke
            | Action::ChangeActiveTokens => {
                if let Some(event) = self.servers.act(action, &self.process, &mut self.rng) {
                    self.tell(format_args!("{event}"));
                }
                Ok(())
            }
            Action::KillWorker => {
                let index = self.rng.usize(0..self.workers.len());
                self.kill_worker(index);
                Ok(())
            }
            Action::KillWriter | Action::HoldUpWorker if !self.plan.interrupts_workers => Ok(()),
            Action::KillWriter => self.kill_writer(),
            Action::HoldUpWorker => {
                self.hold_up_worker();
                Ok(())
            }
            Action::ReplaceConfiguration => {
                self.replace_configuration();
                Ok(())
            }
            Action::LoseSwaps => {
                // Often as many in a row as a worker tries, so that what it wanted to write is not written.
                let lost: Vec<_> = (0..20).map(|_| self.rng.u8(0..4) > 0).collect();
                self.tell(format_args!(
                    "some of the next swaps of shared data are lost"
                ));
                self.process.lose_some_swaps(lost);
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
        let worker = self.rng.usize(0..self.workers.len());
        if self.workers[worker].is_held_up {
            return Ok(());
        }
        let listener = self.rng.usize(0..self.workers[worker].listeners.len());
        let unbound = &TOKENS[self.rng.usize(0..TOKENS.len())];
        let bound = &BOUND_TOKENS[self.rng.usize(0..BOUND_TOKENS.len())];
        match self.rng.u8(0..16) {
            0..4 => self.prove(worker, listener, bound),
            4 => self.send(worker, listener, bound, None),
            5 => {
                let proof = self.new_proof(unbound);
                self.send(worker, listener, unbound, Some(proof));
            }
            _ => self.send(worker, listener, unbound, None),
        }
        self.check()
    }

    /// Sends a new proof with `token`, or a proof that has been sent before. Sometimes another worker gets the same
    /// proof at the same moment.
    fn prove(&mut self, worker: usize, listener: usize, token: &'static Token) {
        let known = self.proofs.numbers();
        let proof = if known.is_empty() || self.rng.bool() {
            self.new_proof(token)
        } else {
            known[self.rng.usize(0..known.len())]
        };
        let token = self.proofs.token(proof).unwrap_or(token);
        let rival = self.rng.usize(0..self.workers.len());
        let races = rival != worker && !self.workers[rival].is_held_up && self.rng.bool();
        let (listener_of_rival, arrived) =
            (self.workers[rival].listeners[0].clone(), Rc::default());
        if races {
            self.tell(format_args!("somebody else sends proof {proof} too"));
            self.let_rival_send(&listener_of_rival, token, proof, &arrived);
        }
        self.send(worker, listener, token, Some(proof));
        self.process.clear_before_next_swap();
        let request = arrived.take();
        if let Some(request) = request {
            let number = self.workers[rival].number;
            self.opened(
                number,
                &listener_of_rival,
                token,
                Some(proof),
                Expected::Either,
                request,
            );
        }
    }

    /// Lets another worker get a proof just before the next swap of shared data.
    fn let_rival_send(
        &self,
        listener: &NumberedListener,
        token: &'static Token,
        proof: usize,
        arrived: &Rc<RefCell<Option<Request>>>,
    ) {
        let headers = self.headers(token, Some(proof));
        let (listener, arrived) = (listener.listener.clone(), Rc::clone(arrived));
        self.process.before_next_swap(move || {
            *arrived.borrow_mut() = Some(request_with(&listener, &headers));
        });
    }

    /// Makes a proof for `token`. Returns its number.
    fn new_proof(&self, token: &'static Token) -> usize {
        let number = self.requests.get() + 1;
        self.proofs.make(number, token, self.times().wall);
        number
    }

    /// Sends a request with a token, and with a proof if it has one, to a listener.
    fn send(&self, worker: usize, listener: usize, token: &'static Token, proof: Option<usize>) {
        let worker = &self.workers[worker];
        let listener = &worker.listeners[listener];
        let times = self.times_of(worker.number);
        let at_arrival = expected_with(token, proof.is_some(), &self.servers, &times);
        let request = request_with(&listener.listener, &self.headers(token, proof));
        self.opened(worker.number, listener, token, proof, at_arrival, request);
    }

    fn headers(&self, token: &Token, proof: Option<usize>) -> Vec<(&'static str, String)> {
        let text = proof.and_then(|number| self.proofs.send(number));
        let scheme = if text.is_some() { "DPoP" } else { "Bearer" };
        let mut headers = vec![("authorization", format!("{scheme} {}", token.text))];
        headers.extend(text.map(|text| ("dpop", text)));
        headers.extend(token.authenticated.map(|_| (RECENT, "1".to_owned())));
        headers
    }

    /// Notes a request that has arrived.
    fn opened(
        &self,
        worker: usize,
        listener: &NumberedListener,
        token: &'static Token,
        proof: Option<usize>,
        at_arrival: Expected,
        request: Request,
    ) {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        let outcome = match request.outcome() {
            Outcome::Paused => "waits".to_owned(),
            Outcome::Forwarded => "passes".to_owned(),
            Outcome::Lost => "is lost".to_owned(),
            Outcome::Answered(answer) | Outcome::Ended(answer) => format!("gets {}", answer.status),
        };
        let name = &token.name;
        let with_proof = proof.map_or_else(String::new, |proof| format!(" and proof {proof}"));
        self.tell(format_args!(
            "request {number} to worker {worker} with the {name}{with_proof} {outcome}"
        ));
        self.open.borrow_mut().push(OpenRequest {
            number,
            request,
            token,
            proof,
            arrived: self.process.elapsed(),
            worker,
            listener: listener.number,
            variant: listener.variant,
            at_arrival,
            report_only: self.plan.report_only,
        });
    }

    fn disconnect(&mut self) {
        let mut streams = self.streams.borrow_mut();
        let is_held_up = |number| {
            let mut workers = self.workers.iter();
            workers.any(|worker| worker.number == number && worker.is_held_up)
        };
        if !streams.is_empty() && self.rng.bool() {
            let index = self.rng.usize(0..streams.len());
            if is_held_up(streams[index].worker) {
                return;
            }
            let stream = streams.swap_remove(index);
            let number = stream.number;
            self.tell(format_args!(
                "the stream of request {number} ends by itself"
            ));
            stream.request.end();
        }
        let mut open = self.open.borrow_mut();
        if open.is_empty() {
            return;
        }
        let index = self.rng.usize(0..open.len());
        if is_held_up(open[index].worker) {
            return;
        }
        let request = open.swap_remove(index);
        let number = request.number;
        self.tell(format_args!("the client of request {number} disconnects"));
        request.request.end();
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
            is_held_up: false,
            resumed_at: Duration::ZERO,
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
        NumberedListener {
            number,
            variant,
            listener,
        }
    }

    /// Kills the worker that makes one of the next swaps of shared data, before it makes it.
    fn kill_writer(&mut self) -> Result<(), String> {
        let swaps = self.rng.usize(0..40);
        let time = Duration::from_millis(self.rng.u64(1..15_000));
        self.process.die_at_swap(swaps);
        let dead = |world: &Self| {
            let mut workers = world.workers.iter();
            workers.position(|worker| !worker.worker.is_alive())
        };
        self.pass_until(time, || dead(self).is_some())?;
        self.process.clear_die_at_swap();
        if let Some(index) = dead(self) {
            let number = self.workers[index].number;
            self.tell(format_args!("worker {number} is in the middle of a write"));
            self.writer_died = self.process.elapsed();
            self.kill_worker(index);
        }
        self.check()
    }

    /// Keeps the thread of a worker from running, or lets it run again if it is kept.
    fn hold_up_worker(&mut self) {
        let now = self.process.elapsed();
        let index = self.rng.usize(0..self.workers.len());
        let held_up = self.workers.iter().position(|worker| worker.is_held_up);
        let worker = &mut self.workers[held_up.unwrap_or(index)];
        let number = worker.number;
        if worker.is_held_up {
            worker.is_held_up = false;
            worker.resumed_at = now;
            self.story
                .tell(now, format_args!("worker {number} runs again"));
        } else {
            worker.is_held_up = true;
            // It may keep a turn for as long as a dead one.
            self.disturbances.add(now);
            self.story
                .tell(now, format_args!("worker {number} is held up"));
        }
        worker.worker.set_stalled(worker.is_held_up);
    }

    fn kill_worker(&mut self, index: usize) {
        let dead = self.workers.swap_remove(index);
        self.tell(format_args!("worker {} dies", dead.number));
        dead.worker.kill();
        self.open
            .borrow_mut()
            .retain(|request| request.worker != dead.number);
        self.streams
            .borrow_mut()
            .retain(|stream| stream.worker != dead.number);
        self.deaths += 1;
        self.disturbances.add(self.process.elapsed());
        self.start_worker();
    }

    fn replace_configuration(&mut self) {
        let index = self.rng.usize(0..self.workers.len());
        let variant = self.rng.usize(0..VARIANTS);
        let listener = self.rng.usize(0..self.plan.listeners);
        let number = self.workers[index].number;
        if self.workers[index].is_held_up {
            return;
        }
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
        let (open, streams) = (self.open.borrow(), self.streams.borrow());
        let in_use = |listener: &NumberedListener| {
            open.iter()
                .chain(&*streams)
                .any(|request| request.listener == listener.number)
        };
        let running = self.workers.iter_mut();
        for worker in running.filter(|worker| !worker.is_held_up) {
            for drained in worker.draining.extract_if(.., |listener| !in_use(listener)) {
                self.story.tell(
                    self.process.elapsed(),
                    format_args!("worker {} removes a replaced configuration", worker.number),
                );
                drained.listener.remove();
                self.disturbances.add(self.process.elapsed());
            }
        }
    }

    fn set_clock(&mut self) {
        let by = Duration::from_secs(self.rng.u64(1..3600));
        self.proofs.clear();
        self.clock_set = self.process.elapsed();
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
        self.pass_until(time, || false)?;
        self.process
            .advance(end.saturating_sub(self.process.elapsed()));
        self.check()
    }

    /// Lets events happen until `stop` holds or the time is over, and checks everything after every event but the last.
    fn pass_until(&self, time: Duration, stop: impl Fn() -> bool) -> Result<(), String> {
        let result = RefCell::new(Ok(()));
        let is_over = || {
            stop() || {
                let checked = self.check();
                let is_broken = checked.is_err();
                *result.borrow_mut() = checked;
                is_broken
            }
        };
        let _ = self.process.advance_until(time, is_over);
        result.into_inner()
    }

    fn times(&self) -> Times<'_> {
        Times {
            now: self.process.elapsed(),
            wall: self.process.now().unix_millis() / 1000,
            wall_millis: self.process.now().unix_millis(),
            disturbances: &self.disturbances,
            lost_swaps: self.lost_swaps.get() > 0,
            writer_died: self.writer_died,
            separate: self.plan.is_separate(),
            held_up_until: Duration::ZERO,
        }
    }

    /// The times for a decision of the worker with this number.
    fn times_of(&self, number: usize) -> Times<'_> {
        let times = self.times();
        let mut workers = self.workers.iter();
        let worker = workers.find(|worker| worker.number == number);
        let held_up_until = worker.map(|worker| worker.held_up_until(times.now));
        Times {
            held_up_until: held_up_until.unwrap_or_default(),
            ..times
        }
    }

    /// Checks what must hold at any time.
    fn check(&self) -> Result<(), String> {
        let lost = self.process.lost_swaps();
        if self.lost_swaps.replace(lost) != lost {
            self.disturbances.add(self.process.elapsed());
        }
        let mut open = self.open.borrow_mut();
        let mut result = Ok(());
        let settled = open.extract_if(.., |request| {
            let times = self.times_of(request.worker);
            let settled = request.check(&self.servers, &self.proofs, &times);
            let is_settled = *settled.as_ref().unwrap_or(&true);
            if let Err(broken) = settled {
                result = Err(broken);
            }
            is_settled
        });
        let mut streams = self.streams.borrow_mut();
        for request in settled {
            if self.plan.ends_streams && request.is_stream() && streams.len() < MOST_STREAMS {
                streams.push(request);
            } else {
                request.request.end();
            }
        }
        result?;
        let mut result = Ok(());
        streams.retain(|stream| {
            let times = self.times_of(stream.worker);
            let ended = stream.check_stream(&self.servers, &times, self.clock_set);
            let has_ended = *ended.as_ref().unwrap_or(&true);
            if has_ended {
                let number = stream.number;
                self.tell(format_args!("the stream of request {number} is ended"));
            }
            if let Err(broken) = ended {
                result = Err(broken);
            }
            !has_ended
        });
        drop(streams);
        result?;
        let waiting = i64::try_from(open.len()).unwrap_or(i64::MAX);
        let gauge = self.process.metric("bearer_gate.waiting");
        if self.deaths == 0 && gauge != waiting {
            return Err(format!(
                "{waiting} requests wait, but the gauge says {gauge}"
            ));
        }
        for cluster in self.servers.document_clusters() {
            let fetches = self.process.in_flight(cluster);
            let most = if self.plan.is_separate() {
                self.workers.len()
            } else {
                1
            };
            if fetches > most {
                return Err(format!("{fetches} fetches from {cluster} at the same time"));
            }
        }
        Ok(())
    }

    /// Checks that nothing grows with time.
    fn check_memory(&self) -> Result<(), String> {
        let entries = self.process.shared_len();
        if self.plan.is_separate() && entries > 0 {
            let keys = self.process.shared_keys("");
            return Err(format!(
                "workers that share nothing wrote shared data: {keys:?}"
            ));
        }
        if entries > (ENTRIES_PER_KEY_SET + ENTRIES_PER_LIST) * ISSUERS + PROOF_ENTRIES {
            let keys = self.process.shared_keys("");
            return Err(format!("{entries} entries of shared data: {keys:?}"));
        }
        let size = self.process.shared_size();
        if size > SHARED_BYTES + PROOF_ENTRIES * PROOF_ENTRY_BYTES {
            return Err(format!("{size} bytes of shared data"));
        }
        let roots = self.workers.iter();
        let roots = roots.map(|worker| worker.listeners.len() + worker.draining.len());
        let most = OPAQUE_TEXTS * roots.sum::<usize>();
        let calls = self.process.in_flight(INTROSPECTION_CLUSTER);
        if calls > most {
            return Err(format!(
                "{calls} introspection requests in flight, more than one for each token and root"
            ));
        }
        Ok(())
    }

    /// All servers become well, and nothing gets in the way any more. Soon every decision is definite and right.
    fn recover(&mut self) -> Result<(), String> {
        self.tell(format_args!("all servers become well"));
        self.servers.heal();
        self.process.lose_some_swaps([]);
        if self.workers.iter().any(|worker| worker.is_held_up) {
            self.hold_up_worker();
        }
        // A worker that runs again does at once what it could not do before.
        self.pass(plan::TIMEOUT)?;
        let settled_at = settled_at(&self.servers, &self.times());
        self.pass(settled_at.saturating_sub(self.process.elapsed()))?;
        for worker in 0..self.workers.len() {
            for listener in 0..self.workers[worker].listeners.len() {
                for token in TOKENS.iter().chain(&*BOUND_TOKENS) {
                    if expected(token, &self.servers, &self.times()) == Expected::Either {
                        return Err(format!(
                            "after the recovery, the {} may still be decided either way",
                            token.name
                        ));
                    }
                    let proof = token.bound.then(|| self.new_proof(token));
                    self.send(worker, listener, token, proof);
                }
            }
        }
        self.check()?;
        self.pass(plan::TIMEOUT)
    }
}

/// A GET request for `/` with these headers arrives.
fn request_with(listener: &Listener, headers: &[(&'static str, String)]) -> Request {
    let mut all = vec![
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "api.example"),
        (":path", "/"),
    ];
    all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
    listener.request(&all)
}

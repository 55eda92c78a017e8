//! A process, its servers and its clients: what happens to them, and how time passes.

mod checks;
mod clients;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use gate_simulator::{Process, Worker};

use crate::action::Action;
use crate::disturbances::Disturbances;
use crate::living_worker::{LivingWorker, NumberedListener};
use crate::model::{Expected, Times, expected, settled_at};
use crate::open_request::OpenRequest;
use crate::plan::{self, Plan, VARIANTS};
use crate::proofs::Proofs;
use crate::servers::Servers;
use crate::signatures::verify_signature;
use crate::story::Story;
use crate::tokens::{BOUND_TOKENS, TOKENS};

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

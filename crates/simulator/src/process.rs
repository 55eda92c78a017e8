//! One process of Envoy.

use std::cell::RefCell;
use std::iter;
use std::rc::Rc;
use std::time::Duration;

use gate::time::Timestamp;

use crate::module::Module;
use crate::network::{Received, Reply, Response};
use crate::state::State;
use crate::vm::Vm;
use crate::worker::Worker;

/// One process of Envoy.
pub struct Process {
    state: Rc<State>,
    modules: RefCell<Vec<Rc<Module>>>,
}

/// What happens next in the process.
enum Event {
    Callout,
    Tick { vm: usize, root: u32 },
}

impl Default for Process {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Process {
    /// A process without workers. `seed` determines all random numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: Rc::new(State::new(seed)),
            modules: RefCell::default(),
        }
    }

    /// Starts a worker.
    #[must_use]
    pub fn start_worker(&self) -> Worker {
        let mut modules = self.modules.borrow_mut();
        let vm = Vm::new(modules.len(), Rc::clone(&self.state));
        let module = Rc::new(Module::new(Rc::new(vm)));
        modules.push(Rc::clone(&module));
        Worker(module)
    }

    /// Sets the function `verify_signature`; without it the module verifies.
    pub fn set_verify_signature(&self, call: fn(&[u8]) -> Option<Vec<u8>>) {
        self.state.verify_signature.set(call);
    }

    /// Sets an environment variable of all virtual machines.
    pub fn set_environment_variable(&self, name: &str, value: &str) {
        let mut environment = self.state.environment.borrow_mut();
        environment.insert(name.to_owned(), value.to_owned());
    }

    // Time.

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state.now()
    }

    /// The time since the start of the process.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.state.elapsed.get()
    }

    /// Sets the wall clock forward. No time passes.
    pub fn set_clock_forward(&self, by: Duration) {
        let start = &self.state.wall_start;
        start.set(start.get().plus(by));
    }

    /// Sets the wall clock back. No time passes.
    pub fn set_clock_back(&self, by: Duration) {
        let start = &self.state.wall_start;
        let millis = start.get().since(Timestamp::EPOCH).saturating_sub(by);
        start.set(Timestamp::from_unix(millis));
    }

    /// Says whether the module can read the wall clock.
    pub fn set_wall_clock_readable(&self, readable: bool) {
        self.state.has_wall_clock.set(readable);
    }

    /// Says whether the module can read the monotonic clock.
    pub fn set_monotonic_clock_readable(&self, readable: bool) {
        self.state.has_monotonic_clock.set(readable);
    }

    /// Lets time pass: roots tick and callouts end, one after the other.
    pub fn advance(&self, by: Duration) {
        let end = self.elapsed() + by;
        while self.step(end) {}
        self.state.elapsed.set(end);
    }

    /// Lets time pass until `condition` holds; returns how long that took. `None` if it does not hold
    /// within `limit`.
    #[must_use]
    pub fn advance_until(&self, limit: Duration, condition: impl Fn() -> bool) -> Option<Duration> {
        let start = self.elapsed();
        loop {
            if condition() {
                return Some(self.elapsed().saturating_sub(start));
            }
            if !self.step(start + limit) {
                return None;
            }
        }
    }

    /// Lets the next event happen, if it is due by `end`.
    fn step(&self, end: Duration) -> bool {
        let modules = self.modules.borrow();
        let is_stalled = |vm: usize| modules.get(vm).is_some_and(|one| one.vm.is_stalled());
        let callout = self.state.network.borrow().next_due(is_stalled);
        let callout = callout.map(|due| (due, Event::Callout));
        let living = modules
            .iter()
            .filter(|module| module.vm.is_alive() && !module.vm.is_stalled());
        let ticks = living.filter_map(|module| {
            let (due, root) = module.vm.next_tick()?;
            let vm = module.vm.index;
            Some((due, Event::Tick { vm, root }))
        });
        let next = callout.into_iter().chain(ticks);
        let next = next.min_by_key(|(due, _)| *due);
        let Some((due, event)) = next.filter(|(due, _)| *due <= end) else {
            return false;
        };
        self.state.elapsed.set(due.max(self.elapsed()));
        match event {
            Event::Callout => {
                let ended = self
                    .state
                    .network
                    .borrow_mut()
                    .take_due(self.elapsed(), is_stalled);
                if let Some(callout) = ended
                    && let Some(module) = modules.get(callout.vm)
                {
                    module.deliver(callout);
                }
            }
            Event::Tick { vm, root } => {
                if let Some(module) = modules.get(vm) {
                    module.tick(root);
                }
            }
        }
        true
    }

    // The network.

    /// Puts a server behind a cluster, which decides about each request. It replaces the one before.
    pub fn serve(&self, cluster: &str, script: impl FnMut(&Received) -> Reply + 'static) {
        let mut network = self.state.network.borrow_mut();
        network.serve(cluster, Box::new(script));
    }

    /// Puts a server behind a cluster that always reacts like this.
    pub fn serve_always(&self, cluster: &str, reply: impl Into<Reply>) {
        let reply = reply.into();
        self.serve(cluster, move |_| reply.clone());
    }

    /// Says whether the cluster has a healthy host. A callout to one without is not sent.
    pub fn set_healthy(&self, cluster: &str, healthy: bool) {
        let mut network = self.state.network.borrow_mut();
        if let Some(server) = network.servers.get_mut(cluster) {
            server.healthy = healthy;
        }
    }

    /// Lets the server behind a cluster respond now to all requests that it has not responded to.
    pub fn respond(&self, cluster: &str, response: &Response) {
        let mut network = self.state.network.borrow_mut();
        network.respond(cluster, response, self.state.elapsed.get());
    }

    /// The requests that the server behind a cluster has received.
    #[must_use]
    pub fn received(&self, cluster: &str) -> Vec<Received> {
        let network = self.state.network.borrow();
        let server = network.servers.get(cluster);
        server
            .map(|server| server.received.clone())
            .unwrap_or_default()
    }

    /// The number of requests to a cluster that are not answered.
    #[must_use]
    pub fn in_flight(&self, cluster: &str) -> usize {
        let now = self.elapsed();
        self.state.network.borrow().in_flight(cluster, now)
    }

    // What workers share.

    /// The value of a metric.
    #[must_use]
    pub fn metric(&self, name: &str) -> i64 {
        let value = self.state.metrics.borrow().get(name);
        value.unwrap_or_else(|| panic!("there is no metric {name}"))
    }

    /// The names of all metrics, sorted.
    #[must_use]
    pub fn metric_names(&self) -> Vec<String> {
        self.state.metrics.borrow().names()
    }

    /// Lets another worker get ahead of the next `count` swaps of shared data.
    pub fn lose_swaps(&self, count: usize) {
        self.lose_some_swaps(iter::repeat_n(true, count));
    }

    /// Lets another thread do something just before the next swap of shared data.
    pub fn before_next_swap(&self, first: impl FnOnce() + 'static) {
        self.state.before_next_swap.set(Some(Box::new(first)));
    }

    /// Takes back what [`Process::before_next_swap`] has ordered, if it has not happened.
    pub fn clear_before_next_swap(&self) {
        self.state.before_next_swap.take();
    }

    /// Lets a worker die instead of making a swap of shared data, after `swaps` others.
    pub fn die_at_swap(&self, swaps: usize) {
        self.state.swaps_until_death.set(Some(swaps));
    }

    /// Takes back what [`Process::die_at_swap`] has ordered, if it has not happened.
    pub fn clear_die_at_swap(&self) {
        self.state.swaps_until_death.set(None);
    }

    /// Says whether the host has random numbers that are good enough for secrets.
    pub fn set_random_keys_available(&self, available: bool) {
        self.state.has_random_keys.set(available);
    }

    /// Says whether the host writes log lines of the level `debug`.
    pub fn set_logs_debug(&self, logs: bool) {
        self.state.logs_debug.set(logs);
    }

    /// The value of an entry of shared data.
    #[must_use]
    pub fn shared(&self, key: &str) -> Option<Vec<u8>> {
        let entry = self.state.shared_data.borrow().get(key);
        entry.map(|(value, _)| value)
    }

    /// Writes an entry of shared data, as another module could.
    pub fn set_shared(&self, key: &str, value: &[u8]) {
        self.state.shared_data.borrow_mut().set(key, value);
    }

    /// Says for each of the next swaps of shared data whether another worker gets ahead of it.
    pub fn lose_some_swaps(&self, lost: impl IntoIterator<Item = bool>) {
        self.state.shared_data.borrow_mut().lose_swaps(lost);
    }

    /// How many swaps of shared data were lost so far to another worker of that kind.
    #[must_use]
    pub fn lost_swaps(&self) -> usize {
        self.state.shared_data.borrow().lost()
    }

    /// The keys of shared data that contain `text`.
    #[must_use]
    pub fn shared_keys(&self, text: &str) -> Vec<String> {
        self.state.shared_data.borrow().keys(text)
    }

    /// The number of entries of shared data.
    #[must_use]
    pub fn shared_len(&self) -> usize {
        self.state.shared_data.borrow().len()
    }

    /// The size of all values in shared data, in bytes.
    #[must_use]
    pub fn shared_size(&self) -> usize {
        self.state.shared_data.borrow().size()
    }

    /// Removes an entry of shared data.
    pub fn remove_shared(&self, key: &str) {
        self.state.shared_data.borrow_mut().remove(key);
    }
}

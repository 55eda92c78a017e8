//! The module in a virtual machine: its contexts, and calls into it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use gate_worker::host::{CalloutId, ContextId};
use gate_worker::{Disposition, Root, Stream};

use crate::host::SimulatedHost;
use crate::network::Pending;
use crate::request_state::{Outcome, RequestState};
use crate::vm::{Deferred, RootState, StreamState, Vm};

type RootContext = Rc<RefCell<Root<SimulatedHost>>>;
type StreamContext = Rc<RefCell<Stream<SimulatedHost>>>;

/// The module in a virtual machine.
pub(crate) struct Module {
    pub(crate) vm: Rc<Vm>,
    roots: RefCell<BTreeMap<u32, RootContext>>,
    streams: RefCell<BTreeMap<u32, StreamContext>>,
    last_context: Cell<u32>,
    nesting: Cell<usize>,
    deepest_nesting: Cell<usize>,
}

impl Module {
    pub(crate) fn new(vm: Rc<Vm>) -> Self {
        Self {
            vm,
            roots: RefCell::default(),
            streams: RefCell::default(),
            last_context: Cell::new(0),
            nesting: Cell::new(0),
            deepest_nesting: Cell::new(0),
        }
    }

    pub(crate) fn deepest_nesting(&self) -> usize {
        self.deepest_nesting.get()
    }

    /// Calls into the module in `context`, and does what the module deferred.
    fn call<R>(&self, context: u32, call: impl FnOnce() -> R) -> R {
        let before = self.vm.effective.replace(context);
        self.nesting.set(self.nesting.get() + 1);
        let deepest = self.deepest_nesting.get().max(self.nesting.get());
        self.deepest_nesting.set(deepest);
        let result = call();
        if !self.vm.is_alive() {
            self.vm.deferred.take();
        }
        loop {
            let deferred = self.vm.deferred.borrow_mut().pop_front();
            match deferred {
                Some(Deferred::Answer(stream, answer)) => {
                    let is_open = self.vm.request(stream).borrow().outcome == Outcome::Forwarded;
                    if is_open {
                        self.vm.request(stream).borrow_mut().outcome = Outcome::Ended(answer);
                    } else {
                        self.conclude(stream, Outcome::Answered(answer));
                    }
                    self.delete_stream(stream);
                }
                Some(Deferred::Resume(stream)) => self.conclude(stream, Outcome::Forwarded),
                None => break,
            }
        }
        self.nesting.set(self.nesting.get() - 1);
        self.vm.effective.set(before);
        if self.nesting.get() == 0 && !self.vm.is_alive() {
            self.kill();
        }
        result
    }

    fn conclude(&self, stream: u32, outcome: Outcome) {
        let request = self.vm.request(stream);
        let mut request = request.borrow_mut();
        assert_eq!(request.outcome, Outcome::Paused, "it is decided once");
        request.outcome = outcome;
    }

    fn next_context(&self) -> u32 {
        let id = self.last_context.get() + 1;
        self.last_context.set(id);
        id
    }

    /// Creates and configures a root. Returns its identifier if it accepts the configuration.
    pub(crate) fn create_root(&self, configuration: &[u8]) -> Option<u32> {
        let id = self.next_context();
        let root = Root::new(SimulatedHost(Rc::clone(&self.vm)), ContextId(id));
        let root = Rc::new(RefCell::new(root));
        self.roots.borrow_mut().insert(id, root);
        self.vm.roots.borrow_mut().insert(id, RootState::default());
        let accepted = self.configure(id, configuration);
        if !accepted {
            self.delete_root(id);
        }
        accepted.then_some(id)
    }

    /// Configures a root (again).
    pub(crate) fn configure(&self, id: u32, configuration: &[u8]) -> bool {
        if let Some(root) = self.vm.roots.borrow_mut().get_mut(&id) {
            root.configuration = configuration.to_vec();
        }
        let root = self.root(id).expect("the root was removed");
        self.call(id, || root.borrow_mut().configure())
    }

    /// Removes a root. The callouts are cancelled first, as Envoy does.
    pub(crate) fn delete_root(&self, id: u32) {
        let mut network = self.vm.state.network.borrow_mut();
        network.cancel(self.vm.index, Some(id));
        drop(network);
        let root = self.roots.borrow_mut().remove(&id);
        self.vm.roots.borrow_mut().remove(&id);
        self.call(id, || drop(root));
    }

    /// Delivers the headers of a new request to a root.
    pub(crate) fn create_stream(
        &self,
        root: u32,
        request: RequestState,
    ) -> (u32, Rc<RefCell<RequestState>>) {
        let id = self.next_context();
        let context = self.root(root).expect("the root was removed");
        let stream = context.borrow().stream(ContextId(id));
        let stream = Rc::new(RefCell::new(stream));
        self.streams.borrow_mut().insert(id, Rc::clone(&stream));
        let headers = request.headers.clone();
        let request = Rc::new(RefCell::new(request));
        let state = StreamState {
            root,
            request: Rc::clone(&request),
        };
        self.vm.streams.borrow_mut().insert(id, state);
        let disposition = self.call(id, || {
            let headers = headers.iter();
            let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_slice()));
            stream.borrow_mut().headers(headers)
        });
        if disposition == Disposition::Continue && self.vm.is_alive() {
            self.conclude(id, Outcome::Forwarded);
        }
        (id, request)
    }

    /// Delivers a part of the body. Returns whether it goes on.
    pub(crate) fn body(&self, id: u32) -> bool {
        let stream = self.streams.borrow().get(&id).cloned();
        let stream = stream.expect("the stream has ended");
        self.call(id, || stream.borrow().rest()) == Disposition::Continue
    }

    /// Ends a stream, if it has not ended.
    pub(crate) fn delete_stream(&self, id: u32) {
        let stream = self.streams.borrow_mut().remove(&id);
        self.vm.streams.borrow_mut().remove(&id);
        if let Some(stream) = stream {
            self.call(id, || drop(stream));
        }
    }

    /// Delivers the end of a callout.
    pub(crate) fn deliver(&self, callout: Pending) {
        let Some(root) = self.root(callout.root) else {
            return;
        };
        let (has_headers, size) = match &callout.response {
            Some(response) => (true, response.body.len()),
            None => (false, 0),
        };
        *self.vm.response.borrow_mut() = callout.response;
        self.call(callout.root, || {
            let id = CalloutId(callout.id);
            root.borrow().callout_response(id, has_headers, size);
        });
        self.vm.response.take();
    }

    pub(crate) fn tick(&self, id: u32) {
        let now = self.vm.state.elapsed.get();
        if let Some(root) = self.vm.roots.borrow_mut().get_mut(&id)
            && let Some(tick) = &mut root.tick
        {
            tick.due = now + tick.period;
        }
        if let Some(root) = self.root(id) {
            self.call(id, || root.borrow().tick());
        }
    }

    fn root(&self, id: u32) -> Option<RootContext> {
        self.roots.borrow().get(&id).cloned()
    }

    /// The worker dies. The code that drops its memory has no effect, as if it did not run.
    pub(crate) fn kill(&self) {
        self.vm.alive.set(false);
        self.vm
            .state
            .network
            .borrow_mut()
            .cancel(self.vm.index, None);
        for stream in self.vm.streams.take().into_values() {
            let mut request = stream.request.borrow_mut();
            if request.outcome == Outcome::Paused {
                request.outcome = Outcome::Lost;
            }
        }
        drop((self.streams.take(), self.vm.roots.take(), self.roots.take()));
    }
}

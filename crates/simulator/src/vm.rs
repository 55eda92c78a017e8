//! The virtual machine of one worker: its contexts, and calls into the module.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use gate::answer::Answer;
use gate_worker::host::{CalloutId, ContextId};
use gate_worker::{Disposition, Root, Stream};

use crate::host::SimulatedHost;
use crate::network::{Pending, Response};
use crate::request::{Outcome, RequestState};
use crate::state::State;

/// Something that the host does at the end of a call into the module.
pub(crate) enum Deferred {
    /// Answers the request of a stream and ends the stream.
    Answer(u32, Answer),
    /// Lets the request of a stream go on.
    Resume(u32),
}

struct RootEntry {
    root: Rc<RefCell<Root<SimulatedHost>>>,
    configuration: Vec<u8>,
    tick: Option<Tick>,
}

#[derive(Clone, Copy)]
struct Tick {
    period: Duration,
    due: Duration,
}

struct StreamEntry {
    root: u32,
    stream: Rc<RefCell<Stream<SimulatedHost>>>,
    request: Rc<RefCell<RequestState>>,
}

/// The virtual machine of one worker.
pub(crate) struct Vm {
    pub(crate) index: usize,
    pub(crate) state: Rc<State>,
    /// The response that is being delivered.
    pub(crate) response: RefCell<Option<Response>>,
    /// How often the module entered the context of a stream.
    pub(crate) streams_entered: Cell<usize>,
    pub(crate) deepest_nesting: Cell<usize>,
    alive: Cell<bool>,
    effective: Cell<u32>,
    last_context: Cell<u32>,
    roots: RefCell<BTreeMap<u32, RootEntry>>,
    streams: RefCell<BTreeMap<u32, StreamEntry>>,
    deferred: RefCell<VecDeque<Deferred>>,
    nesting: Cell<usize>,
}

impl Vm {
    pub(crate) fn new(index: usize, state: Rc<State>) -> Rc<Self> {
        Rc::new(Self {
            index,
            state,
            response: RefCell::default(),
            streams_entered: Cell::new(0),
            deepest_nesting: Cell::new(0),
            alive: Cell::new(true),
            effective: Cell::new(0),
            last_context: Cell::new(0),
            roots: RefCell::default(),
            streams: RefCell::default(),
            deferred: RefCell::default(),
            nesting: Cell::new(0),
        })
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.get()
    }

    /// Calls into the module in `context`, and does what the module deferred.
    fn call<R>(&self, context: u32, call: impl FnOnce() -> R) -> R {
        let before = self.effective.replace(context);
        self.nesting.set(self.nesting.get() + 1);
        let deepest = self.deepest_nesting.get().max(self.nesting.get());
        self.deepest_nesting.set(deepest);
        let result = call();
        loop {
            let deferred = self.deferred.borrow_mut().pop_front();
            match deferred {
                Some(Deferred::Answer(stream, answer)) => {
                    self.conclude(stream, Outcome::Answered(answer));
                    self.delete_stream(stream);
                }
                Some(Deferred::Resume(stream)) => self.conclude(stream, Outcome::Forwarded),
                None => break,
            }
        }
        self.nesting.set(self.nesting.get() - 1);
        self.effective.set(before);
        result
    }

    fn conclude(&self, stream: u32, outcome: Outcome) {
        let streams = self.streams.borrow();
        let entry = streams.get(&stream).expect("the stream has ended");
        let mut request = entry.request.borrow_mut();
        assert_eq!(request.outcome, Outcome::Paused, "it is decided once");
        request.outcome = outcome;
    }

    fn next_context(&self) -> u32 {
        let id = self.last_context.get() + 1;
        self.last_context.set(id);
        id
    }

    /// Creates and configures a root. Returns its identifier if it accepts the configuration.
    pub(crate) fn create_root(self: &Rc<Self>, configuration: &[u8]) -> Option<u32> {
        let id = self.next_context();
        let root = Root::new(SimulatedHost(Rc::clone(self)), ContextId(id));
        let entry = RootEntry {
            root: Rc::new(RefCell::new(root)),
            configuration: configuration.to_vec(),
            tick: None,
        };
        self.roots.borrow_mut().insert(id, entry);
        self.configure(id, configuration).then_some(id)
    }

    /// Configures a root (again).
    pub(crate) fn configure(&self, id: u32, configuration: &[u8]) -> bool {
        if let Some(entry) = self.roots.borrow_mut().get_mut(&id) {
            entry.configuration = configuration.to_vec();
        }
        let root = self.root(id).expect("the root was removed");
        self.call(id, || root.borrow_mut().configure())
    }

    /// Removes a root. The callouts are cancelled first, as Envoy does.
    pub(crate) fn delete_root(&self, id: u32) {
        let mut network = self.state.network.borrow_mut();
        network.cancel(self.index, Some(id));
        drop(network);
        let entry = self.roots.borrow_mut().remove(&id);
        self.call(id, || drop(entry));
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
        let headers = request.headers.clone();
        let request = Rc::new(RefCell::new(request));
        let entry = StreamEntry {
            root,
            stream: Rc::clone(&stream),
            request: Rc::clone(&request),
        };
        self.streams.borrow_mut().insert(id, entry);
        let disposition = self.call(id, || {
            let headers = headers.iter();
            let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_slice()));
            stream.borrow_mut().headers(headers)
        });
        if disposition == Disposition::Continue {
            self.conclude(id, Outcome::Forwarded);
        }
        (id, request)
    }

    /// Delivers a part of the body. Returns whether it goes on.
    pub(crate) fn body(&self, stream: u32) -> bool {
        let streams = self.streams.borrow();
        let entry = streams.get(&stream).expect("the stream has ended");
        let stream_context = Rc::clone(&entry.stream);
        drop(streams);
        self.call(stream, || stream_context.borrow().rest()) == Disposition::Continue
    }

    /// Ends a stream, if it has not ended.
    pub(crate) fn delete_stream(&self, id: u32) {
        let entry = self.streams.borrow_mut().remove(&id);
        if let (Some(entry), true) = (entry, self.is_alive()) {
            self.call(id, || drop(entry));
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
        *self.response.borrow_mut() = callout.response;
        self.call(callout.root, || {
            let id = CalloutId(callout.id);
            root.borrow().callout_response(id, has_headers, size);
        });
        self.response.take();
    }

    /// When the next root ticks, and which.
    pub(crate) fn next_tick(&self) -> Option<(Duration, u32)> {
        let roots = self.roots.borrow();
        let ticks = roots.iter();
        let ticks = ticks.filter_map(|(id, entry)| Some((entry.tick?.due, *id)));
        ticks.min()
    }

    pub(crate) fn tick(&self, id: u32) {
        let now = self.state.elapsed.get();
        if let Some(entry) = self.roots.borrow_mut().get_mut(&id)
            && let Some(tick) = &mut entry.tick
        {
            tick.due = now + tick.period;
        }
        if let Some(root) = self.root(id) {
            self.call(id, || root.borrow().tick());
        }
    }

    fn root(&self, id: u32) -> Option<Rc<RefCell<Root<SimulatedHost>>>> {
        let roots = self.roots.borrow();
        roots.get(&id).map(|entry| Rc::clone(&entry.root))
    }

    /// The worker dies. The code that drops its memory has no effect, as if it did not run.
    pub(crate) fn kill(&self) {
        self.alive.set(false);
        self.state.network.borrow_mut().cancel(self.index, None);
        for entry in self.streams.take().into_values() {
            let mut request = entry.request.borrow_mut();
            if request.outcome == Outcome::Paused {
                request.outcome = Outcome::Lost;
            }
        }
        drop(self.roots.take());
    }

    // What follows is called by the module.

    pub(crate) fn configuration(&self) -> Vec<u8> {
        let root = self.effective_root();
        let roots = self.roots.borrow();
        let entry = roots.get(&root);
        entry
            .map(|entry| entry.configuration.clone())
            .unwrap_or_default()
    }

    /// Sets the tick period of the root in effect, or of the root of the stream in effect.
    pub(crate) fn set_tick_period(&self, period: Duration) {
        let context = self.effective.get();
        let streams = self.streams.borrow();
        let root = streams.get(&context).map_or(context, |entry| entry.root);
        if let Some(entry) = self.roots.borrow_mut().get_mut(&root) {
            let due = self.state.elapsed.get() + period;
            entry.tick = Some(Tick { period, due });
        }
    }

    pub(crate) fn set_effective_context(&self, context: u32) -> bool {
        let is_stream = self.streams.borrow().contains_key(&context);
        if is_stream {
            self.streams_entered.set(self.streams_entered.get() + 1);
        }
        let exists = is_stream || self.roots.borrow().contains_key(&context);
        if exists {
            self.effective.set(context);
        }
        exists
    }

    pub(crate) fn effective_root(&self) -> u32 {
        let root = self.effective.get();
        assert!(
            self.roots.borrow().contains_key(&root),
            "the context in effect is not a root"
        );
        root
    }

    pub(crate) fn effective_stream(&self) -> u32 {
        let stream = self.effective.get();
        assert!(
            self.streams.borrow().contains_key(&stream),
            "the context in effect is not a stream"
        );
        stream
    }

    pub(crate) fn effective_request(&self) -> Rc<RefCell<RequestState>> {
        let stream = self.effective_stream();
        let streams = self.streams.borrow();
        let entry = streams.get(&stream).expect("the stream has ended");
        Rc::clone(&entry.request)
    }

    pub(crate) fn defer(&self, deferred: Deferred) {
        self.deferred.borrow_mut().push_back(deferred);
    }
}

//! The host's side of a virtual machine: what host calls read and change.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use gate::answer::Answer;
use gate_worker::OwnData;

use crate::network::Response;
use crate::request_state::RequestState;
use crate::state::State;

/// Something that the host does at the end of a call into the module.
pub(crate) enum Deferred {
    /// Answers the request of a stream and ends the stream.
    Answer(u32, Answer),
    /// Lets the request of a stream go on.
    Resume(u32),
}

/// A root, as the host knows it.
#[derive(Default)]
pub(crate) struct RootState {
    pub(crate) configuration: Vec<u8>,
    pub(crate) tick: Option<Tick>,
}

/// The timer of a root.
#[derive(Clone, Copy)]
pub(crate) struct Tick {
    pub(crate) period: Duration,
    pub(crate) due: Duration,
}

/// A stream, as the host knows it.
pub(crate) struct StreamState {
    pub(crate) root: u32,
    pub(crate) request: Rc<RefCell<RequestState>>,
}

/// The host's side of a virtual machine.
pub(crate) struct Vm {
    pub(crate) index: usize,
    pub(crate) state: Rc<State>,
    pub(crate) roots: RefCell<BTreeMap<u32, RootState>>,
    pub(crate) streams: RefCell<BTreeMap<u32, StreamState>>,
    pub(crate) deferred: RefCell<VecDeque<Deferred>>,
    /// The response that is being delivered.
    pub(crate) response: RefCell<Option<Response>>,
    /// The context in effect.
    pub(crate) effective: Cell<u32>,
    pub(crate) alive: Cell<bool>,
    /// Whether the thread is kept from running.
    pub(crate) stalled: Cell<bool>,
    /// The data that only this virtual machine can read and write.
    pub(crate) own_data: Rc<OwnData>,
    /// How often the module turned to the context of a stream.
    pub(crate) streams_entered: Cell<usize>,
}

impl Vm {
    pub(crate) fn new(index: usize, state: Rc<State>) -> Self {
        Self {
            index,
            state,
            roots: RefCell::default(),
            streams: RefCell::default(),
            deferred: RefCell::default(),
            response: RefCell::default(),
            effective: Cell::new(0),
            alive: Cell::new(true),
            stalled: Cell::new(false),
            own_data: Rc::default(),
            streams_entered: Cell::new(0),
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.get()
    }

    /// Before a swap of shared data: the worker dies if that was ordered for this one.
    pub(crate) fn count_down_to_death(&self) {
        let left = &self.state.swaps_until_death;
        match left.get() {
            Some(0) if self.is_alive() => {
                left.set(None);
                self.alive.set(false);
            }
            Some(number) => left.set(Some(number.saturating_sub(1))),
            None => {}
        }
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled.get()
    }

    /// When the next root ticks, and which.
    pub(crate) fn next_tick(&self) -> Option<(Duration, u32)> {
        let roots = self.roots.borrow();
        let ticks = roots.iter();
        let ticks = ticks.filter_map(|(id, root)| Some((root.tick?.due, *id)));
        ticks.min()
    }

    /// The configuration of the root in effect.
    pub(crate) fn configuration(&self) -> Vec<u8> {
        let id = self.effective_root();
        let roots = self.roots.borrow();
        let configuration = roots.get(&id).map(|root| root.configuration.clone());
        configuration.unwrap_or_default()
    }

    /// Sets the tick period of the root in effect, or of the root of the stream in effect.
    pub(crate) fn set_tick_period(&self, period: Duration) {
        let context = self.effective.get();
        let streams = self.streams.borrow();
        let id = streams.get(&context).map_or(context, |stream| stream.root);
        if let Some(root) = self.roots.borrow_mut().get_mut(&id) {
            let due = self.state.elapsed.get() + period;
            root.tick = Some(Tick { period, due });
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

    /// The request of the stream in effect.
    pub(crate) fn effective_request(&self) -> Rc<RefCell<RequestState>> {
        self.request(self.effective_stream())
    }

    /// The request of a stream.
    pub(crate) fn request(&self, stream: u32) -> Rc<RefCell<RequestState>> {
        let streams = self.streams.borrow();
        let stream = streams.get(&stream).expect("the stream has ended");
        Rc::clone(&stream.request)
    }

    pub(crate) fn defer(&self, deferred: Deferred) {
        self.deferred.borrow_mut().push_back(deferred);
    }
}

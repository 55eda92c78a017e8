//! A server that callouts reach: what it publishes, and how it misbehaves.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use gate_simulator::{Process, Received, Reply, Response};

use crate::attempts::{Attempts, Failures};
use crate::disturbances::Disturbances;
use crate::history::History;

/// How a server reacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It responds, within 300 ms.
    Well,
    /// It never responds.
    Hangs,
    /// It resets the connection.
    Resets,
    /// It responds with 500.
    Fails,
    /// It responds with 200 and a body that makes no sense.
    TalksNonsense,
    /// It responds with 304 to requests without a condition, and with 500 to others.
    SaysUnchanged,
    /// It responds with 200 and a body of more than 1 MiB, or 64 KiB for introspection.
    SaysTooMuch,
    /// Its cluster has no healthy host.
    Unhealthy,
}

impl Mode {
    /// The ways to misbehave.
    pub(crate) const BAD: [Self; 7] = [
        Self::Hangs,
        Self::Resets,
        Self::Fails,
        Self::TalksNonsense,
        Self::SaysUnchanged,
        Self::SaysTooMuch,
        Self::Unhealthy,
    ];
}

/// A server that publishes a `T`.
pub(crate) struct Server<T> {
    cluster: String,
    mode: Rc<Cell<Mode>>,
    attempts: Rc<RefCell<Attempts>>,
    published: Rc<RefCell<History<T>>>,
}

impl<T: Clone + 'static> Server<T> {
    /// Puts a server behind a cluster, whose responses `respond` makes of what it publishes.
    pub(crate) fn start(
        process: &Process,
        cluster: String,
        published: T,
        seed: u64,
        respond: impl Fn(&T, &Received) -> Response + 'static,
    ) -> Self {
        let server = Self {
            cluster,
            mode: Rc::new(Cell::new(Mode::Well)),
            attempts: Rc::default(),
            published: Rc::new(RefCell::new(History::new(published))),
        };
        let (mode, published) = (Rc::clone(&server.mode), Rc::clone(&server.published));
        let attempts = Rc::clone(&server.attempts);
        let mut rng = Rng::with_seed(seed);
        process.serve(&server.cluster, move |received| {
            let delay = Duration::from_millis(rng.u64(1..300));
            let respond_with = |response| Reply::After(delay, response);
            let mode = mode.get();
            attempts.borrow_mut().add(received.at, mode == Mode::Well);
            match mode {
                Mode::Well => respond_with(respond(published.borrow().last(), received)),
                Mode::Hangs => Reply::Hang,
                Mode::Unhealthy => Reply::NotSent,
                Mode::Resets => Reply::Reset(delay),
                Mode::Fails => respond_with(Response::new(500, "")),
                Mode::TalksNonsense => respond_with(Response::new(200, "{\"keys\": 7}")),
                Mode::SaysUnchanged => {
                    let conditional = received.header("if-none-match").is_some();
                    respond_with(Response::new(if conditional { 500 } else { 304 }, ""))
                }
                Mode::SaysTooMuch => respond_with(Response::new(200, TOO_MUCH.with(Clone::clone))),
            }
        });
        server
    }

    pub(crate) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Changes how it reacts.
    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.set(mode);
    }

    /// Publishes something else.
    pub(crate) fn publish(&self, at: Duration, value: T) {
        self.published.borrow_mut().set(at, value);
    }

    pub(crate) fn published(&self) -> T {
        self.published.borrow().last().clone()
    }

    /// Whether it answered any request since `from` well.
    pub(crate) fn answered_well_since(&self, from: Duration) -> bool {
        self.attempts.borrow().any_good_since(from)
    }

    /// When the last request until `end` was sent that the filter must have noted as successful.
    pub(crate) fn last_success(
        &self,
        end: Duration,
        disturbances: &Disturbances,
    ) -> Option<Duration> {
        self.attempts.borrow().last_success(end, disturbances)
    }

    /// The last failures in a row. The filter has noted as many or fewer.
    pub(crate) fn last_failures(&self, disturbances: &Disturbances) -> Option<Failures> {
        self.attempts.borrow().last_failures(disturbances)
    }

    /// Whether `test` holds for all that it published.
    pub(crate) fn all(&self, from: Duration, to: Duration, test: impl Fn(&T) -> bool) -> bool {
        self.published.borrow().during(from, to).all(test)
    }
}

thread_local! {
    /// A body that is longer than any server's may be: 1.5 MiB.
    static TOO_MUCH: String = "x".repeat(3 << 19);
}

//! The clients of a world: what they send, and when they go away.

use std::cell::RefCell;
use std::rc::Rc;

use gate_simulator::{Listener, Outcome, Request};

use super::World;
use crate::living_worker::NumberedListener;
use crate::model::{Expected, expected_with};
use crate::open_request::OpenRequest;
use crate::plan::RECENT;
use crate::tokens::{BOUND_TOKENS, TOKENS, Token};

impl World {
    pub(super) fn request(&mut self) -> Result<(), String> {
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
    pub(super) fn new_proof(&self, token: &'static Token) -> usize {
        let number = self.requests.get() + 1;
        self.proofs.make(number, token, self.times().wall);
        number
    }

    /// Sends a request with a token, and with a proof if it has one, to a listener.
    pub(super) fn send(
        &self,
        worker: usize,
        listener: usize,
        token: &'static Token,
        proof: Option<usize>,
    ) {
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

    pub(super) fn disconnect(&mut self) {
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

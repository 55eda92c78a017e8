//! The proofs of possession that clients make, and which listeners have accepted them.

use std::cell::RefCell;

use gate_fixtures as fixtures;
use serde_json::json;

use crate::tokens::{Token, jwk_of_clients};

/// A proof that a client has made.
struct Proof {
    number: usize,
    text: String,
    token: &'static Token,
    /// How often it has been sent.
    sent: usize,
    /// The variants of the configuration with which it has been accepted.
    accepted: Vec<usize>,
}

/// The proofs since the clock was last set. Setting it can make an old proof fresh again.
pub(crate) struct Proofs {
    all: RefCell<Vec<Proof>>,
    /// Whether the filter remembers which proofs have been used.
    remembered: bool,
}

impl Proofs {
    /// No proofs. `remembered` says whether the filter remembers which have been used.
    pub(crate) fn new(remembered: bool) -> Self {
        Self {
            all: RefCell::default(),
            remembered,
        }
    }

    /// Makes a proof for a GET request for `/` with `token` at this time, in Unix seconds.
    pub(crate) fn make(&self, number: usize, token: &'static Token, now: u64) {
        let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk_of_clients()});
        let payload = json!({
            "jti": number.to_string(),
            "htm": "GET",
            "htu": "https://api.example/",
            "iat": now,
            "ath": fixtures::digest(token.text.as_bytes()),
        });
        self.all.borrow_mut().push(Proof {
            number,
            text: fixtures::signed("EdDSA", &header, &payload),
            token,
            sent: 0,
            accepted: Vec::new(),
        });
    }

    /// The numbers of all proofs.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        self.all.borrow().iter().map(|proof| proof.number).collect()
    }

    /// The token that a proof was made for.
    pub(crate) fn token(&self, number: usize) -> Option<&'static Token> {
        let all = self.all.borrow();
        let proof = all.iter().find(|proof| proof.number == number)?;
        Some(proof.token)
    }

    /// The text of a proof, which is sent now.
    pub(crate) fn send(&self, number: usize) -> Option<String> {
        let mut all = self.all.borrow_mut();
        let proof = all.iter_mut().find(|proof| proof.number == number)?;
        proof.sent += 1;
        Some(proof.text.clone())
    }

    /// Whether a proof was made for this request alone, and is fresh.
    pub(crate) fn is_single(&self, number: usize) -> bool {
        let all = self.all.borrow();
        let proof = all.iter().find(|proof| proof.number == number);
        proof.is_some_and(|proof| proof.sent == 1)
    }

    /// Notes that a listener with this variant of the configuration has accepted a proof. Returns whether it was the
    /// first one to do so, or may accept it again.
    pub(crate) fn accept(&self, number: usize, variant: usize) -> bool {
        let mut all = self.all.borrow_mut();
        let Some(proof) = all.iter_mut().find(|proof| proof.number == number) else {
            return true;
        };
        let is_first = !proof.accepted.contains(&variant);
        proof.accepted.push(variant);
        is_first || !self.remembered
    }

    /// Forgets all proofs.
    pub(crate) fn clear(&self) {
        self.all.borrow_mut().clear();
    }
}

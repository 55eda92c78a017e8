//! Asking an introspection endpoint about the tokens of one provider, in one worker.

use std::cell::RefCell;
use std::rc::Rc;

use log::warn;

use super::host::{self, CalloutId};
use super::meters::Meters;
use crate::config::{Introspection, Provider};
use crate::introspection::{Failed, Introspected, Introspector, MAX_ANSWER_BYTES, Standing, read};
use crate::metrics::Counter;
use crate::time::Timestamp;

pub(super) struct Endpoint {
    provider: Rc<Provider>,
    introspection: Introspection,
    /// What is known; decisions add to what is to be asked.
    known: RefCell<Introspector>,
    running: Vec<Running>,
    /// What was logged last, and when: one line is enough for all tokens of an outage.
    logged: Option<(String, Timestamp)>,
    news: bool,
}

struct Running {
    callout: CalloutId,
    token: Rc<str>,
    begun: Timestamp,
}

/// How often one and the same problem is logged at most, in seconds.
const LOG_AGAIN: u64 = 10;

impl Endpoint {
    pub(super) fn of(provider: &Rc<Provider>) -> Option<Self> {
        let introspection = provider.introspection.clone()?;
        let known = Introspector::new(introspection.durations, &host::hash_state());
        Some(Self {
            provider: Rc::clone(provider),
            introspection,
            known: RefCell::new(known),
            running: Vec::new(),
            logged: None,
            news: false,
        })
    }

    /// What is known of a token; it will be asked about if that is nothing.
    pub(super) fn ask(&self, token: &str, now: Timestamp) -> Standing {
        self.known.borrow_mut().ask(token, now)
    }

    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// Whether there is a token to ask about now.
    pub(super) fn has_next(&self) -> bool {
        self.known.borrow().has_next()
    }

    /// Whether the next tick should come soon.
    pub(super) fn is_busy(&self) -> bool {
        self.known.borrow().is_waiting()
    }

    /// Asks about what is to be asked about.
    pub(super) fn tick(&mut self, now: Timestamp, meters: &Meters) {
        let patience = self.introspection.timeout.saturating_mul(2);
        let vanished = |running: &mut Running| now >= running.begun.plus(patience);
        let lost: Vec<Running> = self.running.extract_if(.., vanished).collect();
        for running in lost {
            self.settle(
                &running.token,
                Err("there was no answer".to_owned()),
                now,
                meters,
            );
        }
        while let Some(token) = self.next() {
            let Some(callout) = host::introspect(&self.introspection, &token) else {
                let problem = "the cluster is unknown or has no healthy host";
                self.settle(&token, Err(problem.to_owned()), now, meters);
                continue;
            };
            self.running.push(Running {
                callout,
                token,
                begun: now,
            });
        }
    }

    fn next(&self) -> Option<Rc<str>> {
        self.known.borrow_mut().take_next()
    }

    /// Takes the answer to `callout`, if that is one of this endpoint.
    pub(super) fn answered(
        &mut self,
        callout: CalloutId,
        has_headers: bool,
        size: usize,
        now: Timestamp,
        meters: &Meters,
    ) {
        let is_this = |running: &mut Running| running.callout == callout;
        let Some(Running { token, .. }) = self.running.extract_if(.., is_this).next() else {
            return;
        };
        self.settle(&token, said(has_headers, size), now, meters);
    }

    fn settle(
        &mut self,
        token: &str,
        said: Result<Option<Introspected>, String>,
        now: Timestamp,
        meters: &Meters,
    ) {
        let index = self.provider.index;
        let said = match said {
            Ok(said) => {
                meters.count(Counter::IntrospectionSuccess(index));
                self.logged = None;
                Ok(said)
            }
            Err(problem) => {
                meters.count(Counter::IntrospectionFailure(index));
                self.log(problem, now);
                Err(Failed)
            }
        };
        self.known.borrow_mut().settle(token, said, now);
        self.news = true;
    }

    fn log(&mut self, problem: String, now: Timestamp) {
        let is_known = self
            .logged
            .as_ref()
            .is_some_and(|(known, at)| *known == problem && now.since(*at).as_secs() < LOG_AGAIN);
        if !is_known {
            let name = &self.provider.name;
            warn!("bearer-gate: provider {name}: introspection failed: {problem}");
            self.logged = Some((problem, now));
        }
    }
}

/// What the answer to the callout that has just ended says.
fn said(has_headers: bool, size: usize) -> Result<Option<Introspected>, String> {
    if !has_headers {
        return Err("there was no answer in time".to_owned());
    }
    let headers = host::callout_headers();
    let status = headers.iter().find(|(name, _)| name == ":status");
    let status = status
        .map(|(_, value)| value.as_slice())
        .unwrap_or_default();
    if status != b"200" {
        return Err(format!("the status is {}", status.escape_ascii()));
    }
    if size > MAX_ANSWER_BYTES {
        return Err(format!("the answer has more than {MAX_ANSWER_BYTES} bytes"));
    }
    read(&host::callout_body(size)).map_err(str::to_owned)
}

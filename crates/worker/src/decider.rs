//! Decides requests, also while the host does not know the date, and uses up their proofs.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use gate::admission::Admission;
use gate::decision::{Context, Decided, Decision, decide};
use gate::dpop::ProofKeys;
use gate::policy::Policy;
use gate::reason::{Reason, ReasonKind};
use gate::request::Request;
use gate::time::{Instant, Timestamp};
use gate::token_cache::TokenCache;
use gate::verify::Engine;
use log::warn;
use serde_json::json;

use crate::counter::Counter;
use crate::host::Host;
use crate::log_throttle::LogThrottle;
use crate::metrics::Metrics;
use crate::replay_store::ReplayStore;
use crate::sources::{Sources, Turn};
use crate::store::Store;

/// `Retry-After` while the host does not know the date.
const WITHOUT_DATE: Duration = Duration::from_secs(1);

/// What a worker remembers from one decision to the next.
pub(crate) struct Decider<H: Host> {
    /// Limits the lines about a host without a credible date.
    dateless: LogThrottle<H>,
    metrics: Rc<Metrics<H>>,
    engine: Rc<Engine>,
    tokens: RefCell<TokenCache>,
    proof_keys: RefCell<ProofKeys>,
    /// Which proofs have been used; `None` if proofs are not checked, or may be used again.
    replays: Option<ReplayStore<H>>,
}

impl<H: Host> Decider<H> {
    /// Remembers nothing yet. `configuration` is the text of `policy`.
    pub(crate) fn new(
        store: &Store<H>,
        policy: &Policy,
        configuration: &[u8],
        engine: &Rc<Engine>,
        metrics: &Rc<Metrics<H>>,
    ) -> Self {
        let providers = policy.providers.iter();
        let cached = providers.map(|provider| provider.cache.tokens);
        let capacity = cached.fold(0, usize::saturating_add);
        let dpop = policy.options.dpop.as_ref();
        let replays = dpop.filter(|dpop| dpop.replay_entries > 0);
        let replays = replays.map(|dpop| {
            let configuration = gate_config::normalized(configuration);
            ReplayStore::new(store.clone(), &configuration, dpop.replay_entries)
        });
        Self {
            dateless: LogThrottle::new(store.clone(), &json!(["date"])),
            metrics: Rc::clone(metrics),
            engine: Rc::clone(engine),
            tokens: RefCell::new(TokenCache::new(capacity, store.host().hash_state())),
            proof_keys: RefCell::default(),
            replays,
        }
    }

    /// Decides a request with what `sources` hold now. `date` is `None` while the host does not know it.
    pub(crate) fn decide<'p>(
        &self,
        policy: &'p Policy,
        request: &Request<'_>,
        sources: &Sources<H>,
        turn: Turn<'_>,
        date: Option<Timestamp>,
    ) -> Decided<'p> {
        let Some(date) = date else {
            return self.decide_without_date(policy, request, sources, turn.now);
        };
        let decided = self.decide_at(date, policy, request, sources, turn);
        self.spend(decided, date)
    }

    /// Uses up the proof of a request that was admitted at `date`. The request is refused if the proof has been
    /// used before.
    fn spend<'p>(&self, decided: Decided<'p>, date: Timestamp) -> Decided<'p> {
        let Decision::Admit(Admission {
            proof: Some(proof), ..
        }) = &decided.decision
        else {
            return decided;
        };
        let Some(replays) = &self.replays else {
            return decided;
        };
        let attempt = replays.spend(proof, date);
        self.metrics.add(Counter::ProofContended, attempt.contended);
        match attempt.refusal {
            None => decided,
            Some(reason) => Decided {
                decision: reason.into(),
                ..decided
            },
        }
    }

    /// Decides a request while the date is unknown. No token can be checked, but requests that need no
    /// token are decided as usual.
    fn decide_without_date<'p>(
        &self,
        policy: &'p Policy,
        request: &Request<'_>,
        sources: &Sources<H>,
        now: Instant,
    ) -> Decided<'p> {
        // At the end of time every token that expires has expired.
        let turn = Turn {
            now,
            can_wait: false,
            statuses: &[],
        };
        let decided = self.decide_at(Timestamp::END, policy, request, sources, turn);
        let needs_no_date = match &decided.decision {
            Decision::Pass => true,
            Decision::Admit(admission) => !admission.verified,
            Decision::Deny(reason) => {
                matches!(reason.kind(), ReasonKind::Missing | ReasonKind::NoRule)
            }
            Decision::Wait(_) => false,
        };
        if needs_no_date {
            return decided;
        }
        if let Some(suppressed) = self.dateless.admit(now) {
            warn!(
                "bearer-gate: the clock of the host is not set, so no token can be checked{suppressed}"
            );
        }
        let retry_after = WITHOUT_DATE;
        Reason::KeysUnavailable { retry_after }.into()
    }

    fn decide_at<'p>(
        &self,
        date: Timestamp,
        policy: &'p Policy,
        request: &Request<'_>,
        sources: &Sources<H>,
        turn: Turn<'_>,
    ) -> Decided<'p> {
        let context = Context {
            resources: &sources.resources(turn),
            engine: &self.engine,
            tokens: &self.tokens,
            proof_keys: &self.proof_keys,
        };
        let decided = decide(policy, request, &context, date);
        self.metrics.add_counts(decided.counts);
        decided
    }
}

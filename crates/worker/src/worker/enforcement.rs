//! Carrying out decisions: a request passes, is changed, or is refused.

use gate::admission::{Admission, HeaderChange, REASON_STATE, RULE_STATE, WOULD_DENY_STATE};
use gate::answer::Answer;
use gate::decision::{Decided, Decision, RETRY_AFTER, Refusal};
use gate::policy::Requirement;
use gate::reason::Reason;
use gate::refusal_line::RefusalLine;
use gate::request::Request;
use log::debug;

use super::{Disposition, Worker};
use crate::counter::Counter;
use crate::host::{ContextId, Host};

impl<H: Host> Worker<H> {
    /// Carries out a decision, in the context of the request's stream. A request that can no longer wait is refused.
    pub(super) fn carry_out(
        &self,
        decided: Decided<'_>,
        stream: ContextId,
        request: &Request<'_>,
    ) -> Disposition {
        let Decided {
            decision,
            requirement,
            provider,
            standing,
            ..
        } = decided;
        let is_watched = match &self.streams {
            Some(streams) => streams.borrow_mut().add(stream, standing, request),
            None => true,
        };
        let reason = match decision {
            Decision::Pass => {
                self.metrics.count(Counter::Bypassed);
                return Disposition::Continue;
            }
            Decision::Admit(_) if !is_watched => Reason::TooManyStreams {
                retry_after: RETRY_AFTER,
            },
            Decision::Admit(admission) => {
                self.metrics.count(if admission.verified {
                    Counter::Allowed
                } else {
                    Counter::Bypassed
                });
                self.admit(&admission);
                return Disposition::Continue;
            }
            Decision::Deny(reason) => reason,
            Decision::Wait(wait) => wait.unavailable,
        };
        let refusal = Refusal {
            reason: &reason,
            requirement,
            provider,
        };
        self.refuse(refusal, request)
    }

    /// Refuses a request, or lets it pass as it was sent if refusals are only reported. Says why where operators look: in
    /// metrics, in the debug log and in filter state for access logs.
    pub(super) fn refuse(&self, refusal: Refusal<'_>, request: &Request<'_>) -> Disposition {
        let Refusal {
            reason,
            requirement,
            ..
        } = refusal;
        let kind = reason.kind();
        if self.policy.reports_only(request, requirement) {
            self.metrics.count(Counter::WouldDeny(kind));
            self.log_refusal("would_deny", refusal, request);
            self.host
                .set_filter_state(WOULD_DENY_STATE, kind.metric().as_bytes());
            self.note_rule(requirement);
            return Disposition::Continue;
        }
        self.metrics.count(Counter::Denied(kind));
        self.log_refusal("deny", refusal, request);
        self.host
            .set_filter_state(REASON_STATE, kind.metric().as_bytes());
        self.note_rule(requirement);
        let nonce = self.nonce();
        let answer = Answer::refusal(reason, &self.policy, request, requirement, nonce);
        self.host.send_local_response(&answer);
        Disposition::Replied
    }

    /// Names the rule that has decided in filter state, for access logs.
    fn note_rule(&self, requirement: Option<&Requirement>) {
        let place = requirement.and_then(|requirement| self.policy.place(requirement));
        if let Some(place) = place {
            let place = place.to_string();
            self.host.set_filter_state(RULE_STATE, place.as_bytes());
        }
    }

    /// Writes a line about a refusal if the host writes lines of this level. It may change its level at any time,
    /// and a question costs less than anything else that a refusal needs.
    pub(super) fn log_refusal(&self, decision: &str, refusal: Refusal<'_>, request: &Request<'_>) {
        if self.host.logs_debug() {
            let line = RefusalLine {
                refusal,
                policy: &self.policy,
                request,
            };
            debug!("bearer-gate: decision={decision} {line}");
        }
    }

    /// The nonce that clients should use in their proofs; `None` if they need none.
    pub(super) fn nonce(&self) -> Option<String> {
        let nonces = self.policy.options.dpop.as_ref()?.nonces()?;
        Some(nonces.issue(self.clock.date(self.clock.now())?))
    }

    /// Changes an admitted request.
    fn admit(&self, admission: &Admission) {
        for change in &admission.headers {
            match change {
                HeaderChange::Remove(name) => self.host.remove_request_header(name),
                HeaderChange::Set(name, value) => self.host.set_request_header(name, value),
                HeaderChange::Add(name, value) => self.host.add_request_header(name, value),
            }
        }
        for (key, value) in &admission.filter_state {
            self.host.set_filter_state(key, value);
        }
        if admission.clear_route_cache {
            self.host.clear_route_cache();
        }
    }
}

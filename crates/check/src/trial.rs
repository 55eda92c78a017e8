//! The decision on one request, with its steps.
//!
//! The outcome is what [`gate::decision::decide`] returns. The steps show the decision by each part of
//! the requirement.

use gate::admission::{Admission, HeaderChange};
use gate::answer::Answer;
use gate::decision::{Decided, Decision};
use gate::policy::Policy;
use gate::reason::Reason;
use gate::request::Request;
use gate::resource_metadata;
use gate::time::Timestamp;

use crate::given::Given;
use crate::inputs::Inputs;
use crate::next_step;
use crate::refusal;
use crate::steps::{Examination, ROUTE, Steps};
use crate::wording;

/// A request that was decided.
pub(crate) struct Trial {
    /// The request in one line.
    pub(crate) request: String,
    /// The steps of the decision, and what they found.
    pub(crate) examination: Examination,
    /// What the filter would do.
    pub(crate) outcome: Outcome,
    /// The name of the counter that counts the request; `None` if it is not decided.
    pub(crate) counter: Option<String>,
    /// What the filter does next.
    pub(crate) next: Vec<String>,
}

/// What the filter would do with a request.
pub(crate) enum Outcome {
    /// The request passes with these changes.
    Admitted {
        /// Whether it has a valid token.
        verified: bool,
        changes: Vec<String>,
        /// The headers that the upstream gets.
        upstream: Vec<(String, String)>,
    },
    /// The filter would answer instead of the upstream, but refusals are only reported: the request passes as it
    /// was sent.
    Reported { reason: Reason },
    /// The filter answers instead of the upstream.
    Refused { reason: Reason, answer: Answer },
    /// The request is for metadata, which the filter answers itself.
    Metadata { answer: Answer },
    /// The filter would wait for these resources, which were not given.
    Undecided { waits_for: Vec<String> },
}

impl Trial {
    /// Decides `request`.
    pub(crate) fn run(
        policy: &Policy,
        request: &Request<'_>,
        given: &Given,
        now: Timestamp,
    ) -> Self {
        let metadata = resource_metadata::answer(policy, request);
        let mut request = request.clone();
        let mut steps = Steps::default();
        let line = format!(
            "{} {} at {}",
            String::from_utf8_lossy(&request.method),
            String::from_utf8_lossy(request.path()),
            String::from_utf8_lossy(&request.authority),
        );
        if let Some(answer) = metadata {
            steps.note(
                "metadata",
                "are answered before any rule, whatever token there is",
            );
            let outcome = Outcome::Metadata { answer };
            return Self {
                request: line,
                examination: steps.finish(),
                counter: outcome.counter(&policy.options.stat_prefix),
                outcome,
                next: Vec::new(),
            };
        }
        let removed = policy.remove_client_headers(&mut request);
        let removed = removed.and_then(|names| {
            note_removed(&mut steps, &names);
            policy.forged_header(&names).map_or(Ok(()), Err)
        });
        let per_route = policy.options.per_route_requirements;
        if !per_route && request.requirement_name.take().is_some() {
            steps.note(ROUTE, "is ignored: per_route_requirements is not set");
        }
        let inputs = Inputs::new(policy, &request, given, now);
        if let Err(reason) = &removed {
            steps.refuse("header", refusal::header(reason));
        } else if policy.options.bypass_cors_preflight && request.is_cors_preflight() {
            steps.note("CORS preflight", "passes without a token");
        } else {
            steps.examine(&inputs);
        }
        let decided = removed.map_or_else(Decided::from, |()| inputs.decide());
        let next = next_step::describe(policy, &decided);
        let outcome = Outcome::new(policy, &request, decided, now);
        Self {
            request: line,
            examination: steps.finish(),
            counter: outcome.counter(&policy.options.stat_prefix),
            outcome,
            next,
        }
    }
}

/// Notes the headers of the client that the filter removes.
fn note_removed(steps: &mut Steps, names: &[String]) {
    for name in names {
        let text = format!("{name} is removed: clients may not send it");
        steps.note("header", text);
    }
}

impl Outcome {
    fn new(policy: &Policy, request: &Request<'_>, decided: Decided<'_>, now: Timestamp) -> Self {
        let requirement = decided.requirement;
        match decided.decision {
            Decision::Pass => Self::Admitted {
                verified: false,
                changes: Vec::new(),
                upstream: upstream(request, &[]),
            },
            Decision::Admit(admission) => Self::Admitted {
                verified: admission.verified,
                changes: changes(policy, &admission),
                upstream: upstream(request, &admission.headers),
            },
            Decision::Deny(reason) if policy.reports_only(request, requirement) => {
                Self::Reported { reason }
            }
            Decision::Deny(reason) => {
                let nonce = policy.nonce(now);
                let answer = Answer::refusal(&reason, policy, request, requirement, nonce);
                Self::Refused { reason, answer }
            }
            Decision::Wait(wait) => {
                let dependencies = wait.on.iter();
                let waits_for = dependencies.map(|one| wording::dependency(policy, one));
                Self::Undecided {
                    waits_for: waits_for.collect(),
                }
            }
        }
    }

    /// The name of the counter, with the `stat_prefix` of the configuration.
    fn counter(&self, stat_prefix: &str) -> Option<String> {
        let name = match self {
            Self::Admitted { verified: true, .. } => "allowed".to_owned(),
            Self::Admitted {
                verified: false, ..
            } => "bypassed".to_owned(),
            Self::Metadata { .. } => "metadata".to_owned(),
            Self::Reported { reason } => format!("would_deny.{}", reason.kind().metric()),
            Self::Refused { reason, .. } => format!("denied.{}", reason.kind().metric()),
            Self::Undecided { .. } => return None,
        };
        Some(match stat_prefix {
            "" => format!("bearer_gate.{name}"),
            prefix => format!("bearer_gate.{prefix}.{name}"),
        })
    }
}

/// The changes of an admission. They disclose no part of a token except claims that become headers or
/// filter state.
fn changes(policy: &Policy, admission: &Admission) -> Vec<String> {
    let mut changes = Vec::new();
    for change in &admission.headers {
        changes.push(match change {
            HeaderChange::Remove(name) => format!("removes the header {name}"),
            HeaderChange::Set(name, _) if name == ":path" => {
                "removes the token from the query".to_owned()
            }
            HeaderChange::Set(name, _) if name == "cookie" => {
                "removes the token from the cookies".to_owned()
            }
            HeaderChange::Add(name, value) => {
                let value = String::from_utf8_lossy(value);
                format!("adds the value {value:?} to the header {name}")
            }
            HeaderChange::Set(name, value) => {
                let mut forwardings = policy.providers.iter().map(|one| &one.forwarding);
                if forwardings.any(|one| one.payload_header.as_ref() == Some(name)) {
                    format!("sets the header {name} to the payload")
                } else {
                    let value = String::from_utf8_lossy(value);
                    format!("sets the header {name} to {value:?}")
                }
            }
        });
    }
    for (key, value) in &admission.filter_state {
        let value = String::from_utf8_lossy(value);
        changes.push(format!("sets the filter state wasm.{key} to {value:?}"));
    }
    if admission.clear_route_cache {
        changes.push("makes Envoy select the route again".to_owned());
    }
    changes
}

/// The headers of `request` after these changes.
fn upstream(request: &Request<'_>, changes: &[HeaderChange]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pseudo = [":method", ":scheme", ":authority", ":path", "authorization"];
    let mut headers = Vec::new();
    for name in pseudo {
        headers.extend(
            request
                .header(name)
                .map(|value| (name.to_owned(), text(value))),
        );
    }
    let others = request.headers.iter();
    headers.extend(others.map(|(name, value)| (text(name), text(value))));
    for change in changes {
        match change {
            HeaderChange::Remove(name) => headers.retain(|(known, _)| known != name),
            HeaderChange::Set(name, value) => {
                headers.retain(|(known, _)| known != name);
                headers.push((name.clone(), text(value)));
            }
            HeaderChange::Add(name, value) => headers.push((name.clone(), text(value))),
        }
    }
    headers
}

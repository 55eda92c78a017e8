//! The decision on one request, and how it comes about.
//!
//! What is decided is what [`gate`] says. The steps are what its parts say of the same request:
//! every part of a requirement is judged for itself.

use std::fmt::Write as _;
use std::rc::Rc;

use super::explain::Evidence;
use super::given::Given;
use crate::admission::{Admission, HeaderChange};
use crate::config::{Config, Kind, Lenience, Requirement, Rules, Tree};
use crate::credential;
use crate::denial::{Answer, Denial, Reason};
use crate::gate::{Decision, Verdict, gate, judge};
use crate::policy;
use crate::request::Request;
use crate::time::Timestamp;

/// A request that has been tried.
pub(super) struct Trial {
    /// The request in a line.
    pub(super) request: String,
    /// How it came about, in order.
    pub(super) steps: Vec<Step>,
    /// What the filter does.
    pub(super) outcome: Outcome,
}

/// One step of a decision.
pub(super) struct Step {
    /// What it is about.
    pub(super) topic: String,
    /// How deep in the requirement it is.
    pub(super) depth: usize,
    /// Whether it speaks for the request or against it; `None` where it only tells.
    pub(super) good: Option<bool>,
    /// What there is to say.
    pub(super) text: String,
}

/// What the filter does with a request.
pub(super) enum Outcome {
    /// It lets it through: what it changes, and whether that is for a token that is good.
    Admitted {
        verified: bool,
        changes: Vec<String>,
    },
    /// It answers in place of the upstream.
    Refused { reason: Reason, answer: Answer },
    /// Something is lacking: the filter would wait for it.
    Undecided,
}

/// Tries `request`.
pub(super) fn run(config: &Config, request: &Request, given: &Given, now: Timestamp) -> Trial {
    let mut request = request.clone();
    let mut steps = Steps(Vec::new());
    let line = [&request.method, &request.authority].map(|text| String::from_utf8_lossy(text));
    let [method, authority] = line;
    let line = format!(
        "{method} {} at {authority}",
        String::from_utf8_lossy(request.path())
    );
    for name in request.forget_headers(&config.own_headers) {
        let text = format!("{name} is removed: only the filter may set it");
        steps.note("header", text);
    }
    if !config.per_route_requirements && request.requirement_name.take().is_some() {
        let text = "is not looked at: per_route_requirements is not set";
        steps.note("requirement of the route", text);
    }
    if config.bypass_cors_preflight && request.is_cors_preflight() {
        steps.note("CORS preflight", "passes without a token");
    } else {
        steps.rules(config, &request, given, now);
    }
    let outcome = match given.with_means(|means| gate(config, &request, means, now)) {
        Decision::Wait(_) => Outcome::Undecided,
        Decision::Settled(Verdict::Pass) => Outcome::Admitted {
            verified: false,
            changes: Vec::new(),
        },
        Decision::Settled(Verdict::Admit(admission)) => Outcome::Admitted {
            verified: admission.verified,
            changes: changes(config, &admission),
        },
        Decision::Settled(Verdict::Deny(denial)) => refused(config, &request, &denial),
    };
    Trial {
        request: line,
        steps: steps.0,
        outcome,
    }
}

fn refused(config: &Config, request: &Request, denial: &Denial) -> Outcome {
    let realm = config.realm.as_ref().map(String::as_bytes);
    let answer = denial.answer(realm.unwrap_or(&request.authority), request.grpc);
    Outcome::Refused {
        reason: denial.reason,
        answer: if config.strip_failure_response {
            answer.stripped()
        } else {
            answer
        },
    }
}

/// What an admission changes. No part of a token is among it but claims that become headers or
/// filter state.
fn changes(config: &Config, admission: &Admission) -> Vec<String> {
    let mut changes = Vec::new();
    for change in &admission.headers {
        changes.push(match change {
            HeaderChange::Remove(name) => format!("removes the header {name}"),
            HeaderChange::Set(name, _) if name == ":path" => {
                "takes the token out of the query".to_owned()
            }
            HeaderChange::Set(name, _) if name == "cookie" => {
                "takes the token out of the cookies".to_owned()
            }
            HeaderChange::Set(name, value) => {
                let mut providers = config.providers.iter();
                let is_payload =
                    providers.any(|one| one.forwarding.payload_header.as_ref() == Some(name));
                if is_payload {
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
        changes.push("has the route chosen anew".to_owned());
    }
    changes
}

/// The steps so far.
struct Steps(Vec<Step>);

impl Steps {
    fn push(&mut self, depth: usize, topic: &str, good: Option<bool>, text: impl Into<String>) {
        self.0.push(Step {
            topic: topic.to_owned(),
            depth,
            good,
            text: text.into(),
        });
    }

    fn note(&mut self, topic: &str, text: impl Into<String>) {
        self.push(0, topic, None, text);
    }

    /// Which requirements the request falls under, up to the one that decides.
    fn rules(&mut self, config: &Config, request: &Request, given: &Given, now: Timestamp) {
        let decided = policy::decided(config, request, |requirement| {
            let place = self.place(config, request, requirement);
            let judged = Judged {
                config,
                request,
                given,
                now,
                places: &requirement.locations,
            };
            self.credentials(&judged, requirement);
            let decision = self.tree(&judged, &place, &requirement.tree, 0);
            if decision.stands(request) {
                return Some(());
            }
            let text = "may be another path to the upstream: nothing passes here without a token";
            self.push(0, "path", Some(false), text);
            None
        });
        match decided {
            Ok(Some(())) => return,
            Ok(None) => {}
            Err(_) => {
                let text = "names none of requirement_map";
                self.push(0, "requirement of the route", Some(false), text);
                return;
            }
        }
        let topic = "rules";
        if !policy::allows_unmatched(config) {
            self.push(0, topic, Some(false), "none is left for the request");
        } else if policy::is_ambiguous(request.path()) {
            self.push(
                0,
                topic,
                Some(false),
                "none is left, and the path is ambiguous",
            );
        } else {
            let text = "none is left, and unmatched_requests lets the request pass";
            self.push(0, topic, Some(true), text);
        }
    }

    /// Where `requirement` is in the configuration. Tells of the rules before it that are not for
    /// the request.
    fn place(&mut self, config: &Config, request: &Request, requirement: &Requirement) -> String {
        let Rules::Listed { rules, .. } = &config.rules else {
            return match request.requirement_name {
                Some(_) => "requirement of the route".to_owned(),
                None => "without rules".to_owned(),
            };
        };
        let rules = rules.all();
        let is_it = |requirement_of: &Requirement| std::ptr::eq(requirement_of, requirement);
        let Some(index) = rules.iter().position(|rule| is_it(&rule.requirement)) else {
            return "requirement of the route".to_owned();
        };
        let told = self
            .0
            .iter()
            .filter(|step| step.topic.starts_with("rules["));
        let told = told.filter(|step| step.depth == 0).count();
        for (index, rule) in rules.iter().enumerate().take(index).skip(told) {
            if !rule.matcher.matches(request) {
                self.note(&format!("rules[{index}]"), "is not for the request");
            }
        }
        format!("rules[{index}]")
    }

    /// The tokens that the request carries for `requirement`.
    fn credentials(&mut self, judged: &Judged<'_>, requirement: &Requirement) {
        if requirement.locations.is_empty() {
            return;
        }
        match credential::locate(judged.request, &requirement.locations) {
            Ok(found) if found.is_empty() => {
                let places = super::explain::places(&requirement.locations);
                self.note("token", format!("there is none: not in {places}"));
            }
            Ok(found) => {
                for credential in &found {
                    let place = super::explain::place(&credential.location);
                    self.note("token", format!("there is one in {place}"));
                    let evidence = Evidence::of_text(&credential.text);
                    self.note("token", evidence.describe());
                }
            }
            Err(reason) => {
                let text = super::explain::credential_problem(reason);
                self.push(0, "token", Some(false), text);
            }
        }
    }

    /// Judges a requirement and everything in it.
    fn tree(&mut self, judged: &Judged<'_>, topic: &str, tree: &Tree, depth: usize) -> Decision {
        let decision = judged.decide(tree);
        let (good, mut text) = match &decision {
            Decision::Wait(_) => (None, "cannot be told without what is not given".to_owned()),
            Decision::Settled(Verdict::Deny(denial)) => {
                (Some(false), format!("refused: {}", denial.reason.metric()))
            }
            Decision::Settled(Verdict::Admit(admission)) if admission.verified => {
                (Some(true), "fulfilled".to_owned())
            }
            Decision::Settled(_) => (Some(true), "passes without a good token".to_owned()),
        };
        if let Decision::Settled(Verdict::Deny(denial)) = &decision
            && let Some(detail) = judged.detail(tree, denial.reason)
        {
            text = format!("{text}: {detail}");
        }
        self.push(depth, topic, good, format!("needs {}: {text}", wants(tree)));
        let inner = depth.saturating_add(1);
        match &tree.kind {
            Kind::Any(trees, _) | Kind::All(trees) => {
                for (index, tree) in trees.iter().enumerate() {
                    self.tree(judged, &format!("[{index}]"), tree, inner);
                }
            }
            Kind::Provider(provider) => {
                for (topic, text) in judged.given.describe(provider) {
                    self.push(inner, topic, None, text);
                }
            }
            Kind::Nothing | Kind::ExtractOnly(_) => {}
        }
        decision
    }
}

/// A request before a requirement.
struct Judged<'r> {
    config: &'r Config,
    request: &'r Request<'r>,
    given: &'r Given,
    now: Timestamp,
    places: &'r [Rc<crate::config::Location>],
}

impl Judged<'_> {
    /// What a part of the requirement comes to for itself.
    fn decide(&self, tree: &Tree) -> Decision {
        let requirement = Requirement::new(tree.clone());
        let Self {
            config,
            request,
            now,
            ..
        } = *self;
        self.given
            .with_means(|means| judge(config, &requirement, request, means, now))
    }

    /// What exactly `reason` is about.
    fn detail(&self, tree: &Tree, reason: Reason) -> Option<String> {
        match (&tree.kind, reason) {
            (kind, Reason::Scope | Reason::Claims) if !tree.terms.is_empty() => {
                let found = credential::locate(self.request, self.places).ok()?;
                let mut evidence = Evidence::of_text(&found.first()?.text);
                if let Kind::Provider(provider) = kind {
                    evidence.hear(self.given.answer(provider));
                }
                Some(evidence.lacks(&tree.terms))
            }
            (Kind::Provider(provider), reason) => {
                let found = credential::locate(self.request, &provider.locations);
                let text = found.ok()?.first()?.text.clone();
                let mut evidence = Evidence::of_text(&text);
                evidence.hear(self.given.answer(provider));
                evidence.against(provider, reason, self.config.longest_token(), self.now)
            }
            _ => None,
        }
    }
}

/// What a requirement asks for, in words.
fn wants(tree: &Tree) -> String {
    let mut text = match &tree.kind {
        Kind::Nothing => "nothing".to_owned(),
        Kind::Provider(provider) => format!("a token of {}", provider.name),
        Kind::All(_) => "all of these".to_owned(),
        Kind::Any(_, Lenience::None) => "one of these".to_owned(),
        Kind::Any(_, Lenience::Missing) => "one of these, or no token".to_owned(),
        Kind::Any(_, Lenience::MissingOrFailed) => "one of these, or whatever".to_owned(),
        Kind::ExtractOnly(_) => "nothing, and passes claims on unverified".to_owned(),
    };
    let terms = &tree.terms;
    if !terms.scopes.is_empty() {
        let _ = write!(text, " with the scopes {}", terms.scopes.join(" "));
    }
    if !terms.any_scope.is_empty() {
        let _ = write!(text, " with a scope of {}", terms.any_scope.join(" "));
    }
    if !terms.claims.is_empty() {
        let names: Vec<String> = terms
            .claims
            .iter()
            .map(|term| term.path.to_string())
            .collect();
        let _ = write!(text, " with conditions on {}", names.join(", "));
    }
    text
}

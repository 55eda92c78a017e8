//! The steps of a decision.

use gate::credential::{self, Credential, Scheme};
use gate::decision::Decision;
use gate::policy::{Requirement, RequirementKind, RequirementNode, Rules, is_ambiguous};
use gate::reason::Reason;

use crate::inputs::Inputs;
use crate::inspected_token::InspectedToken;
use crate::proof_steps;
use crate::refusal::{text_too_long, unknown_requirement};
use crate::wording;

/// One step of a decision.
pub(crate) struct Step {
    /// What it is about.
    pub(crate) topic: String,
    /// Its depth in the requirement.
    pub(crate) depth: usize,
    /// Whether it is in favour of the request; `None` if it only informs.
    pub(crate) good: Option<bool>,
    /// What was found.
    pub(crate) text: String,
}

/// The steps of a decision, in order.
#[derive(Default)]
pub(crate) struct Steps {
    list: Vec<Step>,
    /// The number of rules that were examined.
    examined_rules: usize,
}

impl Steps {
    /// The steps so far.
    pub(crate) fn into_list(self) -> Vec<Step> {
        self.list
    }

    fn push(&mut self, depth: usize, topic: &str, good: Option<bool>, text: impl Into<String>) {
        self.list.push(Step {
            topic: topic.to_owned(),
            depth,
            good,
            text: text.into(),
        });
    }

    /// Adds a step that only informs.
    pub(crate) fn note(&mut self, topic: &str, text: impl Into<String>) {
        self.push(0, topic, None, text);
    }

    /// Adds a step that is against the request.
    pub(crate) fn refuse(&mut self, topic: &str, text: impl Into<String>) {
        self.push(0, topic, Some(false), text);
    }

    /// Examines the requirements that apply to the request, up to the one that decides.
    pub(crate) fn examine(&mut self, inputs: &Inputs<'_>) {
        let (policy, request) = (inputs.policy, inputs.request);
        let decided = policy.first_decision(request, |requirement| {
            let place = self.place(inputs, requirement);
            self.credentials(inputs, requirement);
            let decision = self.node(inputs, &place, &requirement.root, 0);
            if decision.is_final_for(request, requirement, policy) {
                return Some(());
            }
            let text = "is ambiguous: the upstream may take it for another one, so nothing passes \
                        here without a valid token";
            self.push(0, "path", Some(false), text);
            None
        });
        match decided {
            Ok(Some(())) => {}
            Ok(None) => self.no_rule(inputs),
            Err(reason) => {
                let (topic, text) = match &reason {
                    Reason::Requirement { name } => (ROUTE, unknown_requirement(name)),
                    Reason::TooLong { bytes, limit } => ("rules", text_too_long(*bytes, *limit)),
                    other => (ROUTE, other.kind().description().to_owned()),
                };
                self.refuse(topic, text);
            }
        }
    }

    fn no_rule(&mut self, inputs: &Inputs<'_>) {
        let (passes, text) = if !inputs.policy.allows_unmatched() {
            (false, "no rule applies")
        } else if is_ambiguous(inputs.request.path()) {
            (false, "no rule applies, and the path is ambiguous")
        } else {
            let text = "no rule applies, and unmatched_requests lets the request pass";
            (true, text)
        };
        self.push(0, "rules", Some(passes), text);
    }

    /// The place of `requirement` in the configuration. Notes the rules before it that do not match.
    fn place(&mut self, inputs: &Inputs<'_>, requirement: &Requirement) -> String {
        let Rules::Listed { rules, .. } = &inputs.policy.rules else {
            return match inputs.request.requirement_name {
                Some(_) => ROUTE.to_owned(),
                None => "without rules".to_owned(),
            };
        };
        let rules = rules.all();
        let mut requirements = rules.iter().map(|rule| &rule.requirement);
        let Some(index) = requirements.position(|one| std::ptr::eq(one, requirement)) else {
            return ROUTE.to_owned();
        };
        let before = rules.iter().enumerate().take(index);
        for (index, rule) in before.skip(self.examined_rules) {
            if rule.matcher.matches(inputs.request) == Ok(false) {
                self.note(&format!("rules[{index}]"), "does not match the request");
            }
        }
        self.examined_rules = index.saturating_add(1);
        format!("rules[{index}]")
    }

    /// Notes the tokens of the request for `requirement`.
    fn credentials(&mut self, inputs: &Inputs<'_>, requirement: &Requirement) {
        if requirement.locations.is_empty() {
            return;
        }
        let mut providers = requirement.providers.iter();
        let takes_dpop = providers.any(|one| inputs.policy.takes_dpop(one));
        match credential::locate(inputs.request, &requirement.locations, takes_dpop) {
            Ok(found) if found.is_empty() => {
                self.note("token", wording::searched(&requirement.locations));
            }
            Ok(found) => {
                for credential in &found {
                    let location = wording::location(&credential.location);
                    self.note("token", format!("found in {location}"));
                    self.note("token", InspectedToken::parse(&credential.text).describe());
                    self.proof(inputs, credential);
                }
            }
            Err(reason) => {
                self.push(0, "token", Some(false), reason.kind().description());
            }
        }
    }

    /// Notes the checks of the proof that a token with the scheme DPoP needs.
    fn proof(&mut self, inputs: &Inputs<'_>, credential: &Credential<'_>) {
        let dpop = inputs.policy.options.dpop.as_ref();
        if let (Some(dpop), Scheme::Dpop) = (dpop, credential.scheme) {
            for (good, text) in proof_steps::examine(dpop, inputs, &credential.text) {
                self.push(0, "proof", good, text);
            }
        }
    }

    /// Decides by `node` and each of its parts.
    fn node(
        &mut self,
        inputs: &Inputs<'_>,
        topic: &str,
        node: &RequirementNode,
        depth: usize,
    ) -> Decision {
        let decision = inputs.decide_by(node);
        let (good, result) = match &decision {
            Decision::Admit(admission) if admission.verified => {
                (Some(true), "fulfilled".to_owned())
            }
            Decision::Pass | Decision::Admit(_) => {
                (Some(true), "passes without a valid token".to_owned())
            }
            Decision::Deny(reason) => {
                let metric = reason.kind().metric();
                let text = match inputs.explain(node, reason) {
                    Some(detail) => format!("refused: {metric}: {detail}"),
                    None => format!("refused: {metric}"),
                };
                (Some(false), text)
            }
            Decision::Wait(_) => (None, "not decided: a file is not given".to_owned()),
        };
        let needs = wording::requirement(node);
        self.push(depth, topic, good, format!("needs {needs}: {result}"));
        let inner = depth.saturating_add(1);
        match &node.kind {
            RequirementKind::Any(nodes, _) | RequirementKind::All(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    self.node(inputs, &format!("[{index}]"), node, inner);
                }
            }
            RequirementKind::Provider(provider) => {
                for (topic, text) in inputs.given.describe(provider) {
                    self.push(inner, topic, None, text);
                }
            }
            RequirementKind::Nothing | RequirementKind::ExtractOnly(_) => {}
        }
        decision
    }
}

/// The topic of the requirement that the metadata of the route names.
pub(crate) const ROUTE: &str = "requirement of the route";

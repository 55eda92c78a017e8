//! The steps of a decision.

use gate::credential::{self, Credential, Scheme};
use gate::decision::Decision;
use gate::policy::{
    Requirement, RequirementKind, RequirementNode, RequirementPlace, Rule, TokenConditions,
    is_ambiguous,
};
use gate::reason::Reason;

use crate::inputs::Inputs;
use crate::inspected_token::InspectedToken;
use crate::mismatches::{self, ProviderMismatch, is_same_check};
use crate::proof_steps;
use crate::refusal::{text_too_long, unknown_requirement};
use crate::rule_words;
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
    /// The rules that were examined.
    rules: Vec<ExaminedRule>,
    /// The JSON path of the last requirement that was examined.
    requirement: Option<String>,
    /// The providers that were asked about a token, by name, each once.
    providers: Vec<String>,
    /// The checks that tokens fail, in the order of the requirement.
    mismatches: Vec<ProviderMismatch>,
}

/// A rule that was compared with a request.
pub(crate) struct ExaminedRule {
    /// Its place in the configuration.
    pub(crate) path: String,
    /// Whether it matches the request.
    pub(crate) matches: bool,
    /// The conditions of its match; if it does not match, those that the request does not fulfil.
    pub(crate) conditions: Vec<String>,
}

/// How a request was examined.
pub(crate) struct Examination {
    /// The steps.
    pub(crate) steps: Vec<Step>,
    /// The rules that were compared with the request.
    pub(crate) rules: Vec<ExaminedRule>,
    /// The JSON path of the requirement that decided; `None` if none applied, or there are no rules.
    pub(crate) requirement: Option<String>,
    /// The providers that were asked about a token, by name.
    pub(crate) providers: Vec<String>,
    /// The checks that tokens fail.
    pub(crate) mismatches: Vec<ProviderMismatch>,
}

impl Steps {
    /// What has been found.
    pub(crate) fn finish(self) -> Examination {
        Examination {
            steps: self.list,
            rules: self.rules,
            requirement: self.requirement,
            providers: self.providers,
            mismatches: self.mismatches,
        }
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
            self.requirement = policy.place(requirement).map(|place| place.to_string());
            self.credentials(inputs, requirement);
            let node = Examined {
                node: &requirement.root,
                outer: Vec::new(),
                depth: 0,
            };
            let decision = self.node(inputs, &place, node);
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
        self.requirement = None;
        self.skip_rules(inputs, inputs.policy.rules.listed());
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
        let index = match inputs.policy.place(requirement) {
            Some(RequirementPlace::Rule(index)) => index,
            Some(RequirementPlace::Named(_)) => return ROUTE.to_owned(),
            None => return "without rules".to_owned(),
        };
        let rules = inputs.policy.rules.listed();
        self.skip_rules(inputs, rules.get(..index).unwrap_or_default());
        let path = format!("rules[{index}]");
        let conditions = rules.get(index).map(|rule| rule_words::all(&rule.matcher));
        let conditions = conditions.unwrap_or_default();
        let text = format!("matches the request: it is for {}", conditions.join(", "));
        self.note(&path, text);
        self.rules.push(ExaminedRule {
            path: path.clone(),
            matches: true,
            conditions,
        });
        path
    }

    /// Notes those of `rules` that have not been examined yet and do not match. The others are examined by themselves.
    fn skip_rules(&mut self, inputs: &Inputs<'_>, rules: &[Rule]) {
        for (index, rule) in rules.iter().enumerate().skip(self.rules.len()) {
            let path = format!("rules[{index}]");
            let conditions = rule_words::unmet(&rule.matcher, inputs.request);
            let text = format!(
                "does not match the request: it is for {}",
                conditions.join(", ")
            );
            self.note(&path, text);
            self.rules.push(ExaminedRule {
                path,
                matches: false,
                conditions,
            });
        }
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

    /// Decides by a node and each of its parts.
    fn node(&mut self, inputs: &Inputs<'_>, topic: &str, examined: Examined<'_>) -> Decision {
        let Examined { node, outer, depth } = examined;
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
        self.note_mismatches(inputs, node, &outer, &decision, inner);
        match &node.kind {
            RequirementKind::Any(nodes, _) | RequirementKind::All(nodes) => {
                for (index, part) in nodes.iter().enumerate() {
                    let part = Examined {
                        node: part,
                        outer: [&[&node.conditions][..], &outer].concat(),
                        depth: inner,
                    };
                    self.node(inputs, &format!("[{index}]"), part);
                }
            }
            RequirementKind::Provider(provider) => {
                if !self.providers.contains(&provider.name) {
                    self.providers.push(provider.name.clone());
                }
                for (topic, text) in inputs.given.describe(provider) {
                    self.push(inner, topic, None, text);
                }
            }
            RequirementKind::Nothing | RequirementKind::ExtractOnly(_) => {}
        }
        decision
    }

    /// Notes the other checks that the token fails, where the filter stops at the first.
    fn note_mismatches(
        &mut self,
        inputs: &Inputs<'_>,
        node: &RequirementNode,
        outer: &[&TokenConditions],
        decision: &Decision,
        depth: usize,
    ) {
        let reason = match decision {
            Decision::Deny(reason) => Some(reason),
            Decision::Wait(_) => None,
            Decision::Pass | Decision::Admit(_) => return,
        };
        for mismatch in mismatches::all(inputs, node, outer, reason) {
            if reason.is_none_or(|reason| !is_same_check(reason, &mismatch.reason)) {
                let metric = mismatch.reason.kind().metric();
                let text = format!("{metric}: {}", mismatch.text);
                self.push(depth, "also", Some(false), text);
            }
            self.mismatches.push(mismatch);
        }
    }
}

/// A node of a requirement that is examined.
struct Examined<'n> {
    node: &'n RequirementNode,
    /// The conditions of the nodes around it, the nearest first.
    outer: Vec<&'n TokenConditions>,
    /// Its depth in the requirement.
    depth: usize,
}

/// The topic of the requirement that the metadata of the route names.
pub(crate) const ROUTE: &str = "requirement of the route";

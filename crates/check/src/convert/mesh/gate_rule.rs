//! Rules of the gate, made from rules of a mesh of which several may match one request.

use super::notes::{Members, Notes};
use super::overlap::cells;
use super::request_match::RequestMatch;
use super::tokens::Tokens;
use crate::convert::new_value::NewValue;

/// A rule of the gate.
#[derive(Clone, Debug)]
pub(super) struct GateRule {
    pub(super) request: RequestMatch,
    pub(super) tokens: Tokens,
    /// What the operator has to know about it.
    pub(super) reviews: Vec<String>,
}

impl GateRule {
    /// The rules for requests that `matches` tell apart. `decide` says what is good enough for requests of which these
    /// are all that is known; `None` leaves them to the rules after it. Returns `None` if the matches overlap in too
    /// many ways.
    pub(super) fn all(
        matches: impl IntoIterator<Item = RequestMatch>,
        mut decide: impl FnMut(&RequestMatch) -> Option<(Tokens, Vec<String>)>,
    ) -> Option<Vec<Self>> {
        let cells = cells(matches)?;
        let rules = cells.into_iter().filter_map(|request| {
            let (tokens, reviews) = decide(&request)?;
            Some(Self {
                request,
                tokens,
                reviews,
            })
        });
        Some(without_repetitions(&rules.collect::<Vec<Self>>()))
    }

    /// Writes the rule. If the policy `is_open`, a request that needs no token passes even with a bad one.
    pub(super) fn to_value(
        &self,
        notes: &mut Notes,
        path: &str,
        providers: &[String],
        is_open: bool,
    ) -> NewValue {
        let mut members = Members::new();
        for review in &self.reviews {
            notes.review(&mut members, path, review);
        }
        members.push(("match".to_owned(), self.request.to_value()));
        let requirement = self.tokens.to_requirement(providers, is_open);
        members.push(("requires".to_owned(), requirement));
        NewValue::Map(members)
    }
}

/// Leaves out each rule that the next one that may match its requests repeats.
fn without_repetitions(rules: &[GateRule]) -> Vec<GateRule> {
    let is_repeated = |index: usize, rule: &GateRule| {
        let later = rules.iter().skip(index.saturating_add(1));
        let mut overlapping = later.filter(|later| later.request.and(&rule.request).is_some());
        overlapping.next().is_some_and(|next| {
            let is_same = next.tokens == rule.tokens && next.reviews == rule.reviews;
            is_same && next.request.covers(&rule.request)
        })
    };
    let kept = rules.iter().enumerate();
    let kept = kept.filter(|(index, rule)| !is_repeated(*index, rule));
    kept.map(|(_, rule)| rule.clone()).collect()
}

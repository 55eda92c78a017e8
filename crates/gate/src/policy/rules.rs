//! Rules: which requirement applies to a request.

use super::enforcement::Enforcement;
use super::index::Index;
use super::matcher::Matcher;
use super::pattern::TextTooLong;
use super::requirement::Requirement;
use crate::request::Request;

/// Which requirement applies to a request.
#[derive(Debug)]
pub enum Rules {
    /// There are no rules: every request needs a token of any provider.
    AnyProvider(Requirement),
    /// The first matching rule decides.
    Listed {
        /// The rules.
        rules: RuleList,
        /// Whether a request passes that no rule matches.
        allow_unmatched: bool,
    },
}

impl Rules {
    /// The rules in the order of the configuration.
    #[must_use]
    pub fn listed(&self) -> &[Rule] {
        match self {
            Self::AnyProvider(_) => &[],
            Self::Listed { rules, .. } => rules.all(),
        }
    }
}

/// A rule: what matching requests need.
#[derive(Debug)]
pub struct Rule {
    /// Which requests.
    pub matcher: Matcher,
    /// What they need.
    pub requirement: Requirement,
    /// What follows from refusals.
    pub enforcement: Enforcement,
}

/// Rules in the order of the configuration, indexed by the path of a request.
#[derive(Debug)]
pub struct RuleList {
    rules: Vec<Rule>,
    index: Index,
}

impl RuleList {
    /// Indexes `rules`.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let index = Index::new(rules.iter().map(|rule| rule.matcher.stem()));
        Self { rules, index }
    }

    /// All rules.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that match `request`, in order. The cost depends on how many rules share a prefix
    /// with the path, hardly on how many rules there are. An error stands for a rule that matches or
    /// not, which is not known.
    pub fn matching<'l>(
        &'l self,
        request: &Request,
    ) -> impl Iterator<Item = Result<&'l Rule, TextTooLong>> {
        let candidates = self.index.candidates(request.path());
        candidates
            .filter_map(|position| self.rules.get(position))
            .filter_map(|rule| match rule.matcher.matches(request) {
                Ok(matches) => matches.then_some(Ok(rule)),
                Err(too_long) => Some(Err(too_long)),
            })
    }
}

//! How often each outcome occurred.

use std::collections::BTreeMap;
use std::fmt;

use gate::reason::ReasonKind;

use crate::comparison::Outcome;

/// The reasons that the model does not know: the generated configurations have neither `payload_in_metadata` nor
/// `end_streams_with_token`.
const UNKNOWN: [ReasonKind; 2] = [ReasonKind::PayloadTooLarge, ReasonKind::TooManyStreams];

/// How often each outcome occurred.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Requests.
    pub cases: u64,
    /// Configurations.
    pub configurations: u64,
    /// Generated configurations that the filter refuses.
    pub refused_configurations: u64,
    outcomes: BTreeMap<Outcome, u64>,
}

impl Tally {
    pub(crate) fn count(&mut self, outcome: Outcome) {
        self.cases += 1;
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.configurations += other.configurations;
        self.refused_configurations += other.refused_configurations;
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(outcome.clone()).or_default() += count;
        }
    }

    /// The reasons that the model knows and for which nothing was refused.
    #[must_use]
    pub fn unseen_reasons(&self) -> Vec<ReasonKind> {
        let all = ReasonKind::ALL.iter().copied();
        let known = all.filter(|kind| !UNKNOWN.contains(kind));
        known
            .filter(|kind| !self.outcomes.contains_key(&Outcome::Refused(*kind)))
            .collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} cases with {} configurations ({} more that the filter refuses)",
            self.cases, self.configurations, self.refused_configurations
        )?;
        for (outcome, count) in &self.outcomes {
            let name = match outcome {
                Outcome::Passed => "passed without a token".to_owned(),
                Outcome::Admitted(1) => "admitted with one token".to_owned(),
                Outcome::Admitted(tokens) => format!("admitted with {tokens} tokens"),
                Outcome::Extracted => "passed with a token that nobody verified".to_owned(),
                Outcome::Reported(kind) => format!("passed, reported as {kind:?}"),
                Outcome::Refused(kind) => format!("{} {kind:?}", kind.status()),
            };
            writeln!(f, "{count:>9}  {name}")?;
        }
        Ok(())
    }
}

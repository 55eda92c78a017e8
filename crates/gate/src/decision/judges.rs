//! Which provider a refusal comes from.

use std::cell::Cell;

use super::requirement::ProviderResult;
use super::unfulfilled::Unfulfilled;
use crate::policy::Provider;
use crate::reason::ReasonKind;

/// The providers that have judged the tokens of a request.
#[derive(Debug, Default)]
pub(super) struct Judges {
    /// The latest reason that a provider refused a token for, and the provider.
    refused: Cell<Option<(ReasonKind, usize)>>,
    /// The last provider that accepted a token.
    accepted: Cell<Option<usize>>,
}

impl Judges {
    /// Notes what `provider` said.
    pub(super) fn note(&self, provider: &Provider, result: &ProviderResult) {
        match result {
            Ok(_) => self.accepted.set(Some(provider.index)),
            Err(Unfulfilled::Refused(reason)) => {
                let kind = reason.kind();
                if self.refused.get().is_none_or(|(known, _)| known < kind) {
                    self.refused.set(Some((kind, provider.index)));
                }
            }
            Err(Unfulfilled::Wait(_)) => {}
        }
    }

    /// The index of the provider that a refusal for `reason` comes from. If no provider refused a token for
    /// that, the conditions on an accepted token did.
    pub(super) fn author(&self, reason: ReasonKind) -> Option<usize> {
        let refused = self.refused.get().filter(|(known, _)| *known == reason);
        let refused = refused.map(|(_, provider)| provider);
        refused.or(self.accepted.get())
    }
}

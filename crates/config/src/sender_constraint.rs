//! Which tokens must be bound to their sender.

use gate::policy::SenderConstraint;
use serde::Deserialize;

#[derive(Clone, Copy, Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "SenderConstraint")
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SenderConstraintWire {
    WhenPresent,
    Required,
    Certificate,
    Dpop,
    Ignore,
}

impl From<SenderConstraintWire> for SenderConstraint {
    fn from(wire: SenderConstraintWire) -> Self {
        match wire {
            SenderConstraintWire::WhenPresent => Self::WhenPresent,
            SenderConstraintWire::Required => Self::Required,
            SenderConstraintWire::Certificate => Self::Certificate,
            SenderConstraintWire::Dpop => Self::Dpop,
            SenderConstraintWire::Ignore => Self::Ignore,
        }
    }
}

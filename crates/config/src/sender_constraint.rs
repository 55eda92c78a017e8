//! Which tokens must be bound to their sender.

use gate::policy::SenderConstraint;

use super::choice::choice;

choice! {
    pub(crate) enum SenderConstraintWire("SenderConstraint") {
        WhenPresent = "when_present",
        Required = "required",
        Certificate = "certificate",
        Dpop = "dpop",
        Ignore = "ignore",
    }
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

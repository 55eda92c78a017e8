//! Whether the sender of a request is the one that its token is bound to.

use crate::confirmation::{Confirmation, MalformedConfirmation};
use crate::policy::{Provider, SenderConstraint};
use crate::reason::Reason;

/// A `cnf`, if there is one.
type Claimed = Option<Result<Confirmation, MalformedConfirmation>>;

/// Checks that the sender has proven whatever the token is bound to, according to itself and to what the
/// authorization server says about it, as `provider` asks for.
///
/// # Errors
///
/// [`Reason::ClaimType`] for a malformed `cnf`; [`Reason::Unbound`] if the token is bound to nothing, or
/// not to what the provider asks for; [`Reason::SenderConstraint`] if it is bound to something that is not
/// proven.
pub(super) fn check(provider: &Provider, token: Claimed, response: Claimed) -> Result<(), Reason> {
    let constraint = provider.sender_constraint;
    if constraint == SenderConstraint::Ignore {
        return Ok(());
    }
    let Some(confirmation) = confirmation(token, response)? else {
        return match constraint {
            SenderConstraint::WhenPresent | SenderConstraint::Ignore => Ok(()),
            _ => Err(Reason::Unbound),
        };
    };
    let lacks = match constraint {
        SenderConstraint::Certificate => confirmation.certificate.is_none(),
        SenderConstraint::Dpop => confirmation.key.is_none(),
        _ => false,
    };
    if lacks && confirmation.is_known() {
        return Err(Reason::Unbound);
    }
    // To accept a bound token from anyone who presents it would undo the binding.
    Err(Reason::SenderConstraint)
}

/// What a token is bound to. If both the token and the response say so, they must agree.
fn confirmation(token: Claimed, response: Claimed) -> Result<Option<Confirmation>, Reason> {
    let parsed = |claim: Claimed| claim.transpose().map_err(|_| Reason::ClaimType);
    match (parsed(token)?, parsed(response)?) {
        (Some(token), Some(response)) if token != response => Err(Reason::SenderConstraint),
        (token, response) => Ok(token.or(response)),
    }
}

//! Whether a token has been revoked.

use super::context::Context;
use super::unfulfilled::Unfulfilled;
use super::wait::{Dependency, RETRY_AFTER, Wait};
use crate::fetching::Availability;
use crate::policy::{OnUnavailable, Provider};
use crate::reason::Reason;
use crate::revocation::RevocationList;

/// Checks a token against the revocation list of `provider`, if it has one.
///
/// # Errors
///
/// [`Reason::Revoked`] if `revokes` says so, or that the list is unavailable.
pub(super) fn check(
    provider: &Provider,
    context: &Context<'_>,
    revokes: impl FnOnce(&RevocationList) -> bool,
) -> Result<(), Unfulfilled> {
    let Some(source) = &provider.revocation else {
        return Ok(());
    };
    let unavailable = |retry_after| Reason::RevocationUnavailable { retry_after };
    match context.resources.revocations(provider) {
        Availability::Ready { value: list, .. } if revokes(&list) => Err(Reason::Revoked.into()),
        Availability::Ready { .. } => Ok(()),
        Availability::Pending => {
            let on = Dependency::Revocations(provider.index);
            let timeout = source.remote.policy.timeout;
            Err(Wait::new(on, timeout, unavailable(RETRY_AFTER)).into())
        }
        Availability::Unavailable { .. } if source.on_unavailable == OnUnavailable::Allow => Ok(()),
        Availability::Unavailable { retry_after } => Err(unavailable(retry_after).into()),
    }
}

//! A token that an authorization server is asked about, and what a provider says of it then.

use std::rc::Rc;

use super::Means;
use super::presented::revoked;
use crate::policy::{IntrospectedTokens, IntrospectionEndpoint, KeySource, Provider};
use crate::denial::{Denial, Reason};
use crate::introspection::{Introspected, Standing};
use super::requirement::{Opinion, Wait};
use crate::revocation::RevocationList;
use crate::time::Timestamp;

/// Whether it is for the authorization server alone to judge the token `text`.
pub(super) fn is_asked_about(
    provider: &Provider,
    introspection: &IntrospectionEndpoint,
    text: &str,
) -> bool {
    let is_jwt = text.split('.').count() == 3;
    match introspection.tokens {
        IntrospectedTokens::Opaque => !is_jwt,
        IntrospectedTokens::All => !is_jwt || matches!(provider.keys, KeySource::None),
    }
}

/// What is said of the token `text`, if `provider` accepts it for that.
///
/// # Errors
///
/// Why it does not, or not yet.
pub(super) fn introspected(
    provider: &Provider,
    introspection: &IntrospectionEndpoint,
    text: &str,
    means: Means<'_>,
    now: Timestamp,
) -> Result<Rc<Introspected>, Opinion> {
    let answer = match (means.introspection)(provider, text) {
        Standing::Active(answer) => answer,
        Standing::Inactive => return Err(Reason::Inactive.into()),
        Standing::Pending => {
            // A request that has waited for keys may have used up the time for that.
            let keys = match &provider.keys {
                KeySource::Remote(jwks) => jwks.policy.timeout,
                KeySource::Local(_) | KeySource::None => std::time::Duration::ZERO,
            };
            let at_most = introspection.timeout.saturating_add(keys);
            return Err(Opinion::Wait(Wait {
                at_most,
                otherwise: Reason::IntrospectionUnavailable,
            }));
        }
        Standing::Unavailable { retry_after } => {
            let reason = Reason::IntrospectionUnavailable;
            let denial = Denial {
                retry_after: Some(retry_after),
                ..reason.into()
            };
            return Err(denial.into());
        }
    };
    if !answer.is_access_token {
        return Err(Reason::Type.into());
    }
    if let Err(reason) = provider.check_introspected_claims(&answer.claims, now) {
        return Err(reason.into());
    }
    let revokes =
        |list: &RevocationList| list.revokes_claims(&answer.payload, answer.claims.issued_at);
    if let Some(objection) = revoked(provider, revokes, means) {
        return Err(objection);
    }
    // Accepting a bound token from whoever holds it would undo the binding.
    if answer.claims.sender_constrained {
        return Err(Reason::SenderConstraint.into());
    }
    Ok(answer)
}

//! Whether a provider accepts a token that its authorization server introspects (RFC 7662).

use std::rc::Rc;
use std::time::Duration;

use super::context::Context;
use super::revoked;
use super::unfulfilled::Unfulfilled;
use super::wait::{Dependency, RETRY_AFTER, Wait};
use crate::introspection::{IntrospectionResponse, TokenStatus};
use crate::policy::{AudienceCondition, IntrospectionEndpoint, KeySource, Provider};
use crate::reason::Reason;
use crate::time::Timestamp;

/// Checks that the token `text` is active and that `provider` accepts what the response says about it.
///
/// # Errors
///
/// Why it does not, or not yet.
pub(super) fn check(
    provider: &Provider,
    endpoint: &IntrospectionEndpoint,
    text: &str,
    audience: &AudienceCondition<'_>,
    context: &Context<'_>,
    now: Timestamp,
) -> Result<Rc<IntrospectionResponse>, Unfulfilled> {
    let response = match context.resources.introspection(provider, text) {
        TokenStatus::Active(response) => response,
        TokenStatus::Inactive => return Err(Reason::Inactive.into()),
        TokenStatus::Pending => return Err(wait(provider, endpoint, text).into()),
        TokenStatus::Unavailable { retry_after } => {
            return Err(Reason::IntrospectionUnavailable { retry_after }.into());
        }
    };
    if !response.is_access_token {
        let typ = response.payload.get("token_type");
        let typ = typ.and_then(|typ| typ.as_str()).map(str::to_owned);
        return Err(Reason::Type { typ }.into());
    }
    provider.check_introspected_claims(&response.claims, &response.payload, now)?;
    audience.check(&response.claims)?;
    revoked::check(provider, context, |list| {
        list.revokes_claims(&response.payload, response.claims.issued_at)
    })?;
    Ok(response)
}

fn wait(provider: &Provider, endpoint: &IntrospectionEndpoint, text: &str) -> Wait {
    let on = Dependency::Introspection {
        provider: provider.index,
        token: text.into(),
    };
    // The request may have waited for keys before.
    let for_keys = match &provider.keys {
        KeySource::Remote(remote) => remote.policy.timeout,
        KeySource::Local(_) | KeySource::None => Duration::ZERO,
    };
    let timeout = endpoint.timeout.saturating_add(for_keys);
    let retry_after = RETRY_AFTER;
    Wait::new(
        on,
        timeout,
        Reason::IntrospectionUnavailable { retry_after },
    )
}

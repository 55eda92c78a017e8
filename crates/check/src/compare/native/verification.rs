//! How `jwt_authn` judges a request by a requirement.

use gate::time::Timestamp;

use super::claim_header;
use super::extraction::{Extracted, extract};
use super::provider::NativeProvider;
use super::requirement::NativeRequirement;
use super::status::NativeStatus;
use super::token::NativeToken;
use crate::compare::header_list::HeaderList;

/// One verification.
pub(super) struct Verification<'v> {
    pub(super) providers: &'v [NativeProvider],
    pub(super) now: Timestamp,
}

/// What a part of a requirement puts up with.
#[derive(Clone, Copy)]
struct Leniency {
    missing: bool,
    failed: bool,
}

impl Verification<'_> {
    /// Judges the request with these headers, which become those of the upstream request.
    pub(super) fn run(
        &self,
        requirement: &NativeRequirement,
        headers: &mut HeaderList,
    ) -> NativeStatus {
        let lenient = |missing, failed| Leniency { missing, failed };
        match requirement {
            NativeRequirement::Open => NativeStatus::Ok,
            NativeRequirement::Provider { name, audiences } => {
                let mut providers = self.providers.iter();
                let Some(provider) = providers.find(|provider| provider.name == *name) else {
                    return NativeStatus::UnknownIssuer;
                };
                let tokens = extract(&[provider], headers);
                let accept =
                    |token: &NativeToken| (provider, token.verify(provider, audiences, self.now));
                judge(tokens, headers, lenient(false, false), &accept)
            }
            NativeRequirement::AllowMissing => self.by_issuer(headers, lenient(true, false)),
            NativeRequirement::AllowMissingOrFailed => self.by_issuer(headers, lenient(true, true)),
            NativeRequirement::ExtractOnly { header } => {
                let status = self.by_issuer(headers, lenient(false, false));
                if !matches!(status, NativeStatus::Ok | NativeStatus::Missing) {
                    headers.set(header, "false");
                }
                NativeStatus::Ok
            }
            NativeRequirement::All(parts) => {
                for part in parts {
                    let status = self.run(part, headers);
                    if status != NativeStatus::Ok {
                        return status;
                    }
                }
                NativeStatus::Ok
            }
            NativeRequirement::Any {
                parts,
                allows_missing,
                allows_failed,
            } => {
                let mut result = NativeStatus::Missing;
                for part in parts {
                    let status = self.run(part, headers);
                    let is_vague =
                        matches!(status, NativeStatus::Missing | NativeStatus::UnknownIssuer);
                    if status == NativeStatus::Ok {
                        return status;
                    }
                    if !is_vague || result == NativeStatus::Missing {
                        result = status;
                    }
                }
                if *allows_failed || (*allows_missing && result == NativeStatus::Missing) {
                    NativeStatus::Ok
                } else {
                    result
                }
            }
        }
    }

    /// Judges the tokens at the places of all providers, each by the provider of its issuer.
    fn by_issuer(&self, headers: &mut HeaderList, leniency: Leniency) -> NativeStatus {
        let all: Vec<&NativeProvider> = self.providers.iter().collect();
        let tokens = extract(&all, headers);
        let Some(first) = self.providers.first() else {
            return NativeStatus::Missing;
        };
        let accept = |token: &NativeToken| {
            let of_issuer = |issuer: &str| self.providers.iter().find(|one| one.issuer == issuer);
            let found = of_issuer(token.issuer()).or_else(|| of_issuer(""));
            found.map_or((first, NativeStatus::UnknownIssuer), |provider| {
                (provider, token.verify(provider, &[], self.now))
            })
        };
        judge(tokens, headers, leniency, &accept)
    }
}

/// Judges tokens, the last one first. All must be good.
fn judge<'p>(
    tokens: Vec<Extracted>,
    headers: &mut HeaderList,
    leniency: Leniency,
    accept: &dyn Fn(&NativeToken) -> (&'p NativeProvider, NativeStatus),
) -> NativeStatus {
    let mut status = NativeStatus::Missing;
    for extracted in tokens.into_iter().rev() {
        status = match NativeToken::parse(&extracted.token) {
            Err(status) => status,
            Ok(token) if !extracted.allows(token.issuer()) => NativeStatus::UnknownIssuer,
            Ok(token) => {
                let (provider, status) = accept(&token);
                if status == NativeStatus::Ok {
                    forward(&token, provider, headers);
                    if !provider.forward {
                        extracted.remove_from(headers);
                    }
                }
                status
            }
        };
        if status != NativeStatus::Ok && !leniency.missing && !leniency.failed {
            break;
        }
    }
    if leniency.failed || (leniency.missing && status == NativeStatus::Missing) {
        NativeStatus::Ok
    } else {
        status
    }
}

/// Writes what the upstream gets of a token.
fn forward(token: &NativeToken, provider: &NativeProvider, headers: &mut HeaderList) {
    if !provider.payload_header.is_empty() {
        let mut payload = token.payload.clone();
        if provider.pads_payload {
            while !payload.len().is_multiple_of(4) {
                payload.push('=');
            }
        }
        headers.add(&provider.payload_header, &payload);
    }
    for (header, claim) in &provider.claim_headers {
        if let Some(value) = claim_header::value(&token.claims, claim) {
            headers.add(header, &value);
        }
    }
}

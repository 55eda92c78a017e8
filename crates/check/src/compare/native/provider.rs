//! A provider of `jwt_authn`.

use std::rc::Rc;
use std::time::Duration;

use gate::policy::StringMatcher;
use serde_json::Value;

use super::envoy_matchers;
use super::fields::{duration, flag, get, list, number, text, texts};
use crate::compare::provider_key::ProviderKey;

/// The clock skew where nothing else is said, or 0.
const DEFAULT_SKEW: u64 = 60;

/// A provider of `jwt_authn`.
pub(crate) struct NativeProvider {
    pub(crate) name: String,
    /// Empty accepts any issuer.
    pub(crate) issuer: String,
    /// Empty accepts any audience.
    pub(crate) audiences: Vec<String>,
    pub(super) subjects: Option<StringMatcher>,
    /// Names in lower case, and what the value contains before the token.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) parameters: Vec<String>,
    pub(crate) cookies: Vec<String>,
    pub(super) forward: bool,
    /// In lower case; empty if there is none.
    pub(super) payload_header: String,
    pub(super) pads_payload: bool,
    /// Headers, in lower case, and paths of claims.
    pub(crate) claim_headers: Vec<(String, String)>,
    pub(super) clock_skew: Duration,
    pub(super) needs_expiration: bool,
    pub(super) max_lifetime: Option<Duration>,
    pub(super) key: Option<Rc<ProviderKey>>,
}

impl NativeProvider {
    /// Reads the provider `name`, whose keys are replaced by `key`.
    ///
    /// # Errors
    ///
    /// That its `subjects` cannot be read.
    pub(super) fn parse(
        name: &str,
        json: &Value,
        key: Option<Rc<ProviderKey>>,
    ) -> Result<Self, String> {
        let mut headers: Vec<(String, String)> = list(json, "from_headers")
            .into_iter()
            .map(|one| (lower(one, "name"), text(one, "value_prefix")))
            .collect();
        let mut parameters = texts(json, "from_params");
        let cookies = texts(json, "from_cookies");
        if headers.is_empty() && parameters.is_empty() && cookies.is_empty() {
            headers.push(("authorization".to_owned(), "Bearer ".to_owned()));
            parameters.push("access_token".to_owned());
        }
        let claim_headers = list(json, "claim_to_headers").into_iter();
        let subjects = get(json, "subjects").map(envoy_matchers::subjects);
        let skew = match number(json, "clock_skew_seconds") {
            0 => DEFAULT_SKEW,
            seconds => seconds,
        };
        Ok(Self {
            name: name.to_owned(),
            issuer: text(json, "issuer"),
            audiences: texts(json, "audiences"),
            subjects: subjects.transpose()?.flatten(),
            headers,
            parameters,
            cookies,
            forward: flag(json, "forward"),
            payload_header: lower(json, "forward_payload_header"),
            pads_payload: flag(json, "pad_forward_payload_header"),
            claim_headers: claim_headers
                .map(|one| (lower(one, "header_name"), text(one, "claim_name")))
                .collect(),
            clock_skew: Duration::from_secs(skew),
            needs_expiration: flag(json, "require_expiration"),
            max_lifetime: duration(json, "max_lifetime"),
            key,
        })
    }

    /// The headers that it sets, and that clients may not send.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = &str> {
        let payload = (!self.payload_header.is_empty()).then_some(self.payload_header.as_str());
        let claims = self.claim_headers.iter().map(|(header, _)| header.as_str());
        payload.into_iter().chain(claims)
    }
}

fn lower(message: &Value, name: &str) -> String {
    text(message, name).to_ascii_lowercase()
}

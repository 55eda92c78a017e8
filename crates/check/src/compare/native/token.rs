//! A token, as `jwt_authn` reads it.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gate::time::Timestamp;
use gate::verify::Algorithm;
use serde_json::{Map, Value};

use super::provider::NativeProvider;
use super::status::NativeStatus;

/// Base64url as `jwt_authn` decodes it: with or without padding, whatever the unused bits are.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The length of an ES256 signature, the only one of ECDSA here.
const SIGNATURE_BYTES: usize = 64;

/// A token in the form that RFC 7519 gives it.
pub(super) struct NativeToken {
    algorithm: String,
    kid: String,
    pub(super) claims: Map<String, Value>,
    /// The payload as it is in the token.
    pub(super) payload: String,
    signed: String,
    signature: Vec<u8>,
}

impl NativeToken {
    /// Reads a token.
    ///
    /// # Errors
    ///
    /// That it is malformed.
    pub(super) fn parse(text: &str) -> Result<Self, NativeStatus> {
        let malformed = || NativeStatus::Malformed;
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            return Err(malformed());
        };
        let object = |part: &str| {
            let bytes = decoded(part)?;
            match serde_json::from_slice(&bytes).ok()? {
                Value::Object(members) => Some(members),
                _ => None,
            }
        };
        let members = object(header).ok_or_else(malformed)?;
        let algorithm = members.get("alg").and_then(Value::as_str);
        let algorithm =
            algorithm.filter(|name| Algorithm::ALL.iter().any(|(known, _)| known == name));
        let kid = members.get("kid").map_or(Some(""), Value::as_str);
        let claims = object(payload).ok_or_else(malformed)?;
        let well_typed = ["iss", "sub", "jti"]
            .iter()
            .all(|name| claims.get(*name).is_none_or(Value::is_string))
            && ["iat", "nbf", "exp"]
                .iter()
                .all(|name| claims.get(*name).is_none_or(is_time));
        let signature = decoded(signature).ok_or_else(malformed)?;
        match (algorithm, kid) {
            (Some(algorithm), Some(kid)) if well_typed => Ok(Self {
                algorithm: algorithm.to_owned(),
                kid: kid.to_owned(),
                payload: (*payload).to_owned(),
                signed: format!("{header}.{payload}"),
                claims,
                signature,
            }),
            _ => Err(malformed()),
        }
    }

    pub(super) fn issuer(&self) -> &str {
        self.text("iss")
    }

    fn text(&self, name: &str) -> &str {
        let value = self.claims.get(name).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    /// A time; 0 if there is none.
    fn time(&self, name: &str) -> u64 {
        let seconds = self.claims.get(name).and_then(Value::as_f64);
        let date = seconds.and_then(serde_json::Number::from_f64);
        let time = date.map(|date| Timestamp::from_numeric_date(&date));
        time.map_or(0, |time| time.unix_millis().div_euclid(1000))
    }

    /// Whether `provider` accepts the token, with `audiences` in place of its own if there are any.
    pub(super) fn verify(
        &self,
        provider: &NativeProvider,
        audiences: &[String],
        now: Timestamp,
    ) -> NativeStatus {
        let now = now.unix_millis().div_euclid(1000);
        let skew = provider.clock_skew.as_secs();
        let (expires, begins) = (self.time("exp"), self.time("nbf"));
        if begins > now.saturating_add(skew) {
            return NativeStatus::NotYetValid;
        }
        if expires > 0 && now > expires.saturating_add(skew) {
            return NativeStatus::Expired;
        }
        let subject = self.text("sub").as_bytes();
        let matches = provider.subjects.as_ref();
        if matches.is_some_and(|matcher| !matcher.matches(subject).unwrap_or(false)) {
            return NativeStatus::SubjectOrLifetime;
        }
        let left = expires.saturating_sub(now);
        let too_long = provider
            .max_lifetime
            .is_some_and(|most| left >= most.as_secs());
        let needs_expiration = provider.needs_expiration || provider.max_lifetime.is_some();
        if too_long || (needs_expiration && expires == 0) {
            return NativeStatus::SubjectOrLifetime;
        }
        let wanted = if audiences.is_empty() {
            &provider.audiences
        } else {
            audiences
        };
        if !self.has_audience(wanted) {
            return NativeStatus::AudienceNotAllowed;
        }
        self.verify_signature(provider)
    }

    fn has_audience(&self, wanted: &[String]) -> bool {
        let given: Vec<&str> = match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut wanted_names = wanted.iter().map(|name| without_scheme(name));
        wanted.is_empty()
            || wanted_names.any(|name| given.iter().any(|one| without_scheme(one) == name))
    }

    fn verify_signature(&self, provider: &NativeProvider) -> NativeStatus {
        let Some(key) = &provider.key else {
            return NativeStatus::NoKey;
        };
        let is_named = self.kid.is_empty() || self.kid == key.kid;
        if !is_named || self.algorithm != key.pair.algorithm().name() {
            return NativeStatus::NoKey;
        }
        // It does not look at bytes behind the two numbers of an ECDSA signature.
        let numbers = self.signature.get(..SIGNATURE_BYTES);
        let numbers = numbers.filter(|_| matches!(key.pair.algorithm(), Algorithm::Es(_)));
        let signature = numbers.unwrap_or(&self.signature);
        if key.pair.verifies(self.signed.as_bytes(), signature) {
            NativeStatus::Ok
        } else {
            NativeStatus::BadSignature
        }
    }
}

/// White space counts for nothing.
fn decoded(part: &str) -> Option<Vec<u8>> {
    let text: String = part.split_ascii_whitespace().collect();
    BASE64URL.decode(text).ok()
}

fn is_time(value: &Value) -> bool {
    value.as_f64().is_some_and(|seconds| seconds >= 0.0)
}

/// An audience as it is compared: without `http://`, `https://` and a slash at the end.
fn without_scheme(audience: &str) -> &str {
    let rest = audience.strip_prefix("https://");
    let rest = rest.or_else(|| audience.strip_prefix("http://"));
    let rest = rest.unwrap_or(audience);
    rest.strip_suffix('/').unwrap_or(rest)
}

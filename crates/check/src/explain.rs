//! What a token says, and what of that does not suit a provider. Nothing here prints a token or its
//! signature; of its payload only what a check is about.

use std::fmt::Write as _;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::config::{ClaimCondition, Location, Provider, Terms};
use crate::denial::Reason;
use crate::introspection::Introspected;
use crate::policy;
use crate::time::Timestamp;

/// A token as it can be read, for those who look for what is wrong with it: leniently.
pub(super) struct Evidence {
    length: usize,
    parts: usize,
    header: Option<Map<String, Value>>,
    payload: Option<Map<String, Value>>,
}

impl Evidence {
    /// Reads a token.
    pub(super) fn of_text(text: &str) -> Self {
        let mut parts = text.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        Self {
            length: text.len(),
            header: parts.next().flatten(),
            payload: parts.next().flatten(),
            parts: text.split('.').count(),
        }
    }

    /// Takes for the payload of a token that cannot be read what its authorization server says of it.
    pub(super) fn hear(&mut self, answer: Option<&Introspected>) {
        if self.payload.is_none() {
            self.payload = answer.map(|answer| answer.payload.clone());
        }
    }

    /// What kind of token it is.
    pub(super) fn describe(&self) -> String {
        let Some(header) = &self.header else {
            let (length, parts) = (self.length, self.parts);
            return format!("it is no JWT: {length} bytes in {parts} parts with dots between");
        };
        let mut text = "it says ".to_owned();
        let empty = Map::new();
        let payload = self.payload.as_ref().unwrap_or(&empty);
        let of_header = ["alg", "typ", "kid"].map(|name| (name, header.get(name)));
        let of_payload = ["iss", "aud", "exp"].map(|name| (name, payload.get(name)));
        let mut said = of_header.into_iter().chain(of_payload);
        let mut separator = "";
        while let Some((name, Some(value))) = said.by_ref().find(|(_, value)| value.is_some()) {
            let _ = write!(text, "{separator}{name} {}", claim(name, value));
            separator = ", ";
        }
        text
    }

    fn claim(&self, name: &str) -> String {
        let value = self.payload.as_ref().and_then(|payload| payload.get(name));
        value.map_or_else(|| "there is none".to_owned(), |value| claim(name, value))
    }

    fn header(&self, name: &str) -> String {
        let value = self.header.as_ref().and_then(|header| header.get(name));
        value.map_or_else(|| "there is none".to_owned(), |value| claim(name, value))
    }

    /// What exactly `provider` refuses the token for.
    pub(super) fn against(
        &self,
        provider: &Provider,
        reason: Reason,
        longest: usize,
        now: Timestamp,
    ) -> Option<String> {
        let now = date(now);
        let skew = humantime::format_duration(provider.clock_skew);
        Some(match reason {
            Reason::Missing => format!("there is none in {}", places(&provider.locations)),
            Reason::TooLarge => {
                format!("it has {} bytes, {longest} are accepted", self.length)
            }
            Reason::MalformedToken if self.parts != 3 => {
                format!("it has {} parts with dots between, a JWT has 3", self.parts)
            }
            Reason::MalformedToken => {
                "a part is not unpadded base64url, or header or payload is not \
                                       a JSON object without repeated names"
                    .to_owned()
            }
            Reason::Algorithm => format!("alg: {}", self.header("alg")),
            Reason::Type if self.header.is_none() => {
                "its authorization server says that it is no access token".to_owned()
            }
            Reason::Type => format!("typ: {}", self.header("typ")),
            Reason::Critical => "its header has crit, b64 or zip".to_owned(),
            Reason::ClaimType => {
                "iss, sub and jti must be strings, aud strings, exp, nbf and iat numbers".to_owned()
            }
            Reason::Issuer => {
                let wanted = provider.issuer.as_deref().unwrap_or_default();
                format!("iss: {}, not {wanted:?}", self.claim("iss"))
            }
            Reason::Audience => {
                let wanted = provider.audiences.join(", ");
                format!("aud: {}, none of {wanted}", self.claim("aud"))
            }
            Reason::Subject => format!("sub: {}", self.claim("sub")),
            Reason::NoExpiration => "exp: there is none".to_owned(),
            Reason::Expired => {
                format!(
                    "exp: {}; it is {now}, clocks may differ by {skew}",
                    self.claim("exp")
                )
            }
            Reason::NotYetValid => {
                format!(
                    "nbf: {}; it is {now}, clocks may differ by {skew}",
                    self.claim("nbf")
                )
            }
            Reason::IssuedInFuture => {
                format!(
                    "iat: {}; it is {now}, clocks may differ by {skew}",
                    self.claim("iat")
                )
            }
            Reason::Lifetime => {
                let longest = humantime::format_duration(provider.max_lifetime.unwrap_or_default());
                let (from, to) = (self.claim("iat"), self.claim("exp"));
                format!("iat: {from}, exp: {to}; that may be {longest}")
            }
            Reason::UnknownKey => {
                let (alg, kid) = (self.header("alg"), self.header("kid"));
                format!("no key is for alg {alg} and kid {kid}")
            }
            Reason::Signature => "it is not that of the key".to_owned(),
            Reason::SenderConstraint => "it has cnf".to_owned(),
            Reason::Revoked => format!(
                "the list has its jti ({}), its client ({}) or its sub ({}), or its signature",
                self.claim("jti"),
                self.claim("client_id"),
                self.claim("sub")
            ),
            _ => return None,
        })
    }

    /// What the token lacks of `terms`.
    pub(super) fn lacks(&self, terms: &Terms) -> String {
        let Some(payload) = &self.payload else {
            return "the payload cannot be read".to_owned();
        };
        let mut lacking = Vec::new();
        for term in &terms.claims {
            let value = term.path.find(payload);
            if !policy::holds(&term.condition, value) {
                let value = value.map_or_else(|| "there is none".to_owned(), shortened);
                lacking.push(format!(
                    "{}: {value}, {}",
                    term.path,
                    wants(&term.condition)
                ));
            }
        }
        if lacking.is_empty() {
            let scopes = ["scope", "scp"].map(|name| (name, payload.get(name)));
            let scopes = scopes.into_iter().filter_map(|(name, value)| {
                let value = shortened(value?);
                Some(format!("{name}: {value}"))
            });
            lacking.extend(scopes);
        }
        lacking.join("; ")
    }
}

/// A value that a check is about, cut where it is long.
fn shortened(value: &Value) -> String {
    const LONGEST: usize = 200;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{} ...", text.get(..end).unwrap_or_default()),
    }
}

/// The value of a claim or header parameter: a date in words too.
fn claim(name: &str, value: &Value) -> String {
    match (name, value) {
        ("exp" | "nbf" | "iat", Value::Number(number)) => {
            date(Timestamp::from_numeric_date(number))
        }
        _ => shortened(value),
    }
}

/// A point in time as people read it.
fn date(time: Timestamp) -> String {
    /// What RFC 3339 has no more digits for.
    const END: u64 = 253_402_300_800_000;
    let millis = time.unix_millis();
    if millis >= END {
        return format!("{} s after 1970", millis.saturating_div(1000));
    }
    let since_epoch = Duration::from_millis(millis);
    let time = SystemTime::UNIX_EPOCH.checked_add(since_epoch);
    time.map_or_else(String::new, |time| {
        humantime::format_rfc3339_seconds(time).to_string()
    })
}

/// What a condition asks for, in words.
fn wants(condition: &ClaimCondition) -> String {
    match condition {
        ClaimCondition::Exact(value) => format!("must be {}", shortened(value)),
        ClaimCondition::AnyOf(values) => {
            let values: Vec<String> = values.iter().map(shortened).collect();
            format!("must be one of {}", values.join(", "))
        }
        ClaimCondition::Contains(value) => format!("must contain {}", shortened(value)),
        ClaimCondition::Present(true) => "must be there".to_owned(),
        ClaimCondition::Present(false) => "must not be there".to_owned(),
    }
}

/// A place in a request, in words.
pub(super) fn place(location: &Location) -> String {
    match location {
        Location::Header { name, prefix } if prefix.is_empty() => format!("the header {name}"),
        Location::Header { name, prefix } => format!("the header {name} after {prefix:?}"),
        Location::Parameter(name) => format!("the query parameter {name}"),
        Location::Cookie(name) => format!("the cookie {name}"),
    }
}

/// Several of them.
pub(super) fn places(locations: &[Rc<Location>]) -> String {
    let places: Vec<String> = locations.iter().map(|location| place(location)).collect();
    places.join(", nor in ")
}

/// Why no token could be found.
pub(super) fn credential_problem(reason: Reason) -> &'static str {
    match reason {
        Reason::SeveralTokens => {
            "there are several: in headers that are repeated or joined by a comma, or in two places"
        }
        Reason::MalformedCredential => {
            "there is something that is no token: not Bearer, a space and a token of RFC 6750, \
             section 2.1"
        }
        _ => "there is none that can be read",
    }
}

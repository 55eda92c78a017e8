//! What the gate changes in an admitted request.

mod payload_metadata;

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

pub use self::payload_metadata::MAX_HEADER_BYTES;

use crate::credential::Credential;
use crate::dpop::{AcceptedProof, PROOF_HEADER, UsedProof};
use crate::http::{cookies, is_named};
use crate::json;
use crate::policy::{Forwarding, Location, Policy, Provider, TextEncoding, UpstreamToken};
use crate::reason::Reason;
use crate::request::Request;

/// How a request is changed before it goes to the upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Whether the request brought a valid token. An unverified token may be forwarded too.
    pub verified: bool,
    /// Changes of headers, in order.
    pub headers: Vec<HeaderChange>,
    /// Filter state by key.
    pub filter_state: Vec<(String, Vec<u8>)>,
    /// Whether Envoy selects the route again.
    pub clear_route_cache: bool,
    /// The proof that the request uses up. It passes only if the proof has not been used before.
    pub proof: Option<UsedProof>,
}

/// A change of the request's headers. Names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderChange {
    /// Removes the header with all its values.
    Remove(String),
    /// Gives the header a single value.
    Set(String, Vec<u8>),
    /// Gives the header another value, after those that it has.
    Add(String, Vec<u8>),
}

/// A token whose claims are forwarded.
#[derive(Clone, Copy, Debug)]
pub struct ForwardedToken<'t> {
    /// The token in the request.
    pub credential: &'t Credential<'t>,
    /// What it says: its payload, or the introspection answer about it.
    pub payload: &'t Map<String, Value>,
    /// Whether the payload is an introspection answer. Then no part of the token may be forwarded.
    pub introspected: bool,
    /// The provider whose settings apply.
    pub provider: &'t Provider,
    /// The proof that the sender has the key that the token is bound to.
    pub proof: Option<&'t AcceptedProof>,
}

/// The key of the filter state with the nonce that a client should use from now on. The operator's routes put it
/// into the header `dpop-nonce` of responses (RFC 9449, section 8.2).
pub const NONCE_STATE: &str = "dpop_nonce";

/// The key of the filter state with the reason of a refusal, for access logs.
pub const REASON_STATE: &str = "bearer_gate.reason";

/// The key of the filter state with the place in the configuration of the rule, or of the requirement that a route named,
/// by which a request is refused or would be.
pub const RULE_STATE: &str = "bearer_gate.rule";

/// The key of the filter state with the reason for which a request would be refused, if refusals were not only
/// reported.
pub const WOULD_DENY_STATE: &str = "bearer_gate.would_deny";

/// The key of the filter state with the reason for which an admitted stream was ended.
pub const ENDED_STATE: &str = "bearer_gate.ended";

/// What the keys of the filter's own state begin with. Claims have other keys, so that no token can say why a
/// request was refused.
pub const OWN_STATE_PREFIX: &str = "bearer_gate.";

impl Admission {
    /// The admission of `request` with these tokens.
    ///
    /// # Errors
    ///
    /// [`Reason::PayloadTooLarge`] if Envoy could not make metadata of a payload that policies behind the gate may
    /// depend on.
    pub fn new<'t>(
        verified: bool,
        policy: &Policy,
        request: &Request,
        tokens: impl IntoIterator<Item = ForwardedToken<'t>>,
    ) -> Result<Self, Reason> {
        let mut admission = Self {
            verified,
            ..Self::default()
        };
        let mut consumed: Vec<&Rc<Location>> = Vec::new();
        let mut proven = None;
        for token in tokens {
            admission.forward(token)?;
            let location = &token.credential.location;
            if !token.provider.forward && !consumed.contains(&location) {
                consumed.push(location);
            }
            if let Some(proof) = token.proof {
                // There is one proof in a request, whichever providers accept it.
                proven = Some((token.credential, proof));
            }
        }
        admission.remove_tokens(request, &consumed);
        if let Some((credential, proof)) = proven {
            let is_forwarded = !consumed.contains(&&credential.location);
            admission.use_proof(credential, proof, is_forwarded, policy);
        }
        Ok(admission)
    }

    /// Uses up the proof of `credential`. It is forwarded with its token or not at all.
    fn use_proof(
        &mut self,
        credential: &Credential<'_>,
        proof: &AcceptedProof,
        is_forwarded: bool,
        policy: &Policy,
    ) {
        let dpop = policy.options.dpop.as_ref();
        let as_bearer = dpop.is_some_and(|dpop| dpop.upstream == UpstreamToken::Bearer);
        if is_forwarded && as_bearer {
            let value = ["Bearer ", &*credential.text].concat().into_bytes();
            let change = HeaderChange::Set("authorization".to_owned(), value);
            self.headers.push(change);
        }
        if !is_forwarded || as_bearer {
            let change = HeaderChange::Remove(PROOF_HEADER.to_owned());
            self.headers.push(change);
        }
        if let Some(nonce) = &proof.next_nonce {
            let state = (NONCE_STATE.to_owned(), nonce.clone().into_bytes());
            self.filter_state.push(state);
        }
        self.proof = proof.used;
    }

    /// Forwards payload and claims of a token.
    fn forward(&mut self, token: ForwardedToken<'_>) -> Result<(), Reason> {
        let forwarding = &token.provider.forwarding;
        if let Some(name) = &forwarding.payload_header {
            // What is forwarded is what the request was judged by.
            let payload = if token.introspected {
                encoded(token.payload)
            } else {
                encoded_payload(&token.credential.text).to_owned()
            };
            self.set(name, padded(payload, forwarding.pad_payload));
        }
        if let Some(metadata) = &forwarding.metadata {
            self.set_metadata(&metadata.header, token)?;
        }
        let mut set = false;
        for claim in &forwarding.claim_headers {
            let value = claim.claim.find(token.payload);
            if let Some(value) = value.and_then(|value| header_text(value, claim.encoding)) {
                self.set(&claim.header, value);
                set = true;
            }
        }
        for claim in &forwarding.filter_state {
            let value = claim.claim.find(token.payload);
            let text = value.and_then(|value| filter_state_text(value, token.payload, forwarding));
            if let Some(text) = text {
                let state = (claim.target.clone(), text.into_bytes());
                self.filter_state.push(state);
                set = true;
            }
        }
        self.clear_route_cache |= set && forwarding.clear_route_cache;
        Ok(())
    }

    /// Sets the header with the whole payload for dynamic metadata. Of several tokens the first one has it: Envoy
    /// would join the values of one header, and read none.
    fn set_metadata(&mut self, name: &str, token: ForwardedToken<'_>) -> Result<(), Reason> {
        if self.sets(name) {
            return Ok(());
        }
        let space_delimited = &token.provider.forwarding.space_delimited;
        let value = if token.introspected {
            payload_metadata::encode(token.payload, space_delimited)
        } else {
            // Of a verified token only some claims are kept.
            let json = URL_SAFE_NO_PAD.decode(encoded_payload(&token.credential.text));
            let payload = json.ok().and_then(|json| json::parse_object(&json));
            let payload = payload.ok_or(Reason::MalformedToken)?;
            payload_metadata::encode(&payload, space_delimited)
        };
        if value.len() > MAX_HEADER_BYTES {
            return Err(Reason::PayloadTooLarge {
                bytes: value.len(),
                limit: MAX_HEADER_BYTES,
            });
        }
        self.set(name, value);
        Ok(())
    }

    /// Whether the header gets a value.
    fn sets(&self, name: &str) -> bool {
        let is_set =
            |change: &HeaderChange| matches!(change, HeaderChange::Set(known, _) if known == name);
        self.headers.iter().any(is_set)
    }

    /// Replaces what the client sent in the header. Further values for the same header stand after the
    /// first, as in Envoy.
    fn set(&mut self, name: &str, value: String) {
        let is_set = self.sets(name);
        let (name, value) = (name.to_owned(), value.into_bytes());
        self.headers.push(if is_set {
            HeaderChange::Add(name, value)
        } else {
            HeaderChange::Set(name, value)
        });
    }

    /// Removes the tokens at `consumed` from the request.
    fn remove_tokens(&mut self, request: &Request, consumed: &[&Rc<Location>]) {
        let (mut parameters, mut names) = (Vec::new(), Vec::new());
        for location in consumed {
            match &***location {
                Location::Header { name, .. } => {
                    self.headers.push(HeaderChange::Remove(name.clone()));
                }
                Location::Parameter(name) => parameters.push(name.as_str()),
                Location::Cookie(name) => names.push(name.as_bytes()),
            }
        }
        if !parameters.is_empty() {
            let consumed =
                |parameter: &[u8]| parameters.iter().any(|name| is_named(parameter, name));
            let target = request.target.without_parameters(consumed);
            let change = HeaderChange::Set(":path".to_owned(), target);
            self.headers.push(change);
        }
        if !names.is_empty() {
            let kept: Vec<&[u8]> = request
                .header("cookie")
                .flat_map(cookies)
                .filter(|cookie| !names.contains(&cookie.name))
                .map(|cookie| cookie.pair.trim_ascii())
                .filter(|pair| !pair.is_empty())
                .collect();
            self.headers.push(HeaderChange::Remove("cookie".to_owned()));
            if !kept.is_empty() {
                let change = HeaderChange::Set("cookie".to_owned(), kept.join(&b"; "[..]));
                self.headers.push(change);
            }
        }
    }
}

/// The payload as it is in the token.
fn encoded_payload(token: &str) -> &str {
    token.split('.').nth(1).unwrap_or_default()
}

/// A payload as a token would contain it.
fn encoded(payload: &Map<String, Value>) -> String {
    let json = serde_json::to_vec(payload).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(json)
}

/// Adds padding to `payload` if `pad` says so.
fn padded(payload: String, pad: bool) -> String {
    if !pad {
        return payload;
    }
    let length = payload.len().div_ceil(4).saturating_mul(4);
    format!("{payload:=<length$}")
}

/// The value of a header for a claim: arrays and objects as JSON in Base64 (RFC 4648, section 4, as in
/// Envoy), everything else as text. `None` for a text that begins or ends with white space: the
/// recipient of a header trims its value (RFC 9110, section 5.5), and some applications trim other
/// white space too, so that the subject ` admin` would become `admin`. Percent-encoded, such a text and
/// every other one arrives as it is.
fn header_text(value: &Value, encoding: TextEncoding) -> Option<String> {
    match (value, encoding) {
        (Value::Array(_) | Value::Object(_), _) => Some(STANDARD.encode(value.to_string())),
        (Value::String(text), TextEncoding::Percent) => {
            (!text.is_empty()).then(|| utf8_percent_encode(text, NOT_ATTR_CHAR).to_string())
        }
        _ => text(value).filter(|text| text.trim() == text),
    }
}

/// All characters of ASCII but `attr-char` (RFC 8187, section 3.2.1).
const NOT_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The filter state for a claim: arrays and objects as JSON, everything else as text. A
/// space-delimited claim becomes an array.
fn filter_state_text(
    value: &Value,
    payload: &Map<String, Value>,
    forwarding: &Forwarding,
) -> Option<String> {
    let mut delimited = forwarding.space_delimited.iter();
    let mut delimited = || {
        delimited.any(|name| {
            payload
                .get(name)
                .is_some_and(|known| std::ptr::eq(known, value))
        })
    };
    match value {
        Value::String(list) if delimited() => {
            let list: Vec<&str> = list.split(' ').filter(|one| !one.is_empty()).collect();
            printable(Value::from(list).to_string())
        }
        _ => text(value),
    }
}

/// The text of a claim: arrays and objects as JSON; `None` for `null`.
fn text(value: &Value) -> Option<String> {
    printable(match value {
        Value::Null => return None,
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// `text`, unless it is empty or contains a control character, which could end the line it is written
/// to.
fn printable(text: String) -> Option<String> {
    let printable = !text.is_empty() && !text.chars().any(char::is_control);
    printable.then_some(text)
}

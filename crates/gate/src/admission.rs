//! What an admitted request carries on: to the upstream, to the access log, and no longer.

use std::borrow::Cow;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::policy::{Location, Provider};
use crate::credential::{Credential, cookie_pairs, is_parameter};
use crate::request::Request;

/// How a request is changed before it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Whether this is for a token that is good, and not for one that nobody verified.
    pub verified: bool,
    /// What happens to headers, in this order.
    pub headers: Vec<HeaderChange>,
    /// Filter state, by its key.
    pub filter_state: Vec<(String, Vec<u8>)>,
    /// Whether the route is to be chosen anew.
    pub clear_route_cache: bool,
}

/// A change of the request's headers. Names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderChange {
    /// The header goes, with all its values.
    Remove(Cow<'static, str>),
    /// The header gets this only value.
    Set(String, Vec<u8>),
}

/// A token that is passed on.
#[derive(Clone, Copy, Debug)]
pub struct Passed<'p> {
    /// Where it is and its text.
    pub credential: &'p Credential<'p>,
    /// Its payload.
    pub payload: &'p Map<String, Value>,
    /// Whose token it is.
    pub provider: &'p Provider,
}

impl Admission {
    /// The admission of `request` for these tokens.
    #[must_use]
    pub fn new<'p>(
        verified: bool,
        request: &Request,
        tokens: impl IntoIterator<Item = Passed<'p>>,
    ) -> Self {
        let mut admission = Self {
            verified,
            ..Self::default()
        };
        let mut consumed: SmallVec<[&Rc<Location>; 1]> = SmallVec::new();
        for token in tokens {
            admission.pass_on(token);
            let location = &token.credential.location;
            if !token.provider.forward && !consumed.contains(&location) {
                consumed.push(location);
            }
        }
        admission.remove_tokens(request, &consumed);
        admission
    }

    /// Passes on the claims of a token.
    fn pass_on(&mut self, token: Passed<'_>) {
        let forwarding = &token.provider.forwarding;
        if let Some(name) = &forwarding.payload_header {
            let mut payload = token
                .credential
                .text
                .split('.')
                .nth(1)
                .unwrap_or_default()
                .to_owned();
            while forwarding.pad_payload && !payload.len().is_multiple_of(4) {
                payload.push('=');
            }
            self.set(name, payload);
        }
        let mut set = false;
        for claim in &forwarding.claim_headers {
            let value = claim.claim.find(token.payload);
            if let Some(value) = value.and_then(|value| text(value, Form::Header)) {
                self.set(&claim.target, value);
                set = true;
            }
        }
        for claim in &forwarding.filter_state {
            let split = |value: &Value| {
                let listed = forwarding.space_delimited.iter();
                let mut listed = listed.filter_map(|name| token.payload.get(name));
                listed.any(|known| std::ptr::eq(known, value))
            };
            let value = claim.claim.find(token.payload);
            let value = value.and_then(|value| match value {
                Value::String(list) if split(value) => {
                    let list: Vec<&str> = list.split(' ').filter(|one| !one.is_empty()).collect();
                    text(&list.into(), Form::Plain)
                }
                value => text(value, Form::Plain),
            });
            if let Some(value) = value {
                self.filter_state
                    .push((claim.target.clone(), value.into_bytes()));
                set = true;
            }
        }
        self.clear_route_cache |= set && forwarding.clear_route_cache;
    }

    fn set(&mut self, name: &str, value: String) {
        self.headers
            .push(HeaderChange::Set(name.to_owned(), value.into_bytes()));
    }

    /// Takes the tokens at `consumed` out of the request.
    fn remove_tokens(&mut self, request: &Request, consumed: &[&Rc<Location>]) {
        let (mut parameters, mut cookies) = (Vec::new(), Vec::new());
        for location in consumed {
            match &***location {
                Location::Header { name, .. } => {
                    self.headers.push(HeaderChange::Remove(name.clone().into()));
                }
                Location::Parameter(name) => parameters.push(name.as_str()),
                Location::Cookie(name) => cookies.push(name.as_bytes()),
            }
        }
        if !parameters.is_empty() {
            let target = without_parameters(&request.target, &parameters);
            self.headers
                .push(HeaderChange::Set(":path".to_owned(), target));
        }
        if !cookies.is_empty() {
            let kept: Vec<&[u8]> = request
                .header("cookie")
                .flat_map(cookie_pairs)
                .filter(|pair| !cookies.contains(&pair.name))
                .map(|pair| pair.whole.trim_ascii())
                .filter(|whole| !whole.is_empty())
                .collect();
            self.headers.push(HeaderChange::Remove("cookie".into()));
            if !kept.is_empty() {
                let kept = kept.join(&b"; "[..]);
                self.headers
                    .push(HeaderChange::Set("cookie".to_owned(), kept));
            }
        }
    }
}

/// Whether a claim becomes a header or something that can hold any text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Header,
    Plain,
}

/// The text of a claim: strings, numbers and truths as they are, arrays and objects as JSON, in
/// Base64 (RFC 4648, section 4, as Envoy has it) where it is for a header. There is none for what
/// is empty or null, nor for a string with a control character, which could end the line that it is
/// written to.
fn text(value: &Value, form: Form) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
        }
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) if form == Form::Header => {
            STANDARD.encode(serde_json::to_vec(value).ok()?)
        }
        Value::Array(_) | Value::Object(_) => serde_json::to_string(value).ok()?,
    };
    let fits = !text.is_empty() && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// A request target without the query parameters `names`; all else stays as it was sent.
fn without_parameters(target: &[u8], names: &[&str]) -> Vec<u8> {
    let end = target.iter().position(|byte| *byte == b'#');
    let (before, fragment) = target
        .split_at_checked(end.unwrap_or(target.len()))
        .unwrap_or_default();
    let mut parts = before.splitn(2, |byte| *byte == b'?');
    let path = parts.next().unwrap_or_default();
    let query = parts.next().unwrap_or_default();
    let kept: Vec<&[u8]> = query
        .split(|byte| *byte == b'&')
        .filter(|parameter| !names.iter().any(|name| is_parameter(parameter, name)))
        .collect();
    let kept = kept.join(&b'&');
    let mark: &[u8] = if kept.is_empty() { b"" } else { b"?" };
    [path, mark, &kept, fragment].concat()
}

//! A token, parsed leniently to show what is in it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::introspection::IntrospectionResponse;
use serde_json::{Map, Value};

use crate::wording;

/// A token, parsed leniently. It can be shown without disclosing the token or its signature.
pub(crate) struct InspectedToken {
    length: usize,
    parts: usize,
    header: Option<Map<String, Value>>,
    payload: Option<Map<String, Value>>,
}

impl InspectedToken {
    /// Parses as much of a token as possible.
    pub(crate) fn parse(text: &str) -> Self {
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

    /// Uses the introspection response as the payload: of every token if `all`, and of one that has
    /// none itself.
    #[must_use]
    pub(crate) fn with_response(
        mut self,
        response: Option<&IntrospectionResponse>,
        all: bool,
    ) -> Self {
        if let Some(response) = response
            && (all || self.payload.is_none())
        {
            self.payload = Some(response.payload.clone());
        }
        self
    }

    /// What kind of token it is, with the members that identify it.
    pub(crate) fn describe(&self) -> String {
        let Some(header) = &self.header else {
            let (length, parts) = (self.length, self.parts);
            return format!("not a JWT: {length} bytes, dot-separated parts: {parts}");
        };
        let of_header = ["alg", "typ", "kid"].map(|name| (name, header.get(name)));
        let of_payload = ["iss", "aud", "exp"].map(|name| (name, self.claim(name)));
        let members: Vec<String> = of_header
            .into_iter()
            .chain(of_payload)
            .filter(|(_, member)| member.is_some())
            .map(|(name, member)| format!("{name} {}", wording::member(name, member)))
            .collect();
        if members.is_empty() {
            return "a JWT".to_owned();
        }
        format!("a JWT with {}", members.join(", "))
    }

    /// The number of parts between dots; a JWT has 3.
    pub(crate) const fn parts(&self) -> usize {
        self.parts
    }

    /// Whether it has the header of a JWT.
    pub(crate) const fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// The payload, if it can be parsed.
    pub(crate) const fn payload(&self) -> Option<&Map<String, Value>> {
        self.payload.as_ref()
    }

    /// The claim `name`.
    pub(crate) fn claim(&self, name: &str) -> Option<&Value> {
        self.payload.as_ref()?.get(name)
    }

    /// The text for the claim `name`.
    pub(crate) fn claim_text(&self, name: &str) -> String {
        wording::member(name, self.claim(name))
    }

    /// The text for the header parameter `name`.
    pub(crate) fn header_text(&self, name: &str) -> String {
        let header = self.header.as_ref();
        wording::member(name, header.and_then(|header| header.get(name)))
    }
}

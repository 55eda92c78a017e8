//! What the upstream receives.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::claim;
use super::credential::Place;
use super::fields::Fields;
use super::finding::Forward;
use super::proof::Proof;
use super::requirement::{self, Fulfilment};
use super::view::{View, decoded};

/// A request as the upstream receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// The headers, sorted by their names. Values of one header are in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// What other filters can read.
    pub(crate) filter_state: Vec<(String, String)>,
    /// Whether the route is selected again.
    pub(crate) clears_route: bool,
    /// How many good tokens the request has.
    pub(crate) accepted: usize,
    /// The proof that it uses up.
    pub(crate) proof: Option<Proof>,
    /// Whether tokens are forwarded, or marked, unverified.
    pub(crate) is_extracted: bool,
}

impl Forwarded {
    pub(crate) fn unchanged(headers: &[(String, String)]) -> Self {
        Self {
            headers: sorted(headers.to_vec()),
            filter_state: Vec::new(),
            clears_route: false,
            accepted: 0,
            proof: None,
            is_extracted: false,
        }
    }

    /// The request with these headers that fulfils its requirement.
    pub(crate) fn new(
        fulfilment: &Fulfilment,
        configuration: Fields<'_>,
        headers: &[(String, String)],
    ) -> Self {
        let mut forwarded = Self::unchanged(headers);
        forwarded.accepted = fulfilment.accepted.len();
        forwarded.is_extracted = !fulfilment.unverified.is_empty() || fulfilment.mark.is_some();
        let mut set = Vec::new();
        let mut used: Vec<&Place> = Vec::new();
        let tokens = fulfilment.accepted.iter().chain(&fulfilment.unverified);
        for token in tokens {
            let provider = requirement::provider(configuration, &token.provider);
            forwarded.add_claims(provider, token, &mut set);
            if !provider.flag("forward") {
                used.push(&token.place);
            }
        }
        forwarded.take_out(&used, headers);
        if let Some((proof, place)) = fulfilment.proof() {
            forwarded.use_proof(proof, !used.contains(&place), configuration);
        }
        set.extend(
            fulfilment
                .mark
                .iter()
                .map(|name| (name.clone(), "false".to_owned())),
        );
        // What the configuration sets replaces what the client sent.
        let is_set = |name: &str| set.iter().any(|(known, _)| known == name);
        forwarded.headers.retain(|(name, _)| !is_set(name));
        forwarded.headers.extend(set);
        forwarded.headers = sorted(forwarded.headers);
        forwarded
    }

    fn add_claims(
        &mut self,
        provider: Fields<'_>,
        token: &Forward,
        set: &mut Vec<(String, String)>,
    ) {
        let payload = &token.content.payload;
        if let Some(name) = provider
            .text("forward_payload_header")
            .filter(|name| !name.is_empty())
        {
            let mut encoded = token.content.encoded.clone();
            if provider.flag("pad_forward_payload_header") {
                encoded += &"=".repeat((4 - encoded.len() % 4) % 4);
            }
            set.push((name.to_ascii_lowercase(), encoded));
        }
        let mut found = false;
        for header in provider.list("claim_to_headers") {
            let header = Fields(header);
            let value = claim::find(header, payload).and_then(header_text);
            if let Some(value) = value {
                let name = header.text("header_name").unwrap_or_default();
                set.push((name.to_ascii_lowercase(), value));
                found = true;
            }
        }
        for state in provider.list("claims_to_filter_state") {
            let state = Fields(state);
            let value = claim::find(state, payload);
            let value = value.and_then(|value| state_text(value, state, provider, payload));
            if let Some(value) = value {
                let key = state.text("key").unwrap_or_default().to_owned();
                self.filter_state.push((key, value));
                found = true;
            }
        }
        self.clears_route |= found && provider.flag("clear_route_cache");
    }

    /// Takes out the proof, unless it is forwarded as it was sent.
    fn use_proof(&mut self, proof: &Proof, is_forwarded: bool, configuration: Fields<'_>) {
        let dpop = configuration.object("dpop");
        let as_bearer = dpop.and_then(|dpop| dpop.text("upstream")) == Some("bearer");
        if !is_forwarded || as_bearer {
            self.replace("dpop", None);
        }
        if is_forwarded && as_bearer {
            let view = View(&self.headers);
            let (_, token) = view
                .first("authorization")
                .split_once(' ')
                .unwrap_or_default();
            let value = format!("Bearer {}", token.trim_start());
            self.replace("authorization", Some(value));
        }
        let nonce = proof.next_nonce.clone();
        let nonce = nonce.map(|nonce| ("dpop_nonce".to_owned(), nonce));
        self.filter_state.extend(nonce);
        self.proof = Some(proof.clone());
    }

    /// Takes tokens out of the request.
    fn take_out(&mut self, used: &[&Place], headers: &[(String, String)]) {
        let view = View(headers);
        for place in used {
            if let Place::Header { name, .. } = place {
                self.headers.retain(|(known, _)| known != name);
            }
        }
        let is_used = |place: Place| used.contains(&&place);
        let parameters = view.parameters();
        let kept = parameters.iter();
        let kept = kept.filter(|(name, _, _)| !is_used(Place::Parameter(decoded(name))));
        let kept: Vec<&str> = kept.map(|(_, _, both)| *both).collect();
        if used
            .iter()
            .any(|place| matches!(place, Place::Parameter(_)))
        {
            let target = view.first(":path");
            let fragment = target.find('#').map_or("", |start| &target[start..]);
            let query = kept.join("&");
            let mark = if query.is_empty() { "" } else { "?" };
            let target = format!("{}{mark}{query}{fragment}", view.path());
            self.replace(":path", Some(target));
        }
        if used.iter().any(|place| matches!(place, Place::Cookie(_))) {
            let cookies = view.cookies().into_iter();
            let kept = cookies.filter(|(name, _, pair)| {
                !pair.is_empty() && !is_used(Place::Cookie((*name).to_owned()))
            });
            let kept: Vec<&str> = kept.map(|(_, _, pair)| pair).collect();
            self.replace(
                "cookie",
                Some(kept.join("; ")).filter(|text| !text.is_empty()),
            );
        }
    }

    fn replace(&mut self, name: &str, value: Option<String>) {
        self.headers.retain(|(known, _)| known != name);
        self.headers
            .extend(value.map(|value| (name.to_owned(), value)));
    }
}

fn sorted(mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    headers
}

/// The header for a claim, if the upstream would read exactly the claim.
fn header_text(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) | Value::Object(_) => Some(STANDARD.encode(value.to_string())),
        other => scalar(other).filter(|text| text.trim() == text),
    }
}

/// The filter state for a claim.
fn state_text(
    value: &Value,
    state: Fields<'_>,
    provider: Fields<'_>,
    payload: &Map<String, Value>,
) -> Option<String> {
    let normalized = provider.object("normalize_payload_in_metadata");
    let lists = normalized
        .map(|one| one.texts("space_delimited_claims"))
        .unwrap_or_default();
    let is_list = lists.iter().any(|name| {
        let claim = payload.get(*name);
        claim.is_some_and(|claim| {
            claim::find(state, payload).is_some_and(|found| std::ptr::eq(found, claim))
        })
    });
    match value {
        Value::Array(_) | Value::Object(_) => printable(value.to_string()),
        Value::String(text) if is_list => {
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            printable(Value::from(words).to_string())
        }
        other => scalar(other),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => printable(text.clone()),
        other => {
            let text = other.to_string();
            printable(text.strip_suffix(".0").unwrap_or(&text).to_owned())
        }
    }
}

fn printable(text: String) -> Option<String> {
    (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
}

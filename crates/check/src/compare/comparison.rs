//! The comparison of one chain of filters.

use std::path::Path;

use gate::time::Timestamp;
use serde_json::{Value, json};

use super::chain::Chain;
use super::compared_request::ComparedRequest;
use super::difference::{Compared, Difference};
use super::live::Live;
use super::pair::Pair;
use super::side::Side;
use super::table;
use super::target;
use super::tokens::Tokens;
use crate::suite::case::Case;

/// A port for the upstream where no request is sent.
const NO_UPSTREAM: u16 = 1;

/// A request, and what both do with it.
pub(crate) struct ComparedResult {
    pub(crate) request: ComparedRequest,
    pub(crate) native: Side,
    pub(crate) gate: Side,
    pub(crate) verdict: Verdict,
}

/// How the two compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    /// They differ as `convert` says.
    Expected(&'static Difference),
    /// They differ in another way, which may be a known one.
    Unexpected(Option<&'static Difference>),
}

/// The results for a chain.
pub(crate) struct Comparison {
    /// Where the filters are in the file.
    pub(crate) path: String,
    pub(crate) results: Vec<ComparedResult>,
    /// How many rules and routes have no request.
    pub(crate) without_request: usize,
    /// Configurations for two Envoys, and the requests.
    pub(crate) native_bootstrap: Value,
    pub(crate) gate_bootstrap: Value,
    reviews: Vec<String>,
}

/// Where requests come from.
pub(crate) enum Requests<'r> {
    /// They follow from the configuration.
    Table,
    /// They are cases of a file.
    Cases(&'r [Case]),
}

impl Comparison {
    /// Compares the filters of `chain` with the gate in their place.
    ///
    /// # Errors
    ///
    /// Why they cannot be compared.
    pub(crate) fn run(
        chain: &Chain,
        requests: &Requests<'_>,
        module: &str,
        directory: &Path,
        now: Timestamp,
    ) -> Result<Self, String> {
        let pair = Pair::new(chain, module, directory, NO_UPSTREAM)?;
        let tokens = Tokens::new(&pair, now);
        let (requests, without_request) = match requests {
            Requests::Table => {
                let (targets, without_request) = target::all(chain, &pair);
                (table::build(&targets, &tokens)?, without_request)
            }
            Requests::Cases(cases) => (table::from_cases(cases, &tokens)?, 0),
        };
        let results = requests.into_iter().map(|request| {
            let native = pair.native(&request.headers, now);
            let gate = pair.gate(&request.headers, now);
            let gate = gate.map_err(|problem| format!("{}: {problem}", request.title()))?;
            let compared = Compared {
                request: &request,
                native: &native,
                gate: &gate,
            };
            let verdict = verdict(&compared, &pair.reviews);
            Ok(ComparedResult {
                request,
                native,
                gate,
                verdict,
            })
        });
        Ok(Self {
            path: chain.path.clone(),
            results: results.collect::<Result<_, String>>()?,
            without_request: without_request.saturating_add(pair.routes.not_modelled),
            native_bootstrap: pair.native_bootstrap,
            gate_bootstrap: pair.gate_bootstrap,
            reviews: pair.reviews,
        })
    }

    /// Sends the requests through two processes of the program `envoy`, and compares what they do.
    ///
    /// # Errors
    ///
    /// That Envoy does not start or answer.
    pub(crate) fn observe(&mut self, envoy: &Path) -> Result<(), String> {
        let live = Live::start(envoy, &self.native_bootstrap, &self.gate_bootstrap)?;
        for result in &mut self.results {
            let headers = &result.request.headers;
            let (native, gate) = live.observe(headers, &result.native, &result.gate)?;
            (result.native, result.gate) = (native, gate);
            let compared = Compared {
                request: &result.request,
                native: &result.native,
                gate: &result.gate,
            };
            result.verdict = verdict(&compared, &self.reviews);
        }
        Ok(())
    }

    /// The requests with what is expected of both, for those who send them.
    pub(crate) fn requests_json(&self) -> Value {
        let results = self.results.iter();
        results
            .map(|result| {
                json!({
                    "title": result.request.title(),
                    "headers": result.request.headers.0,
                    "native": side_json(&result.native),
                    "gate": side_json(&result.gate),
                })
            })
            .collect()
    }
}

fn side_json(side: &Side) -> Value {
    json!({
        "status": side.status,
        "why": side.why,
        "challenge": side.challenge,
        "upstream": side.upstream.as_ref().map(|headers| &headers.0),
    })
}

fn verdict(compared: &Compared<'_>, reviews: &[String]) -> Verdict {
    let (native, gate) = (compared.native, compared.gate);
    let is_same = native.status == gate.status
        && native.upstream == gate.upstream
        && native.challenge == gate.challenge;
    if is_same {
        return Verdict::Same;
    }
    match compared.explain() {
        Some(known) if is_marked(known, reviews) => Verdict::Expected(known),
        known => Verdict::Unexpected(known),
    }
}

/// Whether one of these reviews is about the difference.
fn is_marked(difference: &Difference, reviews: &[String]) -> bool {
    let mut parts = difference.reviews.iter();
    parts.any(|part| reviews.iter().any(|review| review.contains(part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compared_request::TokenKind;
    use crate::compare::header_list::HeaderList;
    use crate::mint::kind::Kind;

    #[test]
    fn a_difference_is_expected_only_if_convert_says_so() {
        let request = ComparedRequest {
            token: "wrong-audience token of p".to_owned(),
            kind: TokenKind::One(Kind::WrongAudience),
            headers: HeaderList::default(),
            shown_path: "/".to_owned(),
        };
        let side = |status| Side {
            status,
            upstream: None,
            challenge: true,
            why: "audience".to_owned(),
        };
        let (native, gate) = (side(403), side(401));
        let compared = Compared {
            request: &request,
            native: &native,
            gate: &gate,
        };
        let review = "a token for another audience gets 401 `invalid_token`, not 403".to_owned();
        assert!(matches!(
            verdict(&compared, &[review]),
            Verdict::Expected(_)
        ));
        assert!(matches!(
            verdict(&compared, &[]),
            Verdict::Unexpected(Some(_))
        ));
        let unknown = Compared {
            gate: &side(500),
            ..compared
        };
        assert_eq!(verdict(&unknown, &[]), Verdict::Unexpected(None));
        let same = Compared {
            request: &request,
            native: &native,
            gate: &native,
        };
        assert_eq!(verdict(&same, &[]), Verdict::Same);
    }
}

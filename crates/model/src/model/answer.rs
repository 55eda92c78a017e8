//! What the client receives.

use std::collections::BTreeMap;

use super::challenges::Challenges;
use super::conditions::Refusal;
use super::credential::Scheme;
use super::fields::Fields;
use super::reason::Reason;
use super::step_up::StepUp;
use super::view::View;
use crate::case::World;

/// The answer to a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) reason: Reason,
    status: u16,
    /// Whether the answer has neither body nor challenge.
    stripped: bool,
    grpc: bool,
    /// Whether the body is problem details.
    problem: bool,
    realm: String,
    scope: Option<String>,
    challenges: Challenges,
    step_up: StepUp,
}

impl Answer {
    /// The answer where `node` refuses a request at the time `now`.
    pub(crate) fn new(
        refusal: &Refusal,
        world: &World,
        node: Option<Fields<'_>>,
        view: View<'_>,
        now: i128,
    ) -> Self {
        let configuration = Fields(&world.configuration);
        let (_, status, _, _) = refusal.reason.row();
        let realm = configuration.text("realm");
        Self {
            reason: refusal.reason,
            status,
            stripped: configuration.flag("strip_failure_response"),
            grpc: view.is_grpc(),
            problem: configuration.text("response_body") == Some("problem"),
            realm: realm.unwrap_or_else(|| view.first(":authority")).to_owned(),
            scope: refusal.scope.clone(),
            challenges: Challenges::new(refusal.reason, world, node, view, now),
            step_up: refusal.step_up.clone().unwrap_or_default(),
        }
    }

    /// The same answer, with a nonce of any time.
    pub(crate) fn without_nonce(mut self) -> Self {
        self.challenges.nonce = None;
        self
    }

    /// The headers, given the description of the reason.
    pub(crate) fn headers(&self, description: &str) -> BTreeMap<String, String> {
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if self.status == 503 {
            headers.push(("retry-after", "1 to 60".to_owned()));
        }
        let challenges = self.challenges(description);
        if !challenges.is_empty() {
            headers.push(("www-authenticate", challenges.join("\n")));
            let nonce = self.challenges.nonce.clone();
            headers.extend(nonce.map(|nonce| ("dpop-nonce", nonce)));
        }
        if !self.stripped && !self.grpc {
            let kind = if self.problem { "problem+json" } else { "json" };
            headers.push(("content-type", format!("application/{kind}")));
        }
        let headers = headers.into_iter();
        headers
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn challenges(&self, description: &str) -> Vec<String> {
        if self.stripped {
            return Vec::new();
        }
        let schemes = self.challenges.schemes.iter();
        schemes
            .map(|(scheme, names_error)| self.challenge(*scheme, *names_error, description))
            .collect()
    }

    fn challenge(&self, scheme: Scheme, names_error: bool, description: &str) -> String {
        let (_, _, error, _) = self.reason.row();
        let name = match scheme {
            Scheme::Bearer => "Bearer",
            Scheme::Dpop => "DPoP",
        };
        let mut challenge = format!("{name} realm=\"{}\"", quotable(&self.realm, 256));
        if let Some(error) = error.filter(|_| names_error) {
            let description = format!(", error_description=\"{description}\"");
            challenge.extend([", error=\"", error, "\"", &description]);
        }
        if let Some(scope) = &self.scope
            && self.reason != Reason::ProofNonce
        {
            challenge.extend([", scope=\"", &quotable(scope, usize::MAX), "\""]);
        }
        if names_error {
            if !self.step_up.classes.is_empty() {
                let classes = self.step_up.classes.join(" ");
                challenge.extend([", acr_values=\"", &classes, "\""]);
            }
            if let Some(age) = self.step_up.age {
                challenge.extend([", max_age=\"", &age.to_string(), "\""]);
            }
        }
        if scheme == Scheme::Dpop {
            challenge.extend([", algs=\"", &self.challenges.algs, "\""]);
        }
        challenge
    }

    /// The body, given the description of the reason.
    pub(crate) fn body(&self, description: &str) -> String {
        let (_, _, _, error) = self.reason.row();
        if self.stripped {
            String::new()
        } else if self.grpc {
            description.to_owned()
        } else if self.problem {
            let title = match self.status {
                400 => "Bad Request",
                401 => "Unauthorized",
                403 => "Forbidden",
                503 => "Service Unavailable",
                other => unreachable!("there is no refusal with status {other}"),
            };
            let status = self.status;
            [
                r#"{"type":"about:blank","title":""#,
                title,
                &format!(
                    "\",\"status\":{status},\"detail\":\"{description}\",\"error\":\"{error}\"}}"
                ),
            ]
            .concat()
        } else {
            format!("{{\"error\":\"{error}\",\"error_description\":\"{description}\"}}")
        }
    }
}

/// The printable ASCII of a text, at most `limit` characters, quoted as needed.
fn quotable(text: &str, limit: usize) -> String {
    let printable = text
        .chars()
        .filter(|one| matches!(one, ' '..='~'))
        .take(limit);
    printable.fold(String::new(), |mut quoted, one| {
        if one == '"' || one == '\\' {
            quoted.push('\\');
        }
        quoted.push(one);
        quoted
    })
}

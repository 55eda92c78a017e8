//! Why a provider refuses a token, with the facts.

use std::collections::BTreeSet;
use std::rc::Rc;

use gate::keys::KeySet;
use gate::policy::{ClientCertificate, IssuerTemplate, Policy, Provider, TokenConditions};
use gate::reason::Reason;
use gate::request::Request;
use gate::revocation::NAMING_CLAIMS;
use gate::time::Timestamp;
use gate::verify::Algorithm;
use serde_json::Value;

use crate::engine;
use crate::inspected_token::InspectedToken;
use crate::wording;

/// What [`Reason::ClaimType`] says.
const CLAIM_TYPES: &str = "iss, sub and jti must be strings; aud a string or an array of strings; exp, nbf and \
                           iat numbers; with a profile client_id and acr strings, auth_time a number, amr an \
                           array of strings; with acr_values acr a string, with max_authentication_age \
                           auth_time a number";

/// The refusal of a request by a provider or by the conditions on its token.
pub(crate) struct Refusal<'r> {
    /// The reason.
    pub(crate) reason: &'r Reason,
    /// The policy.
    pub(crate) policy: &'r Policy,
    /// The request.
    pub(crate) request: &'r Request<'r>,
    /// The provider.
    pub(crate) provider: &'r Provider,
    /// The conditions on the token.
    pub(crate) conditions: &'r TokenConditions,
    /// The time of the decision.
    pub(crate) now: Timestamp,
    /// The resources that the token must be meant for.
    pub(crate) resources: Vec<&'r str>,
    /// The token, if the request carries one.
    pub(crate) token: Option<InspectedToken>,
    /// The keys of the provider, if they are available.
    pub(crate) keys: Option<Rc<KeySet>>,
}

impl Refusal<'_> {
    /// Explains the refusal. The reason's description is used if there are no facts.
    pub(crate) fn explain(&self) -> String {
        let provider = self.provider;
        match self.reason {
            Reason::NoRule
            | Reason::MalformedCredential
            | Reason::SeveralTokens
            | Reason::Inactive
            | Reason::KeysUnavailable { .. }
            | Reason::RevocationUnavailable { .. }
            | Reason::IntrospectionUnavailable { .. }
            | Reason::ReplayUnavailable { .. }
            | Reason::TooManyStreams { .. }
            // The steps of the proof have the facts.
            | Reason::ProofMissing
            | Reason::SeveralProofs
            | Reason::ProofMalformed
            | Reason::ProofAlgorithm
            | Reason::ProofKey
            | Reason::ProofMethod
            | Reason::ProofUri
            | Reason::ProofToken
            | Reason::ProofNonce
            | Reason::ProofTime
            | Reason::ProofSignature
            | Reason::ProofReplay => self.reason.kind().description().to_owned(),
            Reason::Header { .. } => header(self.reason),
            Reason::Requirement { name } => unknown_requirement(name),
            Reason::Missing => wording::searched(&provider.locations),
            Reason::TooLong { bytes, limit } => text_too_long(*bytes, *limit),
            Reason::TooLarge { bytes, limit } => token_too_large(*bytes, *limit),
            Reason::PayloadTooLarge { bytes, limit } => payload_too_large(*bytes, *limit),
            Reason::MalformedToken => self.malformed(),
            Reason::Algorithm { alg: Some(alg) } => {
                format!("alg: {alg:?}, which the provider does not accept")
            }
            Reason::Algorithm { alg: None } => {
                let token = self.token.as_ref();
                let alg = token.map(|token| token.header_text("alg"));
                format!("alg: {}, which is unknown", alg.unwrap_or_default())
            }
            Reason::Type { typ } => self.wrong_type(typ.as_deref()),
            Reason::Critical => "the header contains crit, or a b64 other than true".to_owned(),
            Reason::ClaimType => CLAIM_TYPES.to_owned(),
            Reason::Issuer { iss } => self.wrong_issuer(iss.as_deref()),
            Reason::Audience { aud } => {
                let aud = (!aud.is_empty()).then(|| Value::from(aud.clone()));
                let aud = wording::member("aud", aud.as_ref());
                let mut expected = Vec::new();
                if !provider.audiences.is_empty() {
                    expected.push(format!("one of {}", provider.audiences.join(", ")));
                }
                if !self.resources.is_empty() {
                    let resources = self.resources.join(", ");
                    expected.push(format!("the resource of the request, {resources}"));
                }
                format!("aud: {aud}, expected {}", expected.join(" and "))
            }
            Reason::Subject => {
                let sub = self.claim_text("sub");
                format!("sub: {sub}, which does not match subjects")
            }
            Reason::ClaimMissing { claim } => {
                format!("{claim}: {}, and the profile demands it", wording::MISSING)
            }
            Reason::NoExpiration => format!("exp: {}", wording::MISSING),
            Reason::Expired { exp, now } => self.time("exp", *exp, *now),
            Reason::NotYetValid { nbf, now } => self.time("nbf", *nbf, *now),
            Reason::IssuedInFuture { iat, now } => self.time("iat", *iat, *now),
            Reason::Lifetime { iat, exp, limit } => {
                let date = |time: &Option<Timestamp>| {
                    time.map_or_else(|| wording::MISSING.to_owned(), wording::date)
                };
                let limit = humantime::format_duration(*limit);
                format!("iat: {}, exp: {}; limit: {limit}", date(iat), date(exp))
            }
            Reason::UnknownKey { kid, alg } => self.unknown_key(kid.as_deref(), alg),
            Reason::Signature { kid: Some(kid) } => {
                format!("no key for kid {kid:?} verifies it")
            }
            Reason::Signature { kid: None } => {
                "no key verifies it, and the token has no kid".to_owned()
            }
            Reason::Revoked => self.revoked(),
            Reason::Contradiction { claim } => {
                let response = self.claim_text(claim);
                format!("{claim}: {response} in the introspection response, another in the token")
            }
            Reason::SenderConstraint
            | Reason::Unbound
            | Reason::Downgrade
            | Reason::ProofBinding => format!("cnf: {}", self.claim_text("cnf")),
            Reason::CertificateMissing
            | Reason::CertificateMismatch
            | Reason::CertificateAmbiguous => self.certificate(),
            Reason::UserAuthentication { .. } => self.authentication(),
            Reason::Scope { required } => self.scope(required),
            Reason::Claims { claim } => self.claims(claim),
        }
    }

    fn wrong_issuer(&self, iss: Option<&str>) -> String {
        let issuers = self.provider.issuers.all().iter();
        let expected: Vec<String> = issuers.map(|one| self.issuer(one)).collect();
        let (iss, expected) = (wording::string(iss), expected.join(" or "));
        format!("iss: {iss}, expected {expected}")
    }

    /// An accepted issuer. With placeholders, what the token has in their places.
    fn issuer(&self, issuer: &IssuerTemplate) -> String {
        let text = wording::string(Some(issuer.as_str()));
        let payload = self.token.as_ref().and_then(InspectedToken::payload);
        let claims = issuer.claims().map(|claim| {
            let value = payload.and_then(|payload| claim.find(payload));
            let problem = match (value, IssuerTemplate::segment(value)) {
                (Some(_), None) => " (no single segment of a path)",
                _ => "",
            };
            format!("{claim} {}{problem}", wording::member("", value))
        });
        let claims: Vec<String> = claims.collect();
        if claims.is_empty() {
            text
        } else {
            format!("{text} with {}", claims.join(" and "))
        }
    }

    fn certificate(&self) -> String {
        let source = &self.policy.options.client_certificate;
        let shown = match (source, source.digest(self.request)) {
            (_, Ok(digest)) => format!("x5t#S256 {:?}", digest.to_base64url()),
            (ClientCertificate::Connection, Err(_)) => {
                "none (--client-certificate names one)".to_owned()
            }
            (ClientCertificate::Header(header), Err(Reason::CertificateAmbiguous)) => {
                format!("not known, {} is repeated or malformed", header.name)
            }
            (ClientCertificate::Header(header), Err(_)) => {
                let is_there = self.request.header(&header.name).next().is_some();
                let name = &header.name;
                if is_there {
                    format!(
                        "not known, the peer that sends {name} is not among trusted_peers \
                         (--client-certificate-uri)"
                    )
                } else {
                    format!("not known, there is no {name}")
                }
            }
        };
        let claim = self.claim_text("cnf");
        format!("cnf: {claim}; the client certificate: {shown}")
    }

    fn claim_text(&self, name: &str) -> String {
        let token = self.token.as_ref();
        wording::member(name, token.and_then(|token| token.claim(name)))
    }

    fn malformed(&self) -> String {
        match self.token.as_ref().map(InspectedToken::parts) {
            Some(parts) if parts != 3 => {
                format!("dot-separated parts: {parts}; a JWT has 3")
            }
            Some(_) | None => {
                "a part is not unpadded base64url, or header or payload is not a JSON \
                               object with unique names"
                    .to_owned()
            }
        }
    }

    /// The `typ` of a JWT, or the `token_type` of an introspection response.
    fn wrong_type(&self, typ: Option<&str>) -> String {
        let typ = wording::string(typ);
        if self.token.as_ref().is_some_and(InspectedToken::has_header) {
            format!("typ: {typ}")
        } else {
            format!("token_type: {typ}; to the authorization server it is not an access token")
        }
    }

    fn time(&self, claim: &str, time: Timestamp, now: Timestamp) -> String {
        let skew = humantime::format_duration(self.provider.clock_skew);
        let (time, now) = (wording::date(time), wording::date(now));
        format!("{claim}: {time}; now: {now}; accepted clock skew: {skew}")
    }

    fn unknown_key(&self, kid: Option<&str>, alg: &str) -> String {
        let token = match kid {
            Some(kid) => format!("alg {alg:?} and kid {kid:?}"),
            None => format!("alg {alg:?}"),
        };
        match &self.keys {
            Some(keys) => format!("no key for {token}; {}", list_keys(keys, alg)),
            None => format!("no key for {token}: the provider has no keys"),
        }
    }

    fn revoked(&self) -> String {
        let mut names = Vec::new();
        if let Some(token) = &self.token {
            for claim in NAMING_CLAIMS {
                if token.claim(claim).is_some() {
                    names.push(format!("{claim} {}", token.claim_text(claim)));
                }
            }
            // Only a JWT without `jti` is revoked by its signature.
            if token.has_header() && token.claim("jti").is_none() {
                names.push("the signature".to_owned());
            }
        }
        format!("the revocation list contains {}", names.join(" or "))
    }

    /// What the token says about the authentication of the user, and what is asked for.
    fn authentication(&self) -> String {
        let demand = &self.conditions.authentication;
        let mut facts = Vec::new();
        if !demand.acr_values.is_empty() {
            let classes = demand.acr_values.join(" ");
            facts.push(format!(
                "acr: {}; required: one of {classes}",
                self.claim_text("acr")
            ));
        }
        if let Some(max_age) = demand.max_age {
            let time = self.claim_text("auth_time");
            let (max_age, skew) = (
                humantime::format_duration(max_age),
                humantime::format_duration(self.provider.clock_skew),
            );
            let now = wording::date(self.now);
            facts.push(format!(
                "auth_time: {time}; now: {now}; required: at most {max_age} ago; accepted clock skew: {skew}"
            ));
        }
        facts.join("; ")
    }

    fn scope(&self, required: &str) -> String {
        let payload = self.token.as_ref().and_then(InspectedToken::payload);
        let claims = self.provider.scope_claims.iter().map(|path| {
            let value = payload.and_then(|payload| path.find(payload));
            (path, value)
        });
        let (present, absent): (Vec<_>, Vec<_>) = claims.partition(|(_, value)| value.is_some());
        let shown = if present.is_empty() { absent } else { present };
        let shown: Vec<String> = shown
            .into_iter()
            .map(|(path, value)| format!("{path}: {}", wording::member("", value)))
            .collect();
        let conditions = self.conditions;
        let required = match (
            conditions.scopes.as_slice(),
            conditions.any_scope.as_slice(),
        ) {
            ([], []) => required.to_owned(),
            (all, []) => all.join(" "),
            ([], any) => format!("one of {}", any.join(" ")),
            (all, any) => format!("{} and one of {}", all.join(" "), any.join(" ")),
        };
        format!("{}; required: {required}", shown.join(", "))
    }

    /// The conditions on `claim` that the token does not fulfil.
    fn claims(&self, claim: &str) -> String {
        let payload = self.token.as_ref().and_then(InspectedToken::payload);
        let mut failed = Vec::new();
        for condition in &self.conditions.claims {
            let value = payload.and_then(|payload| condition.path.find(payload));
            let path = condition.path.to_string();
            if path == claim && !condition.test.holds(value) {
                let value = wording::member("", value);
                let test = wording::claim_test(&condition.test);
                failed.push(format!("{path}: {value}, {test}"));
            }
        }
        failed.join("; ")
    }
}

fn token_too_large(bytes: usize, limit: usize) -> String {
    format!("{bytes} bytes; at most {limit} are accepted")
}

fn payload_too_large(bytes: usize, limit: usize) -> String {
    format!(
        "the payload takes {bytes} bytes of payload_metadata_header; Envoy makes metadata of at most {limit}"
    )
}

/// What [`Reason::TooLong`] says.
pub(crate) fn text_too_long(bytes: usize, limit: usize) -> String {
    format!(
        "a rule applies a regular expression to {bytes} bytes of the request; at most {limit} are \
         matched"
    )
}

/// Explains that a route names a requirement that does not exist.
pub(crate) fn header(reason: &Reason) -> String {
    match reason {
        Reason::Header { name } => format!(
            "{name} is a header that clients may not send, and with per_route_requirements it cannot \
             be removed: Envoy would select the route again"
        ),
        other => other.kind().description().to_owned(),
    }
}

/// Explains that the metadata of the route name a requirement that is not there.
pub(crate) fn unknown_requirement(name: &str) -> String {
    format!("{name:?} is not in requirement_map")
}

/// Lists the keys by `kid`: those for the algorithm `alg`, and the others.
fn list_keys(keys: &KeySet, alg: &str) -> String {
    let engine = engine::envoy();
    let (mut fitting, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (_, algorithm) in Algorithm::ALL {
        let fits = Algorithm::from_name(alg) == Some(algorithm);
        for key in keys.candidates(algorithm, None, &engine) {
            let name = match &key.kid {
                Some(kid) => format!("{kid:?}"),
                None => "without kid".to_owned(),
            };
            if fits {
                fitting.insert(name);
            } else {
                others.insert(name);
            }
        }
    }
    let list = |names: &mut dyn Iterator<Item = &String>| {
        let names: Vec<&str> = names.map(String::as_str).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let others = list(&mut others.difference(&fitting));
    format!(
        "keys for {alg}: {}; others: {others}",
        list(&mut fitting.iter())
    )
}

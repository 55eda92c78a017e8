//! Tokens of one provider, by kind.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gate::decision::Decision;
use gate::policy::{Policy, Provider, RequirementKind, RequirementNode};
use gate::request::Connection;
use gate::time::Timestamp;
use gate::verify::Algorithm;
use serde_json::{Map, Value, json};

use crate::arguments::Arguments;
use crate::given::Given;
use crate::inputs::Inputs;
use crate::mint::claims::{Demands, remove_scopes};
use crate::mint::key_pair::{KeyPair, random_identifier};
use crate::mint::kind::Kind;
use crate::trial_request;

/// How far from now the times of bad tokens are, beyond the clock skew.
const FAR: Duration = Duration::from_hours(1);

/// Mints the tokens of one provider.
pub(crate) struct Minter<'m> {
    pub(crate) policy: &'m Policy,
    pub(crate) provider: &'m Rc<Provider>,
    /// The provider in the configuration.
    pub(crate) json: &'m Value,
    pub(crate) pair: &'m KeyPair,
    /// The `kid` of the key.
    pub(crate) kid: &'m str,
    pub(crate) lifetime: Duration,
    pub(crate) now: Timestamp,
}

/// What the provider makes of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused(&'static str),
    /// It depends on a document that the gate would fetch.
    Undecided,
}

impl Minter<'_> {
    /// The token of this kind, with more claims; `null` leaves a claim out. `None` if the kind makes no
    /// sense for this provider.
    ///
    /// # Errors
    ///
    /// That it cannot be signed.
    pub(crate) fn token(
        &self,
        kind: Kind,
        more: &Map<String, Value>,
    ) -> Result<Option<String>, String> {
        let demands = Demands::new(self.policy, self.provider);
        let (lifetime, now) = (self.lifetime, self.now);
        let mut claims = demands.claims(self.policy, self.provider, self.json, lifetime, now);
        claims.insert("jti".to_owned(), random_identifier()?.into());
        for (name, value) in more {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        let mut header =
            json!({"alg": self.pair.algorithm().name(), "typ": self.typ(), "kid": self.kid});
        let far = FAR.saturating_add(self.provider.clock_skew);
        let (before, after) = (seconds(now.minus(far)), seconds(now.plus(far)));
        let mut claim = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        match kind {
            Kind::Good | Kind::WrongSignature => {}
            Kind::Expired => {
                claim("iat", seconds(now.minus(far.saturating_add(lifetime))));
                claim("exp", before);
            }
            Kind::NotYetValid => {
                claim("nbf", after);
                claim("exp", seconds(now.plus(far.saturating_add(lifetime))));
            }
            Kind::IssuedInFuture => {
                claim("iat", after);
                claim("exp", seconds(now.plus(far.saturating_add(lifetime))));
            }
            Kind::NoExpiration => drop(claims.remove("exp")),
            Kind::TooLongLived => {
                let Some(most) = self.provider.max_lifetime else {
                    return Ok(None);
                };
                claim("exp", seconds(now.plus(most.saturating_add(far))));
            }
            Kind::WrongIssuer => claim("iss", "https://wrong-issuer.invalid".into()),
            Kind::WrongAudience => claim("aud", "https://wrong-audience.invalid".into()),
            Kind::WrongSubject => claim("sub", "wrong subject".into()),
            Kind::WrongType => set(&mut header, "typ", "wrong-type"),
            Kind::UnknownKid => set(&mut header, "kid", "unknown"),
            Kind::OtherAlgorithm => return self.with_other_algorithm(header, claims),
            Kind::Unsigned => {
                set(&mut header, "alg", "none");
                let parts = [header, claims.into()];
                let parts = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
                return Ok(Some(format!("{}.", parts.join("."))));
            }
            Kind::NoScope => {
                if !demands.has_scopes() {
                    return Ok(None);
                }
                remove_scopes(&mut claims, self.provider);
            }
            Kind::Malformed => return Ok(Some("not-a-jwt".to_owned())),
        }
        if kind == Kind::WrongSignature {
            let other = KeyPair::generate(self.pair.algorithm())?;
            return other.sign(&header, &claims.into()).map(Some);
        }
        self.pair.sign(&header, &claims.into()).map(Some)
    }

    /// A token that is signed with an algorithm that the provider does not accept.
    fn with_other_algorithm(
        &self,
        mut header: Value,
        claims: Map<String, Value>,
    ) -> Result<Option<String>, String> {
        let claims = Value::from(claims);
        for (name, algorithm) in Algorithm::ALL.iter().rev() {
            set(&mut header, "alg", name);
            let token = KeyPair::generate(*algorithm)?.sign(&header, &claims)?;
            if self.verdict(&token)? == Verdict::Refused("algorithm") {
                return Ok(Some(token));
            }
        }
        Ok(None)
    }

    /// What the provider makes of a token, whatever else a rule may ask for.
    ///
    /// # Errors
    ///
    /// None in practice: no file is read.
    pub(crate) fn verdict(&self, token: &str) -> Result<Verdict, String> {
        let arguments = Arguments::default();
        let given = Given::read(self.policy, &arguments)?;
        let providers = std::slice::from_ref(self.provider);
        let connection = Connection::default();
        let request = trial_request::build(providers, &arguments, Some(token), None, connection);
        let inputs = Inputs::new(self.policy, &request, &given, self.now);
        let kind = RequirementKind::Provider(Rc::clone(self.provider));
        Ok(match inputs.decide_by(&RequirementNode::from(kind)) {
            Decision::Pass | Decision::Admit(_) => Verdict::Accepted,
            Decision::Deny(reason) => Verdict::Refused(reason.kind().metric()),
            Decision::Wait(_) => Verdict::Undecided,
        })
    }

    /// The first `typ` that the provider lists.
    fn typ(&self) -> &str {
        let types = self.json.get("types").and_then(Value::as_array);
        let mut types = types.into_iter().flatten().filter_map(Value::as_str);
        types.find(|typ| !typ.is_empty()).unwrap_or("at+jwt")
    }
}

fn seconds(time: Timestamp) -> Value {
    time.unix_millis().div_euclid(1000).into()
}

fn set(header: &mut Value, name: &str, value: &str) {
    if let Some(members) = header.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

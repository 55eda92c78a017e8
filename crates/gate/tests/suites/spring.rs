//! What a resource server with Spring Security answers.
//!
//! `spring.json` has the requests of the tests of `DefaultBearerTokenResolver`, `NimbusJwtDecoder` and
//! its validators, `SpringOpaqueTokenIntrospector`, the entry point, the handler of denied access, and the
//! whole server (`OAuth2ResourceServerConfigurer`), with the answers that these expect.

use std::rc::Rc;
use std::time::Duration;

use gate::answer::Answer;
use gate::introspection::{TokenStatus, read};
use gate::policy::Policy;
use gate::request::Request;
use gate_fixtures::{compact, full_key_set, oct_jwk, rsa_jwk, signature};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::requests::{Gate, policy_with};
use crate::suites::{Case, Verdict, check};

/// A request and its answer. What is absent is as in a good request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// `accepted`, or the status, the error code of the challenge, and the scopes of the challenge if the
    /// source looks at them.
    answer: String,
    differs: Option<String>,
    /// Members of the provider.
    #[serde(default)]
    provider: Map<String, Value>,
    /// What the rule requires.
    requires: Option<Value>,
    #[serde(default)]
    keys: Keys,
    /// The time in Unix seconds.
    #[serde(default = "now")]
    now: u64,
    #[serde(default = "get")]
    method: String,
    #[serde(default = "root")]
    target: String,
    /// All headers; if absent, one with the token.
    headers: Option<Vec<(String, String)>>,
    /// Further headers.
    #[serde(default)]
    extra: Vec<(String, String)>,
    /// The body, which the gate does not read.
    #[serde(rename = "body")]
    _body: Option<String>,
    /// Members of the header of the token; `null` removes one.
    #[serde(default)]
    header: Map<String, Value>,
    /// Members of its payload.
    #[serde(default)]
    claims: Map<String, Value>,
    /// A signature other than the good one.
    signature: Option<String>,
    /// What the introspection endpoint answers.
    introspection: Option<Value>,
}

/// The keys that the gate has.
#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Keys {
    /// One of each type.
    #[default]
    All,
    /// The RSA key.
    One,
    /// The RSA key twice, without a `kid`.
    Twice,
    /// The RSA key and the secret without a `kid`.
    Unnamed,
    /// None, because the server is down.
    Unavailable,
}

const NOW: u64 = 1_700_000_000;

fn now() -> u64 {
    NOW
}

fn get() -> String {
    "GET".to_owned()
}

fn root() -> String {
    "/".to_owned()
}

fn merge(object: &mut Value, members: &Map<String, Value>) {
    let object = object.as_object_mut().unwrap();
    for (name, value) in members {
        object.insert(name.clone(), value.clone());
    }
    object.retain(|_, value| !value.is_null());
}

impl Row {
    fn policy(&self) -> Policy {
        let unnamed = |mut jwk: Value| {
            jwk.as_object_mut().unwrap().remove("kid");
            jwk
        };
        let set = |keys: &[Value]| json!({ "keys": keys }).to_string();
        let keys = match self.keys {
            Keys::All => Some(full_key_set()),
            Keys::One => Some(set(&[rsa_jwk()])),
            Keys::Twice => Some(set(&[unnamed(rsa_jwk()), unnamed(rsa_jwk())])),
            Keys::Unnamed => Some(set(&[unnamed(rsa_jwk()), unnamed(oct_jwk())])),
            Keys::Unavailable => None,
        };
        let mut provider = match keys {
            Some(keys) => json!({"local_jwks": {"inline_string": keys}}),
            None => json!({"remote_jwks": {
                "http_uri": {"uri": "https://issuer.example/jwks", "cluster": "issuer"},
            }}),
        };
        if self.introspection.is_some() {
            provider["introspection"] = json!({
                "http_uri": {"uri": "https://issuer.example/introspect", "cluster": "issuer"},
                "client_id": "gate",
                "client_secret_environment_variable": "SECRET",
            });
        }
        merge(&mut provider, &self.provider);
        let requires = self.requires.clone();
        let requires = requires.unwrap_or(json!({"provider_name": "p"}));
        policy_with(&json!({
            "providers": {"p": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": requires}],
        }))
    }

    fn token(&self) -> String {
        let mut header = json!({"alg": "RS256", "kid": "rsa"});
        merge(&mut header, &self.header);
        let mut claims = json!({"sub": "test-subject", "exp": NOW + 3600});
        merge(&mut claims, &self.claims);
        match &self.signature {
            Some(signature) => {
                let input = compact(&header.to_string(), &claims.to_string(), |_| Vec::new());
                format!("{input}{signature}")
            }
            None => compact(&header.to_string(), &claims.to_string(), |input| {
                signature(header["alg"].as_str().unwrap(), input)
            }),
        }
    }

    fn status(&self) -> TokenStatus {
        let down = TokenStatus::Unavailable {
            retry_after: Duration::from_secs(1),
        };
        match &self.introspection {
            None | Some(Value::String(_)) => down,
            Some(answer) => match read(answer.to_string().as_bytes()) {
                Ok(Some(response)) => TokenStatus::Active(Rc::new(response)),
                Ok(None) => TokenStatus::Inactive,
                Err(_) => down,
            },
        }
    }

    fn verdict(&self) -> Verdict {
        let token = self.token();
        let default = || vec![("authorization".to_owned(), format!("Bearer {token}"))];
        let target = self.target.replace("{token}", &token);
        let mut headers = self.headers.clone().unwrap_or_else(default);
        headers.extend(self.extra.iter().cloned());
        headers.push((":method".to_owned(), self.method.clone()));
        headers.push((":path".to_owned(), target));
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let request = Request::from_headers(headers);
        let gate = Gate::at(self.now).introspecting(self.status());
        let policy = self.policy();
        match gate.decide(&policy, &request) {
            None => Verdict::Accepted,
            Some((reason, requirement)) => {
                let answer = Answer::refusal(&reason, &policy, &request, requirement, None);
                Verdict::Refused(self.text(&answer))
            }
        }
    }

    /// The answer in the form of [`Row::answer`].
    fn text(&self, answer: &Answer) -> String {
        let challenge = answer
            .headers
            .iter()
            .find(|(name, _)| *name == "www-authenticate");
        let parameter = |name: &str| {
            let (_, rest) = challenge?.1.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        let mut text = answer.status.to_string();
        if let Some(error) = parameter(" error") {
            text = format!("{text} {error}");
        }
        if let (true, Some(scope)) = (self.answer.contains(':'), parameter(" scope")) {
            text = format!("{text}: {scope}");
        }
        text
    }
}

#[test]
fn requests_of_spring_security_have_the_documented_answers() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("spring.json")).unwrap();
    let case = |row: Row| Case {
        found: row.verdict(),
        expected: match row.answer.as_str() {
            "accepted" => Verdict::Accepted,
            refused => Verdict::Refused(refused.to_owned()),
        },
        name: row.name,
        differs: row.differs,
    };
    let cases: Vec<Case> = rows.into_iter().map(case).collect();
    check("Spring Security", 5, &cases);
}

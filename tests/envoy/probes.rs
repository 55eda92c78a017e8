//! The probes of `jwt_tool` and `jwtXploiter`: each is refused by a live gate, and none makes it fetch
//! anything.
//!
//! `probes.json` has the playbook, the forced errors and the common claims of `jwt_tool` 2.2.7, its
//! exploits and those of `jwtXploiter` 1.2.1, each as what it changes of a good token and how it signs.
//! More attacks are in `hostile`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::support::{
    AUDIENCE, Answer, Gate, ISSUER, Issuer, Key, Server, Setup, get, keys, mac, now,
};

#[path = "../support/suites.rs"]
mod suites;

use suites::{Case, Verdict, check};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    tool: String,
    name: String,
    /// Members of the header of the token.
    #[serde(default)]
    header: Map<String, Value>,
    /// Members of its payload.
    #[serde(default)]
    claims: Map<String, Value>,
    /// Members that are missing in the header.
    #[serde(default)]
    header_without: Vec<String>,
    /// Claims that are missing.
    #[serde(default)]
    without: Vec<String>,
    /// How the token is signed: see [`Target::signature`].
    sign: String,
    /// Whether it is good.
    #[serde(default)]
    accepted: bool,
}

/// What a probe starts from: a good token, and what is known of its issuer.
struct Target<'k> {
    key: &'k Key,
    algorithm: &'static str,
    listener: &'k Server,
    own: &'k Own,
    /// The time at which the token was issued, in Unix seconds.
    now: u64,
}

/// The keys of the attacker.
struct Own {
    rsa: Key,
    p256: Key,
    p384: Key,
    p521: Key,
    certificate: Vec<u8>,
}

impl Own {
    fn new() -> Self {
        let pair = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&pair).unwrap();
        Self {
            rsa: Key::new("mine", "RS256"),
            p256: Key::new("mine", "ES256"),
            p384: Key::new("mine", "ES384"),
            p521: Key::new("mine", "ES512"),
            certificate: certificate.der().to_vec(),
        }
    }

    /// The key for an algorithm.
    fn key(&self, algorithm: &str) -> &Key {
        match algorithm {
            "ES256" => &self.p256,
            "ES384" => &self.p384,
            "ES512" => &self.p521,
            _ => &self.rsa,
        }
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
}

impl Target<'_> {
    fn header(&self) -> Value {
        json!({"typ": "JWT", "alg": self.algorithm, "kid": self.key.kid})
    }

    fn claims(&self) -> Value {
        json!({
            "iss": ISSUER,
            "sub": "somebody",
            "aud": AUDIENCE,
            "exp": self.now + 3600,
            "iat": self.now,
        })
    }

    /// The value with what stands in for things of this target.
    fn value(&self, value: &Value, algorithm: &str) -> Value {
        let text = match value {
            Value::String(text) => text,
            Value::Array(values) => {
                let values = values.iter();
                return values.map(|value| self.value(value, algorithm)).collect();
            }
            other => return other.clone(),
        };
        let seconds = text
            .strip_prefix("{now")
            .and_then(|rest| rest.strip_suffix('}'));
        if let Some(seconds) = seconds {
            let seconds: i64 = seconds.parse().unwrap();
            return self.now.saturating_add_signed(seconds).into();
        }
        if text == "{jwk}" {
            return self.own.key(algorithm).jwk();
        }
        let address = format!("127.0.0.1:{}", self.listener.port);
        text.replace("{listener}", &format!("http://{address}"))
            .replace("{address}", &address)
            .replace("{kid}", self.key.kid)
            .replace("{certificate}", &STANDARD.encode(&self.own.certificate))
            .into()
    }

    /// The public key of the issuer in a form that an attacker may take for the secret. Instead of a
    /// secret, which is not public, it is the RSA key.
    fn public(&self, form: &str) -> Vec<u8> {
        let key = match self.algorithm {
            "HS256" => &keys::RSA,
            _ => self.key,
        };
        let der = key.der();
        match form {
            "pem" => pem(&der).into_bytes(),
            "pem without the last line feed" => pem(&der).trim_end().into(),
            "one line of base64" => STANDARD.encode(der).into_bytes(),
            "DER" => der,
            "JWK" => key.jwk().to_string().into_bytes(),
            "modulus or coordinate" => {
                let jwk = key.jwk();
                let number = jwk.get("n").or_else(|| jwk.get("x"));
                number.and_then(Value::as_str).unwrap().into()
            }
            other => panic!("{other}"),
        }
    }

    /// The signature of `input` in the way that `sign` says. `original` is that of the good token.
    fn signature(&self, sign: &str, algorithm: &str, input: &[u8], original: &str) -> String {
        let (how, what) = sign.split_once(": ").unwrap_or((sign, ""));
        match how {
            "original" => original.to_owned(),
            "cut" => original[..original.len() - 4].to_owned(),
            "none" => String::new(),
            "zeros" => {
                let own = self.own.key(algorithm).sign(algorithm, input);
                encoded(vec![0; own.len()])
            }
            "attacker" if algorithm.starts_with("HS") => {
                encoded(mac(algorithm, b"the attacker's secret", input))
            }
            "attacker" => encoded(self.own.key(algorithm).sign(algorithm, input)),
            "secret" => encoded(mac(algorithm, what.as_bytes(), input)),
            "public" => encoded(mac(algorithm, &self.public(what), input)),
            // The key of the certificate that the site shows is not that of the issuer.
            "certificate" => encoded(mac(algorithm, pem(&self.own.rsa.der()).as_bytes(), input)),
            other => panic!("{other}"),
        }
    }

    fn token(&self, probe: &Probe) -> String {
        if let Some(text) = probe.sign.strip_prefix("text: ") {
            return text.to_owned();
        }
        let (mut header, mut claims) = (self.header(), self.claims());
        let input = |header: &Value, claims: &Value| {
            format!(
                "{}.{}",
                encoded(header.to_string()),
                encoded(claims.to_string())
            )
        };
        let original = input(&header, &claims);
        let original = encoded(self.key.sign(self.algorithm, original.as_bytes()));
        let algorithm = probe.header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.unwrap_or(self.algorithm);
        for (object, members, without) in [
            (&mut header, &probe.header, &probe.header_without),
            (&mut claims, &probe.claims, &probe.without),
        ] {
            let object = object.as_object_mut().unwrap();
            for (name, value) in members {
                object.insert(name.clone(), self.value(value, algorithm));
            }
            for name in without {
                object.remove(name);
            }
        }
        let input = input(&header, &claims);
        let signature = self.signature(&probe.sign, algorithm, input.as_bytes(), &original);
        format!("{input}.{signature}")
    }
}

/// Sends all probes for tokens with these keys. After each, the good token passes.
fn send(
    gate: &Gate,
    what: &str,
    targets: &[(&Key, &'static str)],
    (listener, own): (&Server, &Own),
    probes: &[Probe],
) -> Vec<Case> {
    let mut cases = Vec::new();
    for (key, algorithm) in targets {
        let target = Target {
            key,
            algorithm,
            listener,
            own,
            now: now(),
        };
        let good = probes.iter().find(|probe| probe.accepted).unwrap();
        let good = get("/").bearer(target.token(good));
        let mut connection = gate.connect();
        for probe in probes {
            let name = format!("{}, {}, {algorithm}, {what}", probe.tool, probe.name);
            let request = get("/").bearer(target.token(probe));
            let passed = gate.upstream.count();
            let status = connection.send(&request).unwrap().status;
            assert!(matches!(status, 200 | 400 | 401), "{name}: {status}");
            let accepted = status == 200;
            assert_eq!(gate.upstream.count() > passed, accepted, "{name}");
            let after = connection.send(&good).unwrap().status;
            assert_eq!(after, 200, "the good token after {name}");
            cases.push(Case {
                name,
                expected: Verdict::new(probe.accepted),
                found: Verdict::new(accepted),
                differs: None,
            });
        }
    }
    cases
}

#[test]
fn every_probe_of_jwt_tool_and_jwtxploiter_is_refused() {
    let probes: Vec<Probe> = serde_json::from_str(include_str!("probes.json")).unwrap();
    let listener = Server::start(|_| Answer::new(200, "{}").into());
    let own = Own::new();
    let public: [&Key; 4] = [&keys::RSA, &keys::EC, &keys::P384, &keys::P521];
    let issuer = Issuer::start();
    issuer.publish(&public);
    let mut config = Issuer::config();
    // Only the first unknown `kid` causes a refetch.
    config["providers"]["cloud"]["remote_jwks"]["refetch_cooldown"] = "3600s".into();
    let gate = Setup::trusting(&issuer).config(config).start();
    let signatures = [
        (&*keys::RSA, "RS256"),
        (&*keys::RSA, "PS256"),
        (&*keys::EC, "ES256"),
    ];
    let attacker = (&listener, &own);
    let mut cases = send(&gate, "public keys", &signatures, attacker, &probes);
    let fetches = issuer.server.received();
    assert!(fetches.len() <= 2, "{}", fetches.len());
    assert!(fetches.iter().all(|fetch| fetch.target == "/jwks"));
    // A gate that accepts HMAC beside its public keys.
    let all: Vec<&Key> = public.into_iter().chain([&*keys::SECRET]).collect();
    let mut provider = Issuer::local_provider(&all);
    provider["algorithms"] = json!(["RS256", "PS256", "ES256", "HS256", "HS384", "HS512"]);
    let gate = Setup::new(json!({"providers": {"p": provider}})).start();
    let with_secret = [(&*keys::SECRET, "HS256"), (&*keys::RSA, "RS256")];
    let more = send(
        &gate,
        "public keys and a secret",
        &with_secret,
        attacker,
        &probes,
    );
    cases.extend(more);
    assert_eq!(listener.count(), 0, "{:?}", listener.received().first());
    check("jwt_tool and jwtXploiter", 0, &cases);
}

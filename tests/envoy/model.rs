//! Random configurations and requests, with what the model of the decision (`crates/model`) says about them.

use std::collections::BTreeMap;
use std::fmt::Write;

use gate_model::{Expected, Sample, SampleRequest};
use serde_json::{Value, json};

use crate::support::{
    Answer, Connection, Envoy, Reply, Request, Response, Server, Setup, bootstrap_of, cluster, get,
    now,
};

/// How many configurations there are.
const CONFIGURATIONS: u64 = 200;

/// The first seed.
const FIRST: u64 = 1;

/// The headers that Envoy adds.
const OF_ENVOY: [&str; 4] = [
    "x-forwarded-proto",
    "x-request-id",
    "x-envoy-expected-rq-timeout-ms",
    "content-length",
];

/// A sample whose clusters have names that no other sample has.
struct Numbered {
    sample: Sample,
    listener: String,
    configuration: Value,
}

impl Numbered {
    fn new(seed: u64) -> Self {
        let sample = Sample::new(seed, i64::try_from(now()).unwrap());
        let mut configuration = sample.configuration.to_string();
        for cluster in sample.clusters() {
            configuration = configuration.replace(cluster, &numbered(seed, cluster));
        }
        Self {
            listener: format!("seed-{seed}"),
            configuration: serde_json::from_str(&configuration).unwrap(),
            sample,
        }
    }

    fn filter_chain(&self) -> Value {
        let mut setup = Setup::new(self.configuration.clone());
        // Each set of variables needs its own VM.
        if !self.sample.environment.is_empty() {
            setup.vm_config = json!({
                "vm_id": self.listener,
                "environment_variables": {"key_values": self.sample.environment},
            });
        }
        setup.filter_chain()
    }
}

fn numbered(seed: u64, cluster: &str) -> String {
    format!("s{seed}-{cluster}")
}

/// What servers respond: documents, and answers of introspection endpoints.
fn responses(samples: &[Numbered]) -> impl Fn(&str, &str) -> Reply + Send + Sync + 'static {
    let mut all: BTreeMap<(String, String), (u16, String)> = BTreeMap::new();
    for Numbered { sample, .. } in samples {
        for cluster in sample.clusters() {
            let host = format!("{}.example", numbered(sample.seed, cluster));
            for token in sample.tokens() {
                let response = sample.serve(cluster, Some(token));
                all.insert((host.clone(), token.to_owned()), response);
            }
            all.insert((host, String::new()), sample.serve(cluster, None));
        }
    }
    move |host, token| {
        let found = all.get(&(host.to_owned(), token.to_owned()));
        let (status, body) = found
            .cloned()
            .unwrap_or((200, r#"{"active": false}"#.to_owned()));
        Answer::new(status, body).into()
    }
}

/// The token of a form.
fn token(form: &[u8]) -> String {
    let mut fields = form.split(|byte| *byte == b'&');
    let field = fields.find_map(|field| field.strip_prefix(b"token="));
    let text = String::from_utf8_lossy(field.unwrap_or_default()).into_owned();
    let mut token = String::new();
    let mut parts = text.split('%');
    token.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap();
        token.push(char::from(u8::from_str_radix(digits, 16).unwrap()));
        token.push_str(rest);
    }
    token
}

fn request(sample: &SampleRequest) -> Request {
    let mut request = get(sample.target.clone()).method(&sample.method);
    for (name, value) in &sample.headers {
        request = match name.as_str() {
            "host" => request.host(value),
            name => request.header(name, value),
        };
    }
    request
}

/// How an answer differs from what is expected; `None` if it does not.
fn difference(expected: &Expected, answer: &Response) -> Option<String> {
    match expected {
        Expected::Upstream { target, headers } => {
            let echo = answer.json();
            if answer.status != 200 {
                return Some(format!("{} instead of the upstream", answer.status));
            }
            let received = echo["headers"].as_object().into_iter().flatten();
            let received: BTreeMap<String, String> = received
                .filter(|(name, _)| !OF_ENVOY.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect();
            let same = echo["target"] == target.as_str() && received == *headers;
            (!same).then(|| format!("the upstream receives {echo}"))
        }
        Expected::Client(answers) => {
            let challenges = answer.headers.iter();
            let challenges = challenges.filter(|(name, _)| name == "www-authenticate");
            let challenges: Vec<&str> = challenges.map(|(_, value)| value.as_str()).collect();
            let challenge = (!challenges.is_empty()).then(|| challenges.join("\n"));
            let body = String::from_utf8_lossy(&answer.body);
            let is_this = |(status, expected, text): &(u16, Option<String>, String)| {
                *status == answer.status && *expected == challenge && *text == body
            };
            let found = answers.iter().any(is_this);
            (!found).then(|| format!("{} {challenge:?} {body}", answer.status))
        }
    }
}

#[test]
fn envoy_does_what_the_model_says_about_random_requests() {
    let seeds = FIRST..FIRST + CONFIGURATIONS;
    let samples: Vec<Numbered> = seeds.map(Numbered::new).collect();
    let upstream = Server::echo();
    let respond = responses(&samples);
    let server = Server::start(move |received| {
        let host = String::from_utf8_lossy(received.header("host").unwrap()).into_owned();
        respond(&host, &token(&received.body))
    });
    let mut clusters = vec![cluster("upstream", upstream.port)];
    for Numbered { sample, .. } in &samples {
        let names = sample.clusters();
        clusters.extend(names.map(|name| cluster(&numbered(sample.seed, name), server.port)));
    }
    let listeners: Vec<(&str, Value)> = samples
        .iter()
        .map(|one| (one.listener.as_str(), one.filter_chain()))
        .collect();
    let envoy = Envoy::start(&bootstrap_of(&listeners, &clusters), 1);
    let ports = envoy.ports();
    let (mut failures, mut sent, mut forwarded) = (String::new(), 0, 0);
    for Numbered {
        sample, listener, ..
    } in &samples
    {
        for one in &sample.requests {
            let mut connection = Connection::to(ports[listener]).unwrap();
            let answer = connection.send(&request(one)).unwrap();
            sent += 1;
            forwarded += u32::from(matches!(one.expected, Expected::Upstream { .. }));
            if let Some(difference) = difference(&one.expected, &answer) {
                let seed = sample.seed;
                writeln!(failures, "seed {seed}: {one:?}\n  {difference}\n").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(
        sent > 1000 && forwarded > 200,
        "{sent} requests, {forwarded} forwarded"
    );
}

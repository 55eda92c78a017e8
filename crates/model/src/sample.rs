//! Cases for a real Envoy.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::case::{Request, Served, World};
use crate::comparison::kind;
use crate::generator;
use crate::model::{self, UsedProofs, Verdict};

/// For how long before and after `now` the expectations hold, in seconds.
const BEFORE: i64 = 5;
const AFTER: i64 = 1200;

/// How many requests are drawn.
const REQUESTS: usize = 12;

/// A configuration, what servers publish, and requests with what must become of them.
#[derive(Debug)]
pub struct Sample {
    /// The seed of the case.
    pub seed: u64,
    /// The configuration of the filter.
    pub configuration: Value,
    /// The environment variables that the configuration reads.
    pub environment: BTreeMap<String, String>,
    /// The requests that an HTTP/1.1 client can send.
    pub requests: Vec<SampleRequest>,
    world: World,
    tokens: Vec<String>,
}

/// A request, and what must become of it.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The other headers, with `host`.
    pub headers: Vec<(String, String)>,
    /// What must become of it.
    pub expected: Expected,
}

/// What must become of a request.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The upstream receives this target and these headers, values of the same header joined with commas.
    Upstream {
        /// The path and the query.
        target: String,
        /// The headers, with `host`.
        headers: BTreeMap<String, String>,
    },
    /// The client receives one of these: status, `www-authenticate` with a line for each challenge, and body.
    Client(Vec<(u16, Option<String>, String)>),
}

impl Sample {
    /// The sample of a seed, for requests within some minutes after `now`, in seconds since the epoch. Requests whose
    /// outcome depends on the second in which they arrive are left out.
    #[must_use]
    pub fn new(seed: u64, now: i64) -> Self {
        let mut case = generator::case(seed, REQUESTS, now);
        case.world.proofs_are_full = false;
        let mut used = UsedProofs::new(&case.world);
        let sendable = case.requests.into_iter().filter_map(sendable);
        let expected = sendable.filter_map(|request| {
            let verdict = settled(&case.world, &request, now, &used)?;
            if let Verdict::Forward(forwarded) = &verdict {
                let proofs = forwarded.iter().filter_map(|one| one.proof.as_ref());
                proofs.for_each(|proof| used.add(proof));
            }
            Some(SampleRequest::new(&request, &verdict))
        });
        Self {
            seed,
            requests: expected.collect(),
            configuration: case.world.configuration.clone(),
            environment: case.world.environment.clone(),
            tokens: case.tokens.into_keys().collect(),
            world: case.world,
        }
    }

    /// The clusters that the configuration names.
    pub fn clusters(&self) -> impl Iterator<Item = &str> {
        let World {
            documents,
            introspection,
            ..
        } = &self.world;
        documents
            .keys()
            .chain(introspection.keys())
            .map(String::as_str)
    }

    /// The tokens of the requests, and some more.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(String::as_str)
    }

    /// What the server behind a cluster responds: status and body. `token` is the token that an introspection endpoint
    /// is asked about.
    #[must_use]
    pub fn serve(&self, cluster: &str, token: Option<&str>) -> (u16, String) {
        let answers = self.world.introspection.get(cluster);
        let served = match answers.zip(token) {
            Some((answers, token)) => answers.get(token).cloned(),
            None => self.world.documents.get(cluster).cloned(),
        };
        let Served { status, body } = served.unwrap_or_else(|| Served::ok(r#"{"active": false}"#));
        (status, body)
    }
}

/// The request as Envoy hands it to the filter; `None` if an HTTP/1.1 client cannot send it, or Envoy changes it.
fn sendable(mut request: Request) -> Option<Request> {
    for (name, value) in &mut request.headers {
        *value = value.trim().to_owned();
        if name == ":scheme" {
            "http".clone_into(value);
        }
    }
    // The tests send without TLS, and then Envoy removes the header in which it would describe a certificate.
    request.certificate = None;
    request.peer = None;
    request
        .headers
        .retain(|(name, _)| name != "x-forwarded-client-cert");
    let has_strange = |value: &str| !value.bytes().all(|byte| byte.is_ascii_graphic());
    let fits = |(name, value): &(String, String)| match name.as_str() {
        ":path" => !has_strange(value) && !value.contains(['#', '\\']) && !value.contains("%00"),
        ":authority" => !value.contains('"'),
        "content-type" => !value.starts_with("application/grpc"),
        _ => !value.is_empty(),
    };
    // Envoy joins their values before the filter sees them.
    let count = |wanted: &str| {
        request
            .headers
            .iter()
            .filter(|(name, _)| name == wanted)
            .count()
    };
    let length: usize = request.headers.iter().map(|(_, value)| value.len()).sum();
    let is_sendable = request.headers.iter().all(fits)
        && count("authorization") < 2
        && count("cookie") < 2
        && length < 40_000
        && request.route_requirement.is_none();
    is_sendable.then_some(request)
}

/// The verdict, if there is only one, the same now and some minutes later, and whatever the filter remembers of
/// introspection.
fn settled(world: &World, request: &Request, now: i64, used: &UsedProofs) -> Option<Verdict> {
    let mut verdicts = Vec::new();
    for time in [now - BEFORE, now, now + AFTER] {
        for asked in [true, false] {
            let time = i128::from(time) * 1000;
            let verdict = model::judge(world, request, time, &|_, _| asked, used);
            verdicts.push(verdict.without_nonce());
        }
    }
    let first = verdicts.first()?.clone();
    let is_open = match &first {
        Verdict::Forward(forwarded) => forwarded.len() > 1,
        Verdict::Refuse(_) => false,
        // A real Envoy shows no filter state here, so it would show nothing of a report.
        Verdict::Report(..) | Verdict::Either(..) => true,
    };
    if is_open {
        return None;
    }
    verdicts
        .iter()
        .all(|verdict| *verdict == first)
        .then_some(first)
}

impl SampleRequest {
    fn new(request: &Request, verdict: &Verdict) -> Self {
        let first = |name: &str| {
            let mut headers = request.headers.iter();
            let header = headers.find(|(known, _)| known == name);
            header.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let plain = |headers: &[(String, String)]| {
            let named = headers.iter().map(|(name, value)| match name.as_str() {
                ":authority" => ("host".to_owned(), value.clone()),
                _ => (name.clone(), value.clone()),
            });
            let plain = named.filter(|(name, _)| !name.starts_with(':'));
            plain.collect::<Vec<_>>()
        };
        let expected = match verdict {
            Verdict::Forward(forwarded) => {
                let forwarded = forwarded.first().expect("one is forwarded");
                let mut headers: BTreeMap<String, String> = BTreeMap::new();
                for (name, value) in plain(&forwarded.headers) {
                    let joined = headers.get(&name).map(|before| format!("{before},{value}"));
                    headers.insert(name, joined.unwrap_or(value));
                }
                let target = forwarded.headers.iter().find(|(name, _)| name == ":path");
                let target = target.map(|(_, value)| value.clone());
                Expected::Upstream {
                    target: target.unwrap_or_default(),
                    headers,
                }
            }
            Verdict::Report(..) | Verdict::Either(..) => {
                unreachable!("neither reports nor open verdicts are in samples")
            }
            Verdict::Refuse(answers) => {
                let answers = answers.iter().map(|answer| {
                    let description = kind(answer).map_or("", |kind| kind.description());
                    let challenge = answer.headers(description).remove("www-authenticate");
                    (answer.reason.row().1, challenge, answer.body(description))
                });
                Expected::Client(answers.collect())
            }
        };
        Self {
            method: first(":method"),
            target: first(":path"),
            headers: plain(&request.headers),
            expected,
        }
    }
}

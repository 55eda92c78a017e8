//! `bearer-gate-check compare` predicts what `jwt_authn` and the gate do: its requests, sent to both.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gate_check::{Console, Status, run};
use serde_json::Value;

use crate::conversion::{Kind, file, kinds};
use crate::support::{Envoy, Request, Response, Server, binary, get, now, root};

/// Runs `compare` for a bootstrap, with another option and its value. Returns its status and what it prints.
fn compare(kind: &Kind, option: &str, value: &Path) -> (Status, String) {
    let name = kind.name.replace(' ', "-");
    let path = file(&format!("compare-{name}.json"), &kind.bootstrap(1));
    let module = root().join("target/wasm32-wasip1/release/bearer_gate.wasm");
    let arguments = [
        "compare".into(),
        "--all".into(),
        "--module".into(),
        module.into_os_string(),
        option.into(),
        value.into(),
        path.into_os_string(),
    ];
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut console = Console {
        environment: &|_| None,
        input: &mut std::io::empty(),
        output: &mut output,
        errors: &mut errors,
    };
    let status = run(
        arguments,
        &mut console,
        gate::time::Timestamp::from_unix_secs(now()),
    );
    let printed = [output, errors].concat();
    (status.unwrap(), String::from_utf8(printed).unwrap())
}

/// Starts Envoy with a configuration that `compare` has written, in front of `upstream`.
fn start(path: &Path, upstream: &Server) -> Envoy {
    let text = fs::read_to_string(path).unwrap();
    let mut bootstrap: Value = serde_json::from_str(&text).unwrap();
    let endpoint =
        "/static_resources/clusters/0/load_assignment/endpoints/0/lb_endpoints/0/endpoint";
    let port = format!("{endpoint}/address/socket_address/port_value");
    *bootstrap.pointer_mut(&port).unwrap() = upstream.port.into();
    Envoy::start(&bootstrap.to_string(), 1)
}

/// The names and values of headers.
fn pairs(headers: &Value) -> Vec<(&str, &str)> {
    let headers = headers.as_array().unwrap().iter();
    headers
        .map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap()))
        .collect()
}

/// The request with these headers.
fn request(headers: &Value) -> Request {
    let pairs = pairs(headers);
    let pseudo = |name: &str| pairs.iter().find(|(known, _)| *known == name).unwrap().1;
    let request = get(pseudo(":path"))
        .method(pseudo(":method"))
        .host(pseudo(":authority"));
    let others = pairs.iter().filter(|(name, _)| !name.starts_with(':'));
    others.fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

/// What the upstream got that clients and filters have a say in.
fn received(answer: &Response) -> BTreeMap<String, String> {
    let echo = answer.json();
    let headers = echo["headers"].as_object().unwrap();
    let from_envoy = [
        "host",
        "x-request-id",
        "x-forwarded-proto",
        "x-envoy-expected-rq-timeout-ms",
        "content-length",
    ];
    let mut received: BTreeMap<String, String> = headers
        .iter()
        .filter(|(name, _)| !from_envoy.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let target = echo["target"].as_str().unwrap();
    received.insert(":path".to_owned(), target.to_owned());
    received
}

/// What the upstream should get.
fn expected(headers: &Value) -> BTreeMap<String, String> {
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs(headers) {
        if [":method", ":scheme", ":authority"].contains(&name) {
            continue;
        }
        let joined = expected.entry(name.to_owned()).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(value);
    }
    expected
}

/// How an answer deviates from what `compare` has said about this side.
fn deviation(side: &Value, answer: &Response) -> Option<String> {
    let status = side["status"].as_u64().unwrap();
    let challenge = answer.header("www-authenticate").is_some();
    if status != u64::from(answer.status) {
        return Some(format!(
            "{status} ({}), but it is {}",
            side["why"], answer.status
        ));
    }
    if status >= 400 && side["challenge"] != challenge {
        return Some(format!(
            "challenge {}, but it is {challenge}",
            side["challenge"]
        ));
    }
    if status == 200 {
        let (expected, received) = (expected(&side["upstream"]), received(answer));
        if expected != received {
            return Some(format!("{expected:?}, but it is {received:?}"));
        }
    }
    None
}

#[test]
fn compare_says_what_both_filters_do() {
    let upstream = Server::echo();
    let mut deviations = Vec::new();
    let mut sent = 0;
    for kind in kinds() {
        let name = format!(
            "comparison-{}-{}",
            std::process::id(),
            kind.name.replace(' ', "-")
        );
        let directory = root().join("target/tmp").join(name);
        let (status, printed) = compare(&kind, "--out", &directory);
        if status != Status::Good {
            deviations.push(format!("{}: {printed}", kind.name));
        }
        if status == Status::Unknown {
            continue;
        }
        let native = start(&directory.join("1.jwt_authn.json"), &upstream);
        let gate = start(&directory.join("1.bearer-gate.json"), &upstream);
        let text = fs::read_to_string(directory.join("1.requests.json")).unwrap();
        let requests: Vec<Value> = serde_json::from_str(&text).unwrap();
        for one in requests {
            let request = request(&one["headers"]);
            sent += 1;
            for (side, envoy) in [("native", &native), ("gate", &gate)] {
                if let Some(deviation) = deviation(&one[side], &envoy.send(&request)) {
                    let title = one["title"].as_str().unwrap();
                    deviations.push(format!("{}: {side}: {title}: {deviation}", kind.name));
                }
            }
        }
        fs::remove_dir_all(&directory).unwrap();
    }
    let shown: Vec<&str> = deviations.iter().take(100).map(String::as_str).collect();
    assert!(
        deviations.is_empty(),
        "{} of {sent}:\n{}",
        deviations.len(),
        shown.join("\n")
    );
    assert!(sent > 2000, "only {sent} requests");
}

#[test]
fn compare_sends_its_requests_through_the_envoy_of_the_user() {
    let kinds = kinds();
    let kind = kinds.iter().find(|kind| kind.name == "choices of routes");
    let kind = kind.unwrap();
    let (status, printed) = compare(kind, "--envoy", &binary());
    assert_eq!(status, Status::Good, "{printed}");
    // What is seen is what the model says.
    let directory = root().join(format!("target/tmp/comparison-{}", std::process::id()));
    assert_eq!(compare(kind, "--out", &directory), (status, printed));
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn an_envoy_that_does_not_start_is_reported() {
    let kinds = kinds();
    let (status, printed) = compare(&kinds[0], "--envoy", Path::new("/no/such/envoy"));
    assert_eq!(status, Status::Unknown, "{printed}");
    assert!(printed.contains("/no/such/envoy: "), "{printed}");
}

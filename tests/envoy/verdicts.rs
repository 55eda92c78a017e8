//! Envoy gives the verdicts of the table `tests/verdicts/verdicts.json`. `tests/second-host` checks that
//! another host gives the same.

use std::fs;

use serde_json::{Map, Value, json};

use crate::support::{Answer, Gate, Request, Server, Setup, get, root};

#[test]
fn every_request_of_the_table_of_verdicts_gets_its_verdict() {
    let table = fs::read(root().join("tests/verdicts/verdicts.json")).unwrap();
    let table: Value = serde_json::from_slice(&table).unwrap();
    let mut wrong = Vec::new();
    for scene in array(&table["gates"]) {
        let servers: Vec<(&String, Server)> = object(&scene["servers"])
            .iter()
            .map(|(name, answer)| (name, server(answer)))
            .collect();
        let mut setup = Setup::new(scene["configuration"].clone());
        setup.vm_config =
            json!({"environment_variables": {"key_values": {"GATE_SECRET": "secret"}}});
        for (name, server) in &servers {
            setup = setup.cluster(name, server);
        }
        let gate = setup.start();
        for case in array(&scene["requests"]) {
            let verdict = verdict(&gate, case);
            if verdict != case["expected"] {
                let (scene, case) = (&scene["name"], &case["name"]);
                wrong.push(format!("{scene}, {case}: {verdict}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What becomes of a request, in the form of the table: of the answer and of what the upstream gets, the
/// headers that the table expects.
fn verdict(gate: &Gate, case: &Value) -> Value {
    let expected = &case["expected"];
    let reached_before = gate.upstream.count();
    let answer = gate.send(&request(case));
    let mut verdict = json!({"status": answer.status});
    if let Some(names) = expected["headers"].as_object() {
        let headers = names.keys();
        let headers = headers.map(|name| (name.clone(), answer.header(name).into()));
        verdict["headers"] = Value::Object(headers.collect());
        verdict["body"] = String::from_utf8_lossy(&answer.body).into();
    }
    if let Some(received) = gate.upstream.received().get(reached_before) {
        let value = |name: &str| received.header(name).map(String::from_utf8_lossy);
        let names = expected["upstream"]["headers"].as_object();
        let names = names.into_iter().flat_map(Map::keys);
        let headers: Map<String, Value> = names
            .map(|name| (name.clone(), value(name).into()))
            .collect();
        verdict["upstream"] = json!({"target": received.target, "headers": headers});
    }
    verdict
}

fn request(case: &Value) -> Request {
    let target = case["target"].as_str().unwrap();
    let mut request = get(target).method(case["method"].as_str().unwrap());
    for header in array(&case["headers"]) {
        let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
        request = match name {
            "host" => request.host(value),
            _ => request.header(name, value),
        };
    }
    request
}

/// A server that gives this answer to every request.
fn server(answer: &Value) -> Server {
    let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
    let answer = Answer::new(status, answer["body"].as_str().unwrap());
    Server::start(move |_| answer.clone().into())
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

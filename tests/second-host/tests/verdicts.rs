//! The second host gives the verdicts of the table `tests/verdicts/verdicts.json`, as Envoy does:
//! `tests/envoy/verdicts.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use second_host::{Answer, Compiled, Exchange, Gate, Servers};
use serde_json::{Map, Value, json};

fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

#[test]
fn every_request_of_the_table_of_verdicts_gets_its_verdict() {
    let compiled = Compiled::read(&checkout("target/wasm32-wasip1/release/bearer_gate.wasm"));
    let table = fs::read(checkout("tests/verdicts/verdicts.json")).unwrap();
    let table: Value = serde_json::from_slice(&table).unwrap();
    let (mut right, mut wrong) = (0, Vec::new());
    for scene in array(&table["gates"]) {
        let configuration = scene["configuration"].to_string();
        let servers = servers(&scene["servers"]);
        let mut gate = compiled.start(&configuration, &[("GATE_SECRET", "secret")], servers);
        for case in array(&scene["requests"]) {
            let verdict = verdict(&mut gate, case);
            if verdict == case["expected"] {
                right += 1;
            } else {
                let (scene, case) = (&scene["name"], &case["name"]);
                wrong.push(format!("{scene}, {case}: {verdict}"));
            }
        }
        // Otherwise the table would not show that the module checks all algorithms.
        let log = gate.log();
        assert!(log.contains("the host checks no signatures"), "{log}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{right} requests got the verdicts of the table.");
}

/// What becomes of a request, in the form of the table: of the answer and of what the upstream gets, the
/// headers that the table expects.
fn verdict(gate: &mut Gate, case: &Value) -> Value {
    let expected = &case["expected"];
    let exchange = gate.send(exchange(case));
    let listed = |part: &Value, value: &dyn Fn(&str) -> Option<String>| -> Map<String, Value> {
        let names = part["headers"].as_object();
        let names = names.into_iter().flat_map(Map::keys);
        names
            .map(|name| (name.clone(), value(name).into()))
            .collect()
    };
    if let Some(refusal) = exchange.refusal() {
        let value = |name: &str| {
            let mut headers = refusal.headers.iter();
            let found = headers.find(|(found, _)| found == name);
            found.map(|(_, value)| value.clone())
        };
        let headers = listed(expected, &value);
        json!({"status": refusal.status, "headers": headers, "body": refusal.body})
    } else {
        let headers = listed(&expected["upstream"], &|name| exchange.header(name));
        let target = exchange.header(":path");
        json!({"status": 200, "upstream": {"target": target, "headers": headers}})
    }
}

fn exchange(case: &Value) -> Exchange {
    let headers = array(&case["headers"]).iter();
    let headers = headers.map(|header| (text(&header[0]), text(&header[1])));
    let (host, rest): (Vec<_>, Vec<_>) = headers.partition(|(name, _)| *name == "host");
    let (_, authority) = host[0];
    Exchange::new(
        text(&case["method"]),
        authority,
        text(&case["target"]),
        &rest,
    )
}

fn servers(answers: &Value) -> Servers {
    let answers = answers.as_object().unwrap().iter();
    let answers: BTreeMap<String, Answer> = answers
        .map(|(cluster, answer)| {
            let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
            let body = text(&answer["body"]).to_owned();
            (cluster.clone(), Answer { status, body })
        })
        .collect();
    Servers::new(answers)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

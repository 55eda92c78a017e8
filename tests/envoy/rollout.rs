//! The steps of `docs/rollout.md`: from watching to enforcing.

use std::fs;

use serde_json::Value;

use crate::support::{Gate, Issuer, Request, Setup, Token, eventually, get, keys, now, root};

fn document() -> String {
    fs::read_to_string(root().join("docs/rollout.md")).unwrap()
}

/// The configurations of the document.
fn configurations() -> Vec<Value> {
    let text = document();
    let examples = text
        .split("```")
        .filter_map(|piece| piece.strip_prefix("json\n"));
    examples
        .map(|json| serde_json::from_str(json).unwrap())
        .collect()
}

/// The requests that are sent after each step.
struct Requests {
    open: Request,
    good: Request,
    missing: Request,
    scope: Request,
    expired: Request,
    enforced: Request,
}

impl Requests {
    fn new() -> Self {
        let good = Token::good().claim("scope", "orders");
        Self {
            open: get("/health"),
            good: get("/orders").bearer(good.signed()),
            missing: get("/orders"),
            scope: get("/orders").bearer(Token::good().signed()),
            expired: get("/other").bearer(good.claim("exp", now() - 3600).signed()),
            enforced: get("/other").header("x-enforce", "1"),
        }
    }

    fn statuses(&self, gate: &Gate) -> [u16; 6] {
        let all = [
            &self.open,
            &self.good,
            &self.missing,
            &self.scope,
            &self.expired,
            &self.enforced,
        ];
        all.map(|request| gate.send(request).status)
    }
}

/// The lines of the access log, with its last operator.
fn with_access_log(mut setup: Setup) -> Setup {
    let operator = "%FILTER_STATE(wasm.bearer_gate.would_deny:PLAIN)%";
    assert!(document().contains(operator));
    setup.connection_manager = serde_json::json!({"access_log": [{
        "name": "envoy.access_loggers.stderr",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
            "log_format": {"text_format_source": {"inline_string": format!("LOG %REQ(:PATH)% %RESPONSE_CODE% [{operator}] [%FILTER_STATE(wasm.bearer_gate.reason:PLAIN)%]\n")}},
        },
    }]});
    setup
}

#[test]
fn each_step_of_the_rollout_refuses_what_it_says() {
    let issuer = Issuer::start();
    issuer.publish(&[&keys::RSA]);
    let mut configurations = configurations();
    assert_eq!(configurations.len(), 2);
    let rules = |configuration: &mut Value| configuration["rules"].as_array_mut().unwrap().clone();
    // The third step: one part after the other.
    for prefix in ["/orders", "/"] {
        let mut next = configurations.last().unwrap().clone();
        let mut all = rules(&mut next);
        for rule in &mut all {
            if rule["match"]["prefix"] == prefix {
                rule.as_object_mut().unwrap().remove("report_only");
            }
        }
        next["rules"] = all.into();
        configurations.push(next);
    }
    let requests = Requests::new();
    let expected = [
        [200, 200, 200, 200, 200, 200],
        [200, 200, 200, 200, 200, 401],
        [200, 200, 401, 403, 200, 401],
        [200, 200, 401, 403, 401, 401],
    ];
    for (configuration, expected) in configurations.into_iter().zip(expected) {
        let is_first = configuration["report_only"] == true;
        let gate = with_access_log(Setup::trusting(&issuer).config(configuration)).start();
        assert_eq!(requests.statuses(&gate), expected);
        gate.counts("allowed", 1);
        gate.counts("bypassed", 1);
        let refused = |name: &str| gate.metric(&format!("denied.{name}"));
        let counts = u64::try_from(expected.iter().filter(|one| **one != 200).count()).unwrap();
        eventually("all refusals are counted", || {
            ["missing", "scope", "expired"]
                .map(refused)
                .iter()
                .sum::<u64>()
                == counts
        });
        if is_first {
            watch(&gate);
        }
    }
}

/// Asks what the document tells to ask after the first step.
fn watch(gate: &Gate) {
    gate.counts("would_deny.missing", 2);
    gate.counts("would_deny.scope", 1);
    gate.counts("would_deny.expired", 1);
    let document = document();
    let query = "/stats?filter=bearer_gate.would_deny&usedonly";
    assert!(document.contains(query));
    let answer = gate.admin(query);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("bearer_gate.would_deny.missing: 2"), "{text}");
    assert!(!text.contains("would_deny.signature"), "{text}");
    let name = "bearer_gate_would_deny_missing";
    assert!(document.contains(name));
    let answer = gate.admin("/stats/prometheus");
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains(&format!("\n{name}{{}} 2")), "{text}");
    for line in [
        "LOG /health 200 [-] [-]\n",
        "LOG /orders 200 [missing] [-]\n",
        "LOG /orders 200 [scope] [-]\n",
        "LOG /other 200 [expired] [-]\n",
    ] {
        eventually(line, || gate.log().contains(line));
    }
    // What passed is as it was sent.
    let received = gate.upstream.received();
    let with_token = |path: &str| {
        let all = received.iter().filter(|one| one.target == path);
        all.filter(|one| one.header("authorization").is_some())
            .count()
    };
    assert_eq!((with_token("/orders"), with_token("/other")), (1, 1));
}

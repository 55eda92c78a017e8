//! Arguments, standard input and the forms of output.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{GOOD_UNTIL, TOKEN, command, config, decide, file, key_set, run, told};

#[test]
fn a_token_may_come_from_the_standard_input() {
    let config = file("c.json", config(&json!({})).to_string());
    let jwks = file("jwks", key_set());
    let now = GOOD_UNTIL.to_string();
    let mut child = command(&[
        "--token",
        "-",
        "--now",
        &now,
        "--jwks",
        jwks.to_str().unwrap(),
    ])
    .arg(config)
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(TOKEN.as_bytes())
        .unwrap();
    let (status, printed) = told(&child.wait_with_output().unwrap());
    assert_eq!(status, 0, "{printed}");
    let (status, printed) = run(&["--token", "-", "-"]);
    assert_eq!(status, 2);
    assert!(
        printed.contains("cannot both be the standard input"),
        "{printed}"
    );
}

#[test]
fn the_json_report_has_the_whole_decision() {
    let (status, printed) = decide(&config(&json!({})), &["--json", "--path", "/a"]);
    assert_eq!(status, 0);
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["status"], "good");
    let checked = &report["configurations"][0];
    assert_eq!(checked["valid"], true);
    assert_eq!(checked["decision"]["outcome"], "admitted");
    assert_eq!(checked["decision"]["verified"], true);
    assert_eq!(checked["decision"]["request"], "GET /a at localhost");
    assert!(!checked["decision"]["steps"].as_array().unwrap().is_empty());

    let (status, printed) = decide(
        &config(&json!({})),
        &[
            "--json",
            "--now",
            "2000000000",
            "--header",
            "content-type: application/grpc",
        ],
    );
    assert_eq!(status, 1);
    let report: Value = serde_json::from_str(&printed).unwrap();
    let decision = &report["configurations"][0]["decision"];
    assert_eq!(report["status"], "bad");
    assert_eq!(decision["reason"], "expired");
    let remedy = "Request a new token; if it is new, compare the clocks of gate and issuer";
    assert_eq!(decision["remedy"], remedy);
    assert_eq!(decision["answer"]["status"], 401);
    assert_eq!(decision["answer"]["body"], "The access token expired");

    let bad = file("bad.json", r#"{"providers": {"a": {}}}"#);
    let (status, printed) = run(&["--json", bad.to_str().unwrap()]);
    assert_eq!(status, 1);
    let report: Value = serde_json::from_str(&printed).unwrap();
    let checked = &report["configurations"][0];
    assert_eq!(checked["valid"], false);
    assert_eq!(
        checked["error"],
        "providers.a: needs remote_jwks, local_jwks or introspection"
    );
    let problem = json!({
        "path": "providers.a",
        "text": "needs remote_jwks, local_jwks or introspection",
        "suggestion": null,
        "line": 1,
        "column": 16,
    });
    assert_eq!(checked["problems"], json!([problem]));
    assert_eq!(checked["decision"], Value::Null);
}

#[test]
fn help_and_errors_explain_the_command_line() {
    for (arguments, status, says) in [
        (
            &["--help"][..],
            0,
            "Usage: bearer-gate-check [check] [OPTIONS] FILE",
        ),
        (
            &["-V"],
            0,
            concat!("bearer-gate-check ", env!("CARGO_PKG_VERSION"), " ("),
        ),
        (
            &["--schema"],
            0,
            "https://json-schema.org/draft/2020-12/schema",
        ),
        (&[], 2, "FILE is missing"),
        (&["--nonsense"], 2, "invalid option '--nonsense'"),
        (&["a", "b"], 2, "more than one FILE"),
        (
            &["convrt", "b"],
            2,
            "there is no command 'convrt': did you mean convert?",
        ),
        (&["--now", "soon", "a"], 2, "--now: \"soon\" is neither"),
        (
            &["--header", "hush-hush", "a"],
            2,
            "--header: is not NAME:VALUE",
        ),
        (&["a", "--token"], 2, "--token: the value is missing"),
    ] {
        let (found, printed) = run(arguments);
        assert_eq!(found, status, "{printed}");
        assert!(
            printed.contains(says),
            "{printed} does not contain {says:?}"
        );
        assert!(!printed.contains("hush-hush"), "{printed}");
    }
}

//! Proofs of possession.

use serde_json::{Value, json};

use crate::support::{file, run};

/// RFC 9449, section 7.1.
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const URL: &str = "https://resource.example.org/protectedresource";

/// Decides about the request of the RFC, with these further arguments.
fn decide(dpop: &Value, proof: &str, more: &[&str]) -> (i32, String) {
    let config = json!({
        "providers": {"p": {"introspection": {
            "http_uri": {"uri": "https://a.example/introspect", "cluster": "a"},
            "client_id": "gate",
            "client_secret_environment_variable": "GATE_SECRET",
        }}},
        "dpop": dpop,
    });
    let answer = json!({"active": true, "token_type": "DPoP", "cnf": {"jkt": THUMBPRINT}});
    let config = file("c.json", config.to_string());
    let answer = file("answer.json", answer.to_string());
    let proof = format!("@{}", file("proof", format!("{proof}\n")).display());
    let mut arguments = vec!["--token", TOKEN, "--dpop", &proof];
    arguments.extend(["--introspection", answer.to_str().unwrap()]);
    arguments.extend(more);
    arguments.push(config.to_str().unwrap());
    let (status, printed) = run(&arguments);
    for part in TOKEN.split('.').chain(PROOF.split('.')) {
        assert!(!printed.contains(part), "a secret is printed: {printed}");
    }
    (status, printed)
}

#[test]
fn every_check_of_a_good_proof_is_shown() {
    let (status, printed) = decide(&json!({}), PROOF, &["--url", URL, "--now", "1562262618"]);
    assert_eq!(status, 0, "{printed}");
    for says in [
        "decision: admitted, counted as bearer_gate.allowed",
        &format!("signed with ES256 by the key with the thumbprint {THUMBPRINT}"),
        "htm: \"GET\", the method is \"GET\"",
        &format!("htu: \"{URL}\", expected {URL}"),
        "iat: 2019-07-04T17:50:18Z; good from 2019-07-04T17:49:18Z to 2019-07-04T17:52:18Z",
        "the signature is good",
        "replay is not checked here",
        "removes the header dpop",
    ] {
        assert!(printed.contains(says), "{says}\n{printed}");
    }
}

#[test]
fn what_is_wrong_with_a_proof_is_shown_with_the_facts() {
    let (header, _) = PROOF.split_once('.').unwrap();
    let now = ["--now", "1562262618"];
    let good = [&["--url", URL][..], &now].concat();
    for (dpop, proof, more, says) in [
        (
            json!({}),
            PROOF,
            [&["--url", URL, "--method", "POST"][..], &now].concat(),
            &[
                "htm: \"GET\", the method is \"POST\"",
                "counted as bearer_gate.denied.proof_method",
            ][..],
        ),
        (
            json!({}),
            PROOF,
            [
                &["--url", "https://other.example/protectedresource"][..],
                &now,
            ]
            .concat(),
            &[
                "expected https://other.example/protectedresource",
                "counted as bearer_gate.denied.proof_uri",
            ],
        ),
        (
            json!({}),
            PROOF,
            vec!["--url", URL, "--now", "1562262739"],
            &["counted as bearer_gate.denied.proof_time"],
        ),
        (
            json!({"nonce": "required"}),
            PROOF,
            good.clone(),
            &[
                "nonce: missing",
                "counted as bearer_gate.denied.proof_nonce",
            ],
        ),
        (
            json!({"algorithms": ["EdDSA"]}),
            PROOF,
            good.clone(),
            &[
                "alg: ES256, expected one of EdDSA Ed25519",
                "counted as bearer_gate.denied.proof_algorithm",
            ],
        ),
        (
            json!({}),
            "x",
            good.clone(),
            &[
                "malformed: it does not have three parts",
                "counted as bearer_gate.denied.proof_malformed",
            ],
        ),
        (
            json!({}),
            header,
            good,
            &["malformed: it does not have three parts"],
        ),
    ] {
        let (status, printed) = decide(&dpop, proof, &more);
        assert_eq!(status, 1, "{printed}");
        for says in says {
            assert!(printed.contains(says), "{says}\n{printed}");
        }
    }
}

#[test]
fn arguments_of_a_proof_must_fit_together() {
    let config = file("c.json", "{}");
    let config = config.to_str().unwrap();
    for (arguments, says) in [
        (&["--dpop", "x"][..], "--dpop needs --token"),
        (&["--url", "/a"], "--url: \"/a\" is no absolute URL"),
        (
            &["--url", "https://a", "--path", "/"],
            "--url and --path cannot both be given",
        ),
        (
            &["--token", "-", "--dpop", "-"],
            "--token and --dpop cannot both be the standard input",
        ),
    ] {
        let arguments = [arguments, &[config]].concat();
        let (status, printed) = run(&arguments);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains(says), "{says}\n{printed}");
    }
}

//! Tokens that are bound to a key, with proofs (DPoP).

use serde_json::{Value, json};

use crate::support::{file, run};

/// The token of RFC 9449, section 7.1, and its proof.
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const URL: &str = "https://resource.example.org/protectedresource";
const NOW: &str = "1562262618";

fn config(dpop: &Value) -> Value {
    json!({
        "providers": {"joe": {"introspection": {
            "http_uri": {"uri": "https://joe.example/introspect", "cluster": "joe"},
            "client_id": "gate",
            "client_secret_environment_variable": "GATE_SECRET",
        }}},
        "dpop": dpop,
        "public_urls": ["https://resource.example.org"],
    })
}

/// Decides about a request with the token, which is bound to `jkt`, and with these arguments.
fn decide(dpop: &Value, jkt: &str, arguments: &[&str]) -> (i32, String) {
    let config = file("config.json", config(dpop).to_string());
    let response = json!({"active": true, "cnf": {"jkt": jkt}, "token_type": "DPoP"});
    let response = file("response.json", response.to_string());
    let mut all = vec!["--token", TOKEN, "--introspection"];
    all.push(response.to_str().unwrap());
    all.extend(arguments);
    all.push(config.to_str().unwrap());
    let (status, printed) = run(&all);
    for part in PROOF.split('.') {
        assert!(!printed.contains(part), "the proof is printed: {printed}");
    }
    (status, printed)
}

#[test]
fn a_proof_is_checked_like_in_the_filter_but_not_whether_it_was_used() {
    let proof = file("proof", format!("{PROOF}\n"));
    let proof = format!("@{}", proof.display());
    for given in [PROOF, &proof] {
        let arguments = ["--dpop", given, "--url", URL, "--now", NOW];
        let (status, printed) = decide(&json!({}), THUMBPRINT, &arguments);
        assert_eq!(status, 0, "{printed}");
        for line in [
            "request: GET /protectedresource at resource.example.org\n",
            "decision: admitted, counted as bearer_gate.allowed\n",
            "removes the header authorization\n",
            "removes the header dpop\n",
            "uses up the proof; whether it was used before is not checked here\n",
        ] {
            assert!(printed.contains(line), "{line}{printed}");
        }
    }
}

#[test]
fn a_refusal_comes_with_the_facts() {
    let off = json!({});
    let nonces = json!({"nonce": "required"});
    let rs256 = json!({"algorithms": ["RS256"]});
    let other = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    let internal = "http://10.0.0.1:8080/other";
    for (dpop, jkt, arguments, line) in [
        (
            &off,
            THUMBPRINT,
            &["--url", internal, "--now", NOW][..],
            "proof_uri: htu: \"https://resource.example.org/protectedresource\", expected \
             https://resource.example.org/other\n",
        ),
        (
            &off,
            THUMBPRINT,
            &["--url", URL, "--now", NOW, "--method", "POST"],
            "proof_method: htm: \"GET\", the method is \"POST\"\n",
        ),
        (
            &off,
            THUMBPRINT,
            &["--url", URL, "--now", "1562262739"],
            "proof_time: iat: 2019-07-04T17:50:18Z; now: 2019-07-04T17:52:19Z; max_age: 1m, \
             clock_skew: 1m\n",
        ),
        (
            &off,
            other,
            &["--url", URL, "--now", NOW],
            "proof_binding: cnf: {\"jkt\":\"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\"}; the \
             thumbprint of the proof's key: \"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"\n",
        ),
        (
            &nonces,
            THUMBPRINT,
            &["--url", URL, "--now", NOW],
            "proof_nonce: nonce: missing\n",
        ),
        (
            &rs256,
            THUMBPRINT,
            &["--url", URL, "--now", NOW],
            "proof_algorithm: alg: ES256, accepted: RS256\n",
        ),
    ] {
        let arguments = [&["--dpop", PROOF], arguments].concat();
        let (status, printed) = decide(dpop, jkt, &arguments);
        assert_eq!(status, 1, "{printed}");
        assert!(printed.contains(line), "{line}{printed}");
    }
    for (proof, line) in [
        ("", "proof_missing: the request has no header dpop (--dpop adds one)\n"),
        ("a.b", "proof_malformed: it does not have three parts\n"),
    ] {
        let arguments = ["--dpop", proof, "--url", URL, "--now", NOW];
        let (status, printed) = decide(&json!({}), THUMBPRINT, &arguments);
        assert_eq!(status, 1, "{printed}");
        assert!(printed.contains(line), "{line}{printed}");
    }
    // Without a proof, the token has the scheme Bearer.
    let (status, printed) = decide(&json!({}), THUMBPRINT, &["--url", URL, "--now", NOW]);
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("refused: downgrade: cnf: {"), "{printed}");
}

#[test]
fn wrong_arguments_are_errors() {
    for (arguments, problem) in [
        (&["--url", "/orders"][..], "--url: is not absolute"),
        (&["--url", URL, "--path", "/"], "--url and --path exclude each other"),
        (&["--dpop", "-", "--token", "-"], "--token and --dpop cannot both be the standard input"),
    ] {
        let config = file("config.json", config(&json!({})).to_string());
        let all = [arguments, &[config.to_str().unwrap()]].concat();
        let (status, printed) = run(&all);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains(problem), "{printed}");
    }
}

//! `mint` makes keys and tokens that the gate judges as their names say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use gate_fixtures::full_key_set;
use serde_json::{Value, json};

use crate::support::{command, file, root, run};

/// Mints for a configuration. Returns the exit status, everything that is printed, and the directory.
fn mint(config: &Path, more: &[&str]) -> (i32, String, PathBuf) {
    let out = file("minted", "");
    fs::remove_file(&out).unwrap();
    let mut arguments = vec!["mint", "--out", out.to_str().unwrap()];
    arguments.extend(more);
    arguments.push(config.to_str().unwrap());
    let (status, printed) = run(&arguments);
    (status, printed, out)
}

/// What the line for each token of the provider says, by kind.
fn verdicts(printed: &str, provider: &str) -> BTreeMap<String, String> {
    let lines = printed.lines().filter_map(|line| {
        let (path, verdict) = line.split_once(": ")?;
        let name = Path::new(path).file_name()?.to_str()?;
        let kind = name.strip_prefix(provider)?.strip_prefix('.')?;
        Some((kind.strip_suffix(".jwt")?.to_owned(), verdict.to_owned()))
    });
    lines.collect()
}

/// What the check tool decides about a minted token, as an outcome or a reason.
fn decision(config: &Path, token: &Path, path: &str) -> String {
    let token = format!("@{}", token.display());
    let (config, path) = (config.to_str().unwrap(), ["--path", path]);
    let (_, printed) = run(&["--json", "--token", &token, path[0], path[1], config]);
    let report: Value = serde_json::from_str(&printed).unwrap();
    let decision = &report["configurations"][0]["decision"];
    let reason = decision["reason"].as_str();
    let outcome = decision["outcome"].as_str();
    reason.or(outcome).unwrap().to_owned()
}

fn strict() -> Value {
    json!({
        "providers": {"cloud": {
            "issuers": ["https://login.example/{tid}/v2.0"],
            "audiences": ["https://api.example", "https://other.example"],
            "subjects": {"prefix": "user-"},
            "max_lifetime": "600s",
            "algorithms": ["PS256", "ES384"],
            "types": ["at+jwt"],
            "remote_jwks": {"http_uri": {"uri": "https://login.example/jwks", "cluster": "login"}},
        }},
        "rules": [{
            "match": {"prefix": "/"},
            "requires": {
                "provider_name": "cloud",
                "scopes": ["orders.read"],
                "claims": [
                    {"claim_name": "realm_access.roles", "contains": "analyst"},
                    {"claim_name": "realm_access.roles", "contains": "auditor"},
                    {"claim_name": "plan", "any_of": ["gold", "silver"]},
                ],
            },
        }],
    })
}

#[test]
fn the_gate_judges_each_token_as_its_name_says() {
    let config = file("strict.json", strict().to_string());
    let (status, printed, out) = mint(&config, &[]);
    assert_eq!(status, 0, "{printed}");
    let stem = config.file_stem().unwrap().to_str().unwrap();
    let local = out.join(format!("{stem}.local-jwks.json"));
    let found = verdicts(&printed, "cloud");
    for (kind, reason) in [
        ("good", "admitted"),
        ("expired", "expired"),
        ("not-yet-valid", "not_yet_valid"),
        ("issued-in-future", "issued_in_future"),
        ("no-expiration", "no_expiration"),
        ("too-long-lived", "lifetime"),
        ("wrong-issuer", "issuer"),
        ("wrong-audience", "audience"),
        ("wrong-subject", "subject"),
        ("wrong-type", "type"),
        ("wrong-signature", "signature"),
        ("unknown-kid", "unknown_key"),
        ("other-algorithm", "algorithm"),
        ("unsigned", "algorithm"),
        ("no-scope", "scope"),
        ("malformed", "malformed"),
    ] {
        let verdict = &found[kind];
        let end = if kind == "good" { "accepted" } else { reason };
        assert!(verdict.ends_with(end), "{kind}: {verdict}");
        let token = out.join(format!("cloud.{kind}.jwt"));
        assert_eq!(decision(&local, &token, "/orders"), reason, "{kind}");
    }
    assert_eq!(found.len(), 16, "{printed}");
}

#[test]
fn kinds_that_make_no_sense_are_left_out() {
    let config = json!({"providers": {"open": {
        "require_expiration": false,
        "local_jwks": {"inline_string": full_key_set()},
    }}});
    let (status, printed, _) = mint(&file("open.json", config.to_string()), &[]);
    assert_eq!(status, 0, "{printed}");
    let found = verdicts(&printed, "open");
    let kinds: Vec<&str> = found.keys().map(String::as_str).collect();
    let expected = [
        "expired",
        "good",
        "issued-in-future",
        "malformed",
        "not-yet-valid",
        "other-algorithm",
        "unknown-kid",
        "unsigned",
        "wrong-signature",
        "wrong-type",
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn every_algorithm_has_keys_that_the_gate_can_use() {
    for algorithm in [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
        "HS256", "HS384", "HS512",
    ] {
        let config = json!({"providers": {"one": {
            "algorithms": [algorithm],
            "local_jwks": {"inline_string": full_key_set()},
        }}});
        let (status, printed, out) = mint(&file("c.json", config.to_string()), &[]);
        assert_eq!(status, 0, "{algorithm}: {printed}");
        let has_private_key = out.join("one.private-key.pem").exists();
        assert_eq!(has_private_key, !algorithm.starts_with('H'), "{algorithm}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_secrets() {
    use std::os::unix::fs::PermissionsExt as _;

    let config = json!({"providers": {
        "public": {"local_jwks": {"inline_string": full_key_set()}},
        "shared": {"algorithms": ["HS256"], "local_jwks": {"inline_string": full_key_set()}},
    }});
    let path = file("c.json", config.to_string());
    let (status, printed, out) = mint(&path, &[]);
    assert_eq!(status, 0, "{printed}");
    // Files of an earlier run are replaced, with the modes of new ones.
    fs::set_permissions(
        out.join("public.good.jwt"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let again = [
        "mint",
        "--out",
        out.to_str().unwrap(),
        path.to_str().unwrap(),
    ];
    assert_eq!(run(&again).0, 0);
    for entry in fs::read_dir(&out).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let is_public = entry.file_name() == "public.jwks.json";
        let expected = if is_public { 0o644 } else { 0o600 };
        assert_eq!(mode, expected, "{}", entry.path().display());
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(!printed.contains(&text), "{}", entry.path().display());
    }
}

#[test]
fn a_bootstrap_keeps_everything_but_its_key_sets() {
    let path = root().join("docs/tasks/roles.yaml");
    let (status, printed, out) = mint(&path, &[]);
    assert_eq!(status, 0, "{printed}");
    let local = out.join("roles.local-jwks.yaml");
    let (before, after) = (
        fs::read_to_string(&path).unwrap(),
        fs::read_to_string(&local).unwrap(),
    );
    let is_new = |line: &&str| !before.contains(*line);
    let new: Vec<&str> = after.lines().filter(is_new).collect();
    assert!(
        matches!(new.as_slice(), [one] if one.trim().starts_with("local_jwks: {")),
        "{new:?}"
    );
    assert_eq!(before.lines().count(), after.lines().count() + 1);
    assert!(!after.contains("remote_jwks"));
    let good = out.join("cloud.good.jwt");
    assert_eq!(decision(&local, &good, "/reports"), "admitted");
    assert_eq!(decision(&local, &good, "/tenants/blue"), "admitted");
}

#[test]
fn the_examples_of_this_repository_can_be_minted_for() {
    for entry in fs::read_dir(root().join("docs/tasks")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let (status, printed, _) = mint(&path, &[]);
            assert_eq!(status, 0, "{}: {printed}", path.display());
        }
    }
}

#[test]
fn a_configuration_in_a_string_is_edited_there() {
    let config = strict().to_string();
    let config = config.replace("ES384", "RS256");
    let plugin = format!(
        "vm_config: {{vm_id: bearer-gate}} # ours\nconfiguration:\n  '@type': type.googleapis.com/google.protobuf.StringValue\n  \
         value: |\n    {config}\nname: gate\n"
    );
    let (status, printed, out) = mint(&file("plugin.yaml", plugin), &[]);
    assert_eq!(status, 0, "{printed}");
    let local = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let local = local
        .into_iter()
        .find(|path| path.to_str().unwrap().ends_with("local-jwks.yaml"));
    let text = fs::read_to_string(local.unwrap()).unwrap();
    assert!(
        text.contains("# ours") && text.contains("\nname: gate\n"),
        "{text}"
    );
    assert!(!text.contains("remote_jwks"), "{text}");
}

#[test]
fn claims_and_lifetime_are_those_of_the_command_line() {
    let mut config = strict();
    config["providers"]["cloud"]["subjects"] = json!({"safe_regex": {"regex": "[0-9]+"}});
    let path = file("c.json", config.to_string());
    let (status, printed, _) = mint(&path, &[]);
    assert_eq!(status, 1, "{printed}");
    assert_eq!(
        verdicts(&printed, "cloud")["good"],
        "refused: subject; see --claims"
    );
    let claims = r#"{"sub": "17", "jti": null, "extra": {"a": 1}}"#;
    let (status, printed, out) = mint(&path, &["--claims", claims, "--lifetime", "2m"]);
    assert_eq!(status, 0, "{printed}");
    let token = fs::read_to_string(out.join("cloud.good.jwt")).unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let payload =
        base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, payload).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload["sub"], "17");
    assert_eq!(payload["extra"], json!({"a": 1}));
    assert!(payload.get("jti").is_none());
    let [exp, iat] = ["exp", "iat"].map(|name| payload[name].as_u64().unwrap());
    assert_eq!(exp - iat, 120);
}

#[test]
fn what_cannot_be_minted_for_is_explained() {
    let config = file("c.json", strict().to_string());
    let config = config.to_str().unwrap();
    let bad = file(
        "bad.json",
        json!({"providers": {"a": {"issuer": 7}}}).to_string(),
    );
    let keys = full_key_set();
    let alias =
        format!("providers:\n  a: &a {{local_jwks: {{inline_string: '{keys}'}}}}\n  b: *a\n");
    let alias = file("alias.yaml", alias);
    for (arguments, problem) in [
        (vec!["mint"], "FILE is missing (see mint --help)"),
        (vec!["mint", config, config], "more than one FILE"),
        (
            vec!["mint", "--claims", "[]", config],
            "--claims: is not a JSON object",
        ),
        (
            vec!["mint", "--lifetime", "0", config],
            "--lifetime: \"0\" is neither",
        ),
        (vec!["mint", "--nonsense", config], "see mint --help"),
        (vec!["mint", bad.to_str().unwrap()], "providers.a.issuer"),
        (
            vec!["mint", alias.to_str().unwrap()],
            "\"b\" is a YAML alias",
        ),
    ] {
        let (status, printed) = run(&arguments);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains(problem), "{printed}");
    }
    let (status, printed) = run(&["mint", "--help"]);
    assert!(status == 0 && printed.contains("Usage: bearer-gate-check mint"));
}

#[test]
fn the_standard_input_can_be_the_file() {
    let out = file("minted-from-input", "");
    fs::remove_file(&out).unwrap();
    let mut child = command(&["mint", "--out", out.to_str().unwrap(), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = strict().to_string();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(out.join("config.local-jwks.json").exists());
}

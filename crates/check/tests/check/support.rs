//! Runs the command, with a token and a configuration that admits it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

/// The token of RFC 7515, appendix A.3: issued by `joe`, valid until [`GOOD_UNTIL`].
pub(crate) const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
                     dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-X\
                     x-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// The `exp` of [`TOKEN`].
pub(crate) const GOOD_UNTIL: u64 = 1_300_819_380;

pub(crate) fn key_set() -> String {
    json!({"keys": [{
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }]})
    .to_string()
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes a file with this content.
pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::SeqCst);
    let directory =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{number}-{name}"));
    fs::write(&path, content).unwrap();
    path
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bearer-gate-check"));
    command.current_dir(root()).args(arguments);
    // The demo's configuration reads it; `make run` sets it for Envoy.
    command.env("GATE_SECRET", "of-the-demo");
    // That of FAPI reads this, too.
    command.env("DPOP_NONCE_KEY", "A".repeat(44));
    command
}

/// Runs the command. Returns its exit status and everything it prints.
pub(crate) fn run(arguments: &[&str]) -> (i32, String) {
    told(&command(arguments).output().unwrap())
}

pub(crate) fn told(output: &Output) -> (i32, String) {
    let printed = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let printed = String::from_utf8(printed).unwrap();
    (output.status.code().unwrap(), printed)
}

pub(crate) fn check(path: &Path) -> (i32, String) {
    run(&[path.to_str().unwrap()])
}

/// A configuration that admits the token, with these fields.
pub(crate) fn config(change: &Value) -> Value {
    let mut config = json!({"providers": {"joe": {
        "issuer": "joe",
        "remote_jwks": {"http_uri": {"uri": "https://joe.example/jwks", "cluster": "joe"}},
    }}});
    for (name, value) in change.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// Decides about a request with the token a second before it expires.
pub(crate) fn decide(config: &Value, more: &[&str]) -> (i32, String) {
    let (config, jwks) = (file("c.json", config.to_string()), file("jwks", key_set()));
    let token = file("token", format!("{TOKEN}\n"));
    let token = format!("@{}", token.display());
    let now = (GOOD_UNTIL - 1).to_string();
    let mut arguments = vec!["--token", &token, "--now", &now];
    arguments.extend(["--jwks", jwks.to_str().unwrap()]);
    arguments.extend(more);
    arguments.push(config.to_str().unwrap());
    let (status, printed) = run(&arguments);
    for part in TOKEN.split('.') {
        assert!(!printed.contains(part), "the token is printed: {printed}");
    }
    (status, printed)
}

//! An Envoy process.

use std::fs::{self, DirBuilder, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::exchange::fetch;
use crate::mint::key_pair::random_identifier;

/// How often Envoy is asked whether it serves, and how long it may take between.
const ATTEMPTS: u32 = 3000;
const PAUSE: Duration = Duration::from_millis(20);

/// How much of the log is shown if Envoy does not start.
const LOG_LINES: usize = 5;

/// An Envoy. It ends with this value.
pub(super) struct EnvoyProcess {
    child: Child,
    directory: PathBuf,
    port: u16,
}

impl EnvoyProcess {
    /// Starts the program `envoy`, and waits until it serves.
    ///
    /// # Errors
    ///
    /// That it does not, with the end of its log.
    pub(super) fn start(envoy: &Path, bootstrap: &Value) -> Result<Self, String> {
        let name = format!("bearer-gate-compare-{}", random_identifier()?);
        let directory = std::env::temp_dir().join(name);
        let problem = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder
            .create(&directory)
            .map_err(|error| problem(&directory, error))?;
        let [config, admin, log] = ["envoy.json", "admin", "log"].map(|file| directory.join(file));
        fs::write(&config, bootstrap.to_string()).map_err(|error| problem(&config, error))?;
        let log_file = File::create(&log).map_err(|error| problem(&log, error))?;
        let child = Command::new(envoy)
            .args([
                "--use-dynamic-base-id",
                "--log-level",
                "warning",
                "--concurrency",
                "1",
            ])
            .arg("--config-path")
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&admin)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_file)
            .spawn()
            .map_err(|error| problem(envoy, error))?;
        let mut process = Self {
            child,
            directory,
            port: 0,
        };
        for _ in 0..ATTEMPTS {
            if let Some(port) = listener_port(&admin) {
                process.port = port;
                return Ok(process);
            }
            if !matches!(process.child.try_wait(), Ok(None)) {
                break;
            }
            thread::sleep(PAUSE);
        }
        let log = fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(LOG_LINES).collect();
        let lines: Vec<&str> = lines.into_iter().rev().collect();
        Err(format!("Envoy does not start:\n{}", lines.join("\n")))
    }

    /// The port of its listener.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for EnvoyProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The port of the listener, once Envoy serves. The file `admin` has the address of its administration interface.
fn listener_port(admin: &Path) -> Option<u16> {
    let address = fs::read_to_string(admin).ok()?;
    let (_, port) = address.trim().rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let (status, _) = fetch(port, "/ready").ok()?;
    if status != 200 {
        return None;
    }
    let (_, listeners) = fetch(port, "/listeners?format=json").ok()?;
    let listeners: Value = serde_json::from_slice(&listeners).ok()?;
    let port = listeners.pointer("/listener_statuses/0/local_address/socket_address/port_value");
    u16::try_from(port?.as_u64()?).ok()
}

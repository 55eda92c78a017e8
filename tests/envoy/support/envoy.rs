//! One Envoy process: the unmodified release binary that `make envoy` installs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{Connection, Request, Response, get};
use super::setup::root;
use super::version::binary;
use super::wait::PATIENCE;

/// The time after which a replaced listener is removed: Envoy's default.
const DRAIN_SECONDS: u32 = 600;

/// A running Envoy.
pub(crate) struct Envoy {
    process: Process,
    /// The port of the listener.
    pub(crate) port: u16,
    admin: u16,
}

impl Envoy {
    /// Starts Envoy with a bootstrap configuration in YAML or JSON and waits until it serves. Requests
    /// go to its first listener. Fails the test if Envoy does not start.
    pub(crate) fn start(bootstrap: &str, concurrency: u32) -> Self {
        Self::try_start(bootstrap, concurrency)
            .unwrap_or_else(|log| panic!("Envoy did not start. Its log:\n{log}"))
    }

    /// The same for a configuration that Envoy may refuse. The error is its log.
    pub(crate) fn try_start(bootstrap: &str, concurrency: u32) -> Result<Self, String> {
        Self::try_start_draining(bootstrap, concurrency, DRAIN_SECONDS)
    }

    /// The same, with the time after which a replaced listener is removed.
    pub(crate) fn try_start_draining(
        bootstrap: &str,
        concurrency: u32,
        drain_seconds: u32,
    ) -> Result<Self, String> {
        let mut process = Process::start(bootstrap, concurrency, drain_seconds);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Ok(Some(_)) = process.child.try_wait() {
                return Err(process.log());
            }
            if let Some((admin, port)) = process.serving() {
                return Ok(Self {
                    process,
                    port,
                    admin,
                });
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(process.log())
    }

    /// Sends a request over a new connection.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Response {
        self.connect().send(request).unwrap()
    }

    /// Sends a request to the listener with this name over a new connection.
    #[track_caller]
    pub(crate) fn send_to(&self, listener: &str, request: &Request) -> Response {
        let listeners = self.admin("/listeners?format=json").json();
        let port = listener_port(&listeners, |name| name == listener).unwrap();
        Connection::to(port).unwrap().send(request).unwrap()
    }

    /// The ports of all listeners, by name.
    pub(crate) fn ports(&self) -> BTreeMap<String, u16> {
        let listeners = self.admin("/listeners?format=json").json();
        let statuses = listeners["listener_statuses"].as_array().unwrap();
        let names = statuses
            .iter()
            .map(|status| status["name"].as_str().unwrap());
        names
            .map(|wanted| {
                let port = listener_port(&listeners, |name| name == wanted).unwrap();
                (wanted.to_owned(), port)
            })
            .collect()
    }

    /// Sends a request to the administration interface.
    #[track_caller]
    pub(crate) fn admin(&self, target: &str) -> Response {
        admin(self.admin, target)
    }

    /// Sends a POST request to the administration interface.
    #[track_caller]
    pub(crate) fn admin_post(&self, target: &str) -> Response {
        let request = get(target).method("POST").body("");
        Connection::to(self.admin).unwrap().send(&request).unwrap()
    }

    /// Opens a connection. One worker handles all its requests.
    #[track_caller]
    pub(crate) fn connect(&self) -> Connection {
        Connection::to(self.port).unwrap()
    }

    /// The value of one of the filter's counters or gauges, by its name after `bearer_gate.`; 0 if it
    /// does not exist yet.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.stat(&format!("wasmcustom.bearer_gate.{name}"))
    }

    /// The value of one of Envoy's counters or gauges; 0 if it does not exist yet.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        let answer = self.admin(&format!("/stats?filter={name}"));
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(": ")?.parse().ok();
        text.lines().find_map(value).unwrap_or(0)
    }

    /// Waits until one of the filter's counters or gauges has reached `expected`, and checks that it
    /// goes no further. Workers report their counts with a delay.
    #[track_caller]
    pub(crate) fn counts(&self, name: &str, expected: u64) {
        let end = Instant::now() + PATIENCE;
        while self.metric(name) < expected && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(self.metric(name), expected, "{name}");
    }

    /// The resident memory of Envoy, in kilobytes.
    pub(crate) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.child.id());
        let status = fs::read_to_string(path).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|text| text.split_whitespace().next());
        kilobytes.and_then(|number| number.parse().ok()).unwrap()
    }

    /// The resident memory of the virtual machine that has most, in kilobytes. V8 reserves gigabytes behind the memory
    /// of a module that nothing can access.
    pub(crate) fn largest_module(&self) -> u64 {
        const RESERVED: u64 = 1 << 31;
        let path = format!("/proc/{}/smaps", self.process.child.id());
        let smaps = fs::read_to_string(path).unwrap();
        let number = |hexadecimal| u64::from_str_radix(hexadecimal, 16).ok();
        let mut largest = 0;
        let mut writable = None;
        for line in smaps.lines() {
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            let range = first.split_once('-');
            let range = range.and_then(|(from, to)| number(from).zip(number(to)));
            if let Some((from, to)) = range {
                let before = writable.take().filter(|(end, _)| *end == from);
                if let Some((_, resident)) = before
                    && rest.starts_with("---p")
                    && to - from >= RESERVED
                {
                    largest = largest.max(resident);
                }
                writable = rest.starts_with("rw-p").then_some((to, 0));
            } else if let Some((_, resident)) = &mut writable
                && first == "Rss:"
            {
                *resident = rest.trim().trim_end_matches(" kB").parse().unwrap();
            }
        }
        largest
    }

    /// The memory that Envoy has allocated, in bytes, without that of virtual machines.
    pub(crate) fn allocated(&self) -> u64 {
        let memory = self.admin("/memory").json();
        memory["allocated"].as_str().unwrap().parse().unwrap()
    }

    /// The log of Envoy, which includes that of the filter.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// The port of the first listener whose name satisfies `named`.
fn listener_port(listeners: &Value, named: impl Fn(&str) -> bool) -> Option<u16> {
    let statuses = listeners["listener_statuses"].as_array()?;
    let listener = statuses
        .iter()
        .find(|status| status["name"].as_str().is_some_and(&named))?;
    let port = listener["local_address"]["socket_address"]["port_value"].as_u64()?;
    u16::try_from(port).ok()
}

fn admin(port: u16, target: &str) -> Response {
    Connection::to(port).unwrap().send(&get(target)).unwrap()
}

/// The process and its files.
struct Process {
    child: Child,
    directory: PathBuf,
}

impl Process {
    fn start(bootstrap: &str, concurrency: u32, drain_seconds: u32) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::SeqCst);
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("envoy-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("envoy.yaml"), bootstrap).unwrap();
        let child = Command::new(binary())
            .current_dir(root())
            .args(["--use-dynamic-base-id", "--log-level", "warning"])
            .args(["--component-log-level", "wasm:info"])
            .args(["--concurrency", &concurrency.to_string()])
            .args(["--drain-time-s", &drain_seconds.to_string()])
            .arg("--config-path")
            .arg(directory.join("envoy.yaml"))
            .arg("--admin-address-path")
            .arg(directory.join("admin"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(directory.join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, directory }
    }

    fn log(&self) -> String {
        let log = fs::read(self.directory.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The ports of the administration interface and of the first listener, once Envoy serves.
    fn serving(&self) -> Option<(u16, u16)> {
        let address = fs::read_to_string(self.directory.join("admin")).ok()?;
        let admin: u16 = address.trim().rsplit_once(':')?.1.parse().ok()?;
        let ask = |target: &str| Connection::to(admin).ok()?.send(&get(target)).ok();
        if ask("/ready")?.status != 200 {
            return None;
        }
        let listeners = ask("/listeners?format=json")?.json();
        Some((admin, listener_port(&listeners, |_| true)?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("Envoy's files are in {}.", self.directory.display());
        } else {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

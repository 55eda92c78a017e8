//! `bearer-gate-check`: is this configuration valid, and what would the filter decide?
//!
//! All of it is in [`bearer_gate::check`]; here are the process and its clock.

use std::io;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use bearer_gate::check::{Console, run};
use bearer_gate::time::Timestamp;

fn main() -> ExitCode {
    let now = Timestamp::from_unix(UNIX_EPOCH.elapsed().unwrap_or_default());
    let mut console = Console {
        environment: &|name| std::env::var_os(name)?.into_string().ok(),
        input: &mut io::stdin(),
        output: &mut io::stdout(),
        errors: &mut io::stderr(),
    };
    match run(std::env::args_os().skip(1), &mut console, now) {
        Ok(status) => status.code().into(),
        // Nobody reads the output, not even this.
        Err(_) => ExitCode::from(2),
    }
}

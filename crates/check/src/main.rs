//! `bearer-gate-check`: is this configuration valid, and what would the filter decide?
//!
//! This file provides the process and its clock; everything else is in [`gate_check`].

use std::io;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use gate::time::Timestamp;
use gate_check::{Console, run};

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
        // The output is closed, so there is nowhere to report this.
        Err(_) => ExitCode::from(2),
    }
}

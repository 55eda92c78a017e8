//! `bearer-gate-check`: says of a file whether its configurations are valid, in the filter's own
//! words, and what the filter would decide of a request, and why.
//!
//! It calls the functions that the filter calls: nothing is decided here. The clock, the standard
//! input and the output are arguments.

mod arguments;
mod document;
mod explain;
mod find;
mod given;
mod report;
mod request;
mod trial;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;

use arguments::{Arguments, Asked, HELP};
use given::Given;
use report::{Checked, Report};

use crate::config::{self, Config, Environment};
use crate::time::Timestamp;

/// What the command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All is valid, and the request is let through.
    Good,
    /// Something is not valid, or the request is refused.
    Bad,
    /// It cannot be told: the arguments are wrong, a file cannot be read, or what the filter
    /// would fetch or ask is lacking.
    Unknown,
}

impl Status {
    /// The exit status of the process.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
            Self::Unknown => 2,
        }
    }
}

/// What the command reads and writes.
pub struct Console<'c> {
    /// The environment of the process.
    pub environment: Environment<'c>,
    /// Where the file or the token may come from.
    pub input: &'c mut dyn Read,
    /// Where results go to.
    pub output: &'c mut dyn Write,
    /// Where complaints go to.
    pub errors: &'c mut dyn Write,
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

/// Runs the command at the time `now`; its own name is not among the `arguments`.
///
/// # Errors
///
/// Where the output cannot be written.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    console: &mut Console<'_>,
    now: Timestamp,
) -> io::Result<Status> {
    let answer = Arguments::parse(arguments).and_then(|asked| match asked {
        Asked::Help => Ok((HELP.to_owned(), Status::Good)),
        Asked::Version => {
            let version = env!("CARGO_PKG_VERSION");
            Ok((format!("bearer-gate-check {version}\n"), Status::Good))
        }
        Asked::Schema => Ok((format!("{:#}\n", config::schema()), Status::Good)),
        Asked::Check(arguments) => check(&arguments, console, now),
    });
    match answer {
        Ok((text, status)) => {
            console.output.write_all(text.as_bytes())?;
            console.output.flush()?;
            Ok(status)
        }
        Err(problem) => {
            writeln!(console.errors, "bearer-gate-check: {problem}")?;
            Ok(Status::Unknown)
        }
    }
}

/// Checks a file. An error is what keeps it from being checked.
fn check(
    arguments: &Arguments,
    console: &mut Console<'_>,
    now: Timestamp,
) -> Result<(String, Status), String> {
    let name = arguments.file.display().to_string();
    let file = read(&arguments.file, console.input)?;
    let documents = document::parse(&file).map_err(|problem| format!("{name}: {problem}"))?;
    let found = find::configurations(&documents);
    if found.is_empty() {
        return Err(format!("{name}: has no configuration of bearer-gate"));
    }
    let token = arguments
        .token
        .as_ref()
        .map(|token| token.read(console.input));
    let token = token.transpose()?;
    let now = arguments.now.unwrap_or(now);
    let mut checked = Vec::new();
    for one in found {
        let config = Config::from_host(&one.json, &|name| {
            one.variables.read(name, console.environment)
        });
        let trial = match &config {
            Ok(config) if arguments.wants_trial() => {
                let given = Given::read(config, arguments)?;
                let request = request::build(config, arguments, token.as_deref());
                Some(trial::run(config, &request, &given, now))
            }
            _ => None,
        };
        checked.push(Checked {
            at: one.at,
            config,
            trial,
        });
    }
    let report = Report {
        file: name,
        checked,
    };
    let text = if arguments.json {
        format!("{:#}\n", report.json())
    } else {
        report.text()
    };
    Ok((text, report.status()))
}

/// The content of a file; of the standard input where its name is `-`.
fn read(path: &Path, input: &mut dyn Read) -> Result<Vec<u8>, String> {
    let content = if path == Path::new("-") {
        let mut content = Vec::new();
        input.read_to_end(&mut content).map(|_| content)
    } else {
        std::fs::read(path)
    };
    content.map_err(|problem| format!("{}: {problem}", path.display()))
}

#[cfg(test)]
mod tests;

//! `bearer-gate-check` says whether the configurations in a file are valid, and what the filter would
//! decide about a request, and why.
//!
//! It calls the same functions as the filter and decides nothing itself. The clock, the standard input
//! and the output are arguments.

mod argument_values;
mod arguments;
mod claim_failures;
mod compare;
mod compare_arguments;
mod comparing;
mod config_file;
mod configuration;
mod convert;
mod convert_arguments;
mod convert_input;
mod converting;
mod embedded_files;
mod engine;
mod fetch_command;
mod given;
mod input;
mod inputs;
mod inspected_token;
mod lint;
mod mint;
mod mint_arguments;
mod minting;
mod mismatches;
mod native_hint;
mod next_step;
mod plugin;
mod policy_table;
mod positions;
mod proof_steps;
mod refusal;
mod report;
mod routes;
mod rule_words;
mod sarif;
mod source_tree;
mod status;
mod steps;
mod suggestion;
mod suite;
mod suite_arguments;
mod syntax_hint;
mod trial;
mod trial_connection;
mod trial_metadata;
mod trial_report;
mod trial_request;
mod variables;
mod wording;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::rc::Rc;

use arguments::{Arguments, Command, HELP, TokenSource};
use config_file::ConfigFile;
use configuration::Configuration;
use gate::request::{Connection, ConnectionSource};
use gate::time::Timestamp;
use gate_build_info::SUMMARY;
use gate_config::Environment;
use given::Given;
use report::{ConfigurationResult, Report};
pub use status::Status;
use trial::Trial;
use trial_connection::TrialConnection;

/// The surroundings of the command.
pub struct Console<'c> {
    /// The environment variables of the process.
    pub environment: Environment<'c>,
    /// The standard input, for a file or token named `-`.
    pub input: &'c mut dyn Read,
    /// Receives the results.
    pub output: &'c mut dyn Write,
    /// Receives what keeps the command from a result.
    pub errors: &'c mut dyn Write,
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

/// Runs the command at the time `now`. Its own name is not among the `arguments`.
///
/// # Errors
///
/// That the output cannot be written.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    console: &mut Console<'_>,
    now: Timestamp,
) -> io::Result<Status> {
    let result = Arguments::parse(arguments).and_then(|command| match command {
        Command::Help => Ok((HELP.to_owned(), Status::Good)),
        Command::Version => Ok((format!("bearer-gate-check {SUMMARY}\n"), Status::Good)),
        Command::Schema => Ok((format!("{:#}\n", gate_config::schema()), Status::Good)),
        Command::Check(arguments) => check(&arguments, console, now),
        Command::CompareHelp => Ok((compare_arguments::HELP.to_owned(), Status::Good)),
        Command::Compare(arguments) => comparing::run(&arguments, console.input, now),
        Command::ConvertHelp => Ok((convert_arguments::HELP.to_owned(), Status::Good)),
        Command::Convert(arguments) => {
            let printed = converting::run(&arguments, console.environment, console.input)?;
            let _ = console.errors.write_all(printed.errors.as_bytes());
            Ok((printed.output, Status::Good))
        }
        Command::MintHelp => Ok((mint_arguments::HELP.to_owned(), Status::Good)),
        Command::Mint(arguments) => {
            minting::run(&arguments, console.environment, console.input, now)
        }
        Command::TestHelp => Ok((suite_arguments::HELP.to_owned(), Status::Good)),
        Command::Test(arguments) => suite::run(&arguments, console.environment, console.input, now),
    });
    match result {
        Ok((text, status)) => {
            console.output.write_all(text.as_bytes())?;
            console.output.flush()?;
            Ok(status)
        }
        Err(error) => {
            writeln!(console.errors, "bearer-gate-check: {error}")?;
            Ok(Status::Unknown)
        }
    }
}

/// Checks a file. Returns the report.
fn check(
    arguments: &Arguments,
    console: &mut Console<'_>,
    now: Timestamp,
) -> Result<(String, Status), String> {
    let name = arguments.file.display().to_string();
    let content = embedded_files::with_gate(input::read(&arguments.file, console.input)?);
    let file = ConfigFile::parse(&content).map_err(|error| error.in_file(&name))?;
    let configurations = Configuration::find_all(&file);
    let text = String::from_utf8_lossy(&content);
    if configurations.is_empty() {
        return Err(native_hint::explain(&name, &text));
    }
    let tree = source_tree::parse(&text).unwrap_or_default();
    let mut secret = |source: &Option<TokenSource>| {
        let source = source.as_ref();
        source.map(|source| source.read(console.input)).transpose()
    };
    let (token, proof) = (secret(&arguments.token)?, secret(&arguments.dpop)?);
    let connection = TrialConnection::read(
        arguments.client_certificate.as_deref(),
        arguments.client_certificate_uri.as_deref(),
        console.input,
    )?;
    let connection: Rc<dyn ConnectionSource> = Rc::new(connection);
    let now = arguments.now.unwrap_or(now);
    let mut results = Vec::new();
    for configuration in configurations {
        let variables = |name: &str| configuration.variables.get(name, console.environment);
        let policy = gate_config::parse(&configuration.json, &variables);
        let trial = match &policy {
            Ok(policy) if arguments.describe_request() => {
                let given = Given::read(policy, arguments)?;
                let connection = Connection::new(Rc::clone(&connection));
                let (token, proof) = (token.as_deref(), proof.as_deref());
                let request =
                    trial_request::build(&policy.providers, arguments, token, proof, connection);
                Some(Trial::run(policy, &request, &given, now))
            }
            Ok(_) | Err(_) => None,
        };
        let warnings = policy.iter().flat_map(|policy| {
            let documents = configuration::documents(&file);
            let routes =
                documents.flat_map(|(path, document)| routes::warnings(policy, document, &path));
            policy.warnings.iter().cloned().chain(routes)
        });
        let (places, table) = report::describe(&text, &tree, &configuration.path, &policy);
        let path = &configuration.path;
        let fetch_commands = report::with_configuration(&tree, path, fetch_command::all);
        results.push(ConfigurationResult {
            path: configuration.path,
            fetch_commands,
            places,
            table,
            warnings: warnings.collect(),
            policy,
            trial,
        });
    }
    let report = Report {
        file: name,
        results,
        warnings: report::place_warnings(&text, lint::find(&text)),
        strict: arguments.strict,
    };
    let text = if arguments.sarif {
        format!("{:#}\n", sarif::document(&report))
    } else if arguments.json {
        format!("{:#}\n", report.json())
    } else {
        report.text()
    };
    Ok((text, report.status()))
}

#[cfg(test)]
mod tests;

//! The command `compare`.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::slice;

use gate::time::Timestamp;

use crate::compare::chain;
use crate::compare::comparison::{Comparison, Requests};
use crate::compare::report;
use crate::compare_arguments::CompareArguments;
use crate::config_file::ConfigFile;
use crate::convert;
use crate::convert_arguments::MODULE;
use crate::convert_input::ConvertInput;
use crate::converting::{check, refusals};
use crate::input;
use crate::source_tree;
use crate::status::Status;
use crate::suite::case;

/// Compares the filters of a file. Returns what to print.
///
/// # Errors
///
/// Why the file cannot be converted or compared.
pub(crate) fn run(
    arguments: &CompareArguments,
    input: &mut dyn Read,
    now: Timestamp,
) -> Result<(String, Status), String> {
    let given = ConvertInput::read(slice::from_ref(&arguments.file), input)?;
    let (name, text, directory) = (given.name(), &given.text, given.directory.as_path());
    let file = ConfigFile::parse(text.as_bytes()).map_err(|error| error.in_file(name))?;
    let module = arguments.module.as_deref().unwrap_or(MODULE);
    if arguments.envoy.is_some() && !Path::new(module).is_file() {
        return Err(format!(
            "{module}: is no file, and --envoy needs the module: name it with --module"
        ));
    }
    let chains = chain::find_all(&file.documents);
    if chains.is_empty() && convert::has_policies(&source_tree::parse(text).unwrap_or_default()) {
        return Err(format!(
            "{name}: has policies of Istio or Envoy Gateway, and compare takes files of Envoy: give it the \
             configuration dump of a proxy with jwt_authn"
        ));
    }
    // What cannot be converted cannot be compared, for the same reasons.
    convert::convert(text, module, directory)
        .and_then(|converted| check(text, &converted, &|_| None))
        .map_err(|failures| refusals(&given, &failures))?;
    let cases = arguments.cases.as_deref().map(|path| {
        let cases_name = path.display().to_string();
        let cases = String::from_utf8(input::read(path, input)?);
        let cases = cases.map_err(|_| format!("{cases_name}: is not UTF-8"))?;
        case::read(&cases_name, &cases)
    });
    let cases = cases.transpose()?;
    let requests = match &cases {
        Some(cases) => Requests::Cases(cases),
        None => Requests::Table,
    };
    if chains.is_empty() {
        return Err(format!(
            "{name}: has routes for jwt_authn, but not the filter: compare the file that has it"
        ));
    }
    let now = arguments.now.unwrap_or(now);
    let comparisons = chains.iter().map(|chain| {
        let comparison = Comparison::run(chain, &requests, module, directory, now);
        comparison.map_err(|problem| format!("{name}: {}: {problem}", chain.path))
    });
    let mut comparisons = comparisons.collect::<Result<Vec<_>, String>>()?;
    if let Some(out) = &arguments.out {
        write(out, &comparisons)?;
    }
    if let Some(envoy) = &arguments.envoy {
        for comparison in &mut comparisons {
            let observed = comparison.observe(envoy);
            observed.map_err(|problem| format!("{name}: {}: {problem}", comparison.path))?;
        }
    }
    let text = if arguments.json {
        format!("{:#}\n", report::json(name, &comparisons))
    } else {
        report::text(name, &comparisons, arguments.all)
    };
    let status = match report::unexpected(&comparisons) {
        0 => Status::Good,
        _ => Status::Bad,
    };
    Ok((text, status))
}

/// Writes the configurations and the requests into a directory.
fn write(directory: &Path, comparisons: &[Comparison]) -> Result<(), String> {
    let problem = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(directory).map_err(|error| problem(directory, error))?;
    for (index, comparison) in comparisons.iter().enumerate() {
        let number = index.saturating_add(1);
        for (name, content) in [
            ("jwt_authn", &comparison.native_bootstrap),
            ("bearer-gate", &comparison.gate_bootstrap),
            ("requests", &comparison.requests_json()),
        ] {
            let path = directory.join(format!("{number}.{name}.json"));
            fs::write(&path, format!("{content:#}\n")).map_err(|error| problem(&path, error))?;
        }
    }
    Ok(())
}

//! The command `convert`.

use std::fmt::Write as _;
use std::io::Read;

use gate_config::{Environment, Problem};
use similar::TextDiff;

use crate::config_file::ConfigFile;
use crate::configuration::{Configuration, join};
use crate::convert::{self, Converted, Failure, Review};
use crate::convert_arguments::ConvertArguments;
use crate::convert_input::ConvertInput;
use crate::positions;
use crate::source_tree::{self, Node, line_and_column};

/// A key set, for environment variables that are not set here.
const SOME_KEYS: &str = r#"{"keys": []}"#;

/// What goes to the standard output, and what to the standard error.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Converts a file.
///
/// # Errors
///
/// Why it cannot be converted, one line for each reason.
pub(crate) fn run(
    arguments: &ConvertArguments,
    environment: Environment<'_>,
    input: &mut dyn Read,
) -> Result<Printed, String> {
    let given = ConvertInput::read(&arguments.files, input)?;
    let (name, text) = (given.name(), &given.text);
    let converted = convert::convert(text, &arguments.module, &given.directory)
        .map_err(|errors| refusals(&given, &errors))?;
    check(text, &converted, environment).map_err(|errors| refusals(&given, &errors))?;
    let mut errors = String::new();
    for failure in &converted.unconverted {
        let _ = writeln!(errors, "{} (not converted)", given.describe(failure));
    }
    let reviews = converted.reviews.iter();
    let (commented, others): (Vec<_>, Vec<_>) = reviews.partition(|review| review.has_comment);
    // Files with several filters repeat what holds for every filter.
    let mut lists: Vec<&Review> = Vec::new();
    for review in others {
        let first = lists.iter().find(|first| first.text == review.text);
        let text = first.map_or_else(
            || review.text.clone(),
            |first| format!("the same as at {}", first.path),
        );
        let _ = writeln!(errors, "REVIEW {}: {text}", review.path);
        if first.is_none() && review.text.contains('\n') {
            lists.push(review);
        }
    }
    if !commented.is_empty() {
        let number = commented.len();
        let _ = writeln!(
            errors,
            "{name}: {number} changes of meaning are marked with REVIEW"
        );
    }
    let output = if arguments.diff {
        let diff = TextDiff::from_lines(text, &converted.text);
        let mut diff = diff.unified_diff();
        diff.header(&format!("a/{name}"), &format!("b/{name}"))
            .to_string()
    } else {
        converted.text
    };
    Ok(Printed { output, errors })
}

/// The reasons why what was given cannot be converted, one line for each.
pub(crate) fn refusals(given: &ConvertInput, failures: &[Failure]) -> String {
    let lines = failures.iter().map(|failure| given.describe(failure));
    lines.collect::<Vec<_>>().join("\n")
}

/// Checks that the gate accepts what the conversion has made of `original`.
///
/// # Errors
///
/// What the gate refuses, with the place in `original`.
pub(crate) fn check(
    original: &str,
    converted: &Converted,
    environment: Environment<'_>,
) -> Result<(), Vec<Failure>> {
    let documents = source_tree::parse(original).unwrap_or_default();
    let file = ConfigFile::parse(converted.text.as_bytes())
        .map_err(|error| vec![Failure::for_file(format!("the result {error}"))])?;
    let mut problems = Vec::new();
    for configuration in Configuration::find_all(&file) {
        let variables = |name: &str| {
            let given = configuration.variables.get(name, environment);
            given.or_else(|| Some(SOME_KEYS.to_owned()))
        };
        if let Err(error) = gate_config::parse(&configuration.json, &variables) {
            let sentences = error.problems().iter().map(|problem| {
                in_original(original, &documents, &configuration.path, problem).unwrap_or_else(
                    || Failure::for_file(format!("{}: {problem}", configuration.path)),
                )
            });
            problems.extend(sentences);
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Says what is wrong with the gate at `path`, where it is in the file that it was made of; `None` if
/// `jwt_authn` is not in the same place there.
fn in_original(text: &str, documents: &[Node], path: &str, problem: &Problem) -> Option<Failure> {
    let path = path.strip_suffix(".config.configuration").unwrap_or(path);
    let (_, native) = positions::locate(documents, path)?;
    if !convert::is_native(native) {
        return None;
    }
    let path = join(path, &problem.path);
    let (position, _) = positions::locate(documents, &path)?;
    Some(Failure {
        place: Some(line_and_column(text, position)),
        text: format!("{path}: {}", problem.text),
    })
}

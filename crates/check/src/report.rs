//! The results for one file, as text and as JSON.

use std::fmt::Write as _;

use gate::policy::Policy;
use gate_config::ConfigError;
use serde_json::{Value, json};

use crate::configuration::join;
use crate::fetch_command::FetchCommand;
use crate::lint::Warning;
use crate::policy_table;
use crate::positions::locate;
use crate::source_tree::{self, Node, line_and_column};
use crate::status::Status;
use crate::suggestion::suggestion;
use crate::trial::{Outcome, Trial};

/// The results for one file.
pub(crate) struct Report {
    /// The name of the file.
    pub(crate) file: String,
    /// The results for its configurations.
    pub(crate) results: Vec<ConfigurationResult>,
    /// What is valid but dangerous, with line and column.
    pub(crate) warnings: Vec<(LineColumn, Warning)>,
    /// Whether warnings count as errors.
    pub(crate) strict: bool,
}

/// A place in a text: line and column, both from 1.
pub(crate) type LineColumn = (usize, usize);

/// The result for one configuration.
pub(crate) struct ConfigurationResult {
    /// Its path in the file; empty if it is the whole file.
    pub(crate) path: String,
    /// Where its problems are in the file; none for one whose place is not known.
    pub(crate) places: Vec<Option<LineColumn>>,
    /// The policy as a table.
    pub(crate) table: Vec<String>,
    /// What is valid but dangerous.
    pub(crate) warnings: Vec<String>,
    pub(crate) policy: Result<Policy, ConfigError>,
    /// The commands that fetch the key sets of providers.
    pub(crate) fetch_commands: Vec<FetchCommand>,
    /// The request that was decided, if one was described.
    pub(crate) trial: Option<Trial>,
}

/// Line and column of each warning.
pub(crate) fn place_warnings(text: &str, warnings: Vec<Warning>) -> Vec<(LineColumn, Warning)> {
    let warnings = warnings.into_iter();
    warnings
        .map(|warning| (line_and_column(text, warning.position), warning))
        .collect()
}

/// Where the problems of the configuration at `path` are in `text`, and its policy as a table.
pub(crate) fn describe(
    text: &str,
    tree: &[Node],
    path: &str,
    policy: &Result<Policy, ConfigError>,
) -> (Vec<Option<LineColumn>>, Vec<String>) {
    if let Err(error) = policy {
        let problems = error.problems().iter();
        let places = problems.map(|problem| {
            let path = join(path, &problem.path);
            let (position, _) = locate(tree, &path)?;
            Some(line_and_column(text, position))
        });
        return (places.collect(), Vec::new());
    }
    (
        Vec::new(),
        with_configuration(tree, path, policy_table::lines),
    )
}

/// What `read` reads in the configuration at `path`, which may be a text in the file.
pub(crate) fn with_configuration<T: Default>(
    tree: &[Node],
    path: &str,
    read: impl Fn(&Node) -> T,
) -> T {
    let node = locate(tree, path).map(|(_, node)| node);
    let value = node.and_then(|node| node.get("value").filter(|_| node.type_url().is_some()));
    match value.or(node) {
        Some(config) if config.is_map() => read(config),
        Some(config) => {
            let inner = source_tree::parse(config.text().unwrap_or_default());
            let inner = inner.unwrap_or_default();
            inner.first().map(read).unwrap_or_default()
        }
        None => T::default(),
    }
}

impl Report {
    /// The worst status of all configurations.
    pub(crate) fn status(&self) -> Status {
        let all = self.results.iter().map(ConfigurationResult::status);
        let worst = all.max().unwrap_or(Status::Unknown);
        let mut results = self.results.iter();
        let has_warnings =
            !self.warnings.is_empty() || results.any(|result| !result.warnings.is_empty());
        if self.strict && has_warnings {
            worst.max(Status::Bad)
        } else {
            worst
        }
    }

    /// The report for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for result in &self.results {
            let place = match result.path.as_str() {
                "" => self.file.clone(),
                path => format!("{}: {path}", self.file),
            };
            match &result.policy {
                Ok(policy) => {
                    let providers = policy.providers.iter();
                    let names: Vec<&str> = providers.map(|one| one.name.as_str()).collect();
                    let _ = writeln!(text, "{place}: valid, providers: {}", names.join(", "));
                }
                Err(error) => {
                    for (index, problem) in error.problems().iter().enumerate() {
                        let place = match result.places.get(index).copied().flatten() {
                            Some((line, column)) => format!("{}:{line}:{column}: ", self.file),
                            None => String::new(),
                        };
                        let path = match result.path.as_str() {
                            "" if place.is_empty() => format!("{}: ", self.file),
                            "" => String::new(),
                            path if place.is_empty() => format!("{}: {path}: ", self.file),
                            path => format!("{path}: "),
                        };
                        let _ =
                            writeln!(text, "{place}{path}bearer-gate: configuration: {problem}");
                        if let Some(meant) = suggestion(problem) {
                            let _ = writeln!(text, "  did you mean {meant}?");
                        }
                    }
                }
            }
            let resources = result
                .policy
                .iter()
                .flat_map(|policy| policy.resources.all());
            for resource in resources {
                let served = match resource.metadata {
                    Some(_) => "",
                    None => ", which is served elsewhere",
                };
                let _ = writeln!(
                    text,
                    "  resource {}: metadata at {}{served}",
                    resource.identifier.as_str(),
                    resource.metadata_url.as_str()
                );
                if let Some(metadata) = &resource.metadata {
                    let _ = writeln!(text, "    {}", metadata.document);
                }
            }
            if result.trial.is_none() {
                for line in &result.table {
                    let _ = writeln!(text, "  {line}");
                }
            }
            for warning in &result.warnings {
                let _ = writeln!(text, "  warning: {warning}");
            }
            if let Some(trial) = &result.trial {
                trial.write(&mut text);
                for one in trial.fetch_commands(&result.fetch_commands) {
                    let _ = writeln!(text, "  key set of {}: {}", one.provider, one.command);
                }
            }
        }
        // Who asks about a request wants to know about the request.
        let is_asked = self.results.iter().any(|result| result.trial.is_some());
        let warnings = self.warnings.iter().filter(|_| !is_asked);
        for ((line, column), warning) in warnings {
            let _ = writeln!(
                text,
                "{}:{line}:{column}: warning: {} ({})",
                self.file,
                warning.text,
                warning.link()
            );
        }
        text
    }

    /// The report for programs.
    pub(crate) fn json(&self) -> Value {
        let results = self.results.iter().map(ConfigurationResult::json);
        json!({
            "file": self.file,
            "status": self.status().name(),
            "configurations": results.collect::<Vec<_>>(),
            "warnings": self.warnings.iter().map(warning_json).collect::<Vec<_>>(),
        })
    }
}

fn warning_json(((line, column), warning): &(LineColumn, Warning)) -> Value {
    json!({
        "kind": warning.kind,
        "line": line,
        "column": column,
        "text": warning.text,
        "documentation": warning.link(),
    })
}

impl ConfigurationResult {
    fn status(&self) -> Status {
        match (
            &self.policy,
            self.trial.as_ref().map(|trial| &trial.outcome),
        ) {
            (Err(_), _) | (Ok(_), Some(Outcome::Refused { .. })) => Status::Bad,
            (Ok(_), Some(Outcome::Undecided { .. })) => Status::Unknown,
            (
                Ok(_),
                None
                | Some(
                    Outcome::Admitted { .. } | Outcome::Reported { .. } | Outcome::Metadata { .. },
                ),
            ) => Status::Good,
        }
    }

    /// The protected resources with their metadata.
    fn resources(&self) -> Vec<Value> {
        let resources = self.policy.iter().flat_map(|policy| policy.resources.all());
        let json = resources.map(|resource| {
            let metadata = resource.metadata.as_ref();
            json!({
                "resource": resource.identifier.as_str(),
                "metadata_url": resource.metadata_url.as_str(),
                "document": metadata.map(|metadata| &metadata.document),
            })
        });
        json.collect()
    }

    fn json(&self) -> Value {
        let error = self.policy.as_ref().err();
        let problems = error.map(ConfigError::problems).unwrap_or_default().iter();
        let problems = problems.enumerate().map(|(index, one)| {
            let place = self.places.get(index).copied().flatten();
            json!({
                "path": one.path,
                "text": one.text,
                "suggestion": suggestion(one),
                "line": place.map(|(line, _)| line),
                "column": place.map(|(_, column)| column),
            })
        });
        json!({
            "at": self.path,
            "valid": self.policy.is_ok(),
            "error": error.map(ToString::to_string),
            "problems": problems.collect::<Vec<_>>(),
            "warnings": self.warnings,
            "table": self.table,
            "resources": self.resources(),
            "decision": self.trial.as_ref().map(|trial| trial.json(&self.fetch_commands)),
        })
    }
}

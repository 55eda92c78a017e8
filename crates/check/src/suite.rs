//! The command `test`: requests and what the gate should do with them.

pub(crate) mod case;
mod result;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use case::{Case, CaseToken};
use gate::policy::Policy;
use gate::request::Connection;
use gate::time::Timestamp;
use gate_config::Environment;
use result::CaseResult;

use crate::arguments::Arguments;
use crate::embedded_files::with_gate;
use crate::given::Given;
use crate::input;
use crate::mint::{Mint, MintedConfiguration};
use crate::status::Status;
use crate::suite_arguments::SuiteArguments;
use crate::trial::{Outcome, Trial};
use crate::trial_request;

/// How long minted tokens are valid.
const LIFETIME: Duration = Duration::from_hours(1);

/// Runs the cases of a file. Returns what to print.
///
/// # Errors
///
/// The mistakes of the cases, that the configuration is not valid, or that a file cannot be read or
/// written.
pub(crate) fn run(
    arguments: &SuiteArguments,
    environment: Environment<'_>,
    input: &mut dyn Read,
    now: Timestamp,
) -> Result<(String, Status), String> {
    let cases_name = arguments.cases.display().to_string();
    let cases = input::read(&arguments.cases, input)?;
    let cases = String::from_utf8(cases).map_err(|_| format!("{cases_name}: is not UTF-8"))?;
    let cases = case::read(&cases_name, &cases)?;
    let name = arguments.file.display().to_string();
    let content = with_gate(input::read(&arguments.file, input)?);
    let mint = Mint::new(&name, &content, environment)?;
    let (originals, minted) = (mint.originals.as_slice(), mint.configurations.as_slice());
    let ([original], [configuration]) = (originals, minted) else {
        let number = mint.configurations.len();
        return Err(format!(
            "{name}: has {number} configurations of bearer-gate; test one at a time"
        ));
    };
    let now = arguments.now.unwrap_or(now);
    let files = Arguments {
        jwks: arguments.jwks.clone(),
        revocation: arguments.revocation.clone(),
        introspection: arguments.introspection.clone(),
        ..Arguments::default()
    };
    // The minted keys are in the configuration, so none are fetched.
    let without_keys = Arguments {
        jwks: Vec::new(),
        revocation: arguments.revocation.clone(),
        introspection: arguments.introspection.clone(),
        ..Arguments::default()
    };
    let suite = Suite {
        mint: &mint,
        configuration,
        given: Given::read(&configuration.policy, &without_keys)?,
        original: &original.policy,
        given_to_original: Given::read(&original.policy, &files)?,
        directory: arguments.cases.parent().unwrap_or(Path::new(".")),
        now,
    };
    let results = cases.iter().map(|case| suite.result(case));
    let (results, problems): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
    let problems: Vec<String> = problems.into_iter().filter_map(Result::err).collect();
    if !problems.is_empty() {
        let places = problems
            .iter()
            .map(|problem| format!("{cases_name}:{problem}"));
        return Err(places.collect::<Vec<_>>().join("\n"));
    }
    let results: Vec<CaseResult> = results.into_iter().filter_map(Result::ok).collect();
    if let Some(path) = &arguments.junit {
        let report = result::junit(&cases_name, &results);
        fs::write(path, report).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let text = if arguments.tap {
        result::tap(&results)
    } else {
        result::text(&cases_name, &results)
    };
    let status = match result::failures(&results) {
        0 => Status::Good,
        _ => Status::Bad,
    };
    Ok((text, status))
}

/// What cases are decided by.
struct Suite<'s> {
    mint: &'s Mint,
    /// With the minted keys, for tokens that are minted and requests without a token.
    configuration: &'s MintedConfiguration,
    given: Given,
    /// As it is in the file, for tokens from files.
    original: &'s Policy,
    given_to_original: Given,
    /// The directory of the cases.
    directory: &'s Path,
    now: Timestamp,
}

impl Suite<'_> {
    /// Decides a case.
    ///
    /// # Errors
    ///
    /// Why it has no token, with line and column.
    fn result(&self, case: &Case) -> Result<CaseResult, String> {
        let (line, column) = case.token_place;
        let token = self
            .token(case)
            .map_err(|problem| format!("{line}:{column}: {problem}"))?;
        let (policy, given) = match &case.token {
            CaseToken::File(_) => (self.original, &self.given_to_original),
            CaseToken::None | CaseToken::Minted { .. } => (&self.configuration.policy, &self.given),
        };
        let headers = case.headers.iter();
        let arguments = Arguments {
            path: case.path.clone(),
            method: case.method.clone(),
            headers: headers
                .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
                .collect(),
            ..Arguments::default()
        };
        let providers = match &case.token {
            CaseToken::Minted { provider, .. } => self.named(provider.as_deref()),
            CaseToken::None | CaseToken::File(_) => None,
        };
        let providers = providers.map_or(policy.providers.as_slice(), std::slice::from_ref);
        let connection = Connection::default();
        let request =
            trial_request::build(providers, &arguments, token.as_deref(), None, connection);
        let trial = Trial::run(policy, &request, given, self.now);
        Ok(CaseResult {
            name: case.name.clone(),
            place: case.place,
            differences: differences(case, &trial.outcome),
        })
    }

    /// The provider with this name; without a name, the only one that has keys.
    fn named(&self, name: Option<&str>) -> Option<&Rc<gate::policy::Provider>> {
        let policy = &self.configuration.policy;
        match (name, self.mint.keys.as_slice()) {
            (Some(name), _) => policy.provider(name),
            (None, [key]) => policy.provider(&key.provider),
            (None, _) => None,
        }
    }

    fn token(&self, case: &Case) -> Result<Option<String>, String> {
        match &case.token {
            CaseToken::None => Ok(None),
            CaseToken::File(path) => {
                let path = self.directory.join(path);
                let token = fs::read_to_string(&path);
                let token = token.map_err(|error| format!("{}: {error}", path.display()))?;
                Ok(Some(token.trim().to_owned()))
            }
            CaseToken::Minted {
                kind,
                provider,
                claims,
            } => {
                let names = self.configuration.policy.providers.iter();
                let names: Vec<&str> = names.map(|provider| provider.name.as_str()).collect();
                let names = names.join(", ");
                let found = self.named(provider.as_deref());
                let found = found.ok_or_else(|| match provider {
                    Some(name) => {
                        format!("there is no provider {name:?}: it is not one of {names}")
                    }
                    None => format!("`provider` must name one of {names}"),
                })?;
                let minter = self
                    .mint
                    .minter(self.configuration, found, LIFETIME, self.now);
                let minter = minter.ok_or_else(|| {
                    format!("the provider {} has no keys: name a file", found.name)
                })?;
                let token = minter.token(*kind, claims)?;
                let no_token = || {
                    format!(
                        "this kind of token makes no sense for the provider {}",
                        found.name
                    )
                };
                token.ok_or_else(no_token).map(Some)
            }
        }
    }
}

/// What differs from what a case expects.
fn differences(case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut differences = Vec::new();
    let (status, reason) = match outcome {
        Outcome::Admitted { .. } => (200, None),
        Outcome::Reported { reason } => (200, Some(reason.kind().metric())),
        Outcome::Refused { reason, .. } => (reason.kind().status(), Some(reason.kind().metric())),
        Outcome::Metadata { answer } => (answer.status, None),
        Outcome::Undecided { waits_for } => {
            let waits_for = waits_for.join(" or ");
            return vec![format!(
                "there is no decision: the gate would wait for {waits_for}"
            )];
        }
    };
    let why = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    if status != case.status {
        differences.push(format!(
            "status: expected {}, got {status}{why}",
            case.status
        ));
    }
    if let Some(expected) = &case.reason
        && reason != Some(expected.as_str())
    {
        let got = reason.unwrap_or("none");
        differences.push(format!("reason: expected {expected}, got {got}"));
    }
    for (name, expected) in &case.upstream {
        let Outcome::Admitted { upstream, .. } = outcome else {
            differences.push(format!(
                "header {name}: the upstream gets no request that the gate has checked"
            ));
            continue;
        };
        let values = upstream.iter().filter(|(known, _)| known == name);
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        let got = (!values.is_empty()).then(|| values.join(","));
        if got != *expected {
            let shown = |value: &Option<String>| match value {
                Some(value) => format!("{value:?}"),
                None => "none".to_owned(),
            };
            let (expected, got) = (shown(expected), shown(&got));
            differences.push(format!("header {name}: expected {expected}, got {got}"));
        }
    }
    differences
}

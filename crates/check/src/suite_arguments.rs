//! The command line of `test`.

use std::path::PathBuf;

use gate::time::Timestamp;
use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::argument_values::{provider_file, time};

/// The text of `test --help`.
pub(crate) const HELP: &str = "\
Tests what a configuration of bearer-gate does with requests, without Envoy.

Usage: bearer-gate-check test [OPTIONS] CASES FILE

CASES is YAML or JSON:

  cases:
  - name: an expired token is refused
    request: { method: GET, path: /orders, headers: { x-request: a } }
    token: expired
    expect: { status: 401, reason: expired }
  - name: the API learns who the user is
    request: { path: /orders }
    token: { kind: good, provider: cloud, claims: { sub: bob } }
    expect: { status: 200, headers: { x-user: bob, authorization: null } }

A token is minted, of one of the kinds of mint --help, or comes from a file: `token: { file: token.jwt }`,
whose name is relative to CASES. Minted tokens are signed with fresh keys, which the configuration gets in
place of its own. Status 200 means that the request passes; a header that is null must not reach the API.

FILE is a file with one configuration, as in --help.

      --jwks [PROVIDER=]FILE   the key set of a provider, for tokens from files (repeatable)
      --revocation [PROVIDER=]FILE
      --introspection [PROVIDER=]FILE
                               the revocation list, and the introspection response, likewise
      --now TIME               the time, in seconds since 1970 or like 2026-01-31T12:00:00Z (now)
      --tap                    print TAP, version 14
      --junit FILE             also write the results into a file, as JUnit does
  -h, --help                   print this help

Exit status: 0 if all cases pass; 1 if one fails; 2 if there is no result.

Example:
  bearer-gate-check test --junit results.xml cases.yaml envoy.yaml
";

/// What to test, and how.
#[derive(Debug, Default)]
pub(crate) struct SuiteArguments {
    pub(crate) cases: PathBuf,
    pub(crate) file: PathBuf,
    /// Files with key sets, and the provider if one is named.
    pub(crate) jwks: Vec<(Option<String>, PathBuf)>,
    /// Files with revocation lists, likewise.
    pub(crate) revocation: Vec<(Option<String>, PathBuf)>,
    /// Files with introspection responses, likewise.
    pub(crate) introspection: Vec<(Option<String>, PathBuf)>,
    pub(crate) now: Option<Timestamp>,
    /// Whether to print TAP.
    pub(crate) tap: bool,
    /// Where to write the results as `JUnit` does.
    pub(crate) junit: Option<PathBuf>,
}

impl SuiteArguments {
    /// Parses what follows `test`. Returns `None` for `--help`.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>, String> {
        let explain = |error: lexopt::Error| format!("{error} (see test --help)");
        let mut parsed = Self::default();
        let mut files = Vec::new();
        while let Some(argument) = parser.next().map_err(explain)? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long("tap") => parsed.tap = true,
                Long("junit") => parsed.junit = Some(parser.value().map_err(explain)?.into()),
                Long("now") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.now = Some(time(&text)?);
                }
                Long("jwks") => {
                    parsed.jwks.push(provider_file(parser).map_err(explain)?);
                }
                Long("revocation") => {
                    parsed
                        .revocation
                        .push(provider_file(parser).map_err(explain)?);
                }
                Long("introspection") => {
                    parsed
                        .introspection
                        .push(provider_file(parser).map_err(explain)?);
                }
                Value(path) => files.push(PathBuf::from(path)),
                other => return Err(explain(other.unexpected())),
            }
        }
        let [cases, file] = files
            .try_into()
            .map_err(|_| "test needs CASES and FILE (see test --help)")?;
        let input = PathBuf::from("-");
        if cases == input && file == input {
            return Err("CASES and FILE cannot both be the standard input".to_owned());
        }
        Ok(Some(Self {
            cases,
            file,
            ..parsed
        }))
    }
}

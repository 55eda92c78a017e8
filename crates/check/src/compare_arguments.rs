//! The command line of `compare`.

use std::path::PathBuf;

use gate::time::Timestamp;
use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::argument_values::time;

/// The text of `compare --help`.
pub(crate) const HELP: &str = "\
Compares Envoy's jwt_authn filter with bearer-gate in its place.

Usage: bearer-gate-check compare [OPTIONS] FILE

FILE is a file with jwt_authn, as in convert --help. The filters are converted as `convert` does it. Requests for
every rule and route, with every kind of token and without, are then judged by the rules of jwt_authn and by
the gate: which status, which headers for the upstream. What differs is printed, each difference with its reason.
Differences that `convert` marks with REVIEW are expected; all others are not. The providers get keys of their
own, so that tokens can be minted, and nothing is fetched.

      --envoy PATH     send the requests through this Envoy, which is started twice on this machine, with
                       jwt_authn and with the gate, and compare what it does; without it nothing is
                       started or sent
      --cases FILE     compare these requests instead, from a file as in test --help; what they expect
                       does not matter, and their tokens are minted
      --all            show every request that differs, not only some of each kind
      --json           print JSON
      --out DIR        also write both Envoy configurations, reduced to these filters and their routes,
                       and the requests with what is expected, to send them yourself
      --module PATH    the module, for --envoy and --out (/etc/envoy/bearer_gate.wasm)
      --now TIME       the time, in seconds since 1970 or like 2026-01-31T12:00:00Z (now)
  -h, --help           print this help

Exit status: 0 if nothing differs unexpectedly; 1 if something does; 2 if there is no result.

Examples:
  bearer-gate-check compare envoy.yaml
  bearer-gate-check compare --envoy /usr/bin/envoy --module bearer_gate.wasm envoy.yaml
";

/// What to compare, and how.
#[derive(Debug, Default)]
pub(crate) struct CompareArguments {
    pub(crate) file: PathBuf,
    /// The file with the requests.
    pub(crate) cases: Option<PathBuf>,
    /// The Envoy that the requests are sent through.
    pub(crate) envoy: Option<PathBuf>,
    /// Whether to show every request that differs.
    pub(crate) all: bool,
    pub(crate) json: bool,
    /// Where to write configurations and requests.
    pub(crate) out: Option<PathBuf>,
    /// Where Envoy finds the module.
    pub(crate) module: Option<String>,
    pub(crate) now: Option<Timestamp>,
}

impl CompareArguments {
    /// Parses what follows `compare`. Returns `None` for `--help`.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>, String> {
        let explain = |error: lexopt::Error| format!("{error} (see compare --help)");
        let mut parsed = Self::default();
        let mut file = None;
        while let Some(argument) = parser.next().map_err(explain)? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long("all") => parsed.all = true,
                Long("json") => parsed.json = true,
                Long("cases") => parsed.cases = Some(parser.value().map_err(explain)?.into()),
                Long("envoy") => parsed.envoy = Some(parser.value().map_err(explain)?.into()),
                Long("out") => parsed.out = Some(parser.value().map_err(explain)?.into()),
                Long("module") => {
                    let module = parser.value().and_then(ValueExt::string);
                    parsed.module = Some(module.map_err(explain)?);
                }
                Long("now") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.now = Some(time(&text)?);
                }
                Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
                Value(_) => return Err("more than one FILE (see compare --help)".to_owned()),
                other => return Err(explain(other.unexpected())),
            }
        }
        parsed.file = file.ok_or("FILE is missing (see compare --help)")?;
        if parsed.now.is_some() && parsed.envoy.is_some() {
            return Err("--now and --envoy cannot both be given".to_owned());
        }
        if parsed.cases.as_ref() == Some(&parsed.file) {
            return Err("FILE and --cases cannot be the same".to_owned());
        }
        Ok(Some(parsed))
    }
}

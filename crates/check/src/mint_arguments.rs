//! The command line of `mint`.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use serde_json::Map;

/// The text of `mint --help`.
pub(crate) const HELP: &str = "\
Mints keys and tokens to test a configuration of bearer-gate with.

Usage: bearer-gate-check mint [OPTIONS] FILE

FILE is any file that `bearer-gate-check FILE` reads; `-` is the standard input. These files are written:
  NAME.local-jwks.yaml        the same file with fresh keys in local_jwks, in place of the providers' own
  PROVIDER.private-key.pem    the private key of a provider (PKCS #8)
  PROVIDER.jwks.json          its key set
  PROVIDER.KIND.jwt           a token of each kind that makes sense for the provider: good, expired,
                              wrong-issuer, wrong-audience, wrong-signature, unknown-kid, no-scope, ...
A line for each goes to the standard output, with what the provider makes of each token. Private keys,
shared secrets and tokens are readable by their owner only.

      --out DIR            the directory for them (minted)
      --claims JSON        more claims of all tokens, an object; null leaves a claim out
      --lifetime DURATION  how long tokens are valid, in seconds or like 10m (1h)
  -h, --help               print this help

Exit status: 0 if the good token of each provider is accepted; 1 if one is not, because it needs a
claim that --claims has to give, or is bound to its sender; 2 if there is no result.

Examples:
  bearer-gate-check mint --out minted envoy.yaml
  bearer-gate-check mint --claims '{\"sub\": \"alice\"}' --lifetime 10m envoy.yaml
";

/// What to mint.
#[derive(Debug)]
pub(crate) struct MintArguments {
    pub(crate) file: PathBuf,
    /// The directory to write into.
    pub(crate) out: PathBuf,
    /// More claims of all tokens.
    pub(crate) claims: Map<String, serde_json::Value>,
    /// How long tokens are valid.
    pub(crate) lifetime: Duration,
}

impl MintArguments {
    /// Parses what follows `mint`. Returns `None` for `--help`.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>, String> {
        let explain = |error: lexopt::Error| format!("{error} (see mint --help)");
        let mut file = None;
        let mut parsed = Self {
            file: PathBuf::new(),
            out: PathBuf::from("minted"),
            claims: Map::new(),
            lifetime: Duration::from_hours(1),
        };
        while let Some(argument) = parser.next().map_err(explain)? {
            match argument {
                Short('h') | Long("help") => return Ok(None),
                Long("out") => parsed.out = parser.value().map_err(explain)?.into(),
                Long("claims") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.claims = serde_json::from_str(&text)
                        .map_err(|error| format!("--claims: is not a JSON object: {error}"))?;
                }
                Long("lifetime") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.lifetime = duration(&text)?;
                }
                Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
                Value(_) => return Err("more than one FILE (see mint --help)".to_owned()),
                other => return Err(explain(other.unexpected())),
            }
        }
        parsed.file = file.ok_or("FILE is missing (see mint --help)")?;
        Ok(Some(parsed))
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map(Duration::from_secs).ok();
    let duration = seconds.or_else(|| humantime::parse_duration(text).ok());
    let duration = duration.filter(|one| *one >= Duration::from_secs(1));
    duration.ok_or_else(|| {
        format!("--lifetime: {text:?} is neither a number of seconds nor a time like 10m")
    })
}

//! The command line.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use lexopt::prelude::{Long, Short, Value, ValueExt};

use super::read;
use crate::time::Timestamp;

/// What `--help` says.
pub(super) const HELP: &str = "\
Says whether a configuration of bearer-gate is valid, and what the filter would decide.

Usage: bearer-gate-check [OPTIONS] FILE

FILE is JSON or YAML; `-` is the standard input. It is a configuration itself or has some in
it: an Envoy bootstrap, listener, extension configuration or configuration dump, an Istio
WasmPlugin or EnvoyFilter, an Envoy Gateway EnvoyExtensionPolicy. All of them are checked.

With any of these, the decision on a request is shown step by step:
      --token TOKEN|@FILE|-   its token, or where that is; the token is never printed
      --jwks [PROVIDER=]FILE  the key set of a provider, or of all that fetch one (repeatable)
      --revocation [PROVIDER=]FILE
                              the revocation list, likewise
      --introspection [PROVIDER=]FILE
                              what the introspection endpoint says of the token, likewise
      --path PATH             its path and query (/)
      --method METHOD         its method (GET)
      --header NAME:VALUE     a header of it (repeatable)
      --requirement NAME      the requirement that its route's metadata names
      --now TIME              the time, in seconds since 1970 or as 2026-01-31T12:00:00Z (now)

      --json                  print JSON
      --schema                print the JSON Schema of the configuration
  -h, --help                  print this
  -V, --version               print the version

Exit status: 0 if all is valid and the request is let through, 1 if not, 2 if that cannot be
told: wrong arguments, an unreadable file, no configuration in it, or something that the filter
would fetch or ask and that was not given.

Examples:
  bearer-gate-check envoy.yaml
  bearer-gate-check --token @token.txt --jwks jwks.json --path /orders envoy.yaml
";

/// What is asked of the command.
pub(super) enum Asked {
    Help,
    Version,
    Schema,
    Check(Box<Arguments>),
}

/// What is to be checked, and what is said of a request.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) file: PathBuf,
    pub(super) token: Option<TokenSource>,
    /// Key sets: the provider, where one is named, and the file.
    pub(super) jwks: Vec<(Option<String>, PathBuf)>,
    /// Revocation lists, likewise.
    pub(super) revocation: Vec<(Option<String>, PathBuf)>,
    /// Answers of introspection endpoints, likewise.
    pub(super) introspection: Vec<(Option<String>, PathBuf)>,
    pub(super) path: Option<String>,
    pub(super) method: Option<String>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) requirement: Option<String>,
    pub(super) now: Option<Timestamp>,
    pub(super) json: bool,
}

/// Where the token is.
pub(super) enum TokenSource {
    Given(String),
    File(PathBuf),
}

impl TokenSource {
    fn parse(text: String) -> Self {
        match text.strip_prefix('@') {
            Some(path) => Self::File(path.into()),
            None if text == "-" => Self::File(text.into()),
            None => Self::Given(text),
        }
    }

    fn is_input(&self) -> bool {
        matches!(self, Self::File(path) if path == Path::new("-"))
    }

    /// The token, without the white space around it.
    pub(super) fn read(&self, input: &mut dyn Read) -> Result<String, String> {
        let text = match self {
            Self::Given(token) => token.clone(),
            Self::File(path) => String::from_utf8(read(path, input)?)
                .map_err(|_| format!("{}: is not UTF-8", path.display()))?,
        };
        Ok(text.trim().to_owned())
    }
}

impl Arguments {
    /// Reads the command line.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut parsed = Self::default();
        let mut file = None;
        let says = |problem: lexopt::Error| format!("{problem} (see --help)");
        while let Some(argument) = parser.next().map_err(says)? {
            match argument {
                Short('h') | Long("help") => return Ok(Asked::Help),
                Short('V') | Long("version") => return Ok(Asked::Version),
                Long("schema") => return Ok(Asked::Schema),
                Long("json") => parsed.json = true,
                Long("token") => {
                    let token = secret(&mut parser, "--token")?;
                    parsed.token = Some(TokenSource::parse(token));
                }
                Long("header") => {
                    let text = secret(&mut parser, "--header")?;
                    parsed.headers.push(header(&text)?);
                }
                Long("jwks") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(says)?;
                    parsed.jwks.push(provider_file(&text));
                }
                Long("revocation") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(says)?;
                    parsed.revocation.push(provider_file(&text));
                }
                Long("introspection") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(says)?;
                    parsed.introspection.push(provider_file(&text));
                }
                Long("path") => {
                    let path = parser.value().and_then(ValueExt::string).map_err(says)?;
                    parsed.path = Some(path);
                }
                Long("method") => {
                    let method = parser.value().and_then(ValueExt::string).map_err(says)?;
                    parsed.method = Some(method);
                }
                Long("requirement") => {
                    let name = parser.value().and_then(ValueExt::string).map_err(says)?;
                    parsed.requirement = Some(name);
                }
                Long("now") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(says)?;
                    parsed.now = Some(time(&text)?);
                }
                Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
                Value(_) => return Err("more than one FILE (see --help)".to_owned()),
                other => return Err(says(other.unexpected())),
            }
        }
        parsed.file = file.ok_or("FILE is missing (see --help)")?;
        let token_is_input = parsed.token.as_ref().is_some_and(TokenSource::is_input);
        if token_is_input && parsed.file == Path::new("-") {
            return Err("FILE and --token cannot both be the standard input".to_owned());
        }
        Ok(Asked::Check(Box::new(parsed)))
    }

    /// Whether anything is said of a request.
    pub(super) const fn wants_trial(&self) -> bool {
        self.token.is_some()
            || !self.jwks.is_empty()
            || !self.revocation.is_empty()
            || !self.introspection.is_empty()
            || self.path.is_some()
            || self.method.is_some()
            || !self.headers.is_empty()
            || self.requirement.is_some()
            || self.now.is_some()
    }
}

/// The value of an option that no error may repeat: it may be a token.
fn secret(parser: &mut lexopt::Parser, option: &str) -> Result<String, String> {
    let value = parser.value();
    let value = value.map_err(|_| format!("{option}: its value is missing (see --help)"))?;
    value
        .into_string()
        .map_err(|_| format!("{option}: is not UTF-8"))
}

/// A file, and for whom: a provider's name is what comes before the first `=`.
fn provider_file(text: &str) -> (Option<String>, PathBuf) {
    match text.split_once('=') {
        Some((provider, file)) => (Some(provider.to_owned()), file.into()),
        None => (None, text.into()),
    }
}

fn header(text: &str) -> Result<(String, Vec<u8>), String> {
    // A pseudo-header begins with a colon.
    let (colon, rest) = match text.strip_prefix(':') {
        Some(rest) => (":", rest),
        None => ("", text),
    };
    let (name, value) = rest.split_once(':').ok_or("--header: is not NAME:VALUE")?;
    let name = match name.trim().to_ascii_lowercase().as_str() {
        "host" => ":authority".to_owned(),
        name => format!("{colon}{name}"),
    };
    Ok((name, value.trim().as_bytes().to_vec()))
}

fn time(text: &str) -> Result<Timestamp, String> {
    if let Ok(secs) = text.parse() {
        return Ok(Timestamp::from_unix_secs(secs));
    }
    let time = humantime::parse_rfc3339(text).ok();
    let since_epoch = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since_epoch.map(Timestamp::from_unix).ok_or_else(|| {
        format!("--now: {text:?} is neither seconds since 1970 nor such as 2026-01-31T12:00:00Z")
    })
}

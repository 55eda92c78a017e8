//! The command line.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gate::request::MetadataSource;
use gate::time::Timestamp;
use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::argument_values::{provider_file, time};
use crate::compare_arguments::CompareArguments;
use crate::convert_arguments::ConvertArguments;
use crate::input::read;
use crate::mint_arguments::MintArguments;
use crate::suite_arguments::SuiteArguments;
use crate::trial_metadata::TrialMetadata;

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Checks configurations of bearer-gate, and shows what the filter would decide about a request.

Usage: bearer-gate-check [check] [OPTIONS] FILE
       bearer-gate-check explain [OPTIONS] FILE
       bearer-gate-check convert [OPTIONS] FILE
       bearer-gate-check compare [OPTIONS] FILE
       bearer-gate-check mint [OPTIONS] FILE
       bearer-gate-check test [OPTIONS] CASES FILE

`explain` shows what the filter would do with a request and its token, step by step.
`convert` puts the gate in the place of Envoy's jwt_authn filter: see convert --help.
`compare` shows for which requests the gate does something else than jwt_authn: see compare --help.
`mint` makes keys and tokens to test a configuration with: see mint --help.
`test` tests what a configuration does with requests and such tokens: see test --help.

FILE is JSON or YAML; `-` is the standard input. It is a configuration or contains some: an
Envoy bootstrap, listener, extension configuration or configuration dump, an Istio WasmPlugin
or EnvoyFilter, an Envoy Gateway EnvoyExtensionPolicy. All of them are checked.

These options describe the request of `explain`, and without that word any of them asks for it:
      --token TOKEN|@FILE|-   the token, or where to read it; it is never printed
      --dpop PROOF|@FILE|-    the proof of possession, which makes the scheme of the token DPoP
      --jwks [PROVIDER=]FILE  the key set of a provider, or of all that fetch one (repeatable)
      --revocation [PROVIDER=]FILE
                              the revocation list, likewise
      --introspection [PROVIDER=]FILE
                              the introspection response about the token, likewise
      --path PATH             the path and query (/)
      --url URL               scheme, authority, path and query instead
      --method METHOD         the method (GET)
      --header NAME:VALUE     a header (repeatable)
      --dynamic-metadata JSON the dynamic metadata: an object of filters, each with an object of
                              its values
      --client-certificate FILE|DIGEST
                              the client certificate of the connection: a file in PEM, or its
                              SHA-256 in hexadecimal digits or base64url
      --client-certificate-uri URI
                              the URI in this certificate, for trusted_peers
      --requirement NAME      the requirement that the metadata of the route names
      --now TIME              the time, in seconds since 1970 or like 2026-01-31T12:00:00Z (now)

      --strict                let warnings count as errors
      --json                  print JSON
      --sarif                 print SARIF 2.1.0, for code hosts: mistakes and warnings with their places
      --schema                print the JSON Schema of the configuration
  -h, --help                  print this help
  -V, --version               print the version

Exit status: 0 if everything is valid and the request passes; 1 if not; 2 if there is no
result: wrong arguments, an unreadable file, a file without a configuration, or a decision
that needs a key set, revocation list or introspection response that is not given.

Examples:
  bearer-gate-check envoy.yaml
  bearer-gate-check explain --token @token.txt --jwks jwks.json --path /orders envoy.yaml
";

/// What the command has to do.
pub(crate) enum Command {
    Help,
    Version,
    Schema,
    Check(Box<Arguments>),
    CompareHelp,
    Compare(CompareArguments),
    ConvertHelp,
    Convert(ConvertArguments),
    MintHelp,
    Mint(MintArguments),
    TestHelp,
    Test(SuiteArguments),
}

/// The file to check, and the request to decide on.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) file: PathBuf,
    pub(crate) token: Option<TokenSource>,
    /// The proof of possession.
    pub(crate) dpop: Option<TokenSource>,
    /// Files with key sets, and the provider if one is named.
    pub(crate) jwks: Vec<(Option<String>, PathBuf)>,
    /// Files with revocation lists, likewise.
    pub(crate) revocation: Vec<(Option<String>, PathBuf)>,
    /// Files with introspection responses, likewise.
    pub(crate) introspection: Vec<(Option<String>, PathBuf)>,
    pub(crate) path: Option<String>,
    /// Scheme, authority, and path with query.
    pub(crate) url: Option<[String; 3]>,
    pub(crate) method: Option<String>,
    /// Headers with names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) metadata: Option<Rc<dyn MetadataSource>>,
    /// The client certificate of the connection: a digest or a file.
    pub(crate) client_certificate: Option<String>,
    pub(crate) client_certificate_uri: Option<String>,
    pub(crate) requirement: Option<String>,
    pub(crate) now: Option<Timestamp>,
    pub(crate) json: bool,
    pub(crate) sarif: bool,
    /// Whether warnings count as errors.
    pub(crate) strict: bool,
}

/// Where the token is.
pub(crate) enum TokenSource {
    Argument(String),
    File(PathBuf),
}

impl TokenSource {
    fn parse(text: String) -> Self {
        match text.strip_prefix('@') {
            Some(path) => Self::File(path.into()),
            None if text == "-" => Self::File(text.into()),
            None => Self::Argument(text),
        }
    }

    fn is_input(&self) -> bool {
        matches!(self, Self::File(path) if path == Path::new("-"))
    }

    /// Reads the token and trims white space.
    pub(crate) fn read(&self, input: &mut dyn Read) -> Result<String, String> {
        let text = match self {
            Self::Argument(token) => token.clone(),
            Self::File(path) => String::from_utf8(read(path, input)?)
                .map_err(|_| format!("{}: is not UTF-8", path.display()))?,
        };
        Ok(text.trim().to_owned())
    }
}

/// The words that may come first. Without one, the command is `check`.
const COMMANDS: [&str; 6] = ["check", "compare", "convert", "explain", "mint", "test"];

/// Why there may not be another file beside `first`, which may be a misspelt command.
fn too_many(first: Option<&Path>) -> String {
    let first = first.and_then(Path::to_str).unwrap_or_default();
    let distances = COMMANDS.map(|command| (strsim::damerau_levenshtein(first, command), command));
    match distances.iter().min() {
        Some((1 | 2, command)) => {
            format!("there is no command '{first}': did you mean {command}? (see --help)")
        }
        _ => "more than one FILE (see --help)".to_owned(),
    }
}

impl Arguments {
    /// Parses the command line.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
        let mut arguments = arguments.into_iter().peekable();
        let is_command = |name: &OsString| COMMANDS.iter().any(|command| name == command);
        let command = arguments.next_if(is_command);
        let mut parser = lexopt::Parser::from_args(arguments);
        let command = command.as_deref().and_then(OsStr::to_str);
        if let Some(command) = subcommand(command.unwrap_or_default(), &mut parser)? {
            return Ok(command);
        }
        let mut parsed = Self::default();
        let mut file = None;
        let explain = |error: lexopt::Error| format!("{error} (see --help)");
        while let Some(argument) = parser.next().map_err(explain)? {
            match argument {
                Short('h') | Long("help") => return Ok(Command::Help),
                Short('V') | Long("version") => return Ok(Command::Version),
                Long("schema") => return Ok(Command::Schema),
                Long("json") => parsed.json = true,
                Long("sarif") => parsed.sarif = true,
                Long("strict") => parsed.strict = true,
                Long("token") => {
                    let token = secret(&mut parser, "--token")?;
                    parsed.token = Some(TokenSource::parse(token));
                }
                Long("dpop") => {
                    let proof = secret(&mut parser, "--dpop")?;
                    parsed.dpop = Some(TokenSource::parse(proof));
                }
                Long("url") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.url = Some(url(&text)?);
                }
                Long("header") => {
                    let text = secret(&mut parser, "--header")?;
                    parsed.headers.push(header(&text)?);
                }
                Long("jwks") => {
                    parsed
                        .jwks
                        .push(provider_file(&mut parser).map_err(explain)?);
                }
                Long("revocation") => {
                    parsed
                        .revocation
                        .push(provider_file(&mut parser).map_err(explain)?);
                }
                Long("introspection") => {
                    parsed
                        .introspection
                        .push(provider_file(&mut parser).map_err(explain)?);
                }
                Long("path") => {
                    let path = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.path = Some(path);
                }
                Long("method") => {
                    let method = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.method = Some(method);
                }
                Long("dynamic-metadata") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.metadata = Some(Rc::new(TrialMetadata::parse(&text)?));
                }
                Long("client-certificate") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.client_certificate = Some(text);
                }
                Long("client-certificate-uri") => {
                    let uri = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.client_certificate_uri = Some(uri);
                }
                Long("requirement") => {
                    let name = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.requirement = Some(name);
                }
                Long("now") => {
                    let text = parser.value().and_then(ValueExt::string).map_err(explain)?;
                    parsed.now = Some(time(&text)?);
                }
                Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
                Value(_) => return Err(too_many(file.as_deref())),
                other => return Err(explain(other.unexpected())),
            }
        }
        parsed.file = file.ok_or("FILE is missing (see --help)")?;
        if parsed.dpop.is_some() && parsed.token.is_none() {
            return Err("--dpop needs --token (see --help)".to_owned());
        }
        if parsed.url.is_some() && parsed.path.is_some() {
            return Err("--url and --path cannot both be given".to_owned());
        }
        if command == Some("explain") && !parsed.describe_request() {
            parsed.path = Some("/".to_owned());
        }
        parsed.check_input()?;
        Ok(Command::Check(Box::new(parsed)))
    }

    /// Checks that at most one of them is read from the standard input.
    fn check_input(&self) -> Result<(), String> {
        let is_input = |source: &Option<TokenSource>| {
            let source = source.as_ref();
            source.is_some_and(TokenSource::is_input)
        };
        let mut all = vec![
            (self.file == Path::new("-"), "FILE"),
            (is_input(&self.token), "--token"),
            (is_input(&self.dpop), "--dpop"),
        ];
        all.retain(|(is_input, _)| *is_input);
        match all.as_slice() {
            [(_, one), (_, other), ..] => Err(format!(
                "{one} and {other} cannot both be the standard input"
            )),
            _ => Ok(()),
        }
    }

    /// Whether they describe a request.
    pub(crate) const fn describe_request(&self) -> bool {
        self.token.is_some()
            || self.url.is_some()
            || !self.jwks.is_empty()
            || !self.revocation.is_empty()
            || !self.introspection.is_empty()
            || self.path.is_some()
            || self.method.is_some()
            || !self.headers.is_empty()
            || self.metadata.is_some()
            || self.client_certificate.is_some()
            || self.client_certificate_uri.is_some()
            || self.requirement.is_some()
            || self.now.is_some()
    }
}

/// Parses what follows the name of a command; `None` if it is not one with arguments of its own.
fn subcommand(name: &str, parser: &mut lexopt::Parser) -> Result<Option<Command>, String> {
    Ok(Some(match name {
        "compare" => {
            CompareArguments::parse(parser)?.map_or(Command::CompareHelp, Command::Compare)
        }
        "convert" => {
            ConvertArguments::parse(parser)?.map_or(Command::ConvertHelp, Command::Convert)
        }
        "mint" => MintArguments::parse(parser)?.map_or(Command::MintHelp, Command::Mint),
        "test" => SuiteArguments::parse(parser)?.map_or(Command::TestHelp, Command::Test),
        _ => return Ok(None),
    }))
}

/// The value of an option. It may be a token, so no error repeats it.
fn secret(parser: &mut lexopt::Parser, option: &str) -> Result<String, String> {
    let value = parser.value();
    let value = value.map_err(|_| format!("{option}: the value is missing (see --help)"))?;
    value
        .into_string()
        .map_err(|_| format!("{option}: is not UTF-8"))
}

/// Splits a URL into scheme, authority, and path with query.
fn url(text: &str) -> Result<[String; 3], String> {
    let problem = || format!("--url: {text:?} is no absolute URL");
    let (scheme, rest) = text.split_once("://").ok_or_else(problem)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).ok_or_else(problem)?;
    if scheme.is_empty() || authority.is_empty() {
        return Err(problem());
    }
    let path = path.split('#').next().unwrap_or_default();
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    Ok([scheme.to_ascii_lowercase(), authority.to_owned(), path])
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

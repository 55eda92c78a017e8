//! The command `mint`.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};

use gate::time::Timestamp;
use gate_config::Environment;

use crate::embedded_files::with_gate;
use crate::input;
use crate::mint::kind::Kind;
use crate::mint::minter::Verdict;
use crate::mint::{Mint, MintedKey};
use crate::mint_arguments::MintArguments;
use crate::status::Status;

/// Mints keys and tokens. Returns a line for each file.
///
/// # Errors
///
/// Why there is nothing to mint, or a file cannot be written.
pub(crate) fn run(
    arguments: &MintArguments,
    environment: Environment<'_>,
    input: &mut dyn Read,
    now: Timestamp,
) -> Result<(String, Status), String> {
    let name = arguments.file.display().to_string();
    let content = with_gate(input::read(&arguments.file, input)?);
    let mint = Mint::new(&name, &content, environment)?;
    let mut files = Files::new(&arguments.out)?;
    let has_secret = mint.keys.iter().any(MintedKey::is_secret);
    let config = config_name(&arguments.file, &content);
    files.write(&config, &mint.text, has_secret, "the configuration")?;
    for key in &mint.keys {
        let provider = &key.provider;
        let stem = file_stem(provider);
        if let Some(pem) = key.private_pem()? {
            let about = format!("the private key of {provider}");
            files.write(&format!("{stem}.private-key.pem"), &pem, true, &about)?;
        }
        let key_set = format!("{:#}\n", key.key_set);
        let about = format!("the key set of {provider}");
        files.write(
            &format!("{stem}.jwks.json"),
            &key_set,
            key.is_secret(),
            &about,
        )?;
    }
    let mut status = Status::Good;
    let several = mint.configurations.len() > 1;
    for (index, configuration) in mint.configurations.iter().enumerate() {
        for provider in &configuration.policy.providers {
            let Some(minter) = mint.minter(configuration, provider, arguments.lifetime, now) else {
                let _ = writeln!(files.lines, "{}: has no keys, so no tokens", provider.name);
                continue;
            };
            let mut stem = file_stem(&provider.name);
            if several {
                stem = format!("{}.{stem}", index.saturating_add(1));
            }
            for (kind, kind_name, reason) in Kind::ALL {
                let Some(token) = minter.token(kind, &arguments.claims)? else {
                    continue;
                };
                let verdict = minter.verdict(&token)?;
                let about = match (kind, verdict) {
                    (Kind::NoScope, Verdict::Accepted) => {
                        "refused where a scope is needed: scope".to_owned()
                    }
                    (Kind::Good, Verdict::Accepted) => "accepted".to_owned(),
                    (Kind::Good, Verdict::Undecided) => {
                        "depends on what the gate would fetch".to_owned()
                    }
                    (Kind::Good, Verdict::Refused(reason)) => {
                        status = Status::Bad;
                        format!("refused: {reason}; see --claims")
                    }
                    (_, Verdict::Refused(found)) if found == reason => format!("refused: {found}"),
                    // The provider does not look at what is wrong with it.
                    _ => continue,
                };
                files.write(&format!("{stem}.{kind_name}.jwt"), &token, true, &about)?;
            }
        }
    }
    Ok((files.lines, status))
}

/// The files that are written.
struct Files<'f> {
    directory: &'f Path,
    written: Vec<String>,
    /// A line for each.
    lines: String,
}

impl<'f> Files<'f> {
    fn new(directory: &'f Path) -> Result<Self, String> {
        fs::create_dir_all(directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(Self {
            directory,
            written: Vec::new(),
            lines: String::new(),
        })
    }

    /// Writes a file in place of an earlier one. Only its owner can read a secret.
    fn write(&mut self, name: &str, text: &str, secret: bool, about: &str) -> Result<(), String> {
        let path = self.directory.join(name);
        if self.written.iter().any(|written| written == name) {
            return Err(format!(
                "{}: would be written twice; rename a provider",
                path.display()
            ));
        }
        write(&path, text, secret).map_err(|error| format!("{}: {error}", path.display()))?;
        self.written.push(name.to_owned());
        let _ = writeln!(self.lines, "{}: {about}", path.display());
        Ok(())
    }
}

fn write(path: &Path, text: &str, secret: bool) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if secret { 0o600 } else { 0o644 });
    }
    options.open(path)?.write_all(text.as_bytes())
}

/// The name of the configuration: `envoy.yaml` becomes `envoy.local-jwks.yaml`.
fn config_name(file: &Path, content: &[u8]) -> String {
    let is_input = file == Path::new("-");
    let file = if is_input {
        PathBuf::from("config")
    } else {
        file.to_owned()
    };
    let part =
        |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let stem = part(file.file_stem()).unwrap_or_default();
    let is_json = content.trim_ascii_start().starts_with(b"{");
    let extension = part(file.extension());
    let extension = extension.unwrap_or_else(|| if is_json { "json" } else { "yaml" }.to_owned());
    format!("{stem}.local-jwks.{extension}")
}

/// The name of a provider as a part of a file name.
fn file_stem(provider: &str) -> String {
    let letters = provider.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.') => letter,
        _ => '_',
    });
    let stem: String = letters.collect();
    stem.trim_start_matches('.').to_owned()
}

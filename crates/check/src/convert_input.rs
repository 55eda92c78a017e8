//! What `convert` reads: a file, or several with Kubernetes resources.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::config_file::ConfigFile;
use crate::convert::Failure;
use crate::input;
use crate::source_tree::{self, Node};

/// Separates documents of YAML.
const SEPARATOR: &str = "---\n";

/// The text of one file or of several, one after the other.
pub(crate) struct ConvertInput {
    pub(crate) text: String,
    /// The names of the files, each with the number of lines before its own.
    files: Vec<(String, usize)>,
    pub(crate) directory: PathBuf,
}

impl ConvertInput {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, that repeats a name, or that has no resources of Kubernetes beside others.
    pub(crate) fn read(paths: &[PathBuf], input: &mut dyn Read) -> Result<Self, String> {
        let mut text = String::new();
        let mut files = Vec::new();
        for path in paths {
            let name = path.display().to_string();
            let content = input::read(path, input)?;
            let content =
                String::from_utf8(content).map_err(|_| format!("{name}: is not UTF-8"))?;
            if let Ok(documents) = source_tree::parse(&content) {
                // A repeated name is a mistake of the file, not of the result.
                ConfigFile::parse(content.as_bytes()).map_err(|error| error.in_file(&name))?;
                let is_resource = |node: &Node| node.is_null() || node.text_of("kind").is_some();
                if paths.len() > 1 && !documents.iter().all(is_resource) {
                    return Err(format!(
                        "{name}: only files with resources of Kubernetes are converted together: convert this one by itself"
                    ));
                }
            }
            if !text.is_empty() {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(SEPARATOR);
            }
            files.push((name, text.matches('\n').count()));
            text.push_str(&content);
        }
        let directory = paths.first().and_then(|path| path.parent());
        Ok(Self {
            text,
            files,
            directory: directory.unwrap_or(Path::new(".")).to_owned(),
        })
    }

    /// The name of the first file.
    pub(crate) fn name(&self) -> &str {
        self.files.first().map_or("", |(name, _)| name)
    }

    /// What a failure says, with its file and line.
    pub(crate) fn describe(&self, failure: &Failure) -> String {
        let Some((line, column)) = failure.place else {
            return format!("{}: {}", self.name(), failure.text);
        };
        let file = self.files.iter().rfind(|(_, before)| *before < line);
        let (name, before) = file.map_or((self.name(), 0), |(name, before)| (name, *before));
        let line = line.saturating_sub(before);
        format!("{name}:{line}:{column}: {}", failure.text)
    }
}

//! Files that are given for providers.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use gate::policy::{Policy, Provider};

/// A kind of file.
pub(crate) struct FileKind<'k, T> {
    /// The option that names a file of this kind.
    pub(crate) option: &'static str,
    /// Which providers use such a file, for an error message: "no provider ...".
    pub(crate) users: &'static str,
    /// Parses a file for a provider; `None` if the provider does not use such a file.
    pub(crate) parse: &'k Parse<'k, T>,
}

pub(crate) type Parse<'k, T> = dyn Fn(&[u8], &Provider) -> Option<Result<T, String>> + 'k;

/// The files of one kind, by provider.
pub(crate) struct ProviderFiles<T> {
    option: &'static str,
    files: Vec<ProviderFile<T>>,
}

struct ProviderFile<T> {
    /// The index of the provider.
    provider: usize,
    name: String,
    /// The content, or why it is not valid.
    content: Result<T, String>,
}

impl<T> ProviderFiles<T> {
    /// Reads `files`. A file without a provider is for every provider that uses such files.
    ///
    /// # Errors
    ///
    /// That a file cannot be read, that a provider does not exist, or that no provider uses a file.
    pub(crate) fn read(
        policy: &Policy,
        files: &[(Option<String>, PathBuf)],
        kind: &FileKind<'_, T>,
    ) -> Result<Self, String> {
        let FileKind {
            option,
            users,
            parse,
        } = kind;
        let mut read = Vec::new();
        for (provider, path) in files {
            let name = path.display().to_string();
            let content = fs::read(path).map_err(|error| format!("{name}: {error}"))?;
            let providers: Vec<&Rc<Provider>> = match provider {
                None => policy.providers.iter().collect(),
                Some(name) => vec![
                    policy
                        .provider(name)
                        .ok_or_else(|| format!("{option}: there is no provider {name:?}"))?,
                ],
            };
            let before = read.len();
            for provider in providers {
                read.extend(parse(&content, provider).map(|content| ProviderFile {
                    provider: provider.index,
                    name: name.clone(),
                    content,
                }));
            }
            if read.len() == before {
                return Err(format!("{option}: no provider {users} can use {name}"));
            }
        }
        Ok(Self {
            option,
            files: read,
        })
    }

    /// The content of the file for `provider`.
    pub(crate) fn get(&self, provider: &Provider) -> Option<&Result<T, String>> {
        self.find(provider).map(|file| &file.content)
    }

    /// Describes the file for `provider`; `describe` describes its content.
    pub(crate) fn describe(&self, provider: &Provider, describe: impl Fn(&T) -> String) -> String {
        match self.find(provider) {
            Some(ProviderFile { name, content, .. }) => match content {
                Ok(content) => format!("{}, from {name}", describe(content)),
                Err(problem) => format!("none: {problem} ({name})"),
            },
            None => format!("not given: {} {}=FILE", self.option, provider.name),
        }
    }

    /// The last file given for `provider`.
    fn find(&self, provider: &Provider) -> Option<&ProviderFile<T>> {
        let mut files = self.files.iter().rev();
        files.find(|file| file.provider == provider.index)
    }
}

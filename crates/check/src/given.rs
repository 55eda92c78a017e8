//! What stands in for that which the filter would fetch or ask: key sets, revocation lists, and what an
//! authorization server says of a token.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::hash::RandomState;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::arguments::Arguments;
use crate::config::{Config, KeySource, Provider};
use crate::fetching::{Published, Supply};
use crate::gate::{Means, RemoteKeys, RemoteList};
use crate::introspection::{self, Introspected, MAX_ANSWER_BYTES, Standing};
use crate::keys::KeySet;
use crate::metrics::Tally;
use crate::revocation::{ListFormat, ListReader, MAX_LIST_BYTES, RevocationList};
use crate::token_cache::TokenCache;
use crate::verify::Engine;

/// After how long a client is told to come back where a file is not usable: the filter would tell
/// of its next fetch.
const COME_BACK_IN: Duration = Duration::from_secs(1);

/// All that was given.
pub(super) struct Given {
    keys: Files<Rc<KeySet>>,
    lists: Files<Rc<RevocationList>>,
    answers: Files<Option<Rc<Introspected>>>,
}

impl Given {
    /// Reads the files that the arguments name.
    pub(super) fn read(config: &Config, arguments: &Arguments) -> Result<Self, String> {
        let keys = Wanted {
            option: "--jwks",
            who: "that fetches its keys",
            parse: &|document, provider| {
                matches!(provider.keys, KeySource::Remote(_))
                    .then(|| KeySet::parse(document).map(Rc::new).map_err(str::to_owned))
            },
        };
        let lists = Wanted {
            option: "--revocation",
            who: "with `revocation`",
            parse: &|document, provider| {
                let format = provider.revocation.as_ref()?.format;
                Some(list(document, format))
            },
        };
        let answers = Wanted {
            option: "--introspection",
            who: "with `introspection`",
            parse: &|document, provider| {
                provider.introspection.as_ref()?;
                Some(answer(document))
            },
        };
        Ok(Self {
            keys: Files::read(config, &arguments.jwks, &keys)?,
            lists: Files::read(config, &arguments.revocation, &lists)?,
            answers: Files::read(config, &arguments.introspection, &answers)?,
        })
    }

    /// Does what draws on these, on signatures that are checked here, and on nothing that was
    /// decided before.
    pub(super) fn with_means<T>(&self, act: impl FnOnce(Means<'_>) -> T) -> T {
        act(Means {
            remote: &|provider| -> RemoteKeys { supply(&self.keys, provider) },
            lists: &|provider| -> RemoteList { supply(&self.lists, provider) },
            introspection: &|provider, _| self.standing(provider),
            engine: &Engine::software(),
            tokens: &RefCell::new(TokenCache::new(0, RandomState::new())),
            tally: &Tally::default(),
        })
    }

    fn standing(&self, provider: &Provider) -> Standing {
        match self.answers.find(provider).map(|file| &file.content) {
            Some(Ok(Some(answer))) => Standing::Active(Rc::clone(answer)),
            Some(Ok(None)) => Standing::Inactive,
            Some(Err(_)) => Standing::Unavailable {
                retry_after: COME_BACK_IN,
            },
            None => Standing::Pending,
        }
    }

    /// What the authorization server of `provider` says of the token, if it says that it is active.
    pub(super) fn answer(&self, provider: &Provider) -> Option<&Introspected> {
        let content = self.answers.find(provider)?.content.as_ref();
        content.ok()?.as_deref()
    }

    /// What there is to say of what `provider` draws on, by topic.
    pub(super) fn describe(&self, provider: &Provider) -> Vec<(&'static str, String)> {
        let mut said = vec![("keys", self.keys_of(provider))];
        if provider.revocation.is_some() {
            let count = |list: &Rc<RevocationList>| format!("{} entries", list.count());
            said.push((
                "revocation list",
                self.lists.describe(provider, "--revocation", count),
            ));
        }
        if provider.introspection.is_some() {
            let says = |answer: &Option<Rc<Introspected>>| {
                let says = answer.as_ref().map_or("is not active", |_| "is active");
                format!("the token {says}")
            };
            said.push((
                "introspection",
                self.answers.describe(provider, "--introspection", says),
            ));
        }
        said
    }

    fn keys_of(&self, provider: &Provider) -> String {
        let listed = |keys: &Rc<KeySet>| {
            let mut text = format!("{} usable", keys.count());
            for (index, problem) in keys.skipped() {
                let _ = write!(text, "; keys[{index}] is skipped: {problem}");
            }
            text
        };
        match &provider.keys {
            KeySource::None => "none: its authorization server is asked".to_owned(),
            KeySource::Local(keys) => format!("{}, from the configuration", listed(keys)),
            KeySource::Remote(_) => self.keys.describe(provider, "--jwks", listed),
        }
    }
}

fn list(document: &[u8], format: ListFormat) -> Result<Rc<RevocationList>, String> {
    if document.len() > MAX_LIST_BYTES {
        return Err(format!("it has more than {MAX_LIST_BYTES} bytes"));
    }
    let state = RandomState::new();
    RevocationList::parse(document, &ListReader { format, state }).map(Rc::new)
}

fn answer(document: &[u8]) -> Result<Option<Rc<Introspected>>, String> {
    if document.len() > MAX_ANSWER_BYTES {
        return Err(format!("it has more than {MAX_ANSWER_BYTES} bytes"));
    }
    let answer = introspection::read(document).map_err(str::to_owned)?;
    Ok(answer.map(Rc::new))
}

/// What the filter would see of what it fetches. What was not given is on its way.
fn supply<T>(files: &Files<Rc<T>>, provider: &Provider) -> Supply<T> {
    match files.find(provider).map(|file| &file.content) {
        Some(Ok(what)) => Supply::Ready {
            what: Rc::clone(what),
            may_grow: false,
        },
        Some(Err(_)) => Supply::Unavailable {
            retry_after: COME_BACK_IN,
        },
        None => Supply::Pending,
    }
}

/// What files of an option are.
struct Wanted<'w, T> {
    option: &'static str,
    /// Which providers want one.
    who: &'static str,
    /// Reads one for a provider, if that wants one.
    parse: &'w Parse<'w, T>,
}

type Parse<'p, T> = dyn Fn(&[u8], &Provider) -> Option<Result<T, String>> + 'p;

/// Files of one option, by the providers that they are for.
struct Files<T>(Vec<File<T>>);

struct File<T> {
    /// The index of the provider.
    provider: usize,
    name: String,
    content: Result<T, String>,
}

impl<T> Files<T> {
    /// Reads files. One without a provider is for every one that wants such.
    fn read(
        config: &Config,
        files: &[(Option<String>, PathBuf)],
        wanted: &Wanted<'_, T>,
    ) -> Result<Self, String> {
        let Wanted { option, who, parse } = wanted;
        let mut read = Vec::new();
        for (provider, path) in files {
            let name = path.display().to_string();
            let document = fs::read(path).map_err(|problem| format!("{name}: {problem}"))?;
            let providers: Vec<&Rc<Provider>> = match provider {
                None => config.providers.iter().collect(),
                Some(name) => vec![
                    config
                        .provider(name)
                        .ok_or_else(|| format!("{option}: there is no provider {name:?}"))?,
                ],
            };
            let before = read.len();
            for provider in providers {
                read.extend(parse(&document, provider).map(|content| File {
                    provider: provider.index,
                    name: name.clone(),
                    content,
                }));
            }
            if read.len() == before {
                return Err(format!("{option}: {name} is for no provider {who}"));
            }
        }
        Ok(Self(read))
    }

    fn find(&self, provider: &Provider) -> Option<&File<T>> {
        // The last one said counts.
        let mut files = self.0.iter().rev();
        files.find(|file| file.provider == provider.index)
    }

    /// What there is to say of the file of `provider`, which `option` gives.
    fn describe(&self, provider: &Provider, option: &str, what: impl Fn(&T) -> String) -> String {
        match self.find(provider) {
            Some(File { name, content, .. }) => match content {
                Ok(content) => format!("{}, from {name}", what(content)),
                Err(problem) => format!("none: {problem} ({name})"),
            },
            None => format!("not given: {option} {}=FILE", provider.name),
        }
    }
}

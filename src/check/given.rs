//! The key sets that stand in for those that the filter would fetch.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::hash::RandomState;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::config::{Config, KeySource, Provider};
use crate::gate::{Means, RemoteKeys, RemoteList};
use crate::introspection::Standing;
use crate::keys::KeySet;
use crate::metrics::Tally;
use crate::token_cache::TokenCache;
use crate::verify::Engine;

/// After how long a client is told to come back where a set is not usable: the filter would tell
/// of its next fetch.
const COME_BACK_IN: Duration = Duration::from_secs(1);

/// Key sets by the providers that they are for.
pub(super) struct GivenKeys(Vec<Given>);

struct Given {
    /// The index of the provider.
    provider: usize,
    file: String,
    keys: Result<Rc<KeySet>, String>,
}

impl GivenKeys {
    /// Reads the files that the arguments name. A file without a provider is for every one that
    /// fetches its keys.
    pub(super) fn read(
        config: &Config,
        files: &[(Option<String>, PathBuf)],
    ) -> Result<Self, String> {
        let mut given = Vec::new();
        for (name, path) in files {
            let file = path.display().to_string();
            let document = fs::read(path).map_err(|problem| format!("{file}: {problem}"))?;
            let providers: Vec<&Rc<Provider>> = match name {
                None => config.providers.iter().collect(),
                Some(name) => vec![
                    config
                        .provider(name)
                        .ok_or_else(|| format!("--jwks: there is no provider {name:?}"))?,
                ],
            };
            let remote = |provider: &&Rc<Provider>| matches!(provider.keys, KeySource::Remote(_));
            let before = given.len();
            for provider in providers.into_iter().filter(remote) {
                given.push(Given {
                    provider: provider.index,
                    file: file.clone(),
                    keys: KeySet::parse(&document).map(Rc::new).map_err(str::to_owned),
                });
            }
            if given.len() == before {
                return Err(format!(
                    "--jwks: {file} is for no provider that fetches its keys"
                ));
            }
        }
        Ok(Self(given))
    }

    /// Does what draws on these keys, on signatures that are checked here, and on nothing that was
    /// decided before.
    pub(super) fn with_means<T>(&self, act: impl FnOnce(Means<'_>) -> T) -> T {
        act(Means {
            remote: &|provider| self.of(provider),
            lists: &|_| RemoteList::Pending,
            introspection: &|_, _| Standing::Pending,
            engine: &Engine::software(),
            tokens: &RefCell::new(TokenCache::new(0, RandomState::new())),
            tally: &Tally::default(),
        })
    }

    /// The state of the key set of `provider`, as the filter would see it. One that was not given is
    /// on its way.
    fn of(&self, provider: &Provider) -> RemoteKeys {
        match self.find(provider).map(|given| &given.keys) {
            Some(Ok(keys)) => RemoteKeys::Ready {
                what: Rc::clone(keys),
                may_grow: false,
            },
            Some(Err(_)) => RemoteKeys::Unavailable {
                retry_after: COME_BACK_IN,
            },
            None => RemoteKeys::Pending,
        }
    }

    fn find(&self, provider: &Provider) -> Option<&Given> {
        // The last one said counts.
        let mut given = self.0.iter().rev();
        given.find(|given| given.provider == provider.index)
    }

    /// What there is to say of the keys of `provider`.
    pub(super) fn describe(&self, provider: &Provider) -> String {
        let listed = |keys: &KeySet| {
            let mut text = format!("{} usable", keys.count());
            for (index, problem) in keys.skipped() {
                let _ = write!(text, "; keys[{index}] is skipped: {problem}");
            }
            text
        };
        match (&provider.keys, self.find(provider)) {
            (KeySource::None, _) => "none: its authorization server is asked".to_owned(),
            (KeySource::Local(keys), _) => format!("{}, from the configuration", listed(keys)),
            (KeySource::Remote(_), Some(Given { file, keys, .. })) => match keys {
                Ok(keys) => format!("{}, from {file}", listed(keys)),
                Err(problem) => format!("none: {problem} ({file})"),
            },
            (KeySource::Remote(_), None) => {
                format!("not given: --jwks {}=FILE", provider.name)
            }
        }
    }
}

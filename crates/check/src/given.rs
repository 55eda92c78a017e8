//! The files that stand in for what the filter would fetch.

mod provider_files;

use std::fmt::Write as _;
use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use gate::decision::Resources;
use gate::fetching::Availability;
use gate::introspection::{self, IntrospectionResponse, MAX_ANSWER_BYTES, TokenStatus};
use gate::keys::{KeySet, Provenance};
use gate::policy::{KeySource, Policy, Provider};
use gate::revocation::{ListFormat, ListReader, MAX_LIST_BYTES, RevocationList};
use gate::verify::Engine;

use crate::arguments::Arguments;
use crate::given::provider_files::{FileKind, ProviderFiles};
use crate::wording;

/// `Retry-After` for a file that cannot be used. The filter would say when it fetches again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The files that stand in for what the filter would fetch.
pub(crate) struct Given {
    keys: ProviderFiles<Rc<KeySet>>,
    revocations: ProviderFiles<Rc<RevocationList>>,
    /// `None` is an inactive token.
    introspection: ProviderFiles<Option<Rc<IntrospectionResponse>>>,
}

impl Given {
    /// Reads the files that the arguments name.
    ///
    /// # Errors
    ///
    /// Why a file cannot be read, or that no provider uses it. A file that is read but not valid is
    /// no error here: it is unavailable to the decision.
    pub(crate) fn read(policy: &Policy, arguments: &Arguments) -> Result<Self, String> {
        let keys = FileKind {
            option: "--jwks",
            users: "that fetches its keys",
            parse: &|content, provider| {
                let parse = || KeySet::parse_from(content, Provenance::Server, &provider.key_uses);
                matches!(provider.keys, KeySource::Remote(_))
                    .then(|| parse().map(Rc::new).map_err(|problem| problem.to_string()))
            },
        };
        let revocations = FileKind {
            option: "--revocation",
            users: "with `revocation`",
            parse: &|content, provider| {
                let format = provider.revocation.as_ref()?.format;
                Some(revocation_list(content, format))
            },
        };
        let introspection = FileKind {
            option: "--introspection",
            users: "with `introspection`",
            parse: &|content, provider| {
                provider.introspection.as_ref()?;
                Some(introspection_response(content))
            },
        };
        Ok(Self {
            keys: ProviderFiles::read(policy, &arguments.jwks, &keys)?,
            revocations: ProviderFiles::read(policy, &arguments.revocation, &revocations)?,
            introspection: ProviderFiles::read(policy, &arguments.introspection, &introspection)?,
        })
    }

    /// The keys of `provider`: from its file or from the configuration.
    pub(crate) fn key_set(&self, provider: &Provider) -> Option<Rc<KeySet>> {
        match &provider.keys {
            KeySource::Local(keys) => Some(Rc::clone(keys)),
            KeySource::Remote(_) => self.keys.get(provider)?.as_ref().ok().cloned(),
            KeySource::None => None,
        }
    }

    /// The introspection response for `provider`, if it says that the token is active.
    pub(crate) fn response(&self, provider: &Provider) -> Option<Rc<IntrospectionResponse>> {
        let response = self.introspection.get(provider)?.as_ref();
        response.ok()?.clone()
    }

    /// Describes the resources of `provider`: topic and text.
    pub(crate) fn describe(&self, provider: &Provider) -> Vec<(&'static str, String)> {
        let mut described = vec![("keys", self.describe_keys(provider))];
        if let Some(keys) = self.key_set(provider) {
            described.push(("kids", list_kids(&keys)));
        }
        if provider.revocation.is_some() {
            let count = |list: &Rc<RevocationList>| format!("{} entries", list.count());
            let text = self.revocations.describe(provider, count);
            described.push(("revocation list", text));
        }
        if provider.introspection.is_some() {
            let status = |response: &Option<Rc<IntrospectionResponse>>| match response {
                Some(_) => "the token is active".to_owned(),
                None => "the token is not active".to_owned(),
            };
            let text = self.introspection.describe(provider, status);
            described.push(("introspection", text));
        }
        described
    }

    fn describe_keys(&self, provider: &Provider) -> String {
        let usable = |keys: &Rc<KeySet>| {
            let mut text = format!("{} usable", keys.count());
            for (index, problem) in keys.skipped() {
                let _ = write!(text, "; keys[{index}] is skipped: {problem}");
            }
            for (index, _) in keys.unusable(&Engine::software()) {
                let _ = write!(
                    text,
                    "; keys[{index}] has more than 4096 bits or an exponent other than 65537, so it works \
                     only on a host with verify_signature, such as Envoy"
                );
            }
            text
        };
        match &provider.keys {
            KeySource::None => "none: the authorization server verifies the tokens".to_owned(),
            KeySource::Local(keys) => format!("{}, from the configuration", usable(keys)),
            KeySource::Remote(_) => self.keys.describe(provider, usable),
        }
    }
}

/// The `kid`s of the keys that are not skipped.
fn list_kids(keys: &KeySet) -> String {
    /// The largest number of keys that are listed.
    const MAX_LISTED: usize = 20;
    let kids = keys.kids().take(MAX_LISTED);
    let kids: Vec<String> = kids
        .map(|kid| kid.map_or_else(|| "none".to_owned(), |kid| wording::string(Some(kid))))
        .collect();
    match keys.count().saturating_sub(MAX_LISTED) {
        0 => kids.join(", "),
        more => format!("{} and {more} more", kids.join(", ")),
    }
}

impl Resources for Given {
    fn keys(&self, provider: &Provider) -> Availability<KeySet> {
        availability(&self.keys, provider)
    }

    fn revocations(&self, provider: &Provider) -> Availability<RevocationList> {
        availability(&self.revocations, provider)
    }

    fn introspection(&self, provider: &Provider, _token: &str) -> TokenStatus {
        match self.introspection.get(provider) {
            Some(Ok(Some(response))) => TokenStatus::Active(Rc::clone(response)),
            Some(Ok(None)) => TokenStatus::Inactive,
            Some(Err(_)) => TokenStatus::Unavailable {
                retry_after: RETRY_AFTER,
            },
            None => TokenStatus::Pending,
        }
    }
}

/// A document that is not given is pending: the filter would wait for it.
fn availability<T>(files: &ProviderFiles<Rc<T>>, provider: &Provider) -> Availability<T> {
    match files.get(provider) {
        Some(Ok(value)) => Availability::Ready {
            value: Rc::clone(value),
            newer_possible: false,
        },
        Some(Err(_)) => Availability::Unavailable {
            retry_after: RETRY_AFTER,
        },
        None => Availability::Pending,
    }
}

fn revocation_list(content: &[u8], format: ListFormat) -> Result<Rc<RevocationList>, String> {
    if content.len() > MAX_LIST_BYTES {
        return Err(format!("it has more than {MAX_LIST_BYTES} bytes"));
    }
    let state = RandomState::new();
    let list = RevocationList::parse(content, &ListReader { format, state });
    list.map(Rc::new).map_err(|unusable| unusable.problem)
}

fn introspection_response(content: &[u8]) -> Result<Option<Rc<IntrospectionResponse>>, String> {
    if content.len() > MAX_ANSWER_BYTES {
        return Err(format!("it has more than {MAX_ANSWER_BYTES} bytes"));
    }
    let response = introspection::read(content).map_err(str::to_owned)?;
    Ok(response.map(Rc::new))
}

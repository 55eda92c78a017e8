//! What a request waits for.

use std::rc::Rc;
use std::time::Duration;

use crate::reason::Reason;

/// `Retry-After` if a wait times out or no request can wait any more.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a request waits for, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Whatever may decide the request when it arrives, without repetition.
    pub on: Vec<Dependency>,
    /// The longest wait, counted from the arrival of the request.
    pub timeout: Duration,
    /// Why the request is refused if it cannot wait.
    pub unavailable: Reason,
}

/// Something that a request waits for. Providers are named by their index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// The first key set of a provider.
    Keys(usize),
    /// A newer key set of a provider: the token names a key that the current one does not have.
    NewerKeys(usize),
    /// The revocation list of a provider.
    Revocations(usize),
    /// The introspection response about a token.
    Introspection {
        /// The provider whose endpoint is asked.
        provider: usize,
        /// The token.
        token: Rc<str>,
    },
}

impl Dependency {
    /// The index of the provider.
    #[must_use]
    pub const fn provider(&self) -> usize {
        match self {
            Self::Keys(provider)
            | Self::NewerKeys(provider)
            | Self::Revocations(provider)
            | Self::Introspection { provider, .. } => *provider,
        }
    }
}

impl Wait {
    /// A wait for a single dependency.
    #[must_use]
    pub fn new(dependency: Dependency, timeout: Duration, unavailable: Reason) -> Self {
        Self {
            on: vec![dependency],
            timeout,
            unavailable,
        }
    }

    /// Adds `other` to the waits found so far.
    pub(super) fn add(found: &mut Option<Self>, other: Self) {
        *found = Some(match found.take() {
            Some(wait) => wait.or(other),
            None => other,
        });
    }

    /// A wait for whatever arrives first. The longer wait determines the reason.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        let order = |wait: &Self| (wait.timeout, wait.unavailable.kind());
        if order(&other) > order(&self) {
            self.timeout = other.timeout;
            self.unavailable = other.unavailable;
        }
        for dependency in other.on {
            if !self.on.contains(&dependency) {
                self.on.push(dependency);
            }
        }
        self
    }
}

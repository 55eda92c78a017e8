//! Rules: which requests need which token.

use std::rc::Rc;

use super::error::ConfigError;
use super::provider::Provider;
use super::wire::{MatchWire, RuleWire};

/// What a configuration asks of requests.
#[derive(Debug)]
pub enum Rules {
    /// There are no rules: every request needs a token of any one provider.
    AnyProvider,
    /// The first rule that matches decides.
    Listed {
        /// The rules, in the order of the configuration.
        rules: Vec<Rule>,
        /// Whether requests that no rule matches pass.
        allow_unmatched: bool,
    },
}

/// What requests that match need.
#[derive(Debug)]
pub struct Rule {
    /// Which requests.
    pub matcher: Matcher,
    /// What they need.
    pub requirement: Requirement,
}

/// Which paths a rule is for, compared as bytes with the path without its query.
#[derive(Debug)]
pub enum Matcher {
    /// Paths that begin so.
    Prefix(String),
    /// This very path.
    Path(String),
}

impl Matcher {
    /// Whether the rule is for `path`.
    #[must_use]
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Prefix(prefix) => path.starts_with(prefix.as_bytes()),
            Self::Path(exact) => path == exact.as_bytes(),
        }
    }
}

/// What a request needs to be let through.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// Nothing.
    Nothing,
    /// A token of this provider.
    Provider(Rc<Provider>),
}

pub(super) fn build(
    path: &str,
    wire: RuleWire,
    providers: &[Rc<Provider>],
) -> Result<Rule, ConfigError> {
    let matcher = match wire.matcher {
        MatchWire {
            prefix: Some(prefix),
            path: None,
        } => Matcher::Prefix(prefix),
        MatchWire {
            prefix: None,
            path: Some(exact),
        } => Matcher::Path(exact),
        _ => {
            return Err(ConfigError::new(
                format!("{path}.match"),
                "needs one of prefix and path",
            ));
        }
    };
    let requirement = match wire.requires {
        None => Requirement::Nothing,
        Some(wire) => {
            let named = providers
                .iter()
                .find(|provider| provider.name == wire.provider_name);
            let provider = named.ok_or_else(|| {
                let problem = format!("there is no provider {:?}", wire.provider_name);
                ConfigError::new(format!("{path}.requires.provider_name"), problem)
            })?;
            Requirement::Provider(Rc::clone(provider))
        }
    };
    Ok(Rule {
        matcher,
        requirement,
    })
}

//! The providers of a configuration.

use std::rc::Rc;

use gate::policy::Provider;

use super::entries::Entries;
use super::environment::Environment;
use super::list::quoted;
use super::place::Place;
use super::provider::ProviderWire;

/// The providers that could be built, and the names of all.
pub(crate) struct Providers {
    built: Vec<Rc<Provider>>,
    names: Vec<String>,
}

impl Providers {
    /// Builds the providers at this place. `None` if there are none.
    pub(crate) fn build(
        wires: Entries<ProviderWire>,
        at: &Place<'_>,
        environment: Environment<'_>,
    ) -> Option<Self> {
        if wires.0.is_empty() {
            return at.refuse("must not be empty");
        }
        let names = wires.0.iter().map(|(name, _)| name.clone()).collect();
        let mut built = Vec::new();
        for (index, (name, wire)) in wires.0.into_iter().enumerate() {
            if let Some(provider) = wire.build(index, name, at, environment) {
                built.push(Rc::new(provider));
            }
        }
        Some(Self { built, names })
    }

    /// The providers that could be built: all, unless problems have been reported.
    pub(crate) fn all(&self) -> &[Rc<Provider>] {
        &self.built
    }

    /// Whether all could be built.
    pub(crate) fn is_complete(&self) -> bool {
        self.built.len() == self.names.len()
    }

    /// The provider of this name, if it could be built.
    pub(crate) fn get(&self, name: &str) -> Option<&Rc<Provider>> {
        self.built.iter().find(|provider| provider.name == name)
    }

    /// The provider that the field at this place names.
    pub(crate) fn find(&self, name: &str, at: &Place<'_>) -> Option<Rc<Provider>> {
        if !self.names.iter().any(|known| known == name) {
            let known = quoted(self.names.iter().map(String::as_str));
            at.report(&format!("is not one of the providers {known}"));
        }
        self.get(name).cloned()
    }
}

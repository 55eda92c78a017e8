//! Layers of a crate's modules.

use std::collections::BTreeSet;

use crate::resolve::Import;

/// The modules in the root of a crate, in layers from the lowest to the highest. A module imports from
/// its own layer and from those below.
pub struct Layers<'l>(pub &'l [&'l [&'l str]]);

impl Layers<'_> {
    /// What is wrong: imports from a higher layer, and modules that are in no layer or do not exist. Each
    /// problem is a line. `modules` are those in the root of the crate.
    #[must_use]
    pub fn problems(&self, modules: &BTreeSet<String>, imports: &[Import]) -> Vec<String> {
        let listed: BTreeSet<&str> = self.0.iter().copied().flatten().copied().collect();
        let unlisted = modules
            .iter()
            .filter(|module| !listed.contains(module.as_str()));
        let unlisted = unlisted.map(|module| format!("the module `{module}` is in no layer"));
        let missing = listed.iter().filter(|module| !modules.contains(**module));
        let missing = missing.map(|module| format!("there is no module `{module}`"));
        let upward = imports.iter().filter_map(|import| {
            let (from, to) = (import.from_module.first()?, import.to_module.first()?);
            let upward = self.layer(from)? < self.layer(to)?;
            upward.then(|| format!("{import}: `{to}` is in a layer above `{from}`"))
        });
        unlisted.chain(missing).chain(upward).collect()
    }

    fn layer(&self, module: &str) -> Option<usize> {
        self.0.iter().position(|layer| layer.contains(&module))
    }
}

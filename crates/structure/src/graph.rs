//! Cycles among files.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::resolve::Import;

/// Files that import each other, directly or through others.
#[derive(Debug)]
pub struct Cycle {
    /// The imports between these files, in order. Removing some of them ends the cycle.
    pub imports: Vec<Import>,
}

/// The cycles in `imports`. No two of them share a file.
#[must_use]
pub fn cycles(imports: &[Import]) -> Vec<Cycle> {
    let edges = imports
        .iter()
        .map(|import| (import.from.as_path(), import.to.as_path()));
    let graph: DiGraphMap<&Path, ()> = DiGraphMap::from_edges(edges);
    let components = tarjan_scc(&graph)
        .into_iter()
        .filter(|files| files.len() > 1);
    components
        .map(|files| {
            let inside = |file: &Path| files.contains(&file);
            let imports = imports
                .iter()
                .filter(|import| inside(&import.from) && inside(&import.to));
            Cycle {
                imports: imports.cloned().collect(),
            }
        })
        .collect()
}

impl Display for Cycle {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "These files import each other:")?;
        self.imports
            .iter()
            .try_for_each(|import| writeln!(f, "  {import}"))
    }
}

impl Display for Import {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.display(), self.to.display());
        write!(f, "{from}:{}: {} is defined in {to}", self.line, self.path)
    }
}

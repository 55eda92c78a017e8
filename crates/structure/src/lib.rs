//! Which file of a crate imports which: to find cycles, and imports from a higher layer.
//!
//! [`Crate::read`] parses a crate from its root. [`Crate::imports`] resolves every path in it to the
//! file that defines what the path names, through re-exports, so that a module that re-exports
//! its children does not count as imported by those who name a child through it. [`cycles`] and
//! [`Layers`] judge the result.
//!
//! `#[cfg(test)]` code does not count. Calls of methods and implementations of traits without a path
//! are not seen, and neither are paths that a macro puts together.
//!
//! `cargo modules dependencies --acyclic` does not replace this: the nodes of its graph are items, so it
//! misses two modules that use each other's types (issue 185 of its project).

mod graph;
mod layers;
mod modules;
mod paths;
mod resolve;

pub use graph::{Cycle, cycles};
pub use layers::Layers;
pub use modules::{Crate, ReadError};
pub use resolve::Import;

//! Which file defines what a path names.

use std::path::PathBuf;

use crate::modules::{Crate, Module, ModulePath};
use crate::paths::Name;

/// A file names something that another file of the crate defines.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Import {
    /// The file that names it.
    pub from: PathBuf,
    /// The file that defines it.
    pub to: PathBuf,
    /// The line in `from`, counted from 1.
    pub line: usize,
    /// The path as it is written.
    pub path: String,
    /// The module that names it, below the crate's root.
    pub from_module: Vec<String>,
    /// The module that defines it, below the crate's root.
    pub to_module: Vec<String>,
}

/// What a path leads to.
enum Target {
    Module(ModulePath),
    /// Something that this module defines.
    Item(ModulePath),
}

/// Re-exports of re-exports are followed this far. Only globs that import each other go deeper.
const MAX_DEPTH: usize = 16;

impl Crate {
    /// The imports between files of the crate, in order: of each pair of files the first.
    #[must_use]
    pub fn imports(&self) -> Vec<Import> {
        let mut imports = Vec::new();
        for (path, module) in &self.modules {
            for item in &module.uses {
                let target = self.resolve(path, &item.target, MAX_DEPTH);
                let to = match target {
                    Some(Target::Item(to)) => Some(to),
                    // Which names of it are used is not known.
                    Some(Target::Module(to)) if item.alias.is_none() => Some(to),
                    _ => None,
                };
                imports.extend(self.import((path, module), to, &item.target));
            }
            // A name alone is local, or imported by a `use`.
            let mentions = module
                .mentions
                .iter()
                .filter(|name| name.segments.len() > 1);
            for name in mentions {
                // A module's name alone is no dependency on its file.
                if let Some(Target::Item(to)) = self.resolve(path, name, MAX_DEPTH) {
                    imports.extend(self.import((path, module), Some(to), name));
                }
            }
        }
        imports.sort();
        imports.dedup_by(|a, b| (&a.from, &a.to) == (&b.from, &b.to));
        imports
    }

    fn import(
        &self,
        (from_module, from): (&ModulePath, &Module),
        to_module: Option<ModulePath>,
        name: &Name,
    ) -> Option<Import> {
        let to_module = to_module?;
        let to = &self.modules.get(&to_module)?.file;
        (*to != from.file).then(|| Import {
            from: from.file.clone(),
            to: to.clone(),
            line: name.line,
            path: name.segments.join("::"),
            from_module: from_module.clone(),
            to_module,
        })
    }

    /// Follows `name` as it is written in the module `at`. `None` leads out of the crate.
    fn resolve(&self, at: &ModulePath, name: &Name, depth: usize) -> Option<Target> {
        let depth = depth.checked_sub(1)?;
        let mut segments = name.segments.iter().peekable();
        let mut module = match segments.next_if(|first| is_keyword(first)) {
            Some(first) if first == "crate" => ModulePath::new(),
            Some(first) if first == "super" => parent(at)?,
            Some(_) => at.clone(),
            None => {
                let first = segments.next()?;
                match self.lookup(at, first, segments.peek().is_none(), depth)? {
                    Target::Module(module) => module,
                    item @ Target::Item(_) => return Some(item),
                }
            }
        };
        while let Some(segment) = segments.next() {
            if segment == "super" {
                module = parent(&module)?;
                continue;
            }
            match self.lookup(&module, segment, segments.peek().is_none(), depth) {
                Some(Target::Module(found)) => module = found,
                Some(item @ Target::Item(_)) => return Some(item),
                // A macro has made it, or it is re-exported from another crate.
                None => return Some(Target::Item(module)),
            }
        }
        Some(Target::Module(module))
    }

    /// Finds `name` in the scope of `module`. A module and an item can have the same name: the `last`
    /// segment of a path rather names the item.
    fn lookup(&self, module: &ModulePath, name: &str, last: bool, depth: usize) -> Option<Target> {
        let scope = self.modules.get(module)?;
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        let child = self
            .modules
            .contains_key(&child)
            .then_some(Target::Module(child));
        let item = scope
            .items
            .contains(name)
            .then(|| Target::Item(module.clone()));
        let defined = if last { item.or(child) } else { child.or(item) };
        if defined.is_some() {
            return defined;
        }
        let named = scope
            .uses
            .iter()
            .filter(|item| item.alias.as_deref() == Some(name));
        // `use crate::a::a` would otherwise look for its own `a`.
        let found = named
            .filter(|item| {
                item.target
                    .segments
                    .first()
                    .is_none_or(|first| first != name)
            })
            .find_map(|item| self.resolve(module, &item.target, depth));
        if found.is_some() {
            return found;
        }
        let globs = scope.uses.iter().filter(|item| item.alias.is_none());
        globs
            .filter_map(|item| self.resolve(module, &item.target, depth))
            .find_map(|target| match target {
                Target::Module(target) if target != *module => {
                    self.lookup(&target, name, last, depth.checked_sub(1)?)
                }
                _ => None,
            })
    }
}

fn is_keyword(segment: &str) -> bool {
    ["crate", "self", "super"].contains(&segment)
}

fn parent(module: &[String]) -> Option<ModulePath> {
    module.split_last().map(|(_, parent)| parent.to_vec())
}

//! The modules of a crate: what each defines, imports and mentions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, Macro, Meta, UseTree};

use crate::paths::{self, Name};

/// A module path below the root of the crate; the root's is empty.
pub(crate) type ModulePath = Vec<String>;

/// The modules of a crate, without those that exist only in tests.
pub struct Crate {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

/// What is written in one module. An inline module shares its file with the one around it.
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    /// The names that the module defines.
    pub(crate) items: BTreeSet<String>,
    pub(crate) uses: Vec<Use>,
    /// The paths outside of `use`.
    pub(crate) mentions: Vec<Name>,
}

/// One name of a `use` declaration, or all names of a module.
pub(crate) struct Use {
    /// `None` for `*`.
    pub(crate) alias: Option<String>,
    pub(crate) target: Name,
}

/// A file of a crate is missing, or not Rust.
#[derive(Debug)]
pub struct ReadError {
    file: PathBuf,
    problem: String,
}

impl Display for ReadError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.problem)
    }
}

impl std::error::Error for ReadError {}

impl Crate {
    /// Parses the crate whose root is the file `root`. `read` returns the content of a file, or `None` if
    /// there is no such file.
    ///
    /// # Errors
    ///
    /// If a module has no file, or a file is not Rust.
    pub fn read(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Result<Self, ReadError> {
        let mut modules = BTreeMap::new();
        let directory = root.parent().unwrap_or(Path::new("")).to_owned();
        let mut pending = vec![(ModulePath::new(), vec![root.to_owned()], directory)];
        while let Some((path, files, directory)) = pending.pop() {
            let (file, text) = find(&files, read)?;
            let syntax = syn::parse_file(&text).map_err(|error| ReadError {
                file: file.clone(),
                problem: format!("line {}: {error}", error.span().start().line),
            })?;
            let mut reader = Reader {
                modules: &mut modules,
                file,
                path,
                directory,
                children: Vec::new(),
            };
            reader.open_module();
            reader.visit_file(&syntax);
            pending.append(&mut reader.children);
        }
        Ok(Self { modules })
    }

    /// The names of the modules in the root of the crate.
    #[must_use]
    pub fn root_modules(&self) -> BTreeSet<String> {
        let paths = self.modules.keys();
        paths.filter_map(|path| path.first().cloned()).collect()
    }
}

fn find(
    files: &[PathBuf],
    read: &dyn Fn(&Path) -> Option<String>,
) -> Result<(PathBuf, String), ReadError> {
    let mut found = files
        .iter()
        .filter_map(|file| Some((file.clone(), read(file)?)));
    found.next().ok_or_else(|| ReadError {
        file: files.first().cloned().unwrap_or_default(),
        problem: "there is no such file".to_owned(),
    })
}

/// A module whose file is still to be read: its path, the files it may be in, and the directory of its
/// own children.
type Pending = (ModulePath, Vec<PathBuf>, PathBuf);

/// Reads one file.
struct Reader<'m> {
    modules: &'m mut BTreeMap<ModulePath, Module>,
    file: PathBuf,
    /// The module that is being read.
    path: ModulePath,
    /// Where the files of its children are.
    directory: PathBuf,
    children: Vec<Pending>,
}

impl Reader<'_> {
    fn open_module(&mut self) {
        let module = Module {
            file: self.file.clone(),
            items: BTreeSet::new(),
            uses: Vec::new(),
            mentions: Vec::new(),
        };
        self.modules.insert(self.path.clone(), module);
    }

    fn module(&mut self) -> Option<&mut Module> {
        self.modules.get_mut(&self.path)
    }

    fn mention(&mut self, names: impl IntoIterator<Item = Name>) {
        if let Some(module) = self.module() {
            module.mentions.extend(names);
        }
    }

    fn read_use(&mut self, tree: &UseTree, prefix: &[String]) {
        let joined = |name: String| [prefix, &[name]].concat();
        let (alias, segments, ident) = match tree {
            UseTree::Path(path) => {
                return self.read_use(&path.tree, &joined(path.ident.to_string()));
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.read_use(tree, prefix);
                }
                return;
            }
            UseTree::Name(name) if name.ident == "self" => {
                (prefix.last().cloned(), prefix.to_vec(), &name.ident)
            }
            UseTree::Name(name) => {
                let alias = name.ident.to_string();
                (Some(alias.clone()), joined(alias), &name.ident)
            }
            UseTree::Rename(rename) => {
                let segments = match rename.ident.to_string() {
                    ident if ident == "self" => prefix.to_vec(),
                    ident => joined(ident),
                };
                (Some(rename.rename.to_string()), segments, &rename.ident)
            }
            UseTree::Glob(glob) => {
                let line = glob
                    .star_token
                    .spans
                    .first()
                    .map_or(0, |span| span.start().line);
                return self.push_use(None, prefix.to_vec(), line);
            }
        };
        self.push_use(alias, segments, ident.span().start().line);
    }

    fn push_use(&mut self, alias: Option<String>, segments: Vec<String>, line: usize) {
        let target = Name { segments, line };
        if let Some(module) = self.module() {
            module.uses.push(Use { alias, target });
        }
    }

    fn read_child(&mut self, item: &ItemMod) {
        let name = item.ident.to_string();
        let mut path = self.path.clone();
        path.push(name.clone());
        let below = self.directory.join(&name);
        let Some((_, items)) = &item.content else {
            let beside = self.file.parent().unwrap_or(Path::new(""));
            let files = match path_attribute(&item.attrs) {
                Some(file) => vec![beside.join(file)],
                None => vec![below.with_extension("rs"), below.join("mod.rs")],
            };
            self.children.push((path, files, below));
            return;
        };
        let outer = std::mem::replace(&mut self.path, path);
        let directory = std::mem::replace(&mut self.directory, below);
        self.open_module();
        for item in items {
            self.visit_item(item);
        }
        self.path = outer;
        self.directory = directory;
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (name, attributes) = name_and_attributes(item);
        if only_in_tests(attributes) {
            return;
        }
        if let (Some(name), Some(module)) = (name, self.module()) {
            module.items.insert(name.to_string());
        }
        match item {
            Item::Mod(child) => self.read_child(child),
            Item::Use(item) if item.leading_colon.is_none() => self.read_use(&item.tree, &[]),
            Item::Use(_) => {}
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !only_in_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mention(Name::from_path(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.mention(paths::in_tokens(call.tokens.clone()));
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.mention(paths::in_tokens(list.tokens.clone()));
        }
    }
}

/// The name that an item gives to its module, and its attributes.
fn name_and_attributes(item: &Item) -> (Option<&syn::Ident>, &[Attribute]) {
    match item {
        Item::Const(item) => (Some(&item.ident), &item.attrs),
        Item::Enum(item) => (Some(&item.ident), &item.attrs),
        Item::Fn(item) => (Some(&item.sig.ident), &item.attrs),
        Item::Macro(item) => (item.ident.as_ref(), &item.attrs),
        Item::Static(item) => (Some(&item.ident), &item.attrs),
        Item::Struct(item) => (Some(&item.ident), &item.attrs),
        Item::Trait(item) => (Some(&item.ident), &item.attrs),
        Item::Type(item) => (Some(&item.ident), &item.attrs),
        Item::Union(item) => (Some(&item.ident), &item.attrs),
        Item::Impl(item) => (None, &item.attrs),
        Item::Mod(item) => (None, &item.attrs),
        Item::Use(item) => (None, &item.attrs),
        _ => (None, &[]),
    }
}

/// Whether the attributes contain `#[cfg(test)]` or `#[cfg(all(test, ..))]`.
fn only_in_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let mut found = false;
        if attribute.path().is_ident("cfg") {
            // What cannot be parsed is not `test`.
            let _ = attribute.parse_nested_meta(|meta| {
                found |= meta.path.is_ident("test");
                if meta.path.is_ident("all") {
                    return meta.parse_nested_meta(|inner| {
                        found |= inner.path.is_ident("test");
                        Ok(())
                    });
                }
                Ok(())
            });
        }
        found
    })
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(file),
                    ..
                }) => Some(file.value()),
                _ => None,
            },
            _ => None,
        })
}

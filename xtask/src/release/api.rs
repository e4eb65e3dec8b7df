//! Finds the public items of a crate by reading its source, as rustdoc would list them.
//!
//! Stable Rust has no machine-readable rustdoc, and a snapshot needs less: the module tree,
//! visibility and `pub use`. Generated code is left out; `xtask/codegen/names.lock` and the
//! committed files themselves show its changes. What a macro makes is shown as its call.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use syn::{Attribute, Item, UseTree, Visibility};

/// A parsed crate.
#[derive(Debug)]
pub(super) struct Crate {
    pub(super) name: String,
    /// Whether a part of it is generated, and so not read here.
    pub(super) has_generated: bool,
    root: Module,
}

/// One public path and what stands there.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Such as `adcp_core::json::Limits`.
    pub(super) path: String,
    pub(super) item: Item,
    /// The module that defines it, from the crate root.
    pub(super) module: Vec<String>,
    /// `#[cfg(…)]` of the modules and re-exports on the way.
    pub(super) cfgs: Vec<Attribute>,
}

#[derive(Debug, Default)]
struct Module {
    items: Vec<Item>,
    modules: BTreeMap<String, Child>,
}

#[derive(Debug)]
struct Child {
    public: bool,
    cfgs: Vec<Attribute>,
    module: Module,
}

impl Crate {
    /// Reads the crate whose root is the file `lib`.
    pub(super) fn read(name: &str, lib: &Path) -> anyhow::Result<Self> {
        let folder = lib.parent().context("a crate root has a folder")?;
        let file = parse(lib)?;
        let has_generated = folder.join("generated").is_dir();
        Ok(Self { name: name.replace('-', "_"), has_generated, root: Module::read(file.items, folder)? })
    }

    #[cfg(test)]
    pub(super) fn of(name: &str, source: &str) -> Self {
        let file = syn::parse_file(source).unwrap();
        let root = Module::read(file.items, Path::new("/nowhere")).unwrap();
        Self { name: name.into(), has_generated: false, root }
    }

    /// Every public item, sorted by path.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut walk = Walk { krate: self, entries: Vec::new(), open: BTreeSet::new() };
        walk.module(&[], &self.name, &[]);
        let mut entries = walk.entries;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries
    }

    /// Every `impl` block of the crate with its module, in the order of the module tree.
    pub(super) fn impls(&self) -> Vec<(Vec<String>, &syn::ItemImpl)> {
        let mut found = Vec::new();
        self.root.each(&[], &mut |module, item| {
            if let Item::Impl(item) = item {
                found.push((module.to_vec(), item));
            }
        });
        found
    }

    /// What each name that a module imports stands for: the first segment of its path.
    pub(super) fn imports(&self, module: &[String]) -> BTreeMap<String, String> {
        let mut found = Vec::new();
        for item in self.at(module).map(|module| &module.items[..]).unwrap_or_default() {
            if let Item::Use(item) = item {
                flatten(&item.tree, &[], &mut found);
            }
        }
        found.into_iter().filter_map(|import| Some((import.name?, import.path.into_iter().next()?))).collect()
    }

    /// Names of traits that are defined here, public or not.
    pub(super) fn traits(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.root.each(&[], &mut |_, item| {
            if let Item::Trait(item) = item {
                found.insert(item.ident.to_string());
            }
        });
        found
    }

    /// Calls of item macros, which may make public items that are not read here.
    pub(super) fn macro_calls(&self) -> Vec<&syn::ItemMacro> {
        let mut found = Vec::new();
        self.root.each(&[], &mut |_, item| {
            if let Item::Macro(item) = item
                && !item.mac.path.is_ident("macro_rules")
            {
                found.push(item);
            }
        });
        found
    }

    fn at(&self, path: &[String]) -> Option<&Module> {
        path.iter().try_fold(&self.root, |module, name| Some(&module.modules.get(name)?.module))
    }
}

impl Module {
    fn read(items: Vec<Item>, folder: &Path) -> anyhow::Result<Self> {
        let mut module = Self::default();
        for item in items {
            if is_test(attributes(&item)) {
                continue;
            }
            let Item::Mod(inner) = item else {
                module.items.push(item);
                continue;
            };
            let name = inner.ident.to_string();
            let below = folder.join(&name);
            let module_of = match inner.content {
                Some((_, items)) => Self::read(items, &below)?,
                None => {
                    let file = file_of(folder, &name, &inner.attrs)?;
                    match file {
                        Some(file) => Self::read(parse(&file)?.items, &below)?,
                        None => continue,
                    }
                }
            };
            let child = Child { public: is_public(&inner.vis), cfgs: cfgs(&inner.attrs), module: module_of };
            module.modules.insert(name, child);
        }
        Ok(module)
    }

    fn each<'a>(&'a self, at: &[String], see: &mut impl FnMut(&[String], &'a Item)) {
        self.items.iter().for_each(|item| see(at, item));
        for (name, child) in &self.modules {
            child.module.each(&[at, std::slice::from_ref(name)].concat(), see);
        }
    }

    /// The item called `name` that is defined here, not re-exported.
    fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| name_of(item).is_some_and(|found| found == name))
    }
}

/// The file of `mod name;`, or nothing when it is generated.
fn file_of(folder: &Path, name: &str, attrs: &[Attribute]) -> anyhow::Result<Option<PathBuf>> {
    let explicit = attrs.iter().find(|attr| attr.path().is_ident("path"));
    let candidates = match explicit {
        Some(attr) => {
            let syn::Meta::NameValue(meta) = &attr.meta else { bail!("odd #[path] on mod {name}") };
            let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) = &meta.value else {
                bail!("odd #[path] on mod {name}")
            };
            vec![folder.join(path.value())]
        }
        None => vec![folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")],
    };
    let Some(found) = candidates.into_iter().find(|path| path.is_file()) else {
        bail!("no file for mod {name} below {}", folder.display());
    };
    let generated = found.components().any(|part| part.as_os_str() == "generated");
    Ok((!generated).then_some(found))
}

fn parse(path: &Path) -> anyhow::Result<syn::File> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    syn::parse_file(&text).with_context(|| format!("cannot parse {}", path.display()))
}

/// One `pub use` flattened to a path, and the name it gets; no name means `*`.
struct Reexport {
    path: Vec<String>,
    name: Option<String>,
}

fn flatten(tree: &UseTree, before: &[String], found: &mut Vec<Reexport>) {
    let with = |name: String| [before, &[name]].concat();
    match tree {
        UseTree::Path(tree) => flatten(&tree.tree, &with(tree.ident.to_string()), found),
        UseTree::Name(tree) if tree.ident == "self" => {
            found.push(Reexport { path: before.to_vec(), name: before.last().cloned() });
        }
        UseTree::Name(tree) => {
            let name = tree.ident.to_string();
            found.push(Reexport { path: with(name.clone()), name: Some(name) });
        }
        UseTree::Rename(tree) => {
            found.push(Reexport { path: with(tree.ident.to_string()), name: Some(tree.rename.to_string()) });
        }
        UseTree::Glob(_) => found.push(Reexport { path: before.to_vec(), name: None }),
        UseTree::Group(tree) => tree.items.iter().for_each(|tree| flatten(tree, before, found)),
    }
}

struct Walk<'a> {
    krate: &'a Crate,
    entries: Vec<Entry>,
    /// Modules being walked, against re-exports in a ring.
    open: BTreeSet<(Vec<String>, String)>,
}

impl Walk<'_> {
    /// Lists what the module at `at` shows under the public path `public`.
    fn module(&mut self, at: &[String], public: &str, on_the_way: &[Attribute]) {
        let Some(module) = self.krate.at(at) else { return };
        if !self.open.insert((at.to_vec(), public.to_owned())) {
            return;
        }
        for item in &module.items {
            if let Item::Use(item) = item {
                if is_public(&item.vis) {
                    self.reexports(item, at, public, on_the_way);
                }
            } else if visibility(item).is_some_and(is_public) || is_exported_macro(item) {
                let name = name_of(item).unwrap_or_default();
                self.push(&format!("{public}::{name}"), item, at, on_the_way);
            }
        }
        for (name, child) in module.modules.iter().filter(|(_, child)| child.public) {
            let cfgs = [on_the_way, &child.cfgs].concat();
            self.module(&[at, std::slice::from_ref(name)].concat(), &format!("{public}::{name}"), &cfgs);
        }
        self.open.remove(&(at.to_vec(), public.to_owned()));
    }

    fn reexports(&mut self, item: &syn::ItemUse, at: &[String], public: &str, on_the_way: &[Attribute]) {
        let cfgs = [on_the_way, &cfgs(&item.attrs)].concat();
        let mut found = Vec::new();
        flatten(&item.tree, &[], &mut found);
        for reexport in found {
            let seen = match &reexport.name {
                Some(name) => self.named(&reexport.path, at, &format!("{public}::{name}"), &cfgs),
                None => match self.inside(&reexport.path, at) {
                    Some(path) if self.krate.at(&path).is_some() => {
                        self.module(&path, public, &cfgs);
                        true
                    }
                    _ => false,
                },
            };
            if !seen {
                self.foreign(&reexport, public, &cfgs);
            }
        }
    }

    /// Lists the item or module that `path`, read in the module `at`, names.
    fn named(&mut self, path: &[String], at: &[String], public: &str, cfgs: &[Attribute]) -> bool {
        let Some(path) = self.inside(path, at) else { return false };
        if self.krate.at(&path).is_some() {
            self.module(&path, public, cfgs);
            return true;
        }
        let Some((name, parent)) = path.split_last() else { return false };
        let Some(module) = self.krate.at(parent) else { return false };
        if let Some(item) = module.item(name) {
            self.push(public, item, parent, cfgs);
            return true;
        }
        // A re-export of a re-export.
        for item in &module.items {
            let Item::Use(item) = item else { continue };
            let mut found = Vec::new();
            flatten(&item.tree, &[], &mut found);
            for next in found {
                let full = match next.name.as_deref() {
                    Some(found) if found == name => next.path,
                    None => [&next.path[..], std::slice::from_ref(name)].concat(),
                    _ => continue,
                };
                if full != path && self.named(&full, parent, public, cfgs) {
                    return true;
                }
            }
        }
        false
    }

    /// `path` as seen in the module `at`, from the crate root; nothing for another crate.
    fn inside(&self, path: &[String], at: &[String]) -> Option<Vec<String>> {
        let mut base = at.to_vec();
        let mut rest = path;
        match rest.first().map(String::as_str) {
            Some("crate") => {
                base.clear();
                rest = &rest[1..];
            }
            Some("self") => rest = &rest[1..],
            Some("super") => {
                while rest.first().is_some_and(|name| name == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            Some(first) => {
                let here = self.krate.at(at)?;
                if !here.modules.contains_key(first) && here.item(first).is_none() {
                    return None;
                }
            }
            None => {}
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn foreign(&mut self, reexport: &Reexport, public: &str, cfgs: &[Attribute]) {
        let path = reexport.path.join("::");
        let (source, place) = match &reexport.name {
            None => (format!("pub use {path}::*;"), format!("{public}::* ({path})")),
            Some(name) if reexport.path.last() == Some(name) => {
                (format!("pub use {path};"), format!("{public}::{name}"))
            }
            Some(name) => (format!("pub use {path} as {name};"), format!("{public}::{name}")),
        };
        if let Ok(item) = syn::parse_str::<Item>(&source) {
            self.push(&place, &item, &[], cfgs);
        }
    }

    fn push(&mut self, path: &str, item: &Item, module: &[String], cfgs: &[Attribute]) {
        let (item, module) = (item.clone(), module.to_vec());
        self.entries.push(Entry { path: path.to_owned(), item, module, cfgs: cfgs.to_vec() });
    }
}

pub(super) fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

fn is_test(attrs: &[Attribute]) -> bool {
    use quote::ToTokens;
    attrs
        .iter()
        .any(|attr| attr.path().is_ident("cfg") && attr.meta.to_token_stream().to_string() == "cfg (test)")
}

fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect()
}

fn is_exported_macro(item: &Item) -> bool {
    matches!(item, Item::Macro(item) if item.attrs.iter().any(|attr| attr.path().is_ident("macro_export")))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn visibility(item: &Item) -> Option<&Visibility> {
    Some(match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Union(item) => &item.vis,
        _ => return None,
    })
}

fn name_of(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Macro(item) => item.ident.as_ref()?.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        _ => return None,
    })
}

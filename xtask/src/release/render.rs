//! Prints a crate's public items without bodies, docs and private parts.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{Attribute, Block, Fields, ImplItem, Item, ItemImpl, TraitItem, Type, parse_quote};

use super::api::{Crate, Entry, is_public};

/// Attributes that are part of what a caller can rely on.
const KEPT: &[&str] = &["cfg", "derive", "non_exhaustive", "deprecated", "async_trait", "repr"];

/// The snapshot of one crate.
pub(super) fn text(krate: &Crate) -> String {
    let entries = krate.entries();
    let shown: BTreeSet<String> = entries.iter().filter_map(|entry| type_name(&entry.item)).collect();
    let hidden: BTreeSet<String> = krate.traits().into_iter().filter(|name| !shown.contains(name)).collect();
    let impls = impls_by_type(krate, &hidden);

    let mut out = format!("Public API of {}, written by `cargo xtask release --bless`.\n", krate.name);
    if krate.has_generated {
        out.push_str(
            "Below src/generated/ the files themselves, and xtask/codegen/names.lock, show what changes.\n",
        );
    }
    let mut done = BTreeSet::new();
    for entry in &entries {
        out.push_str(&format!("\n## {}\n\n{}", entry.path, item_text(entry)));
        if let Some(name) = type_name(&entry.item)
            && done.insert(name.clone())
        {
            for block in impls.get(&name).into_iter().flatten() {
                out.push_str(block);
            }
        }
    }
    let mut calls: Vec<String> = krate.macro_calls().into_iter().map(macro_text).collect();
    calls.sort();
    if !calls.is_empty() {
        out.push_str("\n## Macro calls\n\n");
        calls.iter().for_each(|call| out.push_str(call));
    }
    out
}

/// Impl blocks with something public in them, by the name of their type.
fn impls_by_type(krate: &Crate, hidden: &BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, item) in krate.impls() {
        let Type::Path(path) = &*item.self_ty else { continue };
        let Some(name) = path.path.segments.last().map(|segment| segment.ident.to_string()) else { continue };
        if let Some(text) = impl_text(item, hidden) {
            found.entry(name).or_default().push(text);
        }
    }
    found.values_mut().for_each(|texts| texts.sort());
    found
}

fn impl_text(item: &ItemImpl, hidden: &BTreeSet<String>) -> Option<String> {
    bare_impl(item, hidden).map(|item| print(Item::Impl(item)))
}

/// What an `impl` block shows; nothing when it shows nothing.
pub(super) fn bare_impl(item: &ItemImpl, hidden: &BTreeSet<String>) -> Option<ItemImpl> {
    let mut item = item.clone();
    keep(&mut item.attrs);
    if let Some(name) = trait_name(&item) {
        if hidden.contains(&name) {
            return None;
        }
        // The trait says which methods there are.
        item.items.retain(|item| matches!(item, ImplItem::Type(_)));
        return Some(item);
    }
    item.items.retain(|item| match item {
        ImplItem::Const(item) => is_public(&item.vis),
        ImplItem::Fn(item) => is_public(&item.vis),
        ImplItem::Type(item) => is_public(&item.vis),
        _ => true,
    });
    if item.items.is_empty() {
        return None;
    }
    for item in &mut item.items {
        match item {
            ImplItem::Fn(item) => {
                keep(&mut item.attrs);
                item.block = empty();
            }
            ImplItem::Const(item) => keep(&mut item.attrs),
            _ => {}
        }
    }
    item.items.sort_by_key(|item| match item {
        ImplItem::Const(item) => (0, item.ident.to_string()),
        ImplItem::Fn(item) => (1, item.sig.ident.to_string()),
        other => (2, other.to_token_stream().to_string()),
    });
    Some(item)
}

/// The trait of `impl Trait for Type`, without its path.
fn trait_name(item: &ItemImpl) -> Option<String> {
    let (path, _) = item.trait_.as_ref()?;
    Some(path.segments.last()?.ident.to_string())
}

pub(super) fn type_name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Enum(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        _ => return None,
    })
}

fn item_text(entry: &Entry) -> String {
    // Its patterns are its interface; what it expands to is not.
    if let Item::Macro(item) = &entry.item {
        let name = item.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        return format!("macro_rules! {name}\n");
    }
    let (mut item, private) = bare_item(&entry.item);
    if let Some(attrs) = attributes_mut(&mut item) {
        attrs.splice(0..0, entry.cfgs.iter().cloned());
    }
    format!("{}{}", print(item), if private { "// and private fields\n" } else { "" })
}

/// What an item shows, and whether it has private fields besides.
pub(super) fn bare_item(item: &Item) -> (Item, bool) {
    let mut item = item.clone();
    let mut private = false;
    match &mut item {
        Item::Struct(item) => private = strip_fields(&mut item.fields),
        Item::Enum(item) => {
            for variant in &mut item.variants {
                keep(&mut variant.attrs);
                for field in &mut variant.fields {
                    keep(&mut field.attrs);
                }
            }
        }
        Item::Fn(item) => *item.block = empty(),
        Item::Trait(item) => {
            for item in &mut item.items {
                match item {
                    TraitItem::Fn(item) => {
                        keep(&mut item.attrs);
                        if item.default.is_some() {
                            item.default = Some(empty());
                        }
                    }
                    TraitItem::Type(item) => keep(&mut item.attrs),
                    TraitItem::Const(item) => keep(&mut item.attrs),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    if let Some(attrs) = attributes_mut(&mut item) {
        keep(attrs);
    }
    (item, private)
}

/// Drops private fields and says whether there were any.
fn strip_fields(fields: &mut Fields) -> bool {
    let before = fields.len();
    match fields {
        Fields::Named(named) => {
            let kept = std::mem::take(&mut named.named).into_iter().filter(|field| is_public(&field.vis));
            named.named = kept.collect();
        }
        Fields::Unnamed(unnamed) => {
            // A position counts, so a private one leaves a blank of unit type.
            for field in &mut unnamed.unnamed {
                if !is_public(&field.vis) {
                    field.ty = parse_quote!(_);
                    field.vis = syn::Visibility::Inherited;
                }
            }
            let private = unnamed.unnamed.iter().any(|field| !is_public(&field.vis));
            unnamed.unnamed.iter_mut().for_each(|field| keep(&mut field.attrs));
            return private;
        }
        Fields::Unit => {}
    }
    fields.iter_mut().for_each(|field| keep(&mut field.attrs));
    fields.len() != before
}

fn macro_text(item: &syn::ItemMacro) -> String {
    let mut item = item.clone();
    keep(&mut item.attrs);
    format!("{}\n", item.to_token_stream())
}

fn attributes_mut(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    Some(match item {
        Item::Const(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Static(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Type(item) => &mut item.attrs,
        Item::Union(item) => &mut item.attrs,
        Item::Use(item) => &mut item.attrs,
        _ => return None,
    })
}

fn keep(attrs: &mut Vec<Attribute>) {
    attrs.retain(|attr| {
        attr.path().segments.last().is_some_and(|segment| KEPT.contains(&segment.ident.to_string().as_str()))
    });
}

fn empty() -> Block {
    parse_quote!({})
}

fn print(item: Item) -> String {
    prettyplease::unparse(&syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items: vec![item],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(source: &str) -> String {
        text(&Crate::of("a", source))
    }

    #[test]
    fn bodies_docs_and_private_parts_are_left_out() {
        let text = snapshot(
            "/// Docs.\n#[derive(Debug)] #[allow(dead_code)] pub struct S { pub a: u8, b: u8 }\n\
             impl S { pub fn z(&self) -> u8 { 1 } pub fn new() -> Self { todo() } fn hidden() {} }\n\
             fn private() {}\npub(crate) struct Inner;",
        );
        let expected = "Public API of a, written by `cargo xtask release --bless`.\n\n## a::S\n\n\
                        #[derive(Debug)]\npub struct S {\n    pub a: u8,\n}\n// and private fields\n\
                        impl S {\n    pub fn new() -> Self {}\n    pub fn z(&self) -> u8 {}\n}\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn re_exports_show_the_item_under_its_public_path() {
        let text = snapshot(
            "pub use inner::deep::{A, B as C}; pub use inner::*; pub use other::Thing;\n\
             mod inner { pub mod deep { pub struct A; pub struct B; pub struct Unseen; } pub struct D; }",
        );
        for path in ["## a::A\n", "## a::C\n", "## a::D\n", "## a::Thing\n", "## a::deep::Unseen\n"] {
            assert!(text.contains(path), "{path}: {text}");
        }
        assert!(text.contains("pub use other::Thing;"), "{text}");
        assert!(!text.contains("inner"), "{text}");
    }

    #[test]
    fn a_re_export_of_a_re_export_is_followed() {
        let text = snapshot("pub use x::T; mod x { mod y { pub struct T; } pub use self::y::T; }");
        assert!(text.contains("## a::T\n\npub struct T;"), "{text}");
    }

    #[test]
    fn features_on_the_way_are_shown() {
        let text = snapshot("#[cfg(feature = \"f\")] pub mod m { pub fn g() {} }");
        assert!(text.contains("## a::m::g\n\n#[cfg(feature = \"f\")]\npub fn g() {}"), "{text}");
    }

    #[test]
    fn impls_of_hidden_traits_are_left_out_and_public_ones_shown() {
        let text = snapshot(
            "pub struct S; trait Hidden {} impl Hidden for S {} pub trait Shown { fn f(&self) { g() } fn h(); }\n\
             impl Shown for S { fn h() {} } impl std::fmt::Display for S { fn fmt(&self) {} }",
        );
        assert!(!text.contains("Hidden"), "{text}");
        assert!(
            text.contains("impl Shown for S {}") && text.contains("impl std::fmt::Display for S {}"),
            "{text}"
        );
        assert!(text.contains("fn f(&self) {}\n    fn h();"), "{text}");
    }

    #[test]
    fn tests_are_left_out_and_macro_calls_shown() {
        let text = snapshot("#[cfg(test)] pub mod tests { pub struct T; } make! { pub struct Made; }");
        assert!(!text.contains("struct T"), "{text}");
        assert!(text.contains("## Macro calls\n\nmake ! { pub struct Made ; }"), "{text}");
    }
}

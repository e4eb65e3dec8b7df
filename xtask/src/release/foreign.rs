//! Types of other projects in our public signatures: their version would become ours.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, Path, visit::Visit};

use super::{api::Crate, render};

/// Crates whose types may be seen in our API: stable, and what a caller has anyway.
const ALLOWED: &[&str] = &["serde", "serde_json"];

/// Crates whose types one of ours takes from its caller: a pool or a transaction, a service that is mounted, or the one
/// around which a layer is laid, which the adopter has anyway.
const TAKEN: &[(&str, &[&str])] = &[
    ("adcp-console", &["bytes", "http", "tower_service"]),
    ("adcp-mcp", &["bytes", "http", "tower_service"]),
    ("adcp-registry-postgres", &["deadpool_postgres", "tokio_postgres"]),
    ("adcp-webhooks", &["bytes", "http", "http_body", "http_body_util", "tower_layer", "tower_service"]),
];

/// Crates of macros, which leave no type behind.
const MACROS: &[&str] = &["async_trait", "thiserror", "tracing", "clap"];

/// What is not another crate.
const NOT_CRATES: &[&str] = &["crate", "self", "super", "Self", "std", "core", "alloc"];

/// Sentences about every public item of the crate `name` that shows a type of `dependencies` beyond the allowed.
pub(super) fn check(name: &str, krate: &Crate, dependencies: &[String]) -> Vec<String> {
    let taken = TAKEN.iter().find(|(ours, _)| *ours == name).map_or(&[][..], |(_, theirs)| *theirs);
    let foreign: BTreeSet<String> = dependencies
        .iter()
        .map(|name| name.replace('-', "_"))
        .filter(|name| *name != "adcp" && !name.starts_with("adcp_"))
        .filter(|name| ![ALLOWED, MACROS, taken].iter().any(|known| known.contains(&name.as_str())))
        .collect();
    let entries = krate.entries();
    let shown: BTreeSet<String> = entries.iter().filter_map(|entry| render::type_name(&entry.item)).collect();
    let hidden: BTreeSet<String> = krate.traits().into_iter().filter(|name| !shown.contains(name)).collect();

    let mut faults = BTreeSet::new();
    let mut see = |what: &str, module: &[String], item: &Item| {
        for name in Names::of(&krate.imports(module), item) {
            if foreign.contains(&name) {
                faults.insert(format!("{what} shows a type of `{name}`; wrap it, or keep it private"));
            }
        }
    };
    for entry in &entries {
        see(&entry.path, &entry.module, &render::bare_item(&entry.item).0);
    }
    for (module, item) in krate.impls() {
        let syn::Type::Path(path) = &*item.self_ty else { continue };
        let Some(name) = path.path.segments.last().map(|segment| segment.ident.to_string()) else { continue };
        if shown.contains(&name)
            && let Some(bare) = render::bare_impl(item, &hidden)
        {
            see(&format!("an impl of {name}"), &module, &Item::Impl(bare));
        }
    }
    faults.into_iter().collect()
}

/// Collects the crates that the paths of an item lead to.
struct Names<'a> {
    imports: &'a BTreeMap<String, String>,
    found: BTreeSet<String>,
}

impl Names<'_> {
    fn of(imports: &BTreeMap<String, String>, item: &Item) -> BTreeSet<String> {
        let mut names = Names { imports, found: BTreeSet::new() };
        names.visit_item(item);
        names.found
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    // Derives and the like are checked by what they produce.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_path(&mut self, path: &'ast Path) {
        if let Some(first) = path.segments.first().map(|segment| segment.ident.to_string())
            && !NOT_CRATES.contains(&first.as_str())
        {
            match self.imports.get(&first) {
                Some(origin) => drop(self.found.insert(origin.clone())),
                None if path.segments.len() > 1 => drop(self.found.insert(first)),
                None => {}
            }
        }
        syn::visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(source: &str) -> Vec<String> {
        check(
            "a",
            &Crate::of("a", source),
            &["rmcp".into(), "serde_json".into(), "adcp-core".into(), "tokio-util".into()],
        )
    }

    #[test]
    fn a_foreign_type_is_found_wherever_it_shows() {
        let cases = [
            "pub fn f(_: rmcp::Tool) {}",
            "use rmcp::model::Tool as T; pub struct S { pub t: Vec<T> }",
            "pub struct S; impl S { pub fn f(&self) -> Option<tokio_util::sync::Token> { None } }",
            "pub struct S; impl From<rmcp::Error> for S { fn from(_: rmcp::Error) -> Self { S } }",
            "pub use m::S; mod m { use rmcp::Tool; pub enum S { A(Tool) } }",
            "pub trait T { fn f(&self) -> impl Iterator<Item = rmcp::Tool>; }",
        ];
        for source in cases {
            assert_eq!(faults_of(source).len(), 1, "{source}");
        }
    }

    #[test]
    fn what_is_allowed_private_or_ours_passes() {
        let cases = [
            "pub fn f(_: serde_json::Value, _: adcp_core::Timestamp, _: std::sync::Arc<str>) {}",
            "use rmcp::Tool; pub struct S { t: Tool }",
            "use rmcp::Tool; fn f(_: Tool) {} pub fn g() { f(Tool::new()) }",
            "pub struct S; impl S { fn f(_: rmcp::Tool) {} } trait Hidden {} impl Hidden for rmcp::Tool {}",
        ];
        for source in cases {
            assert_eq!(faults_of(source), [""; 0], "{source}");
        }
    }

    #[test]
    fn one_crate_takes_what_its_callers_have_and_no_other_does() {
        let source = "pub struct S; impl S { pub fn from_pool(_: deadpool_postgres::Pool) {} }";
        let faults = |name: &str| check(name, &Crate::of(name, source), &["deadpool-postgres".into()]).len();
        assert_eq!((faults("adcp-registry-postgres"), faults("adcp-core")), (0, 1));
    }
}

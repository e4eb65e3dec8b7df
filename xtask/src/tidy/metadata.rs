//! The part of `cargo metadata` that the rules ask about.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use anyhow::{Context, bail};
use serde_json::Value;

/// Why a crate is needed: by its code, by its tests, or by its build script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Normal,
    Dev,
    Build,
}

/// One package of the workspace.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    /// Path of its `Cargo.toml` from the root.
    pub(super) manifest: String,
    /// Directly named dependencies, also optional ones.
    pub(super) dependencies: Vec<(String, Kind)>,
    /// Every package its code needs, however deep.
    pub(super) reaches: BTreeSet<String>,
    pub(super) published: bool,
    /// `description`, `license`, … as far as they are set.
    pub(super) fields: BTreeMap<&'static str, String>,
}

/// The workspace as cargo sees it.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) members: Vec<Member>,
}

impl Metadata {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let out = Command::new(cargo)
            .current_dir(root)
            .args(["metadata", "--format-version", "1", "--all-features", "--locked"])
            .output()
            .context("cannot run cargo metadata")?;
        if !out.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&out.stderr).trim());
        }
        let json: Value = serde_json::from_slice(&out.stdout).context("cargo metadata printed no JSON")?;
        Self::from_json(&json).context("cargo metadata has an unexpected shape")
    }

    fn from_json(json: &Value) -> Option<Self> {
        let root = json.get("workspace_root")?.as_str()?;
        let ids: BTreeSet<&str> =
            json.get("workspace_members")?.as_array()?.iter().filter_map(Value::as_str).collect();
        let packages = json.get("packages")?.as_array()?;
        let mut names = BTreeMap::new();
        for package in packages {
            names.insert(package.get("id")?.as_str()?, package.get("name")?.as_str()?);
        }
        let graph = graph(json)?;

        let mut members = Vec::new();
        for package in packages.iter().filter(|p| p["id"].as_str().is_some_and(|id| ids.contains(id))) {
            let id = package.get("id")?.as_str()?;
            let text = |field: &str| package.get(field).and_then(Value::as_str).map(str::to_owned);
            let manifest = text("manifest_path")?.replace('\\', "/");
            let below = manifest.strip_prefix(&root.replace('\\', "/")).unwrap_or(&manifest);
            let dependency = |value: &Value| {
                let kind = match value.get("kind").and_then(Value::as_str) {
                    Some("dev") => Kind::Dev,
                    Some("build") => Kind::Build,
                    _ => Kind::Normal,
                };
                Some((value.get("name")?.as_str()?.to_owned(), kind))
            };
            members.push(Member {
                name: text("name")?,
                manifest: below.trim_start_matches('/').to_owned(),
                dependencies: package
                    .get("dependencies")?
                    .as_array()?
                    .iter()
                    .filter_map(dependency)
                    .collect(),
                reaches: reach(id, &graph)
                    .iter()
                    .filter_map(|id| names.get(id))
                    .map(|n| (*n).to_owned())
                    .collect(),
                published: package.get("publish")?.is_null(),
                fields: ["description", "license", "readme", "documentation", "rust_version"]
                    .into_iter()
                    .filter_map(|field| Some((field, text(field)?)))
                    .collect(),
            });
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Self { members })
    }
}

type Graph<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Package id to the ids its code needs; tests and build scripts apart.
fn graph(json: &Value) -> Option<Graph<'_>> {
    let mut graph = Graph::new();
    for node in json.get("resolve")?.get("nodes")?.as_array()? {
        let needs_code = |dep: &&Value| {
            let kinds = dep.get("dep_kinds").and_then(Value::as_array);
            kinds.is_none_or(|kinds| kinds.iter().any(|kind| kind.get("kind").is_none_or(Value::is_null)))
        };
        let deps =
            node.get("deps")?.as_array()?.iter().filter(needs_code).filter_map(|dep| dep["pkg"].as_str());
        graph.insert(node.get("id")?.as_str()?, deps.collect());
    }
    Some(graph)
}

fn reach<'a>(from: &'a str, graph: &Graph<'a>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        for next in graph.get(id).into_iter().flatten() {
            if seen.insert(*next) {
                open.push(next);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_read_with_what_they_reach() {
        let package = |name: &str, deps: Value| {
            json!({"id": name, "name": name, "manifest_path": format!("/r/crates/{name}/Cargo.toml"), "publish": null,
                   "description": "d", "license": null, "dependencies": deps})
        };
        let node = |id: &str, deps: &[(&str, Value)]| {
            let deps: Vec<_> =
                deps.iter().map(|(id, kind)| json!({"pkg": id, "dep_kinds": [{"kind": kind}]})).collect();
            json!({"id": id, "deps": deps})
        };
        let json = json!({
            "workspace_root": "/r",
            "workspace_members": ["a"],
            "packages": [
                package("a", json!([{"name": "b", "kind": null}, {"name": "t", "kind": "dev"}])),
                package("b", json!([])), package("c", json!([])), package("t", json!([])),
            ],
            "resolve": {"nodes": [
                node("a", &[("b", json!(null)), ("t", json!("dev"))]), node("b", &[("c", json!(null))]),
                node("c", &[]), node("t", &[]),
            ]},
        });
        let metadata = Metadata::from_json(&json).unwrap();
        let a = &metadata.members[0];
        assert_eq!(metadata.members.len(), 1);
        assert_eq!(a.manifest, "crates/a/Cargo.toml");
        assert_eq!(a.dependencies, [("b".to_owned(), Kind::Normal), ("t".to_owned(), Kind::Dev)]);
        assert_eq!(a.reaches, BTreeSet::from(["b".to_owned(), "c".to_owned()]));
        assert_eq!(a.fields.get("description").map(String::as_str), Some("d"));
        assert!(!a.fields.contains_key("license"));
    }
}

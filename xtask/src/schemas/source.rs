//! Where a bundle comes from: a folder, an npm tarball or a Python wheel.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One version's files as published, and where they were.
pub(super) struct Source {
    /// Name and version of the package, when the source says.
    pub(super) package: Option<Package>,
    /// The bundle's folder inside the package.
    pub(super) folder: String,
    /// Bytes by path relative to that folder; JSON files only.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// A published package.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    /// `PyPI` or `npm`.
    pub(super) registry: &'static str,
    pub(super) name: String,
    pub(super) version: String,
}

impl Source {
    /// Opens `path` and finds the bundle of `version` in it.
    pub(super) fn open(path: &Path, version: &str) -> Result<Self> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (tree, base) = if path.is_dir() {
            read_folder(path)?
        } else {
            let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let tree = if name.ends_with(".whl") || name.ends_with(".zip") {
                read_zip(bytes)?
            } else if name.ends_with(".tgz") || name.ends_with(".tar.gz") {
                read_tgz(&bytes)?
            } else {
                bail!("{} is neither a folder, a .tgz nor a .whl", path.display());
            };
            (tree, String::new())
        };
        let folder = find_bundle(&tree, &base, version)
            .with_context(|| format!("looking for AdCP {version} in {}", path.display()))?;
        let package = package_of(&tree);
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let files = tree
            .into_iter()
            .filter_map(|(path, bytes)| {
                let inside = path.strip_prefix(&prefix)?;
                inside.ends_with(".json").then(|| (inside.to_owned(), bytes))
            })
            .collect();
        Ok(Self { package, folder, files })
    }
}

type Tree = BTreeMap<String, Vec<u8>>;

/// Reads a folder; starts at the root of an unpacked package when the folder is inside one.
///
/// The second value is the folder asked for, relative to that root.
fn read_folder(path: &Path) -> Result<(Tree, String)> {
    let path = path.canonicalize().with_context(|| format!("cannot open {}", path.display()))?;
    let root = path.ancestors().take(5).find(|folder| package_file(folder).is_some());
    let mut tree = Tree::new();
    let base = match root {
        Some(root) => {
            if let Some(file) = package_file(root) {
                tree.insert(file.clone(), fs::read(root.join(&file))?);
            }
            path.strip_prefix(root)?.to_string_lossy().replace('\\', "/")
        }
        None => String::new(),
    };
    for file in super::list_files(&path)? {
        if file.ends_with(".json") {
            let bytes = fs::read(path.join(&file))?;
            tree.insert(if base.is_empty() { file } else { format!("{base}/{file}") }, bytes);
        }
    }
    Ok((tree, base))
}

/// The file that names the package unpacked in `folder`.
fn package_file(folder: &Path) -> Option<String> {
    let mut found = None;
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("adcp-") && name.ends_with(".dist-info") {
            found = Some(format!("{name}/METADATA"));
        } else if name == "package.json" && found.is_none() {
            found = Some(name);
        }
    }
    found
}

fn read_zip(bytes: Vec<u8>) -> Result<Tree> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).context("not a readable zip file")?;
    let mut tree = Tree::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        if entry.is_file() && wanted(&name) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            tree.insert(name, bytes);
        }
    }
    Ok(tree)
}

fn read_tgz(bytes: &[u8]) -> Result<Tree> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let mut tree = Tree::new();
    for entry in archive.entries().context("not a readable tarball")? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if entry.header().entry_type().is_file() && wanted(&name) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            tree.insert(name, bytes);
        }
    }
    Ok(tree)
}

fn wanted(name: &str) -> bool {
    name.ends_with(".json") || name.ends_with(".dist-info/METADATA")
}

/// Finds the folder of `version`: by its name first, then by what its manifest says.
fn find_bundle(tree: &Tree, base: &str, version: &str) -> Result<String> {
    let roots: Vec<&str> = tree
        .keys()
        .filter_map(|path| path.strip_suffix("index.json"))
        .map(|folder| folder.trim_end_matches('/'))
        .filter(|folder| tree.keys().any(|path| path.starts_with(&join(folder, "core/"))))
        .filter(|folder| !folder.ends_with("/core") && folder.starts_with(base))
        .collect();
    let named = |folder: &&str| folder.rsplit('/').next() == Some(version);
    let says = |folder: &&str| adcp_version(tree, folder).as_deref() == Some(version);
    let mut found: Vec<&str> = roots.iter().copied().filter(named).collect();
    if found.is_empty() {
        found = roots.iter().copied().filter(says).collect();
    }
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => bail!("no such bundle; there is: {}", roots.join(", ")),
        several => bail!("several bundles fit: {}", several.join(", ")),
    }
}

fn join(folder: &str, rest: &str) -> String {
    if folder.is_empty() { rest.to_owned() } else { format!("{folder}/{rest}") }
}

/// The version the bundle in `folder` calls itself.
fn adcp_version(tree: &Tree, folder: &str) -> Option<String> {
    ["manifest.json", "index.json"].iter().find_map(|file| {
        let json: Value = serde_json::from_slice(tree.get(&join(folder, file))?).ok()?;
        Some(json.get("adcp_version")?.as_str()?.to_owned())
    })
}

/// Name and version of the package the tree belongs to.
fn package_of(tree: &Tree) -> Option<Package> {
    let wheel = tree.iter().find(|(path, _)| path.ends_with(".dist-info/METADATA"));
    if let Some((_, bytes)) = wheel {
        let text = String::from_utf8_lossy(bytes);
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().to_owned())
        };
        return Some(Package { registry: "PyPI", name: field("Name:")?, version: field("Version:")? });
    }
    let bytes = tree.get("package/package.json").or_else(|| tree.get("package.json"))?;
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let field = |name: &str| Some(json.get(name)?.as_str()?.to_owned());
    Some(Package { registry: "npm", name: field("name")?, version: field("version")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn a_bundle_is_found_by_folder_name_then_by_its_own_word() {
        let tree = tree(&[
            ("adcp/_schemas/3.0/index.json", "{}"),
            ("adcp/_schemas/3.0/core/a.json", "{}"),
            ("adcp/_schemas/3.2/index.json", r#"{"adcp_version": "3.2.4"}"#),
            ("adcp/_schemas/3.2/core/a.json", "{}"),
        ]);
        assert_eq!(find_bundle(&tree, "", "3.0").unwrap(), "adcp/_schemas/3.0");
        assert_eq!(find_bundle(&tree, "", "3.2.4").unwrap(), "adcp/_schemas/3.2");
        assert!(find_bundle(&tree, "", "4.0").is_err());
    }

    #[test]
    fn a_package_names_itself() {
        let wheel = tree(&[("adcp-1.dist-info/METADATA", "Metadata-Version: 2.4\nName: adcp\nVersion: 1\n")]);
        let expected = Package { registry: "PyPI", name: "adcp".into(), version: "1".into() };
        assert_eq!(package_of(&wheel), Some(expected));
        let npm = tree(&[("package/package.json", r#"{"name":"@adcp/sdk","version":"6.0.0"}"#)]);
        assert_eq!(package_of(&npm).map(|package| package.registry), Some("npm"));
        assert_eq!(package_of(&Tree::new()), None);
    }
}

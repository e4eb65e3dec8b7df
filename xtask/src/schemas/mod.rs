//! Imports an upstream schema bundle in normal form and embeds the pinned one in `adcp-schemas`.

mod embed;
mod examples;
mod normal;
mod record;
mod source;
mod titles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub use embed::embed;
pub(crate) use normal::{escape, resolve};
use source::Source;

/// The AdCP version this workspace is built for: the folder under `schemas/`.
pub const PINNED: &str = "3.1.0-rc.9";

/// Runs the subcommand with the arguments that follow its name.
///
/// # Errors
///
/// Whatever stopped it, in words for the person at the terminal.
pub fn run(args: &[String]) -> Result<()> {
    let mut words = args.iter().map(String::as_str);
    match words.next() {
        Some("import") => {
            let Arguments { source, version, out } = Arguments::parse(words)?;
            let imported = import(&source, &version, out.as_deref())?;
            println!("{imported}");
            Ok(())
        }
        Some("embed") => match words.next() {
            None => embed(&crate::root(), false).map(drop),
            Some("--check") => embed(&crate::root(), true).map(drop),
            Some(other) => bail!("`schemas embed` takes --check or nothing, not `{other}`"),
        },
        _ => bail!("use `schemas import SOURCE --version V [--out DIR]` or `schemas embed [--check]`"),
    }
}

/// What `schemas import` was asked to do.
struct Arguments {
    source: PathBuf,
    version: String,
    out: Option<PathBuf>,
}

impl Arguments {
    fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Self> {
        let (mut source, mut version, mut out) = (None, None, None);
        while let Some(word) = words.next() {
            match word {
                "--version" => version = words.next().map(str::to_owned),
                "--out" => out = Some(PathBuf::from(words.next().context("--out needs a folder")?)),
                flag if flag.starts_with("--") => bail!("unknown option `{flag}`"),
                path if source.is_none() => source = Some(PathBuf::from(path)),
                extra => bail!("one source at a time; `{extra}` is a second one"),
            }
        }
        Ok(Self {
            source: source.context("name a folder, a .tgz or a .whl that holds the schemas")?,
            version: version.context("--version V says which bundle of the source is meant")?,
            out,
        })
    }
}

/// Imports version `version` from `source` into `out`, or into the workspace.
///
/// The result is a folder `version` with the schemas in normal form and `SOURCE.toml`.
/// Files there that the source no longer has are removed. In the workspace, the pinned
/// version's titles go to `names.lock` and its files to `adcp-schemas`.
///
/// # Errors
///
/// When the source cannot be read, has no such version, or holds a keyword or a reference
/// nobody has decided about.
pub fn import(source: &Path, version: &str, out: Option<&Path>) -> Result<Imported> {
    let root = crate::root();
    let own = root.join("schemas");
    let out = out.unwrap_or(&own);
    let at_home = same_folder(out, &own);
    if at_home && version != PINNED {
        bail!("the workspace is pinned to {PINNED}; use --out for {version}, or change the pin");
    }
    let source = Source::open(source, version)?;
    let bundle = normal::bundle(&source.files)?;
    let folder = out.join(version);
    let mut files: BTreeMap<String, String> =
        bundle.files.iter().map(|(path, value)| (path.clone(), normal::text(value))).collect();
    files.insert(
        "SOURCE.toml".to_owned(),
        record::source_toml(&source, version, &bundle, &examples::check(&bundle)?),
    );
    if !at_home {
        files.insert("names.lock".to_owned(), titles::fresh_lock(&bundle.titles));
    }
    let (written, removed) = write_tree(&folder, &files)?;
    if at_home {
        titles::update_lock(&root.join("xtask/codegen/names.lock"), &bundle.titles)?;
        embed(&root, false)?;
    }
    Ok(Imported { folder, schemas: bundle.files.len(), titles: bundle.titles.len(), written, removed })
}

/// What an import did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Imported {
    /// The folder of the bundle.
    pub folder: PathBuf,
    /// Files of the bundle, the manifest among them.
    pub schemas: usize,
    /// Arm titles kept as identifiers.
    pub titles: usize,
    /// Files whose bytes changed.
    pub written: usize,
    /// Files that were there and no longer belong.
    pub removed: usize,
}

impl std::fmt::Display for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { folder, schemas, titles, written, removed } = self;
        write!(
            f,
            "{}: {schemas} files, {titles} arm names; {written} written, {removed} removed",
            folder.display()
        )
    }
}

/// Makes `folder` hold exactly `files`; returns how many were written and removed.
fn write_tree(folder: &Path, files: &BTreeMap<String, String>) -> Result<(usize, usize)> {
    let mut written = 0;
    for (path, text) in files {
        written += usize::from(write_if_changed(&folder.join(path), text)?);
    }
    let mut removed = 0;
    let mut folders = BTreeSet::new();
    for path in list_files(folder)? {
        if !files.contains_key(&path) {
            fs::remove_file(folder.join(&path))?;
            removed += 1;
            folders.extend(Path::new(&path).ancestors().skip(1).map(Path::to_path_buf));
        }
    }
    for empty in folders.iter().rev().filter(|path| !path.as_os_str().is_empty()) {
        let _still_in_use = fs::remove_dir(folder.join(empty));
    }
    Ok((written, removed))
}

/// Writes `text` unless the file already says so; true when it wrote.
fn write_if_changed(path: &Path, text: &str) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

/// Relative paths of all files under `folder`, with `/` between parts, sorted.
pub(crate) fn list_files(folder: &Path) -> Result<Vec<String>> {
    fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().with_context(|| format!("odd file name {name:?}"))?;
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                walk(&entry.path(), &format!("{path}/"), found)?;
            } else {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found)?;
    found.sort();
    Ok(found)
}

fn same_folder(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

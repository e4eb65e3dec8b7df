//! The files of the repository, as Git would commit them.

use std::{fs, io, path::Path, process::Command};

use anyhow::{Context, bail};

/// Files and folders that exist beside the repository's own in a working copy.
const NOT_OURS: &[&str] = &[".git", ".adcp", "target"];

/// One file. `text` is absent when it is not UTF-8.
#[derive(Debug)]
pub(super) struct File {
    /// Path from the root, with forward slashes.
    pub(super) path: String,
    pub(super) text: Option<String>,
}

/// Everything Git tracks or would add, with its text.
#[derive(Debug)]
pub(super) struct Repo {
    pub(super) files: Vec<File>,
}

impl Repo {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut paths = if root.join(".git").exists() { listed_by_git(root)? } else { walk(root, "")? };
        paths.sort();
        paths.dedup();
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            match fs::read(root.join(&path)) {
                Ok(bytes) => files.push(File { path, text: String::from_utf8(bytes).ok() }),
                // Deleted in the working copy, still in the index: it is on its way out.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
            }
        }
        Ok(Self { files })
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).into(), text: Some((*text).into()) };
        Self { files: files.iter().map(file).collect() }
    }
}

fn listed_by_git(root: &Path) -> anyhow::Result<Vec<String>> {
    let out = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("cannot run git")?;
    if !out.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    let text = String::from_utf8(out.stdout).context("a file name is not UTF-8")?;
    Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// For a tree without Git: everything but what a build leaves behind.
fn walk(root: &Path, below: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(below)).with_context(|| format!("cannot list {below}"))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { bail!("a file name in {below} is not UTF-8") };
        if below.is_empty() && NOT_OURS.contains(&name) {
            continue;
        }
        let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if entry.file_type()?.is_dir() {
            found.extend(walk(root, &path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

//! Puts generated files on disk, or compares them with what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::Output;

/// Writes `made` below `target`, touching only files that differ and removing strays.
///
/// # Errors
///
/// What the file system says.
pub fn write(target: &Path, made: &Output) -> Result<usize> {
    let mut changed = 0;
    for stray in found(target)?.keys().filter(|path| !made.contains_key(*path)) {
        std::fs::remove_file(target.join(stray))?;
        changed += 1;
    }
    for (path, text) in made {
        let path = target.join(path);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(text) {
            std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
            std::fs::write(&path, text)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// What differs between `made` and the files below `target`: changed, missing and stray ones.
///
/// # Errors
///
/// What the file system says.
pub fn differences(target: &Path, made: &Output) -> Result<Vec<String>> {
    let there = found(target)?;
    let mut out = Vec::new();
    let paths: BTreeSet<&String> = made.keys().chain(there.keys()).collect();
    for path in paths {
        match (made.get(path), there.get(path)) {
            (Some(_), None) => out.push(format!("missing: {path}")),
            (None, Some(_)) => out.push(format!("stray: {path}")),
            (Some(made), Some(there)) if made != there => {
                out.push(format!("changed: {path}, {}", first_difference(there, made)))
            }
            _ => {}
        }
    }
    Ok(out)
}

/// The first line where two texts part.
pub fn first_difference(there: &str, made: &str) -> String {
    let (mut there, mut made) = (there.lines(), made.lines());
    let mut number = 1;
    loop {
        match (there.next(), made.next()) {
            (None, None) => return "in line ends only".to_owned(),
            (a, b) if a != b => {
                let show = |line: Option<&str>| {
                    line.map_or_else(|| "the end".to_owned(), |line| format!("`{line}`"))
                };
                return format!("line {number}: has {}, should have {}", show(a), show(b));
            }
            _ => number += 1,
        }
    }
}

fn found(target: &Path) -> Result<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    let mut queue = vec![String::new()];
    while let Some(below) = queue.pop() {
        let here = target.join(&below);
        if !here.exists() {
            continue;
        }
        for entry in std::fs::read_dir(&here)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            if entry.file_type()?.is_dir() {
                queue.push(path);
            } else {
                out.insert(path, String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned());
            }
        }
    }
    Ok(out)
}

/// Writes a crate of its own around the generated files: for versions this workspace does not pin.
///
/// # Errors
///
/// What the file system says.
pub fn write_crate(
    out: &Path,
    runtime: &Path,
    version: &str,
    features: &BTreeSet<String>,
    made: &Output,
) -> Result<()> {
    let name: String =
        version.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
    let mut manifest = format!(
        "[package]\nname = \"adcp-types-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n[features]\n"
    );
    let all: Vec<String> = features.iter().map(|feature| format!("{feature:?}")).collect();
    let _ = writeln!(manifest, "default = [\"full\"]\nfull = [{}]\nschema-table = []", all.join(", "));
    for feature in features {
        let _ = writeln!(manifest, "{feature} = []");
    }
    manifest.push_str("\n[dependencies]\nserde = { version = \"1\", default-features = false, features = [\"std\"] }\nserde_json = { version = \"1\", default-features = false, features = [\"std\"] }\n");
    let src = out.join("src");
    std::fs::create_dir_all(&src).with_context(|| format!("making {}", src.display()))?;
    std::fs::write(out.join("Cargo.toml"), manifest)?;
    let lib = format!(
        "//! Wire types of AdCP {version}.\n#![allow(dead_code)]\n\nmod generated;\n\npub mod envelope;\nmod error_code;\npub mod json;\npub mod tools;\n\npub use error_code::{{ErrorCode, Recovery}};\npub use generated::version::{{ADCP_RELEASE, ADCP_VERSION}};\npub use generated::*;\n"
    );
    std::fs::write(src.join("lib.rs"), lib)?;
    for file in ["envelope.rs", "error_code.rs", "tools.rs"] {
        std::fs::copy(runtime.join(file), src.join(file)).with_context(|| format!("copying {file}"))?;
    }
    copy_dir(&runtime.join("json"), &src.join("json"))?;
    write(&src.join("generated"), made)?;
    Ok(())
}

fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    let single = from.with_extension("rs");
    if !from.exists() {
        std::fs::copy(&single, to.with_extension("rs"))
            .with_context(|| format!("copying {}", single.display()))?;
        return Ok(());
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            bail!("{} is nested deeper than expected", entry.path().display());
        }
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_differing_line_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), "line 2: has `b`, should have `c`");
        assert_eq!(first_difference("a\n", "a\nc\n"), "line 2: has the end, should have `c`");
    }
}

//! The snapshots below `docs/api/`: one text per crate, whose change shows in review.

use std::{fs, io, path::Path};

use anyhow::{Context, bail};

use super::{api, foreign, render};

/// Where the snapshots are kept, from the root.
const FOLDER: &str = "docs/api";

/// Compares every snapshot with the code.
///
/// # Errors
///
/// When one differs; the message shows the first lines that do.
pub(super) fn check(root: &Path) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    let mut exposed = 0;
    for (name, krate) in crates(root)? {
        let text = render::text(&krate);
        for fault in foreign::check(&name, &krate, &dependencies(root, &name)?) {
            println!("crates/{name}/src/lib.rs:1: {fault}");
            exposed += 1;
        }
        let path = format!("{FOLDER}/{name}.txt");
        let kept = match fs::read_to_string(root.join(&path)) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        };
        if let Some((line, was, is)) = first_difference(&kept, &text) {
            println!("{path}:{line}: the public API of {name} changed\n  kept: {was}\n  code: {is}");
            stale.push(name);
        }
    }
    if !stale.is_empty() {
        bail!("run `cargo xtask release --bless` and review the diff: {}", stale.join(", "));
    }
    if exposed > 0 {
        bail!("{exposed} foreign types in public signatures");
    }
    Ok(())
}

/// Writes every snapshot.
///
/// # Errors
///
/// When the code cannot be parsed or a file cannot be written.
pub(super) fn bless(root: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(root.join(FOLDER))?;
    for (name, krate) in crates(root)? {
        let text = render::text(&krate);
        let path = root.join(FOLDER).join(format!("{name}.txt"));
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {FOLDER}/{name}.txt");
    }
    Ok(())
}

/// Every crate with a library, by name.
fn crates(root: &Path) -> anyhow::Result<Vec<(String, api::Crate)>> {
    let mut crates = Vec::new();
    for name in super::crate_names(root)? {
        let lib = root.join("crates").join(&name).join("src/lib.rs");
        if lib.is_file() {
            let krate =
                api::Crate::read(&name, &lib).with_context(|| format!("cannot read the API of {name}"))?;
            crates.push((name, krate));
        }
    }
    Ok(crates)
}

/// Names below `[dependencies]` of a crate, each on a line of its own, as tidy wants them.
fn dependencies(root: &Path, name: &str) -> anyhow::Result<Vec<String>> {
    let path = root.join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let section = text.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or_default();
    let named = |line: &str| {
        let name = line.split([' ', '=', '.']).next().unwrap_or_default();
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        starts.then(|| name.to_owned())
    };
    Ok(section.lines().skip(1).filter_map(named).collect())
}

/// Number and both texts of the first line that differs.
fn first_difference(kept: &str, now: &str) -> Option<(usize, String, String)> {
    if kept == now {
        return None;
    }
    let (mut a, mut b) = (kept.lines(), now.lines());
    for number in 1.. {
        match (a.next(), b.next()) {
            (None, None) => return Some((number, "another line end".into(), "LF".into())),
            (a, b) if a != b => {
                let shown = |line: Option<&str>| line.unwrap_or("(end)").to_owned();
                return Some((number, shown(a), shown(b)));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some((2, "b".into(), "c".into())));
        assert_eq!(first_difference("a\n", "a\nc\n"), Some((2, "(end)".into(), "c".into())));
    }
}

//! The snapshots below `docs/api/`: one text per crate, whose change shows in review.

use std::{fs, io, path::Path};

use anyhow::{Context, bail};

use super::{api, render};

/// Where the snapshots are kept, from the root.
const FOLDER: &str = "docs/api";

/// Compares every snapshot with the code.
///
/// # Errors
///
/// When one differs; the message shows the first lines that do.
pub(super) fn check(root: &Path) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for (name, text) in texts(root)? {
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
    Ok(())
}

/// Writes every snapshot.
///
/// # Errors
///
/// When the code cannot be parsed or a file cannot be written.
pub(super) fn bless(root: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(root.join(FOLDER))?;
    for (name, text) in texts(root)? {
        let path = root.join(FOLDER).join(format!("{name}.txt"));
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {FOLDER}/{name}.txt");
    }
    Ok(())
}

/// Crate name and rendered API, for every crate with a library.
fn texts(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for name in super::crate_names(root)? {
        let lib = root.join("crates").join(&name).join("src/lib.rs");
        if lib.is_file() {
            let krate =
                api::Crate::read(&name, &lib).with_context(|| format!("cannot read the API of {name}"))?;
            texts.push((name, render::text(&krate)));
        }
    }
    Ok(texts)
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

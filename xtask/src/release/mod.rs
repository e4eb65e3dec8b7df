//! Checks that every crate can be published, and shows API changes.

use anyhow::bail;

mod api;
mod foreign;
mod package;
mod render;
mod snapshot;

/// Runs `release --dry-run | --check | --bless`.
///
/// `--check` compares each crate's public API with its snapshot below `docs/api/` and looks for
/// types of other projects in it,
/// `--bless` writes the snapshots, `--dry-run` checks them and packages every crate.
///
/// # Errors
///
/// When a snapshot differs, or a crate cannot be packaged and built from its package.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--check"] => snapshot::check(&crate::root()),
        ["--bless"] => snapshot::bless(&crate::root()),
        ["--dry-run"] => {
            snapshot::check(&crate::root())?;
            package::dry_run(&crate::root(), false)
        }
        ["--dry-run", "--no-verify"] => {
            snapshot::check(&crate::root())?;
            package::dry_run(&crate::root(), true)
        }
        _ => bail!("say `release --dry-run [--no-verify]`, `release --check` or `release --bless`"),
    }
}

/// Names of the crates below `crates/`, sorted.
fn crate_names(root: &std::path::Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join("crates"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

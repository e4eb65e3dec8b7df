//! Packages every crate as crates.io would receive it, and builds it from that package.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail};

/// What crates.io accepts, in bytes.
const MAX_PACKAGE: u64 = 10 * 1024 * 1024;

pub(super) fn dry_run(root: &Path, skip_build: bool) -> anyhow::Result<()> {
    let target = crate::target_dir(root)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["package", "--workspace", "--exclude", "xtask", "--exclude", "adcp-tests"])
        // The unpublished state of a working copy is what we want to know about.
        .args(["--locked", "--allow-dirty"])
        // Building from the packages shares this folder, so dependencies compile once.
        .env("CARGO_TARGET_DIR", &target);
    if skip_build {
        command.arg("--no-verify");
    }
    if !command.status().context("cannot run cargo package")?.success() {
        bail!("cargo package failed");
    }

    let mut heavy = Vec::new();
    let version = env!("CARGO_PKG_VERSION");
    for name in super::crate_names(root)? {
        let path = target.join("package").join(format!("{name}-{version}.crate"));
        let bytes = fs::metadata(&path).with_context(|| format!("no package for {name}"))?.len();
        println!("{name:<24} {:>8.1} KiB", bytes as f64 / 1024.0);
        if bytes >= MAX_PACKAGE {
            heavy.push(name);
        }
    }
    if !heavy.is_empty() {
        bail!("10 MB or more: {}; `exclude` what a build does not need", heavy.join(", "));
    }
    println!("every crate packages{}", if skip_build { "" } else { " and builds from its package" });
    Ok(())
}

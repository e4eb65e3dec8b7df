//! Our signatures against the official vectors and the official Python SDK.
//!
//! The vectors are AdCP's compliance suite as the official npm package carries it. It is fetched into the target folder
//! and never committed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

/// The official npm package, with the vectors. Its suite is that of AdCP 3.0.6; the profiles of 3.1 are the same.
pub(super) const PACKAGE: &str = "@adcp/sdk@6.11.0";

/// Runs both parts with the interpreter of an environment that has the SDK.
pub(super) fn run(root: &Path, target: &Path, python: &Path) -> anyhow::Result<()> {
    let program = build(root, target)?;
    let vectors = fetch(&target.join("interop-vectors"))?;
    let status = Command::new(&program)
        .arg("vectors")
        .arg(&vectors)
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !status.success() {
        bail!("the official vectors and our verifier disagree");
    }
    let status = Command::new(python)
        .arg(root.join("tests/interop/signing.py"))
        .arg(&program)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status()
        .context("cannot run Python")?;
    if !status.success() {
        bail!("the Python SDK's signatures and ours disagree");
    }
    Ok(())
}

/// Builds the example that plays both parts.
fn build(root: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--locked", "--package", "adcp-signing", "--example", "interop"])
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("the example `interop` of adcp-signing does not build");
    }
    Ok(target.join("debug/examples").join(if cfg!(windows) { "interop.exe" } else { "interop" }))
}

/// Fetches the package and returns the folder of its vectors.
fn fetch(folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(folder)?;
    eprintln!("fetching {PACKAGE}");
    let packed = Command::new("npm")
        .args(["pack", "--silent", PACKAGE])
        .current_dir(folder)
        .output()
        .context("cannot run npm, which fetches the official vectors")?;
    if !packed.status.success() {
        bail!("npm pack failed: {}", String::from_utf8_lossy(&packed.stderr).trim());
    }
    let name = String::from_utf8_lossy(&packed.stdout);
    let archive = folder.join(name.lines().last().unwrap_or_default().trim());
    let file = fs::File::open(&archive).with_context(|| format!("cannot open {}", archive.display()))?;
    tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(folder)?;
    let suites = folder.join("package/compliance/cache");
    let suite = fs::read_dir(&suites)
        .with_context(|| format!("{PACKAGE} has no compliance suite"))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        // Beside each suite lies the one that it replaced.
        .filter(|path| path.extension().is_none_or(|extension| extension != "previous"))
        .max()
        .context("the package has no compliance suite")?;
    Ok(suite.join("test-vectors"))
}

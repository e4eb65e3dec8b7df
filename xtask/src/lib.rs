//! Developer tasks of this workspace, one module per subcommand; `cargo xtask help` lists them.

pub mod bench;
pub mod check;
pub mod codegen;
pub mod interop;
pub mod release;
pub mod sample;
pub mod schemas;
pub mod tidy;
pub mod versions;

pub use check::postgres;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map(PathBuf::from).unwrap_or(xtask)
}

/// The target folder of this workspace, wherever configuration puts it.
///
/// # Errors
///
/// When cargo cannot be asked.
pub fn target_dir(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .context("cannot run cargo metadata")?;
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).context("cargo metadata failed")?;
    let path = json.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(PathBuf::from(path.context("cargo metadata names no target directory")?))
}

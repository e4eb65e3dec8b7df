//! Developer tasks of this workspace, one module per subcommand; `cargo xtask help` lists them.

pub mod bench;
pub mod check;
pub mod codegen;
pub mod interop;
pub mod release;
pub mod sample;
pub mod schemas;
pub mod tidy;

use std::path::PathBuf;

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map(PathBuf::from).unwrap_or(xtask)
}

//! The webhooks of a running agent before the official TypeScript runner.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use super::signing::PACKAGE;

/// Starts the agent, which signs with a key of its own, and lets the runner order and wait for what comes.
pub(super) fn run(root: &Path, target: &Path) -> anyhow::Result<()> {
    let package = install(&target.join("interop-runner"))?;
    let binary = super::build(root, target)?;
    let token = format!("interop-token-{}", std::process::id());
    let agent =
        super::Agent::start_with(&binary, &token, &["--allow-loopback-webhooks", "--review-delay", "1"])?;
    let status = Command::new("node")
        .arg(root.join("tests/interop/webhooks.mjs"))
        .arg(&package)
        .arg(format!("http://{}/mcp", agent.address))
        .env("ADCP_TOKEN", &token)
        .status()
        .context("cannot run node, for which the official runner is written")?;
    drop(agent);
    if !status.success() {
        bail!("the official runner does not accept our webhooks");
    }
    Ok(())
}

/// Installs the package with what it depends on, and returns the folder that it is in.
fn install(folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
    eprintln!("installing {PACKAGE}");
    let status = Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE])
        .current_dir(folder)
        .status()
        .context("cannot run npm, which fetches the official runner")?;
    if !status.success() {
        bail!("npm install {PACKAGE} failed");
    }
    Ok(folder.to_owned())
}

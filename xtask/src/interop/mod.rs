//! Drives the agent with the official Python client, holds our signatures against the official ones, and has the
//! official TypeScript runner wait for our webhooks.
//!
//! It needs the network beyond crates: it installs the SDK from PyPI into an environment below the target
//! folder, fetches the official vectors from npm, and throws both away with the next run. The checks
//! are in `tests/interop/`.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

mod signing;
mod webhooks;

/// The release of the SDK that speaks our AdCP version.
const SDK: &str = "adcp==6.3.0b8";

/// How long the agent may take to open its port.
const START: Duration = Duration::from_secs(20);

/// Runs the subcommand with the arguments that follow its name: `[agent | signing | webhooks] [--python PATH]`.
///
/// A part is run alone by its name. `--python` uses an interpreter that already has the SDK instead of a fresh environment.
///
/// # Errors
///
/// When a tool is missing, the agent does not start, or a check fails.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let root = crate::root();
    let target = crate::target_dir(&root)?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (part, rest) = match args[..] {
        [part @ ("agent" | "signing" | "webhooks"), ref rest @ ..] => (Some(part), rest),
        ref rest => (None, rest),
    };
    let runs = |name: &str| part.is_none_or(|part| part == name);
    if runs("webhooks") {
        webhooks::run(&root, &target)?;
    }
    if !runs("signing") && !runs("agent") {
        return if rest.is_empty() { Ok(()) } else { bail!("`interop webhooks` takes no arguments") };
    }
    let python = match rest[..] {
        [] => environment(&target.join("interop"))?,
        ["--python", path] => PathBuf::from(path),
        _ => bail!("say `interop [agent | signing | webhooks] [--python PATH]`"),
    };
    if runs("signing") {
        signing::run(&root, &target, &python)?;
    }
    if runs("agent") {
        agent(&root, &target, &python)?;
    }
    Ok(())
}

/// Starts the agent and lets the Python client call it.
fn agent(root: &Path, target: &Path, python: &Path) -> anyhow::Result<()> {
    let binary = build(root, target)?;
    let token = format!("interop-token-{}", std::process::id());
    let agent = Agent::start(&binary, &token)?;

    let status = Command::new(python)
        .arg(root.join("tests/interop/main.py"))
        .arg(format!("http://{}/mcp", agent.address))
        .env("ADCP_TOKEN", &token)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status()
        .context("cannot run Python")?;
    drop(agent);
    if !status.success() {
        bail!("the Python client and our agent disagree");
    }
    Ok(())
}

/// A fresh virtual environment with the SDK in it; returns its interpreter.
fn environment(folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    let done = |what: &str, command: &mut Command| {
        let status = command.status().with_context(|| format!("cannot run {what}"))?;
        if status.success() { Ok(()) } else { bail!("{what} failed") }
    };
    done("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    eprintln!("installing {SDK}");
    done("pip install", Command::new(&python).args(["-m", "pip", "install", "--quiet", SDK]))?;
    Ok(python)
}

/// Builds the command and returns the path of its binary.
fn build(root: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--locked", "--package", "adcp-cli"])
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("the adcp command does not build");
    }
    Ok(target.join("debug").join(if cfg!(windows) { "adcp.exe" } else { "adcp" }))
}

/// A running `adcp serve`, ended when dropped.
pub(crate) struct Agent {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Agent {
    /// Starts `binary` on a free port, known to `token` only, and waits until it answers.
    pub(crate) fn start(binary: &Path, token: &str) -> anyhow::Result<Self> {
        Self::start_with(binary, token, &[])
    }

    /// The same, with further flags.
    fn start_with(binary: &Path, token: &str, flags: &[&str]) -> anyhow::Result<Self> {
        // Free a moment ago, which is enough on one machine.
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let child = Command::new(binary)
            .args(["serve", "--bind", &address.to_string(), "--registry", "memory"])
            .args(flags)
            .env("ADCP_TOKEN", token)
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let mut agent = Self { child, address };
        agent.wait()?;
        Ok(agent)
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the agent says that it is healthy.
    fn wait(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + START;
        while !is_healthy(self.address) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the agent ended with {status}");
            }
            if Instant::now() > until {
                bail!("the agent did not answer /healthz within {} s", START.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_healthy(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        // In one piece: who answers the first of several may close before it has read the others.
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_200_is_healthy() {
        for (answer, healthy) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 Busy\r\n\r\n", false)] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let address = listener.local_addr().unwrap();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 256];
                let _ = stream.read(&mut asked).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert_eq!(is_healthy(address), healthy);
            server.join().unwrap();
        }
    }
}

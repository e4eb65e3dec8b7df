//! One `adcp serve` process: started, ended, and started again.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

use super::history::Micros;
use super::plan::Pace;
use super::recorder::Recorder;
use super::store::{SEAL_KEY, Store};

/// The slowest start that is still one.
const START: Duration = Duration::from_secs(30);

/// How a replica is started.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// The binary, built with fault points.
    pub(crate) adcp: PathBuf,
    /// Where the seller writes its journal, and the replicas their logs.
    pub(crate) folder: PathBuf,
    pub(crate) store: Store,
    pub(crate) pace: Pace,
    pub(crate) recorder: Arc<Recorder>,
}

/// A process, or the place of one.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) number: usize,
    port: u16,
    recipe: Recipe,
    child: Option<Child>,
    /// How many there were.
    lives: usize,
    /// It ends when this is closed, however this process ends. Waiting for a child would close its own.
    lifeline: Option<ChildStdin>,
}

impl Replica {
    pub(crate) fn new(number: usize, recipe: Recipe) -> anyhow::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?.local_addr()?.port();
        Ok(Self { number, port, recipe, child: None, lives: 0, lifeline: None })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// Starts it until it listens; with `fault` it may have ended before. Tries again while the store is away.
    pub(crate) async fn start(&mut self, fault: Option<&str>) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            self.lives += 1;
            let mut child = self.spawn(fault)?;
            self.lifeline = child.stdin.take();
            self.child = Some(child);
            let ended = self.listening().await?;
            match ended {
                None => return Ok(()),
                Some(status) if is_killed(status) => return Ok(()),
                Some(status) if begun.elapsed() > START => {
                    bail!("replica {} does not start ({status}); see its log", self.number);
                }
                Some(_) => sleep(Duration::from_millis(200)).await,
            }
        }
    }

    fn spawn(&self, fault: Option<&str>) -> anyhow::Result<Child> {
        let folder = &self.recipe.folder;
        let log = |name: String| OpenOptions::new().create(true).append(true).open(folder.join(name));
        let log = log(format!("replica-{}.log", self.number))?;
        let mut command = Command::new(&self.recipe.adcp);
        command
            .args(["serve", "--bind", &format!("127.0.0.1:{}", self.port), "--token", "nobody-shows-this"])
            .args(["--registry", &self.recipe.store.argument(), "--grace", "10"])
            .env("ADCP_TRIAL", folder)
            .env("ADCP_TRIAL_LIFE", self.life())
            .env("RUST_LOG", "info,rmcp=error")
            .env("ADCP_SEAL_KEY", SEAL_KEY)
            .env_remove("ADCP_FAULT")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        if let Some(times) = self.recipe.pace.times() {
            command.env("ADCP_TRIAL_TIMES", times);
        }
        if let Some(fault) = fault {
            command.env("ADCP_FAULT", fault);
        }
        command.spawn().with_context(|| format!("cannot run {}", self.recipe.adcp.display()))
    }

    /// Waits until it listens; how it ended if it did so first.
    async fn listening(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return Ok(None);
            }
            if begun.elapsed() > START {
                bail!("replica {} does not listen after {START:?}; see its log", self.number);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.as_mut().map_or(Ok(None), |child| Ok(child.try_wait()?))
    }

    /// Waits for it to end by itself; `false` when it did not in time.
    pub(crate) async fn ends_within(&mut self, time: Duration) -> anyhow::Result<bool> {
        let Some(child) = &mut self.child else { return Ok(true) };
        let Ok(ended) = timeout(time, child.wait()).await else { return Ok(false) };
        if is_killed(ended?) {
            // It is noticed at once, and still a little late.
            self.broke(self.recipe.recorder.now(), "ended at its point");
            self.child = None;
            return Ok(true);
        }
        bail!("replica {} ended by itself, without being told to; see its log", self.number)
    }

    /// `kill -9`.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            let from = self.recipe.recorder.now();
            child.kill().await?;
            self.broke(from, "was killed");
        }
        Ok(())
    }

    /// The name of the process that runs, or of the last one.
    fn life(&self) -> String {
        format!("r{}-{}", self.number, self.lives)
    }

    fn broke(&self, from: Micros, how: &'static str) {
        self.recipe.recorder.broke(self.life(), from, how);
    }

    /// Has it stand still for so long.
    pub(crate) async fn freeze(&mut self, time: Duration) -> anyhow::Result<()> {
        let from = self.recipe.recorder.now();
        self.signal("-STOP").await?;
        sleep(time).await;
        self.signal("-CONT").await?;
        self.broke(from, "stood still");
        Ok(())
    }

    async fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let Some(pid) = self.child.as_ref().and_then(Child::id) else { return Ok(()) };
        let told = Command::new("kill").args([signal, &pid.to_string()]).status().await?;
        anyhow::ensure!(told.success(), "kill {signal} of replica {} failed", self.number);
        Ok(())
    }

    /// Asks it to stop as a supervisor does, and expects that it does so in good order.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.signal("-TERM").await?;
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let status = timeout(START, child.wait()).await.context("a replica does not stop")??;
        if !status.success() {
            bail!("replica {} did not stop in good order: {status}", self.number);
        }
        Ok(())
    }

    /// The log of all its lives.
    pub(crate) fn log(folder: &Path, number: usize) -> PathBuf {
        folder.join(format!("replica-{number}.log"))
    }
}

fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}
